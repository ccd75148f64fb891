internal import Networks
internal import Tensors

/// Writes a network as a TensorFlow Lite model: images `N H W C`, activations within the operators before them where
/// that is exact.
///
/// What a quantizer reads becomes 8-bit numbers, and the operators between them compute in integers where TensorFlow
/// Lite has such a form of them. Others stay in float32, with conversions around them; their weights are the rounded
/// ones. Where both ends of the network are rounded, callers bring and get 8-bit numbers, elsewhere 32-bit ones.
struct TFLiteExport {
  private let network: Network
  /// Those of quantized layers before they are rounded, and after.
  private let weights, rounded: Weights
  private let consumers: [[Network.Node]]
  private var model: TFLiteModel
  /// The tensor that each layer gives.
  private var tensors: [Int32] = []
  /// For vectors that are images flattened in TensorFlow's order, height and width first: those images, `C H W`.
  private var images: [Network.Node: Shape] = [:]
  /// Activations that the operator before them applies, and quantizers whose levels it gives.
  private var fused: Set<Network.Node> = []
  /// By tensors of 8 bits: the same in 32.
  private var widened: [Int32: Int32] = [:]

  static func bytes(
    of network: Network, _ weights: Weights, _ description: ModelDescription
  ) throws(InterchangeError) -> [UInt8] {
    let model = try model(of: network, weights, description)
    var bytes: [UInt8]
    do { bytes = try model.bytes() } catch { throw .file(error) }
    bytes += TFLiteModel.files(description, at: bytes.count)
    do throws(Problem) {
      let read = try TFLiteModel(reading: bytes)
      guard read == model else { throw Problem("it reads back as another model") }
      try TFLiteChecker(read).check(against: network, weights)
    } catch {
      throw .notAsMeant(.tensorFlowLite, problem: error.text)
    }
    return bytes
  }

  static func model(
    of network: Network, _ weights: Weights, _ description: ModelDescription
  ) throws(InterchangeError) -> TFLiteModel {
    let rounded: Weights
    do { rounded = try network.isQuantized ? network.roundedWeights(weights) : weights } catch { throw .file(error) }
    var export = TFLiteExport(network, weights, rounded)
    for node in network.nodes { export.tensors.append(try export.add(node)) }
    let input = export.tensors[network.input.index]
    var output = export.tensors[network.output.index]
    if export.quantization(input) == nil { output = export.widened(output) }
    (export.model.inputs, export.model.outputs) = ([input], [output])
    do { try export.model.describe(description, of: network) } catch { throw .file(error) }
    return export.model
  }

  private init(_ network: Network, _ weights: Weights, _ rounded: Weights) {
    (self.network, self.weights, self.rounded) = (network, weights, rounded)
    consumers = network.consumers
    model = TFLiteModel(name: network.name)
  }

