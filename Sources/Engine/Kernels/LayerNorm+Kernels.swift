internal import CDNNL
internal import Networks
internal import Tensors

extension LayerNorm {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let epsilon = epsilon
    let name = plan.network[node].name
    let source = plan.network[node].inputs[0]
    let plain = try Layout.plain(plan.extents(of: node))
    let x = try plan.converted(plan.value(of: source), to: plain, for: node)
    let features = plain.extents.last!
    let flags = dnnl_use_scale.rawValue | dnnl_use_shift.rawValue
    var (layout, statistics) = (plain, try Layout.plain(Array(plain.extents.dropLast())))
    var operation = dnnl_layer_normalization_desc_t()
    try check(
      dnnl_layer_normalization_forward_desc_init(
        &operation, plan.propagation, &layout.descriptor, &statistics.descriptor, epsilon, flags),
      "dnnl_layer_normalization_forward_desc_init", name)
    guard let forward = try PrimitiveDescriptor.make(operation, nil, on: plan.engine.device, layer: name) else {
      throw plan.missing("layer norm", node)
    }
    let vector = try Layout.plain([features])
    let indices = (0..<2).map { i in plan.newParameter(node, i, extents: [features], vector) }
    let (scale, shift) = (plan.value(ofParameter: indices[0]), plan.value(ofParameter: indices[1]))
    let y = plan.newValue(plain)
    plan.values[node.index] = y
    var arguments: [(Int32, Value, PlanBuilder.Access)] = [
      (DNNL_ARG_SRC, x, .read), (DNNL_ARG_SCALE, scale, .read), (DNNL_ARG_SHIFT, shift, .read),
      (DNNL_ARG_DST, y, .write),
    ]
    guard plan.isTraining else {
      try plan.emit(forward, node, "layer norm", arguments)
      return
    }
    let (mean, variance) = (plan.newValue(statistics), plan.newValue(statistics))
    arguments += [(DNNL_ARG_MEAN, mean, .write), (DNNL_ARG_VARIANCE, variance, .write)]
    try plan.emit(forward, node, "layer norm", arguments)

    plan.backward.append { [statistics] plan in
      guard let dy = try plan.gradient(of: node) else { return }
      var (dxLayout, layout, statistics) = (plain, plain, statistics)
      var operation = dnnl_layer_normalization_desc_t()
      try check(
        dnnl_layer_normalization_backward_desc_init(
          &operation, dnnl_backward, &dxLayout.descriptor, &layout.descriptor, &statistics.descriptor, epsilon, flags),
        "dnnl_layer_normalization_backward_desc_init", name)
      guard
        let descriptor = try PrimitiveDescriptor.make(
          operation, nil, hint: forward, on: plan.engine.device, layer: name)
      else { throw plan.missing("layer norm gradient", node) }
      let dx = plan.newValue(plain)
      try plan.emit(
        descriptor, node, "layer norm gradient",
        [
          (DNNL_ARG_SRC, x, .read), (DNNL_ARG_MEAN, mean, .read), (DNNL_ARG_VARIANCE, variance, .read),
          (DNNL_ARG_SCALE, scale, .read), (DNNL_ARG_SHIFT, shift, .read), (DNNL_ARG_DIFF_DST, dy, .read), (DNNL_ARG_DIFF_SRC, dx, .write),
          (DNNL_ARG_DIFF_SCALE, plan.value(ofGradient: indices[0]), .write),
          (DNNL_ARG_DIFF_SHIFT, plan.value(ofGradient: indices[1]), .write),
        ])
      if plan.needsGradient[source.index] { plan.contribute(dx, to: source) }
    }
  }
}
