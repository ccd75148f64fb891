internal import Tensors

extension Network {
  /// The same network with stochastic depth: each residual branch ends in a drop path, whose rate grows linearly from 0
  /// at the first to `rate` at the last (Huang et al. 2016, arXiv:1603.09382, eq. 4; timm's `drop_path_rate`).
  ///
  /// A residual branch is what an addition takes on the way with more convolutions and dense layers. Parameters keep
  /// their names, and inference is not changed, so weights fit both networks.
  /// - Throws: `ShapeError` where there is no residual branch, or stochastic depth already, or the rate is not one.
  public func withDropPath(_ rate: Float) throws(ShapeError) -> Network {
    guard rate != 0 else { return self }
    var sums: [Node] = []
    for node in nodes {
      if case .dropPath = self[node].operation {
        throw ShapeError("there is stochastic depth already", layer: self[node].name)
      }
      if case .add = self[node].operation { sums.append(node) }
    }
    guard !sums.isEmpty else { throw ShapeError("\(name) has no residual branches, so no stochastic depth") }

    let depths = weightedDepths
    var result = Network(name, input: shape(of: input), initialization: initialization)
    var moved = [input: result.input]
    for node in nodes.dropFirst() {
      let layer = self[node]
      var inputs = layer.inputs.map { moved[$0]! }
      if case .add = layer.operation, let block = sums.firstIndex(of: node), block > 0 {
        let own = rate * Float(block) / Float(sums.count - 1)
        let branch = layer.inputs.indices.reduce(0) {
          depths[layer.inputs[$1].index] > depths[layer.inputs[$0].index] ? $1 : $0
        }
        let prefix = layer.name.hasSuffix(".add") ? String(layer.name.dropLast(4)) : layer.name
        inputs[branch] = try result.append(
          .dropPath(DropPath(rate: own)), to: inputs[branch], named: "\(prefix).drop_path")
      }
      moved[node] = try result.append(layer.operation, to: inputs, named: layer.name)
    }
    return result
  }

  /// For each layer the most layers with weights, convolutions and dense ones, on a way from the input to it.
  private var weightedDepths: [Int] {
    var depths: [Int] = []
    for node in nodes {
      let own = parameters(of: node).contains { $0.rule.role == .weight } ? 1 : 0
      depths.append(own + (self[node].inputs.map { depths[$0.index] }.max() ?? 0))
    }
    return depths
  }
}