  /// Adds a layer to the model.
  /// - Returns: the tensor that it gives.
  private mutating func add(_ node: Network.Node) throws(InterchangeError) -> Int32 {
    let layer = network[node]
    let x = layer.inputs.first.map { tensors[$0.index] } ?? -1
    // Element by element, so the order stays.
    if let first = layer.inputs.first { images[node] = images[first] }
    if fused.contains(node) { return x }
    switch layer.operation {
    case .input(let input):
      guard [1, 3].contains(input.shape.rank) else { throw layer.unsupported(in: .tensorFlowLite) }
      return addTensor(layer.name, input.shape, try fusingInputQuantizer())
    case .convolution(let rules): return try addConvolution(rules, of: x, at: node)
    case .batchNorm(let rules): return addBatchNorm(rules, of: widened(x), at: node)
    case .relu: return append(node, .relu, [widened(x)])
    case .clip(let rules): return addClip(rules, of: widened(x), at: node)
    case .sigmoid: return append(node, .logistic, [widened(x)])
    case .tanh: return append(node, .tanh, [widened(x)])
    case .add:
      let inputs = layer.inputs.map { tensors[$0.index] }
      if let ending = try fusingQuantizer(after: node, reading: inputs) {
        return append(
          node, .add, inputs, .init(.add, [.activation: ending.activation.rawValue]), version: 2, name: ending.name,
          ending.quantization)
      }
      let (name, activation) = fusingActivation(after: node)
      return append(
        node, .add, inputs.map { widened($0) }, .init(.add, [.activation: activation.rawValue]), name: name)
    case .concatenation: return try addConcatenation(at: node)
    case .maxPool(let rules): return addPool(.maxPool, rules.window, of: x, at: node)
    case .averagePool(let rules):
      let padding = padding(of: rules.window, at: node)
      if !rules.countsPadding, case .explicit = padding {
        throw layer.unsupported(in: .tensorFlowLite, "other than TensorFlow pads")
      }
      // Its form of integers gives the scale that it gets.
      if let scale = quantization(x), try quantizer(after: node)?.quantization == scale {
        let ending = try fusingQuantizer(after: node, reading: [x])
        return addPool(.averagePool, rules.window, countsPadding: rules.countsPadding, of: x, at: node, ending)
      }
      return addPool(.averagePool, rules.window, countsPadding: rules.countsPadding, of: widened(x), at: node)
    case .globalAveragePool:
      let axes = addConstant("\(layer.name).axes", [1, 2] as [Int32], shape: [2])
      let options = TFLiteModel.Options(.reducer, [.keepsAxes: 1])
      if try quantizer(after: node)?.activation == TFLiteModel.Activation.none,
        let ending = try fusingQuantizer(after: node, reading: [x])
      {
        return append(node, .mean, [x, axes], options, version: 2, name: ending.name, ending.quantization)
      }
      return append(node, .mean, [widened(x), axes], options)
    case .flatten: return addFlatten(of: x, at: node)
    case .dense(let rules) where layer.shape.rank == 1: return try addDense(rules, of: x, at: node)
    // After training nothing is dropped.
    case .dropout, .dropPath: return x
    case .fakeQuantize:
      let result = try quantization(of: node)
      return quantization(x) == result ? x : append(node, .quantize, [x], .init(.quantize), result)
    case .dense, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale, .attention:
      throw layer.unsupported(in: .tensorFlowLite)
    }
  }

  // MARK: Integers

  private func quantization(_ tensor: Int32) -> TFLiteModel.Quantization? { model.tensors[Int(tensor)].quantization }

  /// The levels that a quantizer gives.
  private func quantization(of node: Network.Node) throws(InterchangeError) -> TFLiteModel.Quantization {
    guard let quantizer = network.quantizer(of: node, weights), quantizer.levels == Quantizer.unsigned(bits: 8) else {
      throw network[node].unsupported(in: .tensorFlowLite, "(it has 8 bits)")
    }
    return TFLiteModel.Quantization(quantizer)
  }

  /// The numbers of a tensor in float32.
  private mutating func widened(_ tensor: Int32) -> Int32 {
    guard quantization(tensor) != nil else { return tensor }
    if let known = widened[tensor] { return known }
    var result = model.tensors[Int(tensor)]
    (result.name, result.element, result.quantization) = ("\(result.name).widened", .float32, nil)
    model.tensors.append(result)
    let place = Int32(model.tensors.count - 1)
    model.operators.append(
      .init(code: .dequantize, version: 2, options: .init(.dequantize), inputs: [tensor], outputs: [place]))
    widened[tensor] = place
    return place
  }

  /// How an operator in integers ends.
  private struct Ending {
    let activation: TFLiteModel.Activation
    /// The quantizer's.
    let name: String
    let quantization: TFLiteModel.Quantization
    /// What the operator makes superfluous.
    let nodes: [Network.Node]
  }

