internal import CKernels
internal import Networks
internal import Tensors

/// What is known of a plan for integers while it is built; of any other, nothing.
struct IntegerState {
  let fusions: IntegerFusions
  /// What layers give in integers, bytes `N H W C`.
  var quantized: [Value?]
  /// What takes quantizers and weights of the folded network for steps on integers.
  var loaders: [(Network, Weights) -> Void] = []
  var products: [IntegerProduct] = []

  init(_ network: Network, isWanted: Bool) {
    fusions = isWanted ? IntegerFusions(network) : IntegerFusions()
    quantized = Array(repeating: nil, count: network.layers.count)
  }
}

/// How plans for integers are built: activations are bytes `N H W C`, as levels of the quantizers that they obey.
/// Layers that are not rounded, and those that have no kernel for integers, compute in float32 in between.
extension PlanBuilder {
  /// A layer of a plan for integers.
  /// - Returns: whether it is done; else it computes in float32.
  mutating func buildIntegers(_ node: Network.Node) throws(EngineError) -> Bool {
    if let group = integers.fusions.emitted[node] {
      switch group {
      case .product(let group): try build(group)
      case .sum(let group): try build(group)
      case .average(let pool, let quantizer): try buildAverage(pool, quantizer)
      case .passing(let node, let quantizer): try buildPassing(node, quantizer)
      }
      return true
    }
    if integers.fusions.absorbed.contains(node) { return true }
    let layer = network[node]
    guard let source = layer.inputs.first else { return false }
    switch layer.operation {
    case .fakeQuantize:
      try buildReals(of: source)
      try buildQuantization(of: source, by: node)
      return true
    case .maxPool(let rules):
      guard let x = integers.quantized[source.index], rules.window.dilation == 1 else { break }
      buildMaxPool(rules.window, node, of: source, x)
      return true
    case .flatten, .dropout, .dropPath:
      guard let x = integers.quantized[source.index] else { break }
      integers.quantized[node.index] = x
      return true
    case .input, .convolution, .batchNorm, .relu, .clip, .sigmoid, .tanh, .add, .concatenation, .averagePool,
      .globalAveragePool, .dense, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale, .attention:
      break
    }
    for input in layer.inputs { try buildReals(of: input) }
    return false
  }

  /// Where bytes lie: `N H W C`, or `N F`.
  private mutating func newLevels(of node: Network.Node) throws(EngineError) -> Value {
    newValue(try .bytes(extents(of: node)))
  }

  /// Sees to it that a layer's numbers are there in float32.
  mutating func buildReals(of node: Network.Node) throws(EngineError) {
    guard values[node.index] == nil, let x = integers.quantized[node.index] else { return }
    // A flattened image still lies as the image does.
    var image = node
    while network[image].operation.passesNumbersOn, !isMaxPool(image), let before = network[image].inputs.first,
      network.shape(of: image).rank == 1
    { image = before }
    let shape = network.shape(of: image)
    let y = newValue(try .plain(extents(of: image)))
    let quantizer = loadedQuantizer(of: node)
    let (batch, channels) = (Int64(batch), Int64(shape[0]))
    let pixels = Int64(shape.extents.dropFirst().reduce(1, *))
    emit(kernel: "own int8", node, "dequantization", reads: [x.buffer], writes: [y.buffer]) { addresses in
      let (x, y) = (addresses.bytes(x.buffer), addresses.floats(y.buffer))
      return {
        let q = quantizer.value
        rk_int8_dequantize_planar(x, y, batch, channels, pixels, q.scale, Int32(q.zero))
      }
    }
    values[node.index] = Value(buffer: y.buffer, layout: try .plain(extents(of: node)))
  }

  private func isMaxPool(_ node: Network.Node) -> Bool {
    if case .maxPool = network[node].operation { return true }
    return false
  }

