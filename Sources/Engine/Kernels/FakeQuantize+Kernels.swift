internal import CKernels
internal import Networks
internal import Tensors

extension FakeQuantize {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let source = plan.network[node].inputs[0]
    let x = plan.value(of: source)
    let plain = try Layout.plain([1])
    let (low, high) = (
      plan.value(ofParameter: plan.newParameter(node, 0, extents: [1], plain)),
      plan.value(ofParameter: plan.newParameter(node, 1, extents: [1], plain))
    )
    let y = plan.newValue(x.layout)
    plan.values[node.index] = y
    let count = Int64(x.layout.elementCount)
    guard plan.isTraining else {
      plan.emit(
        kernel: "rounding", node, "fake quantization", reads: [x.buffer, low.buffer, high.buffer], writes: [y.buffer],
        inPlace: [(y.buffer, x.buffer)]
      ) { addresses in
        let (x, y) = (addresses.floats(x.buffer), addresses.floats(y.buffer))
        let (low, high) = (addresses.floats(low.buffer), addresses.floats(high.buffer))
        return { rk_fake_quantize(x, y, count, rk_quantizer(quantizer(low: low[0], high: high[0]))) }
      }
      return
    }

    func arguments(_ addresses: PlanBuilder.Addresses) -> rk_moving_quantizer {
      var p = rk_moving_quantizer()
      (p.x, p.count) = (UnsafePointer(addresses.floats(x.buffer)), count)
      (p.low, p.high) = (addresses.floats(low.buffer), addresses.floats(high.buffer))
      (p.decay, p.delay) = (decay, Int64(delay))
      p.highest = Int32(Quantizer.unsigned(bits: bits).upperBound)
      p.state = UnsafePointer(addresses.random)
      return p
    }
    // What is beyond the channels of a blocked layout is 0, and so within every range and a level of its own.
    plan.emit(
      kernel: "rounding", node, "fake quantization", reads: [x.buffer, low.buffer, high.buffer], writes: [y.buffer],
      inPlace: [(y.buffer, x.buffer)], scratch: Int(rk_moving_quantizer_scratch()) * 4
    ) { addresses in
      var p = arguments(addresses)
      p.y = addresses.floats(y.buffer)
      p.partial = addresses.scratch.assumingMemoryBound(to: Float.self)
      let arguments = KernelArguments(p)
      return { rk_move_and_round(arguments.pointer) }
    }
    plan.backward.append { plan in
      guard plan.needsGradient[source.index], let dy = try plan.gradient(of: node) else { return }
      let dx = plan.newValue(x.layout)
      // x is kept: where a batch norm's activation made it, its gradient reads it too, and a mask would be written more.
      plan.emit(
        kernel: "rounding", node, "fake quantization gradient",
        reads: [x.buffer, dy.buffer, low.buffer, high.buffer], writes: [dx.buffer], inPlace: [(dx.buffer, dy.buffer)]
      ) { addresses in
        var p = arguments(addresses)
        (p.dy, p.dx) = (UnsafePointer(addresses.floats(dy.buffer)), addresses.floats(dx.buffer))
        let arguments = KernelArguments(p)
        return { rk_pass_within(arguments.pointer) }
      }
      plan.contribute(dx, to: source)
    }
  }
}

extension PlanBuilder {
  /// What convolutions and dense layers of a training multiply by: the weights as they are, or, where the layer says how
  /// they are rounded, what `Network.roundedWeights` makes of those of the step.
  ///
  /// The gradient goes to the weights as if nothing were rounded. The factor of a batch norm behind, γ / √(σ² + ε), is a
  /// constant for it; PyTorch's `ConvBn2d` also sends what comes through the factor, which is small, to γ.
  mutating func rounded(_ w: Value, of node: Network.Node) throws(EngineError) -> Value {
    guard isTraining, let rules = network.weightQuantization(of: node) else { return w }
    let extents = w.layout.extents
    let plain = try converted(w, to: .plain(extents), for: node)
    let y = newValue(plain.layout)
    let norm = network.foldedNorm(behind: node)
    var (scale, variance): (BufferID?, BufferID?)
    if let norm {
      let indices = try normParameters(of: norm.node)
      (scale, variance) = (value(ofParameter: indices[0]).buffer, value(ofParameter: indices[3]).buffer)
    }
    let channels = network.parameters(of: node)[0].rule.shape[0]
    emit(
      kernel: "rounding", node, "weight quantization", reads: [plain.buffer] + [scale, variance].compactMap { $0 },
      writes: [y.buffer], inPlace: [(y.buffer, plain.buffer)], scratch: 2 * channels * 4
    ) { addresses in
      var p = rk_weight_rounding()
      (p.w, p.y) = (UnsafePointer(addresses.floats(plain.buffer)), addresses.floats(y.buffer))
      (p.channels, p.count) = (Int64(channels), Int64(extents.reduce(1, *) / channels))
      (p.scale, p.variance) = (
        UnsafePointer(addresses.floats(scale)), UnsafePointer(addresses.floats(variance))
      )
      p.epsilon = norm?.rules.epsilon ?? 0
      (p.lowest, p.highest) = (Int32(rules.levels.lowerBound), Int32(rules.levels.upperBound))
      (p.is_symmetric, p.is_per_channel) = (rules.isSymmetric ? 1 : 0, rules.isPerChannel ? 1 : 0)
      (p.delay, p.state) = (Int64(rules.delay), UnsafePointer(addresses.random))
      p.ranges = addresses.scratch.assumingMemoryBound(to: Float.self)
      let arguments = KernelArguments(p)
      return { rk_round_weights(arguments.pointer) }
    }
    return try converted(y, to: w.layout, for: node)
  }
}

extension rk_quantizer {
  init(_ quantizer: Quantizer) {
    self.init(
      scale: quantizer.scale, zero: Int32(quantizer.zero), lowest: Int32(quantizer.levels.lowerBound),
      highest: Int32(quantizer.levels.upperBound))
  }
}
