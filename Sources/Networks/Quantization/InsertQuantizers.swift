public import Tensors

/// What of a network is rounded, and to how many bits.
public struct QuantizationScheme: Hashable, Sendable, Codable {
  public var weights = WeightQuantization()
  /// 2 to 8.
  public var activationBits = 8
  /// How much of a range stays in a step of training.
  public var decay: Float = 0.999
  /// Steps of training that only gather ranges.
  public var delay = 0
  /// Layers that stay in float32, by name: their weights, and what they give.
  public var kept: [String] = []
  /// Whether the answer, the logits, is rounded too, as TensorFlow Lite's dense layers do.
  public var roundsOutput = true

  public init() {}
}

/// Rounds weights and activations where kernels that compute in integers do: the input, what follows each
/// convolution or dense layer with its batch norm and activation, and each sum and average.
///
/// A value between a convolution and the sum behind it is rounded too: formats for other programs keep it in 8 bits.
/// Poolings by maximum, flattening and dropout pass on what they get.
/// - Source: Krishnamoorthi 2018 (arXiv:1806.08342), section 3.
public struct InsertQuantizers: Pass {
  private let scheme: QuantizationScheme
  public init(_ scheme: QuantizationScheme) { self.scheme = scheme }

  /// The ranges of the quantizers start as `Network.initialWeights` has them; the other weights stay as they are.
  ///
  /// - Throws: `ShapeError` naming a layer that has no form in integers, that is rounded already, or is to be kept
  ///   and not there.
  public func callAsFunction(_ network: Network, _ weights: Weights) throws(ShapeError) -> (Network, Weights) {
    let names = Set(network.quantizableLayers.map(\.name))
    if let unknown = scheme.kept.first(where: { !names.contains($0) }) {
      throw ShapeError("there is no such layer to keep in float32", layer: unknown)
    }
    let consumers = network.consumers
    var weights = weights
    var result = Network(network.name, input: network.shape(of: network.input), initialization: network.initialization)
    var moved: [Network.Node: Network.Node] = [:]
    for node in network.nodes {
      let layer = network[node]
      var operation = layer.operation
      let head = network.head(of: node)
      let isKept = scheme.kept.contains(network[head].name)
      switch operation {
      case .convolution(var rules):
        try mustBeWhole(rules.weightQuantization == nil, layer)
        if !isKept { rules.weightQuantization = scheme.weights }
        operation = .convolution(rules)
      case .dense(var rules) where layer.shape.rank == 1:
        try mustBeWhole(rules.weightQuantization == nil, layer)
        if !isKept { rules.weightQuantization = scheme.weights }
        operation = .dense(rules)
      case .fakeQuantize: try mustBeWhole(false, layer)
      case .dense, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale, .attention:
        throw ShapeError("\(operation.title) has no form in integers", layer: layer.name)
      case .input, .batchNorm, .relu, .clip, .sigmoid, .tanh, .add, .concatenation, .maxPool, .averagePool,
        .globalAveragePool, .flatten, .dropout, .dropPath:
        break
      }
      let own =
        node == network.input
        ? result.input : try result.append(operation, to: layer.inputs.map { moved[$0]! }, named: layer.name)
      moved[node] = own
      guard layer.operation.givesNewNumbers, !isKept, scheme.roundsOutput || !network.isOutput(node),
        !(consumers[node.index].count == 1 && network.continues(node, with: consumers[node.index][0]))
      else { continue }
      let quantizer = FakeQuantize(bits: scheme.activationBits, decay: scheme.decay, delay: scheme.delay)
      let rounded = try result.append(.fakeQuantize(quantizer), to: own, named: "\(layer.name).quantized")
      moved[node] = rounded
      guard !weights.isEmpty else { continue }
      for (name, rule) in result.parameters(of: rounded) { weights[name] = rule.rangeStart }
    }
    return (result, weights)
  }

  private func mustBeWhole(_ isWhole: Bool, _ layer: Network.Layer) throws(ShapeError) {
    if !isWhole { throw ShapeError("the network is quantized already", layer: layer.name) }
  }
}

extension Network {
  /// The layers that quantization decides on: those with weights, sums, averages and the input; in their order.
  public var quantizableLayers: [Layer] {
    nodes.filter { head(of: $0) == $0 && self[$0].operation.givesNewNumbers }.map { self[$0] }
  }

  /// Whether a layer's steps of integers end at itself or go on in the one that alone reads it.
  fileprivate func continues(_ node: Node, with next: Node) -> Bool {
    if case .convolution = self[node].operation, case .batchNorm = self[next].operation { return true }
    return self[node].operation.takesActivation && self[next].operation.fusedActivation != nil
  }

  /// The layer that a batch norm or an activation belongs to.
  fileprivate func head(of node: Node) -> Node {
    let consumers = consumers
    var head = node
    while let before = self[head].inputs.first, consumers[before.index].count == 1, continues(before, with: head) {
      head = before
    }
    return head
  }

  /// Whether a layer gives the answer, though dropout may come behind it.
  fileprivate func isOutput(_ node: Node) -> Bool {
    nodes[node.index...].dropFirst().allSatisfy { self[$0].operation.passesNumbersOn }
  }
}

extension Operation {
  fileprivate var givesNewNumbers: Bool {
    if case .fakeQuantize = self { return false }
    return !passesNumbersOn
  }
}

extension ParameterRule {
  /// Where a range begins, as TensorFlow has it; nil for other parameters.
  var rangeStart: Tensor? {
    switch role {
    case .rangeLow: try? Tensor([-6], shape: [1])
    case .rangeHigh: try? Tensor([6], shape: [1])
    case .weight, .bias, .scale, .shift, .runningMean, .runningVariance: nil
    }
  }
}
