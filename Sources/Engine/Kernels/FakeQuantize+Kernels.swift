internal import CKernels
internal import Networks
internal import Tensors

extension FakeQuantize {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let x = plan.value(of: plan.network[node].inputs[0])
    let plain = try Layout.plain([1])
    let (low, high) = (
      plan.value(ofParameter: plan.newParameter(node, 0, extents: [1], plain)),
      plan.value(ofParameter: plan.newParameter(node, 1, extents: [1], plain))
    )
    let y = plan.newValue(x.layout)
    let count = Int64(x.layout.floatCount)
    plan.emit(
      kernel: "rounding", node, "fake quantization", reads: [x.buffer, low.buffer, high.buffer], writes: [y.buffer],
      inPlace: [(y.buffer, x.buffer)]
    ) { addresses in
      let (x, y) = (addresses.floats(x.buffer), addresses.floats(y.buffer))
      let (low, high) = (addresses.floats(low.buffer), addresses.floats(high.buffer))
      return { rk_fake_quantize(x, y, count, rk_quantizer(quantizer(low: low[0], high: high[0]))) }
    }
    plan.values[node.index] = y
  }
}

extension rk_quantizer {
  init(_ quantizer: Quantizer) {
    self.init(
      scale: quantizer.scale, zero: Int32(quantizer.zero), lowest: Int32(quantizer.levels.lowerBound),
      highest: Int32(quantizer.levels.upperBound))
  }
}
