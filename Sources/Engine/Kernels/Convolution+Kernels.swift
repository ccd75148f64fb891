internal import CDNNL
internal import Networks
internal import Tensors

extension Window {
  var strides: [Int64] { [Int64(stride.height), Int64(stride.width)] }
  var kernels: [Int64] { [Int64(kernel.height), Int64(kernel.width)] }
  /// oneDNN counts the gaps: 0 where PyTorch writes 1.
  var dilations: [Int64] { [Int64(dilation.height - 1), Int64(dilation.width - 1)] }
  var leading: [Int64] { [Int64(padding.top), Int64(padding.left)] }
  var trailing: [Int64] { [Int64(padding.bottom), Int64(padding.right)] }
}

extension Attributes {
  /// What follows a step in its group, as oneDNN fuses it.
  static func postOperations(sum: Bool, _ activation: FusedActivation?) throws(EngineError) -> Attributes {
    let attributes = try Attributes()
    var list: [PostOperation] = sum ? [.sum] : []
    switch activation {
    case .relu: list.append(.relu)
    case .clip(let clip): list.append(.clip(low: clip.low, high: clip.high))
    case nil: break
    }
    try attributes.append(list)
    return attributes
  }
}

extension PlanBuilder {
  /// The ways to compute a convolution, best first; oneDNN says which of them it can.
  private func choices(_ convolution: Networks.Convolution, _ node: Network.Node) -> [ConvolutionChoice] {
    let rules = ConvolutionRules(
      convolution: convolution, inputChannels: network.shape(of: network[node].inputs[0])[0],
      output: Array(network.shape(of: node).extents.dropFirst()), batch: batch, block: block,
      allowed: engine.convolutions, precision: precision)
    return isTraining ? rules.training : rules.inference
  }

