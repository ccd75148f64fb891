internal import CDNNL
internal import Networks
internal import Tensors

extension Dense {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let rules = self
    let name = plan.network[node].name
    let source = plan.network[node].inputs[0]
    // Tokens are so many samples more.
    let rows = plan.extents(of: node).dropLast().reduce(1, *)
    let features = plan.extents(of: source).last!
    // To read weights as float32 costs less than to make a copy of them in each step, but for many rows.
    let type = plan.isTraining && rows < 128 ? dnnl_f32 : plan.elements
    // What a network gives is float32, whatever it was computed with.
    let outputType = node == plan.network.output ? dnnl_f32 : type
    let given = try plan.converted(plan.value(of: source), to: .plain(plan.extents(of: source), type), for: node)
    let x = Value(buffer: given.buffer, layout: try .plain([rows, features], type))
    if !plan.isTraining, plan.network.shape(of: node).rank == 2, try buildPixels(node, x, rows: rows, outputType, in: &plan) {
      return
    }
    var sourceLayout = x.layout
    let extents = [outputFeatures, features]
    var weightLayout = try Layout.any(extents, type)
    let biasLayout = hasBias ? try Layout.plain([outputFeatures]) : nil
    var outputLayout = try Layout.plain([rows, outputFeatures], outputType)
    var operation = dnnl_inner_product_desc_t()
    let propagation = plan.propagation
    let status = withOptionalPointer(to: biasLayout?.descriptor) { bias in
      dnnl_inner_product_forward_desc_init(
        &operation, propagation, &sourceLayout.descriptor, &weightLayout.descriptor, bias, &outputLayout.descriptor)
    }
    try check(status, "dnnl_inner_product_forward_desc_init", name)
    // One or two images are a product of a matrix and a vector, which oneDNN's first choice reads a third slower.
    let isVector = !plan.isTraining && rows <= 2
    var found: PrimitiveDescriptor?
    for accepts in isVector ? [{ !$0.kernel.contains("brgemm") }, { _ in true }] : [{ (_: PrimitiveDescriptor) in true }]
    where found == nil {
      found = try PrimitiveDescriptor.make(operation, nil, on: plan.engine.device, layer: name, accepting: accepts)
    }
    guard let forward = found else { throw plan.missing("dense", node) }
    let weight: Int
    if plan.isTraining, type != dnnl_f32 {
      // Kept in float32 as their gradient lies.
      let gradient = try weightGradient(
        node, forward, x: x.layout, dy: outputLayout.holding(type), bias: biasLayout, .any(extents), in: plan)
      let stored = if let gradient { gradient.weightsGradient } else { try Layout.plain(extents) }
      weight = plan.newParameter(node, 0, extents: extents, stored)
    } else {
      weight = plan.newParameter(node, 0, extents: extents, forward.weights)
    }
    let bias = biasLayout.map { plan.newParameter(node, 1, extents: [outputFeatures], $0) }
    let w = try plan.rounded(plan.value(ofParameter: weight), of: node)
    let y = plan.newValue(outputLayout)
    var arguments: [(Int32, Value, PlanBuilder.Access)] = [
      (DNNL_ARG_SRC, x, .read), (DNNL_ARG_WEIGHTS, try plan.converted(w, to: forward.weights, for: node), .read),
      (DNNL_ARG_DST, y, .write),
    ]
    if let bias { arguments.append((DNNL_ARG_BIAS, plan.value(ofParameter: bias), .read)) }
    try plan.emit(forward, node, "dense", arguments)
    plan.values[node.index] = Value(buffer: y.buffer, layout: try .plain(plan.extents(of: node), outputType))