  /// The quantizer that alone reads a layer, or an activation that alone reads it.
  ///
  /// An activation within an operator clamps levels. Of ReLU and ReLU6 that is exact, since both corners are rounded as
  /// any other number is. Other clips are expressed where the range ends before they do.
  private func quantizer(after node: Network.Node) throws(InterchangeError) -> Ending? {
    var nodes: [Network.Node] = []
    var last = node
    var clip: Clip?
    while consumers[last.index].count == 1 {
      last = consumers[last.index][0]
      nodes.append(last)
      if case .fakeQuantize = network[last].operation {
        let quantization = try quantization(of: last)
        guard let quantizer = network.quantizer(of: last, weights) else { return nil }
        var activation = TFLiteModel.Activation.none
        if let known = self.activation(of: network[nodes[0]].operation) {
          activation = known
        } else if let clip, !quantizer.ends(within: clip) {
          return nil
        }
        return Ending(activation: activation, name: network[last].name, quantization: quantization, nodes: nodes)
      }
      guard nodes.count == 1, let fused = network[last].operation.fusedActivation else { return nil }
      if case .clip(let rules) = fused { clip = rules }
    }
    return nil
  }

  /// The quantizer behind a layer that reads 8-bit numbers alone; it is then taken as done.
  private mutating func fusingQuantizer(
    after node: Network.Node, reading inputs: [Int32]
  ) throws(InterchangeError) -> Ending? {
    guard inputs.allSatisfy({ quantization($0) != nil }), let ending = try quantizer(after: node) else { return nil }
    fused.formUnion(ending.nodes)
    return ending
  }

  /// The quantizer of the network's input, where callers bring 8-bit numbers.
  private mutating func fusingInputQuantizer() throws(InterchangeError) -> TFLiteModel.Quantization? {
    guard network.quantizer(of: network.output, weights) != nil, let ending = try quantizer(after: network.input),
      ending.nodes.count == 1
    else { return nil }
    fused.formUnion(ending.nodes)
    return ending.quantization
  }

  private mutating func addConcatenation(at node: Network.Node) throws(InterchangeError) -> Int32 {
    let layer = network[node]
    let inputs = layer.inputs.map { tensors[$0.index] }
    let options = TFLiteModel.Options(.concatenation, [.axis: layer.shape.rank == 3 ? 3 : 1])
    guard try quantizer(after: node)?.activation == TFLiteModel.Activation.none,
      let ending = try fusingQuantizer(after: node, reading: inputs)
    else { return append(node, .concatenation, inputs.map { widened($0) }, options) }
    // Its form of integers takes one scale. Rounding to it before is rounding to it after.
    let scaled = inputs.enumerated().map { place, input in
      guard quantization(input) != ending.quantization else { return input }
      return append(
        node, .quantize, [input], .init(.quantize), name: "\(layer.name).input\(place)",
        shape: network.inputShapes(of: node)[place], ending.quantization)
    }
    return append(node, .concatenation, scaled, options, version: 2, name: ending.name, ending.quantization)
  }

  /// A layer's weights and bias, and how the operator ends.
  private struct Parameters {
    let filter, bias: Int32
    let name: String
    let activation: TFLiteModel.Activation
    /// What the operator gives; nil where that has 32 bits.
    let quantization: TFLiteModel.Quantization?
  }

  /// Adds what a convolution or a dense layer reads: integers where it ends in a quantizer, else in float32.
  /// - Parameters:
  ///   - weight: the shape of its weights with four axes.
  ///   - order: of those axes in TensorFlow Lite.
  ///   - shape: there.
  private mutating func addParameters(
    of node: Network.Node, reading x: Int32, hasBias: Bool, weight: Shape, order: [Int], shape: Shape
  ) throws(InterchangeError) -> Parameters {
    let layer = network[node]
    let (channels, axis) = (weight[0], Int32(order.firstIndex(of: 0)!))
    let (weightName, biasName) = ("\(layer.name).weight", "\(layer.name).bias")
    guard let integers = network.integerLayer(of: node, weights), let input = integers.input, quantization(x) != nil,
      let ending = try fusingQuantizer(after: node, reading: [x])
    else {
      let filter = addConstant(
        weightName, rounded[weightName]!.withUnsafeElements { permuted($0, of: weight, order) }, shape: shape)
      // Zeros where it has none, since some kernels want one.
      let bias = addConstant(
        biasName, hasBias ? rounded[biasName]!.elements : [Float](repeating: 0, count: channels), shape: [channels])
      let (name, activation) = fusingActivation(after: node)
      return Parameters(filter: filter, bias: bias, name: name, activation: activation, quantization: nil)
    }
    let levels = integers.weights.values
    guard integers.weights.quantizers.allSatisfy({ $0.zero == 0 }), levels.allSatisfy({ abs($0) <= 127 }) else {
      throw layer.unsupported(in: .tensorFlowLite, "(its weights are symmetric)")
    }
    let bytes = levels.map { UInt8(bitPattern: Int8($0)) }
    let filter = addConstant(
      weightName, .int8, bytes.withUnsafeBufferPointer { permuted($0, of: weight, order) }, shape,
      .init(symmetric: integers.weights.quantizers.map(\.scale), axis: axis))
    let scales = integers.weights.quantizers.map { input.scale * $0.scale }
    let bias = addConstant(
      biasName, .int32, (integers.bias ?? [Int32](repeating: 0, count: channels)).withUnsafeBytes { Array($0) },
      [channels], .init(symmetric: scales, axis: 0))
    return Parameters(
      filter: filter, bias: bias, name: ending.name, activation: ending.activation, quantization: ending.quantization)
  }