  /// A quantizer that is known once weights are loaded.
  private mutating func loadedQuantizer(of node: Network.Node) -> LoadedQuantizer {
    let result = LoadedQuantizer()
    integers.loaders.append { network, weights in
      if let quantizer = network.quantizer(of: node, weights) { result.value = quantizer }
    }
    return result
  }

  /// The integers of a layer, as bytes; made of its float32 values, which its quantizer left, where it was computed in float32.
  private mutating func integerValues(of node: Network.Node) throws(EngineError) -> Value {
    if integers.quantized[node.index] == nil {
      // A flattened image lies as the image does.
      let before = network[node].inputs.first
      if network.shape(of: node).rank == 1, network[node].operation.passesNumbersOn, let before {
        integers.quantized[node.index] = try integerValues(of: before)
      } else {
        try buildQuantization(of: node, by: node)
      }
    }
    return integers.quantized[node.index]!
  }

  /// Quantizes the float32 values of a layer.
  /// - Parameter node: the quantizer, or a layer that passes on what obeys one.
  private mutating func buildQuantization(of source: Network.Node, by node: Network.Node) throws(EngineError) {
    let shape = network.shape(of: node)
    let x = try converted(value(of: source), to: .plain(extents(of: source)), for: node)
    let y = try newLevels(of: node)
    let quantizer = loadedQuantizer(of: node)
    let (batch, channels) = (Int64(batch), Int64(shape[0]))
    let pixels = Int64(shape.extents.dropFirst().reduce(1, *))
    emit(kernel: "own int8", node, "quantization", reads: [x.buffer], writes: [y.buffer]) { addresses in
      let (x, y) = (addresses.floats(x.buffer), addresses.bytes(y.buffer))
      return {
        let q = quantizer.value
        rk_int8_quantize_planar(x, y, batch, channels, pixels, q.scale, rk_int8_output(q))
      }
    }
    integers.quantized[node.index] = y
  }

  // MARK: Products

  private func arguments(of group: IntegerFusions.Product) -> rk_int8_convolution {
    var arguments = rk_int8_convolution()
    let source = network[group.layer].inputs[0]
    arguments.batch = Int64(batch)
    switch network[group.layer].operation {
    case .convolution(let rules):
      let (input, output) = (network.shape(of: source), network.shape(of: group.layer))
      let window = rules.window
      (arguments.channels, arguments.height, arguments.width) = (Int64(input[0]), Int64(input[1]), Int64(input[2]))
      (arguments.out_channels, arguments.out_height, arguments.out_width) = (
        Int64(output[0]), Int64(output[1]), Int64(output[2])
      )
      (arguments.kernel_height, arguments.kernel_width) = (Int32(window.kernel.height), Int32(window.kernel.width))
      (arguments.stride_height, arguments.stride_width) = (Int32(window.stride.height), Int32(window.stride.width))
      (arguments.dilation_height, arguments.dilation_width) = (
        Int32(window.dilation.height), Int32(window.dilation.width)
      )
      (arguments.pad_top, arguments.pad_left) = (Int32(window.padding.top), Int32(window.padding.left))
      arguments.groups = Int32(rules.groups)
    case .dense(let rules):
      // A window as large as the image reads it in the order in which it would be flattened.
      var image = source
      while network.shape(of: image).rank == 1, network[image].operation.passesNumbersOn,
        let before = network[image].inputs.first
      { image = before }
      let extents = network.shape(of: image).extents + [1, 1]
      (arguments.channels, arguments.height, arguments.width) = (
        Int64(extents[0]), Int64(extents[1]), Int64(extents[2])
      )
      (arguments.out_channels, arguments.out_height, arguments.out_width) = (Int64(rules.outputFeatures), 1, 1)
      (arguments.kernel_height, arguments.kernel_width) = (Int32(extents[1]), Int32(extents[2]))
      (arguments.stride_height, arguments.stride_width, arguments.dilation_height, arguments.dilation_width) = (
        1, 1, 1, 1
      )
      arguments.groups = 1
    case .input, .batchNorm, .relu, .clip, .sigmoid, .tanh, .add, .concatenation, .maxPool, .averagePool,
      .globalAveragePool, .flatten, .dropout, .dropPath, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale,
      .attention, .fakeQuantize:
      preconditionFailure("a layer without products")
    }
    return arguments
  }

