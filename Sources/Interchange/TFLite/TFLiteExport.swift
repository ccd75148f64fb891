internal import Networks
internal import Tensors

/// Writes a network as a TensorFlow Lite model: pictures `N H W C`, activations within the operators before them where
/// that is exact.
struct TFLiteExport {
  private let network: Network
  private let weights: Weights
  private let consumers: [[Network.Node]]
  private var model: TFLiteModel
  /// The tensor that each layer gives.
  private var tensors: [Int32] = []
  /// For vectors that are pictures flattened in TensorFlow's order, height and width first: those pictures, `C H W`.
  private var pictures: [Network.Node: Shape] = [:]
  /// Activations that the operator before them applies.
  private var fused: Set<Network.Node> = []

  static func bytes(
    of network: Network, _ weights: Weights, _ description: ModelDescription
  ) throws(InterchangeError) -> [UInt8] {
    let model = try model(of: network, weights, description)
    let bytes: [UInt8]
    do { bytes = try model.bytes() } catch { throw .file(error) }
    do throws(Problem) {
      let read = try TFLiteModel(reading: bytes)
      guard read == model else { throw Problem("it reads back as another model") }
      try TFLiteChecker(read).check(input: network.shape(of: network.input), output: network.shape(of: network.output))
    } catch {
      throw .notAsMeant(.tensorFlowLite, problem: error.text)
    }
    return bytes
  }

  static func model(
    of network: Network, _ weights: Weights, _ description: ModelDescription
  ) throws(InterchangeError) -> TFLiteModel {
    var export = TFLiteExport(network, weights)
    for node in network.nodes { export.tensors.append(try export.add(node)) }
    export.model.inputs = [export.tensors[network.input.index]]
    export.model.outputs = [export.tensors[network.output.index]]
    do { try export.model.describe(description, of: network) } catch { throw .file(error) }
    return export.model
  }

  private init(_ network: Network, _ weights: Weights) {
    (self.network, self.weights) = (network, weights)
    consumers = network.consumers
    model = TFLiteModel(name: network.name)
  }

  /// Adds a layer to the model.
  /// - Returns: the tensor that it gives.
  private mutating func add(_ node: Network.Node) throws(InterchangeError) -> Int32 {
    let layer = network[node]
    let x = layer.inputs.first.map { tensors[$0.index] } ?? -1
    if let first = layer.inputs.first {
      if fused.contains(node) { return x }
      // Element by element, so the order stays.
      pictures[node] = pictures[first]
    }
    switch layer.operation {
    case .input(let input):
      guard [1, 3].contains(input.shape.rank) else { throw layer.unsupported(in: .tensorFlowLite) }
      return addTensor(layer.name, input.shape)
    case .convolution(let rules): return addConvolution(rules, of: x, at: node)
    case .batchNorm(let rules): return addBatchNorm(rules, of: x, at: node)
    case .relu: return append(node, .relu, [x])
    case .clip(let rules): return addClip(rules, of: x, at: node)
    case .sigmoid: return append(node, .logistic, [x])
    case .tanh: return append(node, .tanh, [x])
    case .add:
      let (name, activation) = fusingActivation(after: node)
      return append(
        node, .add, layer.inputs.map { tensors[$0.index] }, .init(.add, [.activation: activation.rawValue]), name: name)
    case .concatenation:
      let axis: Int32 = layer.shape.rank == 3 ? 3 : 1
      return append(
        node, .concatenation, layer.inputs.map { tensors[$0.index] }, .init(.concatenation, [.axis: axis]))
    case .maxPool(let rules): return addPool(.maxPool, rules.window, of: x, at: node)
    case .averagePool(let rules):
      let padding = padding(of: rules.window, at: node)
      if !rules.countsPadding, case .explicit = padding {
        throw layer.unsupported(in: .tensorFlowLite, "other than TensorFlow pads")
      }
      return addPool(.averagePool, rules.window, countsPadding: rules.countsPadding, of: x, at: node)
    case .globalAveragePool:
      let axes = addConstant("\(layer.name).axes", [1, 2] as [Int32], shape: [2])
      return append(node, .mean, [x, axes], .init(.reducer, [.keepsAxes: 1]))
    case .flatten: return addFlatten(of: x, at: node)
    case .dense(let rules) where layer.shape.rank == 1: return addDense(rules, of: x, at: node)
    // After training nothing is dropped.
    case .dropout, .dropPath: return x
    case .dense, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale, .attention, .fakeQuantize:
      throw layer.unsupported(in: .tensorFlowLite)
    }
  }

  // MARK: Convolutions and dense layers