  // MARK: Convolutions and dense layers

  private mutating func addConvolution(
    _ rules: Convolution, of x: Int32, at node: Network.Node
  ) throws(InterchangeError) -> Int32 {
    let (layer, channels, kernel) = (network[node], network.inputShapes(of: node)[0][0], rules.window.kernel)
    let isDepthwise = rules.groups == channels && channels > 1
    let weight = weights["\(layer.name).weight"]!.shape
    // O 1 h w becomes 1 h w O, or O I h w becomes O h w I.
    let parameters = try addParameters(
      of: node, reading: x, hasBias: rules.hasBias, weight: weight, order: isDepthwise ? [1, 2, 3, 0] : [0, 2, 3, 1],
      shape: isDepthwise
        ? [1, kernel.height, kernel.width, rules.outputChannels]
        : [rules.outputChannels, kernel.height, kernel.width, weight[1]])
    let isWhole = parameters.quantization != nil
    let (padded, padding) = padding(isWhole ? x : widened(x), by: rules.window, at: node)
    var values: [TFLiteModel.Options.Field: Int32] = [
      .padding: padding.rawValue, .strideWidth: Int32(rules.window.stride.width),
      .strideHeight: Int32(rules.window.stride.height), .activation: parameters.activation.rawValue,
      .dilationWidth: Int32(rules.window.dilation.width), .dilationHeight: Int32(rules.window.dilation.height),
    ]
    if isDepthwise { values[.depthMultiplier] = Int32(rules.outputChannels / channels) }
    return append(
      node, isDepthwise ? .depthwiseConvolution : .convolution, [padded, parameters.filter, parameters.bias],
      .init(isDepthwise ? .depthwiseConvolution : .convolution, values),
      version: isDepthwise
        ? isWhole ? 3 : rules.window.dilation == 1 ? 1 : 2 : rules.groups != 1 ? 6 : isWhole ? 3 : 1,
      name: parameters.name, parameters.quantization)
  }

  private mutating func addDense(
    _ rules: Dense, of x: Int32, at node: Network.Node
  ) throws(InterchangeError) -> Int32 {
    let weight = weights["\(network[node].name).weight"]!.shape
    // O (C H W) becomes O (H W C), the order of what it reads.
    let image = images.removeValue(forKey: node) ?? [weight[1], 1, 1]
    let parameters = try addParameters(
      of: node, reading: x, hasBias: rules.hasBias, weight: image.batched(rules.outputFeatures), order: [0, 2, 3, 1],
      shape: weight)
    let isWhole = parameters.quantization != nil
    return append(
      node, .fullyConnected, [isWhole ? x : widened(x), parameters.filter, parameters.bias],
      .init(.fullyConnected, [.activation: parameters.activation.rawValue]), version: isWhole ? 4 : 1,
      name: parameters.name, parameters.quantization)
  }