  private mutating func build(_ group: IntegerFusions.Product) throws(EngineError) {
    let source = network[group.layer].inputs[0]
    let x = try integerValues(of: source)
    var residual: Value?
    if let other = group.sum?.others[0] { residual = try integerValues(of: other) }
    let place = group.sum?.quantizer ?? group.quantizer ?? group.layer
    let y = group.quantizer == nil ? newValue(try .plain(extents(of: place))) : try newLevels(of: place)
    let product = try IntegerProduct(arguments(of: group), group)
    integers.products.append(product)
    let kind = if case .dense = network[group.layer].operation { "dense" } else { "convolution" }
    emit(
      kernel: product.kernel, group.layer, kind + (residual == nil ? "" : " + add"),
      reads: [x.buffer] + (residual.map { [$0.buffer] } ?? []), writes: [y.buffer],
      inPlace: residual.map { [(y.buffer, $0.buffer)] } ?? [], scratch: product.scratch(threads: engine.threads)
    ) { addresses in
      product.prepare(
        addresses[x.buffer], addresses[y.buffer], residual: residual.map { UnsafeRawPointer(addresses[$0.buffer]) },
        scratch: addresses.scratch)
      return { product.run() }
    }
    if group.quantizer == nil { values[place.index] = y } else { integers.quantized[place.index] = y }
  }

  // MARK: Sums and pools

  private mutating func build(_ group: IntegerFusions.Sum) throws(EngineError) {
    let (a, b) = (try integerValues(of: group.others[0]), try integerValues(of: group.others[1]))
    let y = try newLevels(of: group.quantizer)
    let (first, second) = (loadedQuantizer(of: group.others[0]), loadedQuantizer(of: group.others[1]))
    let total = loadedQuantizer(of: group.quantizer)
    let activation = group.activation.flatMap { network[$0].operation.fusedActivation }
    let count = Int64(y.layout.byteCount)
    emit(
      kernel: "own int8", group.add, "add", reads: [a.buffer, b.buffer], writes: [y.buffer],
      inPlace: [(y.buffer, a.buffer), (y.buffer, b.buffer)]
    ) { addresses in
      let (a, b, y) = (addresses.bytes(a.buffer), addresses.bytes(b.buffer), addresses.bytes(y.buffer))
      return {
        let (p, q, r) = (first.value, second.value, total.value)
        let range = r.levels(after: activation)
        rk_int8_add(
          a, b, y, count, rk_int8_input(p, over: r), rk_int8_input(q, over: r),
          rk_int8_output(zero: Int32(r.zero), low: range.low, high: range.high))
      }
    }
    integers.quantized[group.quantizer.index] = y
  }

  private mutating func buildAverage(_ pool: Network.Node, _ quantizer: Network.Node) throws(EngineError) {
    let source = network[pool].inputs[0]
    let x = try integerValues(of: source)
    let y = try newLevels(of: quantizer)
    let shape = network.shape(of: source)
    let (batch, channels, pixels) = (Int64(batch), Int64(shape[0]), Int64(shape[1] * shape[2]))
    let (before, after) = (loadedQuantizer(of: source), loadedQuantizer(of: quantizer))
    emit(kernel: "own int8", pool, "global average pool", reads: [x.buffer], writes: [y.buffer]) { addresses in
      let (x, y) = (addresses.bytes(x.buffer), addresses.bytes(y.buffer))
      return {
        let (p, q) = (before.value, after.value)
        rk_int8_average(x, y, batch, pixels, channels, rk_int8_input(p, over: q, count: Int(pixels)), rk_int8_output(q))
      }
    }
    integers.quantized[quantizer.index] = y
  }

