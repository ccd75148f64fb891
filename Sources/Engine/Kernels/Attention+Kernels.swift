internal import CKernels
internal import Networks
internal import Tensors

extension Attention {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let source = plan.network[node].inputs[0]
    let shape = plan.network.shape(of: node)
    let plain = try Layout.plain(plan.extents(of: source))
    let x = try plan.converted(plan.value(of: source), to: plain, for: node)
    var indices: [Int] = []
    for i in 0..<3 { indices.append(try plan.newPlainParameter(node, i)) }
    let parameters = indices.map { plan.value(ofParameter: $0).buffer }
    let y = plan.newValue(try .plain(plan.extents(of: node)))
    plan.values[node.index] = y

    var shared = rk_attention()
    (shared.batch, shared.tokens) = (Int64(plan.batch), Int64(shape[0]))
    (shared.heads, shared.features) = (Int64(heads), Int64(shape[1] / heads))
    (shared.grid_height, shared.grid_width) = (Int64(grid.height), Int64(grid.width))
    let threads = plan.engine.threads
    func scratch(backward: Bool) -> Int { 4 * threads * Int(rk_attention_scratch(&shared, backward ? 1 : 0)) }
    let (forwardScratch, backwardScratch) = (scratch(backward: false), scratch(backward: true))

    @Sendable func arguments(_ addresses: PlanBuilder.Addresses, _ shared: rk_attention) -> rk_attention {
      var p = shared
      p.qkv = UnsafePointer(addresses.floats(x.buffer))
      p.q_bias = UnsafePointer(addresses.floats(parameters[0]))
      p.v_bias = UnsafePointer(addresses.floats(parameters[1]))
      p.table = UnsafePointer(addresses.floats(parameters[2]))
      p.scratch = addresses.scratch.assumingMemoryBound(to: Float.self)
      return p
    }
    plan.emit(
      kernel: "head by head", node, "attention", reads: [x.buffer] + parameters, writes: [y.buffer],
      scratch: forwardScratch
    ) { [shared] addresses in
      var p = arguments(addresses, shared)
      p.y = addresses.floats(y.buffer)
      let owner = KernelArguments(p)
      return { rk_attention_forward(owner.pointer) }
    }

    plan.backward.append { [shared] plan in
      guard let dy = try plan.gradient(of: node) else { return }
      let dx = plan.newValue(plain)
      let gradients = indices.map { plan.value(ofGradient: $0).buffer }
      plan.emit(
        kernel: "head by head", node, "attention gradient", reads: [x.buffer, dy.buffer] + parameters,
        writes: [dx.buffer] + gradients, scratch: backwardScratch
      ) { addresses in
        var p = arguments(addresses, shared)
        p.dy = UnsafePointer(addresses.floats(dy.buffer))
        p.dqkv = addresses.floats(dx.buffer)
        p.dq_bias = addresses.floats(gradients[0])
        p.dv_bias = addresses.floats(gradients[1])
        p.dtable = addresses.floats(gradients[2])
        let owner = KernelArguments(p)
        return { rk_attention_backward(owner.pointer) }
      }
      if plan.needsGradient[source.index] { plan.contribute(dx, to: source) }
    }
  }
}
