internal import CDNNL
internal import CKernels
internal import Networks
internal import Tensors

extension PlanBuilder {
  /// A pooling by means.
  fileprivate mutating func pool(_ node: Network.Node, _ kind: String, _ algorithm: dnnl_alg_kind_t, _ window: Window)
    throws(EngineError)
  {
    let name = network[node].name
    let source = network[node].inputs[0]
    let x = value(of: source)
    var sourceLayout = x.layout
    var outputLayout = try Layout.any(extents(of: node), x.layout.type)
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
    try emit(forward, node, kind, [(DNNL_ARG_SRC, x, .read), (DNNL_ARG_DST, y, .write)])
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
      try plan.emit(
        descriptor, node, kind + " gradient", [(DNNL_ARG_DIFF_DST, dy, .read), (DNNL_ARG_DIFF_SRC, dx, .write)])
      plan.contribute(dx, to: source)
    }
  }
}

extension MaxPool {
  /// By our own kernel: oneDNN's passes NaN over.
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let source = plan.network[node].inputs[0]
    let given = plan.value(of: source)
    let (input, output) = (plan.network.shape(of: source), plan.network.shape(of: node))
    // A window's places are counted with 16 bits.
    guard window.kernel.height * window.kernel.width <= 1 << 16 else { throw plan.missing("max pool", node) }
    let (inputExtents, outputExtents) = (plan.extents(of: source), plan.extents(of: node))
    let type = given.layout.type
    let channelsLast = try Layout.channelsLast(inputExtents, type)
    let blocked = try Layout.blocked(inputExtents, block: plan.block, type)
    let isLast = given.layout == channelsLast && !plan.isTraining
    let x = isLast ? given : try plan.converted(given, to: blocked, for: node)
    let y = plan.newValue(
      isLast ? try .channelsLast(outputExtents, type) : try .blocked(outputExtents, block: plan.block, type))
    plan.values[node.index] = y

    var shared = rk_max_pooling()
    let blocks = (input[0] + plan.block - 1) / plan.block
    (shared.outer, shared.inner) =
      isLast ? (Int64(plan.batch), Int64(input[0])) : (Int64(plan.batch * blocks), Int64(plan.block))
    (shared.height, shared.width) = (Int64(input[1]), Int64(input[2]))
    (shared.out_height, shared.out_width) = (Int64(output[1]), Int64(output[2]))
    (shared.kernel_height, shared.kernel_width) = (Int32(window.kernel.height), Int32(window.kernel.width))
    (shared.stride_height, shared.stride_width) = (Int32(clamping: window.stride.height), Int32(clamping: window.stride.width))
    (shared.pad_top, shared.pad_left) = (Int32(window.padding.top), Int32(window.padding.left))
    let places = plan.isTraining ? plan.newBuffer(y.layout.elementCount * 2) : nil
    let kernel = isLast ? "channels last" : "blocked \(plan.block)"
    plan.emit(
      kernel: kernel, node, "max pool", reads: [x.buffer], writes: [y.buffer] + (places.map { [$0] } ?? [])
    ) { [shared] addresses in
      var p = shared
      (p.x, p.y) = (UnsafeRawPointer(addresses[x.buffer]), addresses[y.buffer])
      p.places = places.map { addresses[$0].assumingMemoryBound(to: UInt16.self) }
      let arguments = KernelArguments(p)
      if type == dnnl_bf16 { return { rk_max_pool_bf16(arguments.pointer) } }
      return { rk_max_pool(arguments.pointer) }
    }
    guard let places else { return }
    plan.backward.append { [shared] plan in
      guard plan.needsGradient[source.index], let dy = try plan.gradient(of: node) else { return }
      let dx = plan.newValue(blocked)
      plan.emit(
        kernel: kernel, node, "max pool gradient", reads: [dy.buffer, places], writes: [dx.buffer]
      ) { addresses in
        var p = shared
        (p.dy, p.dx) = (UnsafeRawPointer(addresses[dy.buffer]), addresses[dx.buffer])
        p.places = addresses[places].assumingMemoryBound(to: UInt16.self)
        let arguments = KernelArguments(p)
        if type == dnnl_bf16 { return { rk_max_pool_backward_bf16(arguments.pointer) } }
        return { rk_max_pool_backward(arguments.pointer) }
      }
      plan.contribute(dx, to: source)
    }
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