  /// `x γ/√(σ² + ε)`, then `+ β − μ γ/√(σ² + ε)`.
  private mutating func addBatchNorm(_ rules: BatchNorm, of x: Int32, at node: Network.Node) -> Int32 {
    let layer = network[node]
    func statistic(_ name: String) -> [Double] { rounded["\(layer.name).\(name)"]!.elements.map(Double.init) }
    let factors = zip(statistic("weight"), statistic("running_var")).map { scale, variance in
      scale / (variance + Double(rules.epsilon)).squareRoot()
    }
    let shifts = zip(factors, zip(statistic("bias"), statistic("running_mean"))).map { $1.0 - $1.1 * $0 }
    let factor = addConstant("\(layer.name).factor", factors.map { Float($0) }, shape: [factors.count])
    let shift = addConstant("\(layer.name).shift", shifts.map { Float($0) }, shape: [shifts.count])
    let product = append(node, .multiply, [x, factor], .init(.multiply), name: "\(layer.name).product")
    let (name, activation) = fusingActivation(after: node)
    return append(node, .add, [product, shift], .init(.add, [.activation: activation.rawValue]), name: name)
  }

  // MARK: Activations

  /// The activation that alone reads a layer, where the operator can apply it; it is then taken as done.
  /// - Returns: also the name of the tensor that results.
  private mutating func fusingActivation(after node: Network.Node) -> (name: String, TFLiteModel.Activation) {
    guard consumers[node.index].count == 1, let activation = activation(of: network[consumers[node.index][0]].operation)
    else { return (network[node].name, .none) }
    fused.insert(consumers[node.index][0])
    return (network[consumers[node.index][0]].name, activation)
  }

  private func activation(of operation: Operation) -> TFLiteModel.Activation? {
    switch operation.fusedActivation {
    case .relu: .relu
    case .clip(.relu6): .relu6
    case .clip(Clip(low: -1, high: 1)): .reluMinus1To1
    case .clip, nil: nil
    }
  }

  private mutating func addClip(_ rules: Clip, of x: Int32, at node: Network.Node) -> Int32 {
    switch activation(of: .clip(rules)) {
    case .relu6: return append(node, .relu6, [x])
    case .reluMinus1To1: return append(node, .reluMinus1To1, [x])
    default: break
    }
    let name = network[node].name
    let low = addConstant("\(name).low", [rules.low], shape: [1])
    let high = addConstant("\(name).high", [rules.high], shape: [1])
    let raised = append(node, .maximum, [x, low], .init(.maximumMinimum), name: "\(name).raised")
    return append(node, .minimum, [raised, high], .init(.maximumMinimum))
  }

  // MARK: Windows

  private enum WindowPadding {
    case same, valid
    /// Rows and columns before the image and after it.
    case explicit(top: Int, left: Int, bottom: Int, right: Int)
  }

  /// Rows or columns that the places of a window need before and after an image; less than its padding where the last
  /// ones are never read.
  private struct Margin {
    let before, after: Int
    /// Whether TensorFlow's SAME is this.
    let isSame: Bool

    init(extent: Int, places: Int, kernel: Int, stride: Int, dilation: Int, before: Int) {
      let needed = (places - 1) * stride + dilation * (kernel - 1) + 1
      self.before = before
      after = max(needed - extent - before, 0)
      isSame = places == (extent + stride - 1) / stride && before == max(needed - extent, 0) / 2
    }
  }

  private func padding(of window: Window, at node: Network.Node) -> WindowPadding {
    let (input, output) = (network.inputShapes(of: node)[0], network.shape(of: node))
    let down = Margin(
      extent: input[1], places: output[1], kernel: window.kernel.height, stride: window.stride.height,
      dilation: window.dilation.height, before: window.padding.top)
    let across = Margin(
      extent: input[2], places: output[2], kernel: window.kernel.width, stride: window.stride.width,
      dilation: window.dilation.width, before: window.padding.left)
    if [down.before, down.after, across.before, across.after].allSatisfy({ $0 == 0 }) { return .valid }
    if down.isSame && across.isSame { return .same }
    return .explicit(top: down.before, left: across.before, bottom: down.after, right: across.after)
  }

