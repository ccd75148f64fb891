public import Networks
internal import Tensors

/// What a network costs for any number of channels in its groups, without building it.
public struct CostModel: Sendable {
  /// `factor · inputs · outputs` of one layer, each the number of features in some groups' segments.
  private struct Term: Sendable {
    var factor: Int
    var inputs: [ChannelGroups.Segment]?
    var outputs: [ChannelGroups.Segment]?

    func cost(_ channels: [Int]) -> Int {
      func features(_ segments: [ChannelGroups.Segment]?) -> Int {
        segments.map { $0.reduce(0) { $0 + channels[$1.group] * $1.repeats } } ?? 1
      }
      return factor * features(inputs) * features(outputs)
    }
  }

  private var work: [Term] = []
  private var numbers: [Term] = []
  /// Channels of each group in the whole network.
  public let channels: [Int]

  public init(of network: Network, _ groups: ChannelGroups) {
    channels = groups.groups.map(\.channels)
    for node in network.nodes {
      let layer = network[node]
      let outputs = groups.segments(of: node)
      var inputs: [ChannelGroups.Segment]?
      switch layer.operation {
      case .convolution(let convolution) where convolution.groups == 1: inputs = groups.segments(of: layer.inputs[0])
      case .dense where layer.shape.rank == 1: inputs = groups.segments(of: layer.inputs[0])
      default: break
      }
      func term(_ total: Int, _ inputs: [ChannelGroups.Segment]?) -> Term {
        let whole = Term(factor: 1, inputs: inputs, outputs: outputs).cost(channels)
        // What does not divide so is a layer whose channels cannot be taken out.
        return whole > 0 && total % whole == 0
          ? Term(factor: total / whole, inputs: inputs, outputs: outputs) : Term(factor: total)
      }
      let macs = layer.operation.rules.multiplyAdds(of: network.inputShapes(of: node))
      if macs > 0 { work.append(term(macs, inputs)) }
      for (_, rule) in network.parameters(of: node) where rule.isTrainable {
        numbers.append(term(rule.shape.elementCount, rule.role == .weight && rule.shape.rank > 1 ? inputs : nil))
      }
    }
  }

  /// Multiply-adds for one picture.
  /// - Parameter channels: of each group.
  public func multiplyAdds(_ channels: [Int]) -> Int { work.reduce(0) { $0 + $1.cost(channels) } }

  /// Trainable numbers.
  public func parameters(_ channels: [Int]) -> Int { numbers.reduce(0) { $0 + $1.cost(channels) } }
}

/// How many channels may stay in a group.
public struct ChannelRounding: Hashable, Sendable, Codable {
  /// Kernels compute whole vectors of channels, so numbers between multiples of 8 save nothing.
  public var multiple: Int
  public init(multiple: Int = 8) { self.multiple = max(multiple, 1) }

  /// At least so many channels stay: a depthwise convolution of one channel could not be told from a whole one.
  public static let fewest = 2

  /// A share of the channels, rounded up to a multiple; at most all of them.
  public func count(_ share: Double, of channels: Int) -> Int {
    let exact = max(share, 0) * Double(channels)
    // A share that was made from a count gives that count.
    let least = max(Int((exact - 1e-9).rounded(.up)), Self.fewest)
    return min((least + multiple - 1) / multiple * multiple, channels)
  }
}

/// How much of a network is to stay.
public enum PruningTarget: Hashable, Sendable, Codable {
  /// The same share of channels in each group.
  case channelsKept(Double)
  /// The largest such share that keeps at most this share of the multiply-adds.
  case macsKept(Double)
  /// So many channels, by group.
  case counts([Int: Int])
}

extension CostModel {
  /// The number of channels that stay in each group.
  /// - Parameters:
  ///   - groups: those to prune; the others keep all.
  /// - Returns: nil where even the fewest channels cost more than is allowed.
  public func counts(
    for target: PruningTarget, in groups: [Int], _ rounding: ChannelRounding = ChannelRounding()
  ) -> [Int]? {
    func uniform(_ share: Double) -> [Int] {
      var counts = channels
      for group in groups { counts[group] = rounding.count(share, of: channels[group]) }
      return counts
    }
    switch target {
    case .channelsKept(let share): return uniform(share)
    case .counts(let given): return channels.indices.map { min(given[$0] ?? channels[$0], channels[$0]) }
    case .macsKept(let share):
      let budget = share * Double(multiplyAdds(channels))
      // Every share at which some group has another number of channels.
      let shares = Set(groups.flatMap { group in (1...channels[group]).map { Double($0) / Double(channels[group]) } })
      return shares.sorted(by: >).lazy.map(uniform).first { Double(multiplyAdds($0)) <= budget }
    }
  }
}