    guard plan.isTraining else { return }
    plan.backward.append { plan in
      guard let whole = try plan.gradient(of: node) else { return }
      let dy = try plan.converted(
        Value(buffer: whole.buffer, layout: outputLayout), to: outputLayout.holding(type), for: node)
      try rules.buildWeightGradient(node, forward, x: x, dy: dy, weight: weight, bias: bias, in: &plan)
      guard plan.needsGradient[source.index] else { return }
      var (dxLayout, dyLayout) = (x.layout, dy.layout)
      var wLayout = try Layout.any(extents, type)
      var operation = dnnl_inner_product_desc_t()
      try check(
        dnnl_inner_product_backward_data_desc_init(
          &operation, &dxLayout.descriptor, &wLayout.descriptor, &dyLayout.descriptor),
        "dnnl_inner_product_backward_data_desc_init", name)
      guard
        let descriptor = try PrimitiveDescriptor.make(
          operation, nil, hint: forward, on: plan.engine.device, layer: name)
      else { throw plan.missing("dense input gradient", node) }
      let dx = plan.newValue(dxLayout)
      try plan.emit(
        descriptor, node, "dense input gradient",
        [
          (DNNL_ARG_WEIGHTS, try plan.converted(w, to: descriptor.weights, for: node), .read),
          (DNNL_ARG_DIFF_DST, dy, .read), (DNNL_ARG_DIFF_SRC, dx, .write),
        ])
      plan.contribute(Value(buffer: dx.buffer, layout: given.layout), to: source)
    }
  }

  /// Tokens as the pixels of one image, for a 1x1 convolution: its kernels pack nothing, so they are faster here than
  /// a product of matrices, and take no memory.
  /// - Returns: whether oneDNN has such a kernel.
  private func buildPixels(
    _ node: Network.Node, _ x: Value, rows: Int, _ outputType: dnnl_data_type_t, in plan: inout PlanBuilder
  ) throws(EngineError) -> Bool {
    let name = plan.network[node].name
    let features = x.layout.extents[1]
    let extents = [outputFeatures, features, 1, 1]
    var sourceLayout = try Layout.channelsLast([1, features, rows, 1], x.layout.type)
    var weightLayout = try Layout.any(extents, x.layout.type)
    let biasLayout = hasBias ? try Layout.plain([outputFeatures]) : nil
    var outputLayout = try Layout.channelsLast([1, outputFeatures, rows, 1], outputType)
    var operation = dnnl_convolution_desc_t()
    let propagation = plan.propagation
    let status = withOptionalPointer(to: biasLayout?.descriptor) { bias in
      dnnl_convolution_forward_desc_init(
        &operation, propagation, dnnl_convolution_direct, &sourceLayout.descriptor, &weightLayout.descriptor, bias,
        &outputLayout.descriptor, [1, 1], [0, 0], [0, 0])
    }
    try check(status, "dnnl_convolution_forward_desc_init", name)
    let found = try PrimitiveDescriptor.make(
      operation, nil, on: plan.engine.device, layer: name, accepting: { $0.kernel.contains("1x1") })
    guard let descriptor = found else { return false }
    let w = plan.value(ofParameter: plan.newParameter(node, 0, extents: extents, descriptor.weights))
    let y = plan.newValue(outputLayout)
    var arguments: [(Int32, Value, PlanBuilder.Access)] = [
      (DNNL_ARG_SRC, Value(buffer: x.buffer, layout: sourceLayout), .read), (DNNL_ARG_WEIGHTS, w, .read),
      (DNNL_ARG_DST, y, .write),
    ]
    if let biasLayout {
      let bias = plan.newParameter(node, 1, extents: [outputFeatures], biasLayout)
      arguments.append((DNNL_ARG_BIAS, plan.value(ofParameter: bias), .read))
    }
    try plan.emit(descriptor, node, "dense", arguments)
    plan.values[node.index] = Value(buffer: y.buffer, layout: try .plain(plan.extents(of: node), outputType))
    return true
  }

  /// The kernel that gives the weights' gradient, which is float32, in a layout.
  private func weightGradient(
    _ node: Network.Node, _ forward: PrimitiveDescriptor, x: Layout, dy: Layout, bias: Layout?, _ gradient: Layout,
    in plan: PlanBuilder
  ) throws(EngineError) -> PrimitiveDescriptor? {
    let name = plan.network[node].name
    var (sourceLayout, gradientLayout, dyLayout) = (x, gradient, dy)
    var operation = dnnl_inner_product_desc_t()
    let status = withOptionalPointer(to: bias?.descriptor) { bias in
      dnnl_inner_product_backward_weights_desc_init(
        &operation, &sourceLayout.descriptor, &gradientLayout.descriptor, bias, &dyLayout.descriptor)
    }
    try check(status, "dnnl_inner_product_backward_weights_desc_init", name)
    return try PrimitiveDescriptor.make(operation, nil, hint: forward, on: plan.engine.device, layer: name)
  }

  private func buildWeightGradient(
    _ node: Network.Node, _ forward: PrimitiveDescriptor, x: Value, dy: Value, weight: Int, bias: Int?,
    in plan: inout PlanBuilder
  ) throws(EngineError) {
    let parameter = plan.parameters[weight]
    let biasLayout = bias == nil ? nil : try Layout.plain([outputFeatures])
    var found: PrimitiveDescriptor?
    for gradient in [parameter.layout, try .any(parameter.extents)] where found == nil {
      found = try weightGradient(node, forward, x: x.layout, dy: dy.layout, bias: biasLayout, gradient, in: plan)
    }
    guard let descriptor = found else { throw plan.missing("dense weight gradient", node) }
    let target = plan.value(ofGradient: weight)
    let isDirect = descriptor.weightsGradient == parameter.layout
    let dw = isDirect ? target : plan.newValue(descriptor.weightsGradient)
    var arguments: [(Int32, Value, PlanBuilder.Access)] = [
      (DNNL_ARG_SRC, x, .read), (DNNL_ARG_DIFF_DST, dy, .read), (DNNL_ARG_DIFF_WEIGHTS, dw, .write),
    ]
    if let bias { arguments.append((DNNL_ARG_DIFF_BIAS, plan.value(ofGradient: bias), .write)) }
    try plan.emit(descriptor, node, "dense weight gradient", arguments)
    if !isDirect { try plan.reorder(dw, into: target, for: node) }
  }
}

extension Flatten {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let source = plan.network[node].inputs[0]
    let shape = plan.network.shape(of: source)
    let x = plan.value(of: source)
    let flat = try Layout.plain(plan.extents(of: node), x.layout.type)
    // Images of one pixel lie as their vectors do in every layout without padding; others are put in order first.
    let isOnePixel = shape.extents.dropFirst().allSatisfy { $0 == 1 } && x.layout.byteCount == flat.byteCount
    let ordered =
      isOnePixel ? x : try plan.converted(x, to: .plain(plan.extents(of: source), x.layout.type), for: node)
    plan.values[node.index] = Value(buffer: ordered.buffer, layout: flat)

    plan.backward.append { plan in
      guard plan.needsGradient[source.index], let dy = try plan.gradient(of: node) else { return }
      plan.contribute(Value(buffer: dy.buffer, layout: ordered.layout), to: source)
    }
  }
}