  /// Pads an image where TensorFlow's own padding is another: with zeros, or with the least that there is.
  private mutating func padding(
    _ x: Int32, by window: Window, withLeast: Bool = false, isAlwaysExplicit: Bool = false, at node: Network.Node
  ) -> (Int32, TFLiteModel.Padding) {
    let (layer, input) = (network[node], network.inputShapes(of: node)[0])
    var padding = padding(of: window, at: node)
    if case .same = padding, isAlwaysExplicit {
      let same = window.padding
      padding = .explicit(top: same.top, left: same.left, bottom: same.bottom, right: same.right)
    }
    guard case .explicit(let top, let left, let bottom, let right) = padding else {
      if case .same = padding { return (x, .same) }
      return (x, .valid)
    }
    let sides = [0, 0, top, bottom, left, right, 0, 0].map { Int32($0) }
    let paddings = addConstant("\(layer.name).paddings", sides, shape: [4, 2])
    let shape: Shape = [input[0], input[1] + top + bottom, input[2] + left + right]
    let (name, quantization) = ("\(layer.name).padded", quantization(x))
    let version: Int32 = quantization == nil ? 1 : 2
    guard withLeast else {
      return (
        append(node, .pad, [x, paddings], .init(.pad), version: version, name: name, shape: shape, quantization), .valid
      )
    }
    let fillName = "\(layer.name).fill"
    let fill =
      quantization == nil
      ? addConstant(fillName, [-.greatestFiniteMagnitude], shape: [1])
      : addConstant(fillName, .int8, [UInt8(bitPattern: .min)], [1], quantization)
    return (
      append(
        node, .padWith, [x, paddings, fill], .init(.padWith), version: version, name: name, shape: shape, quantization),
      .valid
    )
  }

  private mutating func addPool(
    _ code: TFLiteModel.Code, _ window: Window, countsPadding: Bool = false, of x: Int32, at node: Network.Node,
    _ ending: Ending? = nil
  ) -> Int32 {
    // Padding must never be the largest: zeros will do where nothing is below them.
    let quantization = quantization(x)
    let mayBeNegative =
      !isNonNegative(network[node].inputs[0]) && quantization?.zeroPoints[0] != TFLiteModel.Quantization.lowest
    let (padded, padding) = padding(
      x, by: window, withLeast: code == .maxPool && mayBeNegative,
      isAlwaysExplicit: code == .averagePool && countsPadding, at: node)
    // Of levels, an activation is the quantizer's affair.
    let (name, activation) =
      quantization == nil
      ? fusingActivation(after: node) : (ending?.name ?? network[node].name, ending?.activation ?? .none)
    return append(
      node, code, [padded],
      .init(
        .pool,
        [
          .padding: padding.rawValue, .strideWidth: Int32(window.stride.width),
          .strideHeight: Int32(window.stride.height), .filterWidth: Int32(window.kernel.width),
          .filterHeight: Int32(window.kernel.height), .activation: activation.rawValue,
        ]), version: quantization == nil ? 1 : 2, name: name, quantization)
  }

  /// Whether no element of a layer's output is below 0, whatever the input.
  private func isNonNegative(_ node: Network.Node) -> Bool {
    switch network[node].operation {
    case .relu, .sigmoid: true
    case .clip(let rules): rules.low >= 0 && rules.high >= 0
    case .maxPool, .averagePool, .globalAveragePool, .dropout, .dropPath, .flatten, .add, .concatenation, .fakeQuantize:
      network[node].inputs.allSatisfy { isNonNegative($0) }
    case .input, .convolution, .batchNorm, .tanh, .dense, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale,
      .attention:
      false
    }
  }

  // MARK: Flattening

  private mutating func addFlatten(of x: Int32, at node: Network.Node) -> Int32 {
    let (layer, input) = (network[node], network.inputShapes(of: node)[0])
    guard input.rank == 3 else { return x }
    var x = x
    if input[1] * input[2] > 1 {
      if isReadByDenseAlone(node) {
        images[node] = input
      } else {
        let order = addConstant("\(layer.name).order", [0, 3, 1, 2] as [Int32], shape: [4])
        let name = "\(layer.name).transposed"
        x = append(
          node, .transpose, [x, order], .init(.transpose), version: quantization(x) == nil ? 1 : 2, name: name,
          extents: [1] + input.extents, quantization(x))
      }
    }
    let shape = addConstant("\(layer.name).shape", [-1, Int32(layer.shape[0])], shape: [2])
    return append(node, .reshape, [x, shape], .init(.reshape), quantization(x))
  }