  /// A layer that picks, clips or joins numbers, brought to the levels of the quantizer behind it.
  private mutating func buildPassing(_ node: Network.Node, _ quantizer: Network.Node) throws(EngineError) {
    let operation = network[node].operation
    var parts: [(source: Network.Node, levels: Value)] = []
    for source in network[node].inputs { parts.append((source, try integerValues(of: source))) }
    if case .averagePool(let rules) = operation {
      // One pixel is its own largest.
      buildMaxPool(rules.window, node, of: parts[0].source, parts[0].levels)
      parts[0].levels = integers.quantized[node.index]!
    }
    let y = try newLevels(of: quantizer)
    let after = loadedQuantizer(of: quantizer)
    let extents = extents(of: node)
    let places = extents[0] * extents.dropFirst(2).reduce(1, *)
    let channels = extents[1]
    var first = 0
    for (source, x) in parts {
      let before = loadedQuantizer(of: source)
      let own = self.extents(of: source)[1]
      let offset = first
      first += own
      emit(kernel: "own int8", node, network[node].operation.title, reads: [x.buffer], writes: [y.buffer]) {
        addresses in
        let (x, y) = (addresses.bytes(x.buffer), addresses.bytes(y.buffer) + offset)
        return {
          let (p, q) = (before.value, after.value)
          let range = q.levels(after: operation.fusedActivation)
          rk_int8_rescale(
            x, y, Int64(places), Int64(own), Int64(channels), rk_int8_input(p, over: q),
            rk_int8_output(zero: Int32(q.zero), low: range.low, high: range.high))
        }
      }
    }
    integers.quantized[quantizer.index] = y
  }

  private mutating func buildMaxPool(_ window: Window, _ node: Network.Node, of source: Network.Node, _ x: Value) {
    guard let y = try? newLevels(of: node) else { preconditionFailure("an image without a layout") }
    let (input, output) = (network.shape(of: source), network.shape(of: node))
    var arguments = rk_int8_pooling()
    arguments.batch = Int64(batch)
    (arguments.channels, arguments.height, arguments.width) = (Int64(input[0]), Int64(input[1]), Int64(input[2]))
    (arguments.out_height, arguments.out_width) = (Int64(output[1]), Int64(output[2]))
    (arguments.kernel_height, arguments.kernel_width) = (Int32(window.kernel.height), Int32(window.kernel.width))
    (arguments.stride_height, arguments.stride_width) = (Int32(window.stride.height), Int32(window.stride.width))
    (arguments.pad_top, arguments.pad_left) = (Int32(window.padding.top), Int32(window.padding.left))
    emit(kernel: "own int8", node, "max pool", reads: [x.buffer], writes: [y.buffer]) { [arguments] addresses in
      var arguments = arguments
      arguments.x = UnsafePointer(addresses.bytes(x.buffer))
      arguments.y = addresses.bytes(y.buffer)
      return { [arguments] in withUnsafePointer(to: arguments) { rk_int8_max_pool($0) } }
    }
    integers.quantized[node.index] = y
  }
}

/// A quantizer that weights bring along.
private final class LoadedQuantizer {
  var value = Quantizer(scale: 1, zero: 0, levels: 0...255)
}

extension rk_int8_input {
  /// Levels of one quantizer, in steps of another's; the mean of so many.
  fileprivate init(_ quantizer: Quantizer, over other: Quantizer, count: Int = 1) {
    self.init(
      zero: Int32(quantizer.zero), factor: Float(Double(quantizer.scale) / Double(other.scale) / Double(count)))
  }
}

extension rk_int8_output {
  fileprivate init(_ quantizer: Quantizer) {
    self.init(
      zero: Int32(quantizer.zero), low: Int32(quantizer.levels.lowerBound), high: Int32(quantizer.levels.upperBound))
  }
}
