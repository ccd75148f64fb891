public import Tensors

/// A rewrite of a network and its weights, that keeps what it computes unless its own words say otherwise.
public protocol Pass {
  func callAsFunction(_ network: Network, _ weights: Weights) throws(ShapeError) -> (Network, Weights)
}

/// Folds a batch norm into the convolution before it; inference only.
///
///     x → conv(w, b) → batchNorm(γ, β, μ, σ²) → y     becomes     x → conv(w′, b′) → y
///     w′ = w · γ/√(σ² + ε)        b′ = (b − μ) · γ/√(σ² + ε) + β
public struct FoldBatchNorm: Pass {
  public init() {}

  /// Without weights, rewrites the network alone.

  public func callAsFunction(_ network: Network, _ weights: Weights) throws(ShapeError) -> (Network, Weights) {
    let consumers = network.consumers
    var weights = weights
    var result = Network(network.name, input: network.shape(of: network.input), initialization: network.initialization)
    var moved = [network.input: result.input]
    /// The batch norm that alone reads a convolution.
    func foldable(after node: Network.Node) -> (name: String, rules: BatchNorm)? {
      guard case .convolution = network[node].operation, consumers[node.index].count == 1,
        case .batchNorm(let rules) = network[consumers[node.index][0]].operation
      else { return nil }
      return (network[consumers[node.index][0]].name, rules)
    }
    for node in network.nodes.dropFirst() {
      let layer = network[node]
      let inputs = layer.inputs.map { moved[$0]! }
      if case .convolution(var convolution) = layer.operation, let (name, rules) = foldable(after: node) {
        if !weights.isEmpty { fold(name, rules, into: layer.name, &weights) }
        convolution.hasBias = true
        moved[node] = try result.append(.convolution(convolution), to: inputs, named: layer.name)
      } else if case .batchNorm = layer.operation, foldable(after: layer.inputs[0])?.name == layer.name {
        moved[node] = inputs[0]
      } else {
        moved[node] = try result.append(layer.operation, to: inputs, named: layer.name)
      }
    }
    return (result, weights)
  }

  private func fold(_ norm: String, _ rules: BatchNorm, into convolution: String, _ weights: inout Weights) {
    guard let scale = weights.removeValue(forKey: "\(norm).weight"),
      let shift = weights.removeValue(forKey: "\(norm).bias"),
      let mean = weights.removeValue(forKey: "\(norm).running_mean"),
      let variance = weights.removeValue(forKey: "\(norm).running_var"),
      var weight = weights["\(convolution).weight"]
    else { preconditionFailure("weights that were not checked against their network") }
    let channels = scale.count
    let bias = weights["\(convolution).bias"]
    var folded = shift
    weight.withUnsafeMutableElements { w in
      folded.withUnsafeMutableElements { b in
        let perChannel = w.count / channels
        for c in 0..<channels {
          let factor = Double(scale[flat: c]) / (Double(variance[flat: c]) + Double(rules.epsilon)).squareRoot()
          for i in c * perChannel..<(c + 1) * perChannel { w[i] = Float(Double(w[i]) * factor) }
          let before = Double(bias?[flat: c] ?? 0) - Double(mean[flat: c])
          b[c] = Float(before * factor + Double(shift[flat: c]))
        }
      }
    }
    weights["\(convolution).weight"] = weight
    weights["\(convolution).bias"] = folded
  }
}