  /// Whether all that reads a vector in the end, element by element before, are dense layers.
  private func isReadByDenseAlone(_ node: Network.Node) -> Bool {
    !consumers[node.index].isEmpty
      && consumers[node.index].allSatisfy { consumer in
        if case .dense = network[consumer].operation { return true }
        return network[consumer].operation.isElementwise && isReadByDenseAlone(consumer)
      }
  }

  // MARK: Tensors and operators

  /// Adds an operator and the tensor that it gives.
  /// - Parameters:
  ///   - name: of the tensor; the layer's unless given.
  ///   - shape: of one sample of the tensor; the layer's unless given.
  ///   - quantization: of a tensor of 8 bits; nil for one of 32.
  private mutating func append(
    _ node: Network.Node, _ code: TFLiteModel.Code, _ inputs: [Int32], _ options: TFLiteModel.Options = .init(.none),
    version: Int32 = 1, name: String? = nil, shape: Shape? = nil, extents: [Int]? = nil,
    _ quantization: TFLiteModel.Quantization? = nil
  ) -> Int32 {
    let layer = network[node]
    let tensor = addTensor(name ?? layer.name, shape ?? layer.shape, extents: extents, quantization)
    model.operators.append(.init(code: code, version: version, options: options, inputs: inputs, outputs: [tensor]))
    return tensor
  }

  /// - Parameter extents: as they are, where they are no image's or vector's.
  private mutating func addTensor(
    _ name: String, _ sample: Shape, extents: [Int]? = nil, _ quantization: TFLiteModel.Quantization?
  ) -> Int32 {
    let inOrder = sample.rank == 3 ? [sample[1], sample[2], sample[0]] : sample.extents
    model.tensors.append(
      .init(
        name: name, shape: (extents ?? [1] + inOrder).map { Int32($0) },
        element: quantization == nil ? .float32 : .int8, hasOpenBatch: true, quantization: quantization))
    return Int32(model.tensors.count - 1)
  }

  private mutating func addConstant(_ name: String, _ elements: [Float], shape: Shape) -> Int32 {
    addConstant(name, .float32, elements.withUnsafeBytes { Array($0) }, shape)
  }
  private mutating func addConstant(_ name: String, _ elements: [Int32], shape: Shape) -> Int32 {
    addConstant(name, .int32, elements.withUnsafeBytes { Array($0) }, shape)
  }
  private mutating func addConstant(
    _ name: String, _ element: TFLiteModel.Element, _ bytes: [UInt8], _ shape: Shape,
    _ quantization: TFLiteModel.Quantization? = nil
  ) -> Int32 {
    model.tensors.append(
      .init(
        name: name, shape: shape.extents.map { Int32($0) }, element: element, data: bytes[...],
        quantization: quantization))
    return Int32(model.tensors.count - 1)
  }
}

/// The elements with the axes in another order: axis `i` of the result is axis `order[i]` of the array.
private func permuted<Element>(_ source: UnsafeBufferPointer<Element>, of shape: Shape, _ order: [Int]) -> [Element] {
  let extents = order.map { shape[$0] }
  var strides = [Int](repeating: 1, count: order.count)
  for axis in stride(from: order.count - 2, through: 0, by: -1) { strides[axis] = strides[axis + 1] * shape[axis + 1] }
  let steps = order.map { strides[$0] }
  return [Element](unsafeUninitializedCapacity: source.count) { target, count in
    for a in 0..<extents[0] {
      for b in 0..<extents[1] {
        for c in 0..<extents[2] {
          let start = a * steps[0] + b * steps[1] + c * steps[2]
          for d in 0..<extents[3] {
            target.initializeElement(at: count, to: source[start + d * steps[3]])
            count += 1
          }
        }
      }
    }
  }
}
