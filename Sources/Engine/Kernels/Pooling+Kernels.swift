internal import CDNNL
internal import Networks
internal import Tensors

extension PlanBuilder {
  mutating func pool(_ node: Network.Node, _ kind: String, _ algorithm: dnnl_alg_kind_t, _ window: Window)
    throws(EngineError)
  {
    let name = network[node].name
    let source = network[node].inputs[0]
    let x = value(of: source)
    var sourceLayout = x.layout
    var outputLayout = try Layout.any(extents(of: node))
    var operation = dnnl_pooling_desc_t()
    try check(
      dnnl_pooling_forward_desc_init(
        &operation, propagation, algorithm, &sourceLayout.descriptor, &outputLayout.descriptor, window.strides,
        window.kernels, window.leading, window.trailing),
      "dnnl_pooling_forward_desc_init", name)
    guard let forward = try PrimitiveDescriptor.make(operation, nil, on: engine.device, layer: name) else {
      throw missing("pooling", node)
    }
    let y = newValue(forward.destination)
    let hasWorkspace = isTraining && forward.workspace.descriptor.ndims != 0
    let workspace = hasWorkspace ? newValue(forward.workspace) : nil
    var arguments: [(Int32, Value, Access)] = [(DNNL_ARG_SRC, x, .read), (DNNL_ARG_DST, y, .write)]
    if let workspace { arguments.append((DNNL_ARG_WORKSPACE, workspace, .write)) }
    try emit(forward, node, kind, arguments)
    values[node.index] = y

    backward.append { plan in
      guard plan.needsGradient[source.index], let dy = try plan.gradient(of: node) else { return }
      var (dxLayout, dyLayout) = (x.layout, dy.layout)
      var operation = dnnl_pooling_desc_t()
      try check(
        dnnl_pooling_backward_desc_init(
          &operation, algorithm, &dxLayout.descriptor, &dyLayout.descriptor, window.strides, window.kernels,
          window.leading, window.trailing),
        "dnnl_pooling_backward_desc_init", name)
      guard
        let descriptor = try PrimitiveDescriptor.make(
          operation, nil, hint: forward, on: plan.engine.device, layer: name)
      else { throw plan.missing("pooling gradient", node) }
      let dx = plan.newValue(dxLayout)
      var arguments: [(Int32, Value, Access)] = [(DNNL_ARG_DIFF_DST, dy, .read), (DNNL_ARG_DIFF_SRC, dx, .write)]
      if let workspace { arguments.append((DNNL_ARG_WORKSPACE, workspace, .read)) }
      try plan.emit(descriptor, node, kind + " gradient", arguments)
      plan.contribute(dx, to: source)
    }
  }
}

extension MaxPool {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    try plan.pool(node, "max pool", dnnl_pooling_max, window)
  }
}

extension AveragePool {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let algorithm = countsPadding ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding
    try plan.pool(node, "average pool", algorithm, window)
  }
}

extension GlobalAveragePool {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let shape = plan.network.shape(of: plan.network[node].inputs[0])
    let whole = Window(kernel: Extent(height: shape[1], width: shape[2]))
    try plan.pool(node, "global average pool", dnnl_pooling_avg_exclude_padding, whole)
  }
}
