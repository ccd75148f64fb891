public import Tensors

/// Which channels of a network live and die together.
///
/// A convolution or a dense layer makes channels. Batch norms, activations, poolings and depthwise convolutions carry
/// them on; a residual addition ties those of its two inputs to each other; other convolutions and dense layers read
/// them. To take a channel out, all its producers lose an output, all that carry it a place, and all its consumers an input.
public struct ChannelGroups: Hashable, Sendable {
  public struct Group: Hashable, Sendable {
    /// That of the first layer that makes them.
    public let name: String
    public let channels: Int
    /// The layers whose outputs they are: more than one where additions tie them.
    public let producers: [Network.Node]
    /// The layers whose weights have an input for each of them.
    public let consumers: [Network.Node]
    /// Whether channels can be taken out. Those of the input and of the answer cannot, nor those that an operation sees
    /// as a whole, such as tokens or an addition of unlike parts.
    public let isPrunable: Bool
  }

  /// A stretch of a layer's output: `repeats` features for each channel of a group, one channel after the other.
  public struct Segment: Hashable, Sendable {
    public let group: Int
    public let repeats: Int
  }

  /// In the order in which their first layers come.
  public let groups: [Group]
  /// Of each layer's output, by its place in the network: the groups along its first axis.
  let segments: [[Segment]]

  /// The groups whose channels can be taken out.
  public var prunable: [Int] { groups.indices.filter { groups[$0].isPrunable } }

  /// Finds the groups of a network.
  public init(of network: Network) {
    var spaces = Spaces()
    var outputs: [[(space: Int, repeats: Int)]] = []
    for node in network.nodes {
      let layer = network[node]
      let inputs = layer.inputs.map { outputs[$0.index] }
      func fresh(_ size: Int, isPinned: Bool = false) -> [(space: Int, repeats: Int)] {
        [(spaces.add(size, by: node, isPinned: isPinned), 1)]
      }
      func pinned() -> [(space: Int, repeats: Int)] {
        for input in inputs { for part in input { spaces.pin(part.space) } }
        return fresh(layer.shape.extents.first ?? 1, isPinned: true)
      }
      func read() { for part in inputs[0] { spaces.read(part.space, by: node) } }
      switch layer.operation {
      case .input: outputs.append(fresh(layer.shape.extents.first ?? 1, isPinned: true))
      case .convolution(let convolution):
        if convolution.groups == 1 {
          read()
          outputs.append(fresh(convolution.outputChannels))
        } else if layer.operation.isDepthwise(on: network.inputShapes(of: node)[0]) {
          outputs.append(inputs[0])
        } else {
          outputs.append(pinned())
        }
      case .dense(let dense) where layer.shape.rank == 1:
        read()
        outputs.append(fresh(dense.outputFeatures))
      case .batchNorm, .relu, .clip, .sigmoid, .tanh, .gelu, .maxPool, .averagePool, .globalAveragePool, .dropout,
        .dropPath, .fakeQuantize:
        outputs.append(inputs[0])
      case .add:
        if inputs[0].map(\.repeats) == inputs[1].map(\.repeats),
          inputs[0].map({ spaces.size(of: $0.space) }) == inputs[1].map({ spaces.size(of: $0.space) })
        {
          for (a, b) in zip(inputs[0], inputs[1]) { spaces.join(a.space, b.space) }
          outputs.append(inputs[0])
        } else {
          outputs.append(pinned())
        }
      case .concatenation: outputs.append(inputs.flatMap { $0 })
      case .flatten:
        let area = network.inputShapes(of: node)[0].extents.dropFirst().reduce(1, *)
        outputs.append(inputs[0].map { ($0.space, $0.repeats * area) })
      case .dense, .layerNorm, .tokens, .tokenMean, .layerScale, .attention: outputs.append(pinned())
      }
    }
    for part in outputs[network.output.index] { spaces.pin(part.space) }
    let (groups, places) = spaces.groups(of: network)
    self.groups = groups
    segments = outputs.map { $0.map { Segment(group: places[spaces.root($0.space)]!, repeats: $0.repeats) } }
  }

  /// The groups along the first axis of a layer's output.
  public func segments(of node: Network.Node) -> [Segment] { segments[node.index] }

  /// The places along the first axis of a layer's output that a group's channels take, a list for each channel.
  public func places(of group: Int, in node: Network.Node) -> [[Int]] {
    var places = [[Int]](repeating: [], count: groups[group].channels)
    var offset = 0
    for segment in segments[node.index] {
      let count = groups[segment.group].channels
      if segment.group == group {
        for channel in 0..<count {
          let first = offset + channel * segment.repeats
          places[channel].append(contentsOf: first..<first + segment.repeats)
        }
      }
      offset += count * segment.repeats
    }
    return places
  }
}

extension Operation {
  /// Whether it is a convolution that makes one channel of each, from that one alone.
  public func isDepthwise(on input: Shape) -> Bool {
    guard case .convolution(let convolution) = self else { return false }
    return convolution.groups > 1 && convolution.groups == input[0] && convolution.outputChannels == input[0]
  }
}

/// Sets of channels that are joined as the network is read.
private struct Spaces {
  private struct Space {
    var size: Int
    var parent: Int
    var isPinned: Bool
    var producers: [Network.Node]
    var consumers: [Network.Node] = []
  }
  private var spaces: [Space] = []

  mutating func add(_ size: Int, by producer: Network.Node, isPinned: Bool) -> Int {
    spaces.append(Space(size: size, parent: spaces.count, isPinned: isPinned, producers: [producer]))
    return spaces.count - 1
  }

  func root(_ space: Int) -> Int {
    var space = space
    while spaces[space].parent != space { space = spaces[space].parent }
    return space
  }

  func size(of space: Int) -> Int { spaces[space].size }
  mutating func pin(_ space: Int) { spaces[root(space)].isPinned = true }

  mutating func read(_ space: Int, by node: Network.Node) {
    let root = root(space)
    if spaces[root].consumers.last != node { spaces[root].consumers.append(node) }
  }

  /// Ties the channels of two sets of one size to each other, place by place.
  mutating func join(_ a: Int, _ b: Int) {
    let (first, second) = (min(root(a), root(b)), max(root(a), root(b)))
    guard first != second else { return }
    spaces[second].parent = first
    spaces[first].isPinned = spaces[first].isPinned || spaces[second].isPinned
    spaces[first].producers = (spaces[first].producers + spaces[second].producers).sorted()
    spaces[first].consumers = (spaces[first].consumers + spaces[second].consumers).sorted()
  }

  /// The sets as groups, and the group of each root.
  func groups(of network: Network) -> ([ChannelGroups.Group], [Int: Int]) {
    var groups: [ChannelGroups.Group] = []
    var places: [Int: Int] = [:]
    for space in spaces.indices where spaces[space].parent == space {
      places[space] = groups.count
      let found = spaces[space]
      groups.append(
        ChannelGroups.Group(
          name: network[found.producers[0]].name, channels: found.size, producers: found.producers,
          consumers: found.consumers, isPrunable: !found.isPinned && !found.consumers.isEmpty))
    }
    return (groups, places)
  }
}
