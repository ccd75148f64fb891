package import Networks
package import Tensors

/// Scales each channel between two layers so that the weights that make it and those that read it have ranges alike.
///
/// ReLU passes a positive factor on; ReLU6 does not, so it becomes ReLU between layers that are equalized.
/// - Source: Nagel et al. 2019 (arXiv:1906.04721), section 4.1, eq. 8 to 11.
package struct EqualizeLayers: Pass {
  private let rounds: Int
  package init(rounds: Int = 20) { self.rounds = rounds }

  /// Layers that follow on each other through one batch norm and one activation at most, that nobody else sees.
  private struct Pair {
    let first, second: Network.Node
    let norm: Network.Node?
    let activation: Network.Node?
  }

  /// Without weights, rewrites the network alone.
  package func callAsFunction(_ network: Network, _ weights: Weights) throws(ShapeError) -> (Network, Weights) {
    let pairs = pairs(in: network)
    let relaxed = Set(pairs.compactMap(\.activation))
    var result = Network(network.name, input: network.shape(of: network.input), initialization: network.initialization)
    for node in network.nodes.dropFirst() {
      let layer = network[node]
      let operation = relaxed.contains(node) ? Operation.relu(ReLU()) : layer.operation
      try result.append(operation, to: layer.inputs, named: layer.name)
    }
    guard !weights.isEmpty else { return (result, weights) }
    var weights = weights
    for _ in 0..<rounds { for pair in pairs { equalize(pair, of: network, &weights) } }
    return (result, weights)
  }

  private func pairs(in network: Network) -> [Pair] {
    let consumers = network.consumers
    func only(_ node: Network.Node) -> Network.Node? {
      consumers[node.index].count == 1 && node != network.output ? consumers[node.index][0] : nil
    }
    return network.nodes.compactMap { first in
      guard case .convolution = network[first].operation, var next = only(first) else { return nil }
      var norm: Network.Node?
      if case .batchNorm = network[next].operation {
        norm = next
        guard let after = only(next) else { return nil }
        next = after
      }
      var activation: Network.Node?
      if [.relu, .clip(.relu6)].contains(network[next].operation.fusedActivation) {
        activation = next
        guard let after = only(next) else { return nil }
        next = after
      }
      guard case .convolution(let rules) = network[next].operation,
        rules.groups == 1 || rules.groups == network.inputShapes(of: next)[0][0]
      else { return nil }
      return Pair(first: first, second: next, norm: norm, activation: activation)
    }
  }

  private func equalize(_ pair: Pair, of network: Network, _ weights: inout Weights) {
    guard case .convolution(let rules) = network[pair.second].operation,
      let made = weights["\(network[pair.first].name).weight"],
      let read = weights["\(network[pair.second].name).weight"]
    else { return }
    let channels = made.shape[0]
    var factors = [Float](repeating: 1, count: channels)
    if let norm = pair.norm, case .batchNorm(let rules) = network[norm].operation {
      factors = rules.factors(weights, named: network[norm].name)
    }
    let secondFactors = normFactors(behind: pair.second, of: network, weights)
    let isDepthwise = rules.groups > 1
    var scales = [Float](repeating: 1, count: channels)
    for c in 0..<channels {
      let first = abs(factors[c]) * made.largest(inRow: c)
      let second =
        isDepthwise
        ? read.largestInRows(of: c, outputsEach: read.shape[0] / channels, secondFactors)
        : read.largest(inColumn: c, secondFactors)
      // Dead channels stay as they are.
      if first > 1e-8, second > 1e-8 { scales[c] = (first / second).squareRoot() }
    }
    let inverse = scales.map { 1 / $0 }
    let (makerName, readerName) = (network[pair.first].name, network[pair.second].name)
    if let norm = pair.norm {
      for part in ["weight", "bias"] {
        let name = "\(network[norm].name).\(part)"
        weights[name] = weights[name]?.scalingRows(by: inverse)
      }
    } else {
      weights["\(makerName).weight"] = made.scalingRows(by: inverse)
      if let bias = weights["\(makerName).bias"] { weights["\(makerName).bias"] = bias.scalingRows(by: inverse) }
    }
    weights["\(readerName).weight"] =
      isDepthwise
      ? read.scalingRows(by: (0..<read.shape[0]).map { scales[$0 / (read.shape[0] / channels)] })
      : read.scalingColumns(by: scales)
  }

  /// What a batch norm behind a layer scales its rows by.
  private func normFactors(behind node: Network.Node, of network: Network, _ weights: Weights) -> [Float] {
    let consumers = network.consumers[node.index]
    guard consumers.count == 1, case .batchNorm(let rules) = network[consumers[0]].operation else {
      return Array(repeating: 1, count: network.shape(of: node)[0])
    }
    return rules.factors(weights, named: network[consumers[0]].name)
  }
}

extension Tensor {
  fileprivate func largest(inRow row: Int) -> Float {
    let count = shape.sample.elementCount
    return withUnsafeElements { x in x[row * count..<(row + 1) * count].reduce(0) { max($0, abs($1)) } }
  }

  /// Over the rows that a depthwise convolution makes from one channel.
  fileprivate func largestInRows(of channel: Int, outputsEach: Int, _ factors: [Float]) -> Float {
    (channel * outputsEach..<(channel + 1) * outputsEach).reduce(0) { max($0, abs(factors[$1]) * largest(inRow: $1)) }
  }

  /// Over all rows, each scaled by its factor.
  fileprivate func largest(inColumn column: Int, _ factors: [Float]) -> Float {
    let (columns, area) = (shape[1], shape.extents.dropFirst(2).reduce(1, *))
    return withUnsafeElements { x in
      var result: Float = 0
      for row in 0..<shape[0] {
        let start = (row * columns + column) * area
        for i in start..<start + area { result = max(result, abs(factors[row] * x[i])) }
      }
      return result
    }
  }

  fileprivate func scalingColumns(by scales: [Float]) -> Tensor {
    let (columns, area) = (shape[1], shape.extents.dropFirst(2).reduce(1, *))
    var result = self
    result.withUnsafeMutableElements { x in for i in x.indices { x[i] *= scales[i / area % columns] } }
    return result
  }
}