  private mutating func addConvolution(_ rules: Convolution, of x: Int32, at node: Network.Node) -> Int32 {
    let (layer, channels, kernel) = (network[node], network.inputShapes(of: node)[0][0], rules.window.kernel)
    let isDepthwise = rules.groups == channels && channels > 1
    let weight = weights["\(layer.name).weight"]!
    let filter: Int32
    if isDepthwise {
      // O 1 h w becomes 1 h w O.
      filter = addConstant(
        "\(layer.name).weight", permuted(weight, [1, 2, 3, 0]),
        shape: [1, kernel.height, kernel.width, rules.outputChannels])
    } else {
      // O I h w becomes O h w I.
      filter = addConstant(
        "\(layer.name).weight", permuted(weight, [0, 2, 3, 1]),
        shape: [rules.outputChannels, kernel.height, kernel.width, weight.shape[1]])
    }
    let bias = addBias(rules.hasBias, of: layer, count: rules.outputChannels)
    let (padded, padding) = padding(x, by: rules.window, at: node)
    let (name, activation) = fusingActivation(after: node)
    var values: [TFLiteModel.Options.Field: Int32] = [
      .padding: padding.rawValue, .strideWidth: Int32(rules.window.stride.width),
      .strideHeight: Int32(rules.window.stride.height), .activation: activation.rawValue,
      .dilationWidth: Int32(rules.window.dilation.width), .dilationHeight: Int32(rules.window.dilation.height),
    ]
    if isDepthwise {
      values[.depthMultiplier] = Int32(rules.outputChannels / channels)
      return append(
        node, .depthwiseConvolution, [padded, filter, bias], .init(.depthwiseConvolution, values),
        version: rules.window.dilation == 1 ? 1 : 2, name: name)
    }
    return append(
      node, .convolution, [padded, filter, bias], .init(.convolution, values), version: rules.groups == 1 ? 1 : 6,
      name: name)
  }

  private mutating func addDense(_ rules: Dense, of x: Int32, at node: Network.Node) -> Int32 {
    let layer = network[node]
    let weight = weights["\(layer.name).weight"]!
    let elements: [Float]
    if let picture = pictures.removeValue(forKey: node) {
      // O (C H W) becomes O (H W C), the order of what it reads.
      guard let split = try? weight.reshaped(to: picture.batched(rules.outputFeatures)) else {
        preconditionFailure("weights that were not checked against their network")
      }
      elements = permuted(split, [0, 2, 3, 1])
    } else {
      elements = weight.elements
    }
    let filter = addConstant("\(layer.name).weight", elements, shape: weight.shape)
    let bias = addBias(rules.hasBias, of: layer, count: rules.outputFeatures)
    let (name, activation) = fusingActivation(after: node)
    return append(
      node, .fullyConnected, [x, filter, bias], .init(.fullyConnected, [.activation: activation.rawValue]), name: name)
  }

  /// The bias of a layer; zeros where it has none, since some kernels want one.
  private mutating func addBias(_ hasBias: Bool, of layer: Network.Layer, count: Int) -> Int32 {
    let name = "\(layer.name).bias"
    return addConstant(name, hasBias ? weights[name]!.elements : [Float](repeating: 0, count: count), shape: [count])
  }

