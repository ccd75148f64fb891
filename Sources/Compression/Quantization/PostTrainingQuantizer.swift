public import Datasets
public import Engine
public import Networks
public import Tensors

/// Post-training quantization (PTQ) of a network: ranges are found on some images, nothing is trained.
///
/// - Source: Krishnamoorthi 2018 (arXiv:1806.08342), section 3.1; Nagel et al. 2019 (arXiv:1906.04721).
public struct PostTrainingQuantizer {
  let engine: Engine
  let isInterrupted: () -> Bool

  public init(engine: Engine, isInterrupted: @escaping () -> Bool = { false }) {
    (self.engine, self.isInterrupted) = (engine, isInterrupted)
  }

  /// The network that `quantized` gives.
  public static func network(
    _ network: Network, _ scheme: QuantizationScheme, _ settings: CalibrationSettings
  ) throws(ShapeError) -> Network {
    try InsertQuantizers(scheme)(settings.equalizes ? EqualizeLayers()(network, [:]).0 : network, [:]).0
  }

  /// - Parameter split: the first images are looked at, as they are.
  /// - Throws: `WeightError.notFinite` where weights or what they give is no number; `ShapeError`, `DatasetError`, `TensorError`, `EngineError`, `EngineError.interrupted`.
  public func quantized(
    _ network: Network, _ weights: Weights, on split: Split, normalization: Normalization, _ scheme: QuantizationScheme,
    _ settings: CalibrationSettings
  ) throws -> (network: Network, weights: Weights) {
    try weights.requireFinite()
    let (network, weights) = settings.equalizes ? try EqualizeLayers()(network, weights) : (network, weights)
    var (result, rounded) = try InsertQuantizers(scheme)(network, weights)
    // Whole batches of fifty, where there is one.
    let count = min(settings.images, split.count)
    let images = try split.first(count < 50 ? count : count - count % 50).tensor(normalization)

    /// Of each quantizer, the layer of the network without quantizers that it rounds.
    let places = Dictionary(uniqueKeysWithValues: network.nodes.map { (network[$0].name, $0) })
    var quantizers: [(name: String, rules: FakeQuantize, source: Network.Node)] = []
    for node in result.nodes {
      guard case .fakeQuantize(let rules) = result[node].operation else { continue }
      quantizers.append((result[node].name, rules, places[result[result[node].inputs[0]].name]!))
    }
    let inputs =
      settings.correctsBias
      ? network.nodes.filter { network.hasRoundedWeights($0, in: result) }.map { network[$0].inputs[0] } : []
    let taps = Set(quantizers.map(\.source)).union(inputs)
    let reader = try ActivationReader(
      network, taps: taps, images: images, engine: engine, isInterrupted: isInterrupted)
    try reader.load(weights)
    var statistics = Dictionary(uniqueKeysWithValues: taps.map { ($0, RangeStatistics()) })
    try reader.forEachBatch { _ in
      for tap in taps { statistics[tap]!.addEnds(try reader.activation(of: tap)) }
    }
    // Before anything is counted: what is no number has no bin.
    for (_, _, source) in quantizers where statistics[source]?.isFinite == false {
      throw WeightError.notFinite(name: network[source].name)
    }
    if ![.minMax, .movingAverage].contains(settings.method) {
      try reader.forEachBatch { _ in
        for tap in taps { statistics[tap]!.addCounts(try reader.activation(of: tap)) }
      }
    }
    for (name, rules, source) in quantizers {
      let range = statistics[source]!.range(by: settings.method, percentile: settings.percentile, bits: rules.bits)
      rounded["\(name).min"] = try Tensor([range.low], shape: [1])
      rounded["\(name).max"] = try Tensor([range.high], shape: [1])
    }
    if settings.correctsBias { try correctBiases(of: result, &rounded, network, statistics.mapValues(\.channelMeans)) }
    return (result, rounded)
  }

  /// Takes from each bias what rounding the weights adds to the output on average: `Σ (ŵ − w) E[x]` over all that is read,
  /// the edges of images aside (arXiv:1906.04721, eq. 16).
  private func correctBiases(
    of result: Network, _ weights: inout Weights, _ network: Network, _ means: [Network.Node: [Double]]
  ) throws {
    let rounded = try result.roundedWeights(weights)
    let consumers = network.consumers
    for node in network.nodes where network.hasRoundedWeights(node, in: result) {
      let layer = network[node]
      guard let before = weights["\(layer.name).weight"], let after = rounded["\(layer.name).weight"],
        let mean = means[layer.inputs[0]]
      else { continue }
      let groups = if case .convolution(let rules) = layer.operation { rules.groups } else { 1 }
      let (rows, columns) = (before.shape[0], before.shape[1])
      let area = before.shape.extents.dropFirst(2).reduce(1, *)
      let features = mean.count == columns * groups ? mean : []
      guard !features.isEmpty else { continue }
      var added = [Float](repeating: 0, count: rows)
      before.withUnsafeElements { w in
        after.withUnsafeElements { r in
          for row in 0..<rows {
            var sum = 0.0
            for column in 0..<columns {
              var difference = 0.0
              for i in (row * columns + column) * area..<(row * columns + column + 1) * area {
                difference += Double(r[i]) - Double(w[i])
              }
              sum += difference * features[row / (rows / groups) * columns + column]
            }
            added[row] = Float(sum)
          }
        }
      }
      // Behind a batch norm the sum counts as that scales it, and its shift is the bias.
      var bias = "\(layer.name).bias"
      if case .convolution = layer.operation, consumers[node.index].count == 1,
        case .batchNorm(let rules) = network[consumers[node.index][0]].operation
      {
        let norm = network[consumers[node.index][0]].name
        added = zip(added, rules.factors(weights, named: norm)).map { $0 * $1 }
        bias = "\(norm).bias"
      }
      weights[bias]?.withUnsafeMutableElements { b in for c in b.indices { b[c] -= added[c] } }
    }
  }
}

extension Network {
  fileprivate func hasRoundedWeights(_ node: Node, in result: Network) -> Bool {
    guard self[node].operation.rules.parameters(of: inputShapes(of: node)).contains(where: { $0.role == .weight }),
      let other = result.nodes.first(where: { result[$0].name == self[node].name })
    else { return false }
    return result.weightQuantization(of: other) != nil
  }
}