  /// A convolution, with what inference fuses into it.
  mutating func buildConvolution(_ group: Fusions.Convolution) throws(EngineError) {
    let node = group.convolution
    let layer = network[node]
    guard case .convolution(let rules) = layer.operation else { preconditionFailure("not a convolution") }
    let source = layer.inputs[0]
    let x = value(of: source)
    let channels = network.shape(of: source)[0]
    let kernel = [rules.window.kernel.height, rules.window.kernel.width]
    let weightExtents =
      rules.groups == 1
      ? [rules.outputChannels, channels] + kernel
      : [rules.groups, rules.outputChannels / rules.groups, channels / rules.groups] + kernel
    var residual = group.residual.map { value(of: $0) }

    // Formats: what the kernel likes, except that plain input is read as it is. A residual is added in place, and
    // brought into the kernel's layout where it has another: held to the residual's, the kernel may be a slow one.
    let isFirst = isInput(source)
    var sourceLayout = x.layout
    var weightLayout = x.layout
    let biasLayout = rules.hasBias ? try Layout.plain([rules.outputChannels]) : nil
    var outputLayout = x.layout
    func describe(_ algorithm: dnnl_alg_kind_t) throws(EngineError) -> dnnl_convolution_desc_t {
      var operation = dnnl_convolution_desc_t()
      let status = withOptionalPointer(to: biasLayout?.descriptor) { bias in
        dnnl_dilated_convolution_forward_desc_init(
          &operation, propagation, algorithm, &sourceLayout.descriptor, &weightLayout.descriptor, bias,
          &outputLayout.descriptor, rules.window.strides, rules.window.dilations, rules.window.leading,
          rules.window.trailing)
      }
      try check(status, "dnnl_dilated_convolution_forward_desc_init", layer.name)
      return operation
    }
    let attributes = try Attributes.postOperations(
      sum: residual != nil, group.activation.flatMap { network[$0].operation.fusedActivation })
    var found: PrimitiveDescriptor?
    let choices = choices(rules, node).flatMap { choice in (isFirst ? [true, false] : [false]).map { (choice, $0) } }
    // A reference kernel is many times slower than the others, so it comes last.
    for (takesReference, choice, readsPlain) in [false, true].flatMap({ takes in choices.map { (takes, $0.0, $0.1) } })
    where found == nil {
      let type = choice.type
      func layout(of node: Network.Node) throws(EngineError) -> Layout {
        choice.isBlocked ? try .blocked(extents(of: node), block: block, type) : try .any(extents(of: node), type)
      }
      sourceLayout = readsPlain ? x.layout.holding(type) : try layout(of: source)
      weightLayout = try .any(weightExtents, type)
      outputLayout = try layout(of: node)
      found = try PrimitiveDescriptor.make(
        try describe(choice.algorithm), attributes, on: engine.device, layer: layer.name,
        accepting: { choice.accepts($0) && (takesReference || !$0.isReference) })
    }
    guard let forward = found else { throw missing("convolution", node) }

    var stored = forward.weights
    if isTraining, forward.weights.type != dnnl_f32 {
      // Kept in float32 as their gradient lies.
      let gradient = try weightGradient(
        rules, node, forward, forward.source, [.any(weightExtents)], bias: biasLayout)
      stored = if let gradient { gradient.weightsGradient } else { try .plain(weightExtents) }
    }
    let weight = newParameter(node, 0, extents: weightExtents, stored)
    let bias = biasLayout.map { newParameter(node, 1, extents: [rules.outputChannels], $0) }
    let xIn = try converted(x, to: forward.source, for: node)
    let w = try rounded(value(ofParameter: weight), of: node)
    var arguments: [(Int32, Value, Access)] = [
      (DNNL_ARG_SRC, xIn, .read), (DNNL_ARG_WEIGHTS, try converted(w, to: forward.weights, for: node), .read),
    ]
    if let bias { arguments.append((DNNL_ARG_BIAS, value(ofParameter: bias), .read)) }
    if let given = residual {
      residual = try converted(given, to: forward.destination, for: node)
      overwrite(given.buffer)
    }
    let y = residual ?? newValue(forward.destination)
    arguments.append((DNNL_ARG_DST, y, residual == nil ? .write : .readWrite))
    try emit(forward, node, "convolution", arguments)
    if let residual { overwrite(residual.buffer) }
    values[group.last.index] = y

    guard isTraining else { return }
    backward.append { builder in
      guard let dy = try builder.gradient(of: node) else { return }
      try builder.buildWeightGradient(rules, node, forward, x: x, xIn: xIn, dy: dy, weight: weight, bias: bias)
      if builder.needsGradient[source.index] {
        try builder.buildInputGradient(rules, node, forward, source, dy: dy, w: w)
      }
    }
  }

  /// The kernel that gives the weights' gradient, which is float32, in one of some layouts, best first.
  private func weightGradient(
    _ rules: Networks.Convolution, _ node: Network.Node, _ forward: PrimitiveDescriptor, _ source: Layout,
    _ gradients: [Layout], bias: Layout?
  ) throws(EngineError) -> PrimitiveDescriptor? {
    let name = network[node].name
    // As the forward pass computes; in float32 where there is no kernel for that.
    let choices = choices(rules, node)
    var attempts = choices.filter { $0.type == source.type }.map { ($0, source, gradients[0]) }
    for type in source.type == dnnl_f32 ? [dnnl_f32] : [source.type, dnnl_f32] {
      for gradient in gradients { attempts.append((.direct.computing(in: type), try .any(source.extents, type), gradient)) }
    }
    // A reference kernel is many times slower than the others, so it comes last.
    for takesReference in [false, true] {
      for (choice, source, gradient) in attempts {
        var (sourceLayout, gradientLayout) = (source, gradient)
        var outputLayout = try Layout.any(extents(of: node), source.type)
        var operation = dnnl_convolution_desc_t()
        let status = withOptionalPointer(to: bias?.descriptor) { bias in
          dnnl_dilated_convolution_backward_weights_desc_init(
            &operation, choice.algorithm, &sourceLayout.descriptor, &gradientLayout.descriptor, bias,
            &outputLayout.descriptor, rules.window.strides, rules.window.dilations, rules.window.leading,
            rules.window.trailing)
        }
        try check(status, "dnnl_dilated_convolution_backward_weights_desc_init", name)
        let found = try PrimitiveDescriptor.make(
          operation, nil, hint: forward, on: engine.device, layer: name,
          accepting: { choice.accepts($0) && (takesReference || !$0.isReference) })
        if let found { return found }
      }
    }
    return nil
  }

