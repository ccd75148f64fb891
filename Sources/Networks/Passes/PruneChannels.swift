public import Tensors

/// Takes channels out of a network: the result is smaller, and has no trace of them.
///
/// It computes what the network computes whose readers have zeros for the weights of those channels.
public struct PruneChannels: Pass {
  private let groups: ChannelGroups
  /// For each group that is pruned the channels that stay, in their order.
  private let kept: [Int: [Int]]

  /// - Parameters:
  ///   - kept: for each group that is pruned the channels that stay, ascending and at least one.
  ///   - groups: of the network that it will be applied to.
  public init(keeping kept: [Int: [Int]], of groups: ChannelGroups) {
    precondition(
      kept.allSatisfy { group, channels in
        groups.groups[group].isPrunable && !channels.isEmpty
          && zip(channels, channels.dropFirst()).allSatisfy { $0 < $1 }
          && channels.first! >= 0 && channels.last! < groups.groups[group].channels
      }, "channels that cannot stay alone")
    (self.groups, self.kept) = (groups, kept)
  }

  /// Without weights, rewrites the network alone.
  public func callAsFunction(_ network: Network, _ weights: Weights) throws(ShapeError) -> (Network, Weights) {
    var result = Network(network.name, input: network.shape(of: network.input), initialization: network.initialization)
    var weights = weights
    for node in network.nodes.dropFirst() {
      let layer = network[node]
      let outputs = places(in: node)
      var operation = layer.operation
      switch operation {
      case .convolution(var convolution):
        let isDepthwise = operation.isDepthwise(on: network.inputShapes(of: node)[0])
        if let outputs { convolution.outputChannels = outputs.count }
        if isDepthwise { convolution.groups = convolution.outputChannels }
        operation = .convolution(convolution)
      case .dense(var dense) where layer.shape.rank == 1:
        if let outputs { dense.outputFeatures = outputs.count }
        operation = .dense(dense)
      case .input, .batchNorm, .relu, .clip, .sigmoid, .tanh, .add, .concatenation, .maxPool, .averagePool,
        .globalAveragePool, .flatten, .dense, .dropout, .dropPath, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale,
        .attention, .fakeQuantize:
        break
      }
      // Layers are added in their order, so the places of their inputs stay.
      try result.append(operation, to: layer.inputs, named: layer.name)
      guard !weights.isEmpty else { continue }
      let isReader = groups.groups.contains { $0.consumers.contains(node) }
      let inputs = isReader ? places(in: layer.inputs[0]) : nil
      for (name, rule) in network.parameters(of: node) {
        guard let tensor = weights[name] else {
          preconditionFailure("weights that were not checked against their network")
        }
        if rule.role == .rangeLow || rule.role == .rangeHigh { continue }
        let isMatrix = rule.role == .weight && rule.shape.rank >= 2
        weights[name] = tensor.selecting(outputs, isMatrix ? inputs : nil)
      }
    }
    return (result, weights)
  }

  /// The places along a layer's first axis that stay; nil for all.
  private func places(in node: Network.Node) -> [Int]? {
    guard groups.segments[node.index].contains(where: { kept[$0.group] != nil }) else { return nil }
    var places: [Int] = []
    var offset = 0
    for segment in groups.segments[node.index] {
      let count = groups.groups[segment.group].channels
      for channel in kept[segment.group] ?? Array(0..<count) {
        let first = offset + channel * segment.repeats
        places.append(contentsOf: first..<first + segment.repeats)
      }
      offset += count * segment.repeats
    }
    return places
  }
}

extension Network {
  /// The same layers with fewer channels in some groups.
  /// - Parameter channels: how many stay, by group; the others keep theirs.
  /// - Throws: `ShapeError`.
  public func narrowed(to channels: [Int: Int], of groups: ChannelGroups) throws(ShapeError) -> Network {
    try PruneChannels(keeping: channels.mapValues { Array(0..<$0) }, of: groups)(self, [:]).0
  }
}

extension Tensor {
  /// The rows and columns (places along the first and the second axis) that are named; all where nil.
  fileprivate func selecting(_ rows: [Int]?, _ columns: [Int]?) -> Tensor {
    guard rows != nil || columns != nil else { return self }
    let rows = rows ?? Array(0..<shape[0])
    let all = shape.rank > 1 ? shape[1] : 1
    let columns = columns ?? Array(0..<all)
    let inner = shape.extents.dropFirst(2).reduce(1, *)
    let extents = [rows.count] + (shape.rank > 1 ? [columns.count] : []) + shape.extents.dropFirst(2)
    guard var result = try? Tensor(zeros: Shape(extents)) else { fatalError("no memory for \(extents)") }
    withUnsafeElements { source in
      result.withUnsafeMutableElements { target in
        var place = 0
        for row in rows {
          for column in columns {
            let from = (row * all + column) * inner
            for i in 0..<inner { target[place + i] = source[from + i] }
            place += inner
          }
        }
      }
    }
    return result
  }
}
