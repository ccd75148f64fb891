internal import Networks

/// Which layers run as one step. A fused group runs at the place of its last layer.
struct Fusions {
  /// `batch norm → (add) → (relu or clip)`, for training.
  struct Norm {
    var norm: Network.Node
    var add: Network.Node?
    /// The other input of `add`.
    var residual: Network.Node?
    var activation: Network.Node?
    var last: Network.Node { activation ?? add ?? norm }
  }
  /// `convolution → (add) → (relu or clip)`, for inference.
  struct Convolution {
    var convolution: Network.Node
    var add: Network.Node?
    var residual: Network.Node?
    var activation: Network.Node?
    var last: Network.Node { activation ?? add ?? convolution }
  }
  enum Group { case norm(Norm), convolution(Convolution) }

  private(set) var emitted: [Network.Node: Group] = [:]
  private(set) var absorbed: Set<Network.Node> = []

  init(_ network: Network, isTraining: Bool, taps: Set<Network.Node>) {
    let consumers = network.consumers
    /// The one layer that reads a layer, where nobody else sees it.
    func only(_ node: Network.Node) -> Network.Node? {
      consumers[node.index].count == 1 && !taps.contains(node) && node != network.output
        ? consumers[node.index][0] : nil
    }
    func activation(after node: Network.Node) -> Network.Node? {
      guard let next = only(node) else { return nil }
      return switch network[next].operation.fusedActivation {
      case .relu: next
      // Keeps the padding of blocked formats zero.
      case .clip(let clip): clip.low <= 0 && clip.high >= 0 ? next : nil
      case nil: nil
      }
    }
    /// Where a layer's step stands once groups run at their ends.
    var place = Dictionary(uniqueKeysWithValues: network.nodes.map { ($0, $0) })
    for node in network.nodes {
      guard network[node].operation.beginsGroup(isTraining: isTraining), !absorbed.contains(node) else { continue }
      var (add, residual): (Network.Node?, Network.Node?)
      if let next = only(node), case .add = network[next].operation, !absorbed.contains(next),
        emitted[next] == nil, let other = network[next].inputs.first(where: { $0 != node }),
        isTraining || Self.isLastUse(of: other, by: next, after: node, in: network, consumers, place, taps)
      {
        (add, residual) = (next, other)
      }
      let last = activation(after: add ?? node)
      let members = [node, add, last].compactMap { $0 }
      guard members.count > 1 else { continue }
      emitted[members.last!] =
        isTraining
        ? .norm(Norm(norm: node, add: add, residual: residual, activation: last))
        : .convolution(Convolution(convolution: node, add: add, residual: residual, activation: last))
      absorbed.formUnion(members.dropLast())
      for member in members { place[member] = members.last! }
    }
  }

  /// Whether the sum may overwrite the residual: an array of a step, that nobody reads after the group.
  private static func isLastUse(
    of residual: Network.Node, by add: Network.Node, after head: Network.Node, in network: Network, _ consumers: [[Network.Node]],
    _ place: [Network.Node: Network.Node], _ taps: Set<Network.Node>
  ) -> Bool {
    if residual == network.input || residual == network.output || taps.contains(residual) { return false }
    // What they read may live longer than it seems.
    if network[residual].operation.mayShareItsInput { return false }
    return consumers[residual.index].allSatisfy { reader in
      if reader == add { return true }
      // A convolution cannot write over what it still reads.
      if reader == head { return false }
      if network[reader].operation.mayShareItsInput { return false }
      // A convolution that comes after the head may yet join a group that runs later.
      if case .convolution = network[reader].operation, reader > head { return false }
      return place[reader]! < add && network[reader].inputs.filter { $0 == residual }.count == 1
    }
  }
}

extension Operation {
  /// Whether its kernel computes what follows it as well: a sum and an activation.
  fileprivate func beginsGroup(isTraining: Bool) -> Bool {
    switch self {
    case .batchNorm: isTraining
    case .convolution: !isTraining
    case .input, .relu, .clip, .sigmoid, .tanh, .add, .concatenation, .maxPool, .averagePool, .globalAveragePool,
      .flatten, .dense, .dropout, .dropPath, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale, .attention,
      .fakeQuantize:
      false
    }
  }

  /// Whether its output may lie where its input does, as layers have it that pass their input on.
  fileprivate var mayShareItsInput: Bool {
    switch self {
    case .input, .flatten, .dropout, .dropPath: true
    case .convolution, .batchNorm, .relu, .clip, .sigmoid, .tanh, .add, .concatenation, .maxPool, .averagePool,
      .globalAveragePool, .dense, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale, .attention, .fakeQuantize:
      false
    }
  }
}
