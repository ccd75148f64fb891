internal import CDNNL
internal import CKernels
internal import Networks
internal import Tensors

extension PlanBuilder {
  /// An activation. Where there is an algorithm whose gradient follows from its output, `backward`, its input need not
  /// be kept.
  mutating func eltwise(
    _ node: Network.Node, _ kind: String, _ algorithm: dnnl_alg_kind_t, backward: dnnl_alg_kind_t? = nil,
    alpha: Float = 0, beta: Float = 0
  ) throws(EngineError) {
    let name = network[node].name
    let source = network[node].inputs[0]
    let x = value(of: source)
    let backwardAlgorithm = backward ?? algorithm
    var layout = x.layout
    var operation = dnnl_eltwise_desc_t()
    // In training described by what its backward twin will be; the two compute the same.
    let forwardAlgorithm = isTraining ? backwardAlgorithm : algorithm
    try check(
      dnnl_eltwise_forward_desc_init(&operation, propagation, forwardAlgorithm, &layout.descriptor, alpha, beta),
      "dnnl_eltwise_forward_desc_init", name)
    guard let forward = try PrimitiveDescriptor.make(operation, nil, on: engine.device, layer: name) else {
      throw missing("activation", node)
    }
    let y = newValue(layout)
    try emit(
      forward, node, kind, [(DNNL_ARG_SRC, x, .read), (DNNL_ARG_DST, y, .write)], inPlace: [(y.buffer, x.buffer)])
    values[node.index] = y
    let (kept, argument) = backward == nil ? (x, DNNL_ARG_SRC) : (y, DNNL_ARG_DST)
    self.backward.append { plan in
      guard plan.needsGradient[source.index], let dy = try plan.gradient(of: node) else { return }
      var (dataLayout, gradientLayout) = (y.layout, dy.layout)
      var operation = dnnl_eltwise_desc_t()
      try check(
        dnnl_eltwise_backward_desc_init(
          &operation, backwardAlgorithm, &gradientLayout.descriptor, &dataLayout.descriptor, alpha, beta),
        "dnnl_eltwise_backward_desc_init", name)
      guard
        let descriptor = try PrimitiveDescriptor.make(
          operation, nil, hint: forward, on: plan.engine.device, layer: name)
      else { throw plan.missing("activation gradient", node) }
      let dx = plan.newValue(dy.layout)
      try plan.emit(
        descriptor, node, kind + " gradient",
        [(argument, kept, .read), (DNNL_ARG_DIFF_DST, dy, .read), (DNNL_ARG_DIFF_SRC, dx, .write)],
        inPlace: [(dx.buffer, dy.buffer)])
      plan.contribute(dx, to: source)
    }
  }
}

extension PlanBuilder {
  /// An activation by our own kernel: oneDNN's turn NaN into a number.
  /// - Parameter keepsZero: whether 0, which lies between the channels and the end of a block, stays 0.
  fileprivate mutating func activate(
    _ node: Network.Node, _ kind: String, _ activation: Int, low: Float = 0, high: Float = 0, keepsZero: Bool
  ) throws(EngineError) {
    let source = network[node].inputs[0]
    let given = value(of: source)
    let isPadded = given.layout.elementCount != given.layout.extents.reduce(1, *)
    let x = isPadded && !keepsZero ? try converted(given, to: .plain(extents(of: node), given.layout.type), for: node) : given
    let y = newValue(x.layout)
    let (count, activation) = (Int64(x.layout.elementCount), Int32(activation))
    emit(
      kernel: "element by element", node, kind, reads: [x.buffer], writes: [y.buffer], inPlace: [(y.buffer, x.buffer)]
    ) { addresses in
      if y.layout.type == dnnl_bf16 {
        let (x, y) = (addresses.halves(x.buffer), addresses.halves(y.buffer))
        return { rk_activate_bf16(x, y, count, activation, low, high) }
      }
      let (x, y) = (addresses.floats(x.buffer), addresses.floats(y.buffer))
      return { rk_activate(x, y, count, activation, low, high) }
    }
    values[node.index] = y
    backward.append { plan in
      guard plan.needsGradient[source.index], let dy = try plan.gradient(of: node) else { return }
      let dx = plan.newValue(dy.layout)
      plan.emit(
        kernel: "element by element", node, kind + " gradient", reads: [y.buffer, dy.buffer], writes: [dx.buffer],
        inPlace: [(dx.buffer, dy.buffer)]
      ) { addresses in
        if y.layout.type == dnnl_bf16 {
          let (y, dy, dx) = (addresses.halves(y.buffer), addresses.halves(dy.buffer), addresses.halves(dx.buffer))
          return { rk_activate_backward_bf16(y, dy, dx, count, activation, low, high) }
        }
        let (y, dy, dx) = (addresses.floats(y.buffer), addresses.floats(dy.buffer), addresses.floats(dx.buffer))
        return { rk_activate_backward(y, dy, dx, count, activation, low, high) }
      }
      plan.contribute(dx, to: source)
    }
  }
}

extension ReLU {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    try plan.activate(node, "relu", rk_activation_relu, keepsZero: true)
  }
}

extension Clip {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    try plan.activate(
      node, "clip", rk_activation_clip, low: low, high: high, keepsZero: low <= 0 && high >= 0)
  }
}

extension Sigmoid {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    try plan.eltwise(node, "sigmoid", dnnl_eltwise_logistic, backward: dnnl_eltwise_logistic_use_dst_for_bwd)
  }
}

extension Tanh {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    try plan.eltwise(node, "tanh", dnnl_eltwise_tanh, backward: dnnl_eltwise_tanh_use_dst_for_bwd)
  }
}

extension GELU {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    try plan.eltwise(node, "gelu", dnnl_eltwise_gelu_erf)
  }
}