  /// `x γ/√(σ² + ε)`, then `+ β − μ γ/√(σ² + ε)`.
  private mutating func addBatchNorm(_ rules: BatchNorm, of x: Int32, at node: Network.Node) -> Int32 {
    let layer = network[node]
    func statistic(_ name: String) -> [Double] { weights["\(layer.name).\(name)"]!.elements.map(Double.init) }
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
    switch operation {
    case .relu: .relu
    case .clip(.relu6): .relu6
    case .clip(Clip(low: -1, high: 1)): .reluMinus1To1
    default: nil
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
    /// Rows and columns before the picture and after it.
    case explicit(top: Int, left: Int, bottom: Int, right: Int)
  }

  /// Rows or columns that the places of a window need before and after a picture; less than its padding where the last
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

  /// Pads a picture with zeros where TensorFlow's own padding is another.
  /// - Parameter value: what to pad with; nil for zeros.
  private mutating func padding(
    _ x: Int32, by window: Window, with value: Float? = nil, isAlwaysExplicit: Bool = false, at node: Network.Node
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
    let name = "\(layer.name).padded"
    guard let value else {
      return (append(node, .pad, [x, paddings], .init(.pad), name: name, shape: shape), .valid)
    }
    let fill = addConstant("\(layer.name).fill", [value], shape: [1])
    return (append(node, .padWith, [x, paddings, fill], .init(.padWith), name: name, shape: shape), .valid)
  }

  private mutating func addPool(
    _ code: TFLiteModel.Code, _ window: Window, countsPadding: Bool = false, of x: Int32, at node: Network.Node
  ) -> Int32 {
    // Padding must never be the largest: zeros will do where nothing is below them.
    let isLowest = code == .maxPool && !isNonNegative(network[node].inputs[0])
    let (padded, padding) = padding(
      x, by: window, with: isLowest ? -.greatestFiniteMagnitude : nil,
      isAlwaysExplicit: code == .averagePool && countsPadding, at: node)
    let (name, activation) = fusingActivation(after: node)
    return append(
      node, code, [padded],
      .init(
        .pool,
        [
          .padding: padding.rawValue, .strideWidth: Int32(window.stride.width),
          .strideHeight: Int32(window.stride.height), .filterWidth: Int32(window.kernel.width),
          .filterHeight: Int32(window.kernel.height), .activation: activation.rawValue,
        ]), name: name)
  }

  /// Whether no element of a layer's output is below 0, whatever the input.
  private func isNonNegative(_ node: Network.Node) -> Bool {
    switch network[node].operation {
    case .relu, .sigmoid: true
    case .clip(let rules): rules.low >= 0 && rules.high >= 0
    case .maxPool, .averagePool, .globalAveragePool, .dropout, .dropPath, .flatten, .add, .concatenation:
      network[node].inputs.allSatisfy { isNonNegative($0) }
    default: false
    }
  }

  // MARK: Flattening

  private mutating func addFlatten(of x: Int32, at node: Network.Node) -> Int32 {
    let (layer, input) = (network[node], network.inputShapes(of: node)[0])
    guard input.rank == 3 else { return x }
    var x = x
    if input[1] * input[2] > 1 {
      if isReadByDenseAlone(node) {
        pictures[node] = input
      } else {
        let order = addConstant("\(layer.name).order", [0, 3, 1, 2] as [Int32], shape: [4])
        let name = "\(layer.name).transposed"
        x = append(node, .transpose, [x, order], .init(.transpose), name: name, extents: [1] + input.extents)
      }
    }
    let shape = addConstant("\(layer.name).shape", [-1, Int32(layer.shape[0])], shape: [2])
    return append(node, .reshape, [x, shape], .init(.reshape))
  }

  /// Whether all that reads a vector in the end, element by element before, are dense layers.
  private func isReadByDenseAlone(_ node: Network.Node) -> Bool {
    !consumers[node.index].isEmpty
      && consumers[node.index].allSatisfy { consumer in
        switch network[consumer].operation {
        case .dense: true
        case .relu, .clip, .sigmoid, .tanh, .dropout, .dropPath: isReadByDenseAlone(consumer)
        default: false
        }
      }
  }

  // MARK: Tensors and operators

  /// Adds an operator and the tensor that it gives.
  /// - Parameters:
  ///   - name: of the tensor; the layer's unless given.
  ///   - shape: of one sample of the tensor; the layer's unless given.
  private mutating func append(
    _ node: Network.Node, _ code: TFLiteModel.Code, _ inputs: [Int32], _ options: TFLiteModel.Options = .init(.none),
    version: Int32 = 1, name: String? = nil, shape: Shape? = nil, extents: [Int]? = nil
  ) -> Int32 {
    let layer = network[node]
    let tensor = addTensor(name ?? layer.name, shape ?? layer.shape, extents: extents)
    model.operators.append(.init(code: code, version: version, options: options, inputs: inputs, outputs: [tensor]))
    return tensor
  }

  /// - Parameter extents: as they are, where they are no picture's or vector's.
  private mutating func addTensor(_ name: String, _ sample: Shape, extents: [Int]? = nil) -> Int32 {
    let inOrder = sample.rank == 3 ? [sample[1], sample[2], sample[0]] : sample.extents
    model.tensors.append(.init(name: name, shape: (extents ?? [1] + inOrder).map { Int32($0) }, hasOpenBatch: true))
    return Int32(model.tensors.count - 1)
  }

  private mutating func addConstant(_ name: String, _ elements: [Float], shape: Shape) -> Int32 {
    addConstant(name, .float32, elements.withUnsafeBytes { Array($0) }, shape)
  }
  private mutating func addConstant(_ name: String, _ elements: [Int32], shape: Shape) -> Int32 {
    addConstant(name, .int32, elements.withUnsafeBytes { Array($0) }, shape)
  }
  private mutating func addConstant(
    _ name: String, _ element: TFLiteModel.Element, _ bytes: [UInt8], _ shape: Shape
  ) -> Int32 {
    model.tensors.append(
      .init(name: name, shape: shape.extents.map { Int32($0) }, element: element, data: bytes[...]))
    return Int32(model.tensors.count - 1)
  }
}

/// The elements with the axes in another order: axis `i` of the result is axis `order[i]` of the array.
private func permuted(_ array: Tensor, _ order: [Int]) -> [Float] {
  let extents = order.map { array.shape[$0] }
  var strides = [Int](repeating: 1, count: order.count)
  for axis in stride(from: order.count - 2, through: 0, by: -1) {
    strides[axis] = strides[axis + 1] * array.shape[axis + 1]
  }
  let steps = order.map { strides[$0] }
  return array.withUnsafeElements { source in
    [Float](unsafeUninitializedCapacity: array.count) { target, count in
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
}