  private mutating func buildWeightGradient(
    _ rules: Networks.Convolution, _ node: Network.Node, _ forward: PrimitiveDescriptor, x: Value, xIn: Value,
    dy: Value, weight: Int, bias: Int?
  ) throws(EngineError) {
    let parameter = parameters[weight]
    let biasLayout = bias == nil ? nil : try Layout.plain([rules.outputChannels])
    // The gradient is wanted in the weights' own layout; where no kernel writes that, it is converted.
    let found = try weightGradient(
      rules, node, forward, xIn.layout, [parameter.layout, .any(parameter.extents)], bias: biasLayout)
    guard let descriptor = found else { throw missing("convolution weight gradient", node) }
    let target = value(ofGradient: weight)
    let isDirect = descriptor.weightsGradient == parameter.layout
    let dw = isDirect ? target : newValue(descriptor.weightsGradient)
    var arguments: [(Int32, Value, Access)] = [
      (DNNL_ARG_SRC, try converted(xIn, to: descriptor.source, for: node), .read),
      (DNNL_ARG_DIFF_DST, try converted(dy, to: descriptor.destinationGradient, for: node), .read),
      (DNNL_ARG_DIFF_WEIGHTS, dw, .write),
    ]
    if let bias { arguments.append((DNNL_ARG_DIFF_BIAS, value(ofGradient: bias), .write)) }
    try emit(descriptor, node, "convolution weight gradient", arguments)
    if !isDirect { try reorder(dw, into: target, for: node) }
  }

  private mutating func buildInputGradient(
    _ rules: Networks.Convolution, _ node: Network.Node, _ forward: PrimitiveDescriptor, _ source: Network.Node,
    dy: Value, w: Value
  ) throws(EngineError) {
    let name = network[node].name
    var found: PrimitiveDescriptor?
    for choice in choices(rules, node) where found == nil {
      let type = choice.type
      var sourceLayout = try Layout.any(extents(of: source), type)
      var weightLayout = try Layout.any(w.layout.extents, type)
      var outputLayout = try Layout.any(extents(of: node), type)
      var operation = dnnl_convolution_desc_t()
      try check(
        dnnl_dilated_convolution_backward_data_desc_init(
          &operation, choice.algorithm, &sourceLayout.descriptor, &weightLayout.descriptor, &outputLayout.descriptor,
          rules.window.strides, rules.window.dilations, rules.window.leading, rules.window.trailing),
        "dnnl_dilated_convolution_backward_data_desc_init", name)
      found = try PrimitiveDescriptor.make(
        operation, nil, hint: forward, on: engine.device, layer: name, accepting: choice.accepts)
    }
    guard let descriptor = found else { throw missing("convolution input gradient", node) }
    let dx = newValue(descriptor.sourceGradient)
    try emit(
      descriptor, node, "convolution input gradient",
      [
        (DNNL_ARG_WEIGHTS, try converted(w, to: descriptor.weights, for: node), .read),
        (DNNL_ARG_DIFF_DST, try converted(dy, to: descriptor.destinationGradient, for: node), .read),
        (DNNL_ARG_DIFF_SRC, dx, .write),
      ])
    contribute(dx, to: source)
  }

  /// Whether a layer is the input, rounded or not.
  private func isInput(_ node: Network.Node) -> Bool {
    if case .fakeQuantize = network[node].operation { return network[node].inputs[0] == network.input }
    return node == network.input
  }

  /// The error for an operation that oneDNN has no kernel for.
  func missing(_ kind: StaticString, _ node: Network.Node) -> EngineError {
    .library(call: "\(kind)", status: "no kernel for this shape", layer: network[node].name)
  }
}
