public import Networks
internal import Tensors

/// What a network costs for any number of channels in its groups, without building it.
public struct CostModel: Sendable {
  /// `factor · inputs · outputs` of one layer, each the number of features in some groups' segments.
  private struct Term: Sendable {
    var factor: Int
    var inputs: [ChannelGroups.Segment]?
    var outputs: [ChannelGroups.Segment]?

    func cost<Number: Numeric>(_ channels: [Number]) -> Number {
      func features(_ segments: [ChannelGroups.Segment]?) -> Number {
        segments.map { $0.reduce(0) { $0 + channels[$1.group] * Number(exactly: $1.repeats)! } } ?? 1
      }
      return Number(exactly: factor)! * features(inputs) * features(outputs)
    }
  }

  private var work: [Term] = []
  private var numbers: [Term] = []
  /// Channels of each group in the whole network.
  public let channels: [Int]

  public init(of network: Network, _ groups: ChannelGroups) {
    channels = groups.groups.map(\.channels)
    let readers = Set(groups.groups.flatMap(\.consumers))
    for node in network.nodes {
      let layer = network[node]
      let outputs = groups.segments(of: node)
      let inputs = readers.contains(node) ? groups.segments(of: layer.inputs[0]) : nil
      func term(_ total: Int, _ inputs: [ChannelGroups.Segment]?) -> Term {
        let whole = Term(factor: 1, inputs: inputs, outputs: outputs).cost(channels)
        // What does not divide so is a layer whose channels cannot be taken out.
        return whole > 0 && total % whole == 0
          ? Term(factor: total / whole, inputs: inputs, outputs: outputs) : Term(factor: total)
      }
      let macs = layer.operation.rules.macs(of: network.inputShapes(of: node))
      if macs > 0 { work.append(term(macs, inputs)) }
      for (_, rule) in network.parameters(of: node) where rule.isTrainable {
        numbers.append(term(rule.shape.elementCount, rule.role == .weight && rule.shape.rank > 1 ? inputs : nil))
      }
    }
  }

  /// MACs for one image.
  /// - Parameter channels: of each group.
  public func macs(_ channels: [Int]) -> Int { work.reduce(0) { $0 + $1.cost(channels) } }

  /// Trainable numbers.
  public func parameters(_ channels: [Int]) -> Int { numbers.reduce(0) { $0 + $1.cost(channels) } }
}

/// How many channels may stay in a group.
public struct ChannelRounding: Hashable, Sendable, Codable {
  /// Kernels compute whole vectors of channels, so numbers between multiples of 8 save nothing.
  public var multiple: Int
  public init(multiple: Int = 8) { self.multiple = min(max(multiple, 1), 1 << 32) }

  /// At least so many channels stay: a depthwise convolution of one channel could not be told from a whole one.
  public static let fewest = 2

  /// A share of the channels, rounded up to a multiple; at most all of them.
  public func count(_ share: Double, of channels: Int) -> Int {
    let exact = (share > 0 ? min(share, 1) : 0) * Double(channels)
    // A share that was made from a count gives that count.
    let least = max(Int((exact - 1e-9).rounded(.up)), Self.fewest)
    return min((least + multiple - 1) / multiple * multiple, channels)
  }
}

/// How much of a network is to stay.
public enum PruningTarget: Hashable, Sendable, Codable {
  /// The same share of channels in each group.
  case channelsKept(Double)
  /// At most this share of the MACs, and as near to it as rounding allows: such a share, the same in each group,
  /// and single groups a step above or below it.
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
      let budget = share * Double(macs(channels))
      // Every share at which some group has another number of channels.
      let shares = Set(groups.flatMap { group in (1...channels[group]).map { Double($0) / Double(channels[group]) } })
      guard let start = shares.sorted(by: >).lazy.map(uniform).first(where: { Double(macs($0)) <= budget })
      else { return nil }
      return filled(start, to: budget, in: groups, rounding)
    }
  }

  /// Gives channels back to single groups, and moves them between groups, until a budget of MACs is met as
  /// nearly as steps of a multiple allow. The neediest group comes first: the one that is furthest below the share that
  /// would meet the budget without rounding.
  private func filled(_ start: [Int], to budget: Double, in groups: [Int], _ rounding: ChannelRounding) -> [Int] {
    let share = exactShare(for: budget, in: groups)
    let total = Double(macs(channels))
    let multiple = rounding.multiple
    var counts = start
    var cost = Double(macs(start))
    func exact(_ group: Int) -> Double { share * Double(channels[group]) }
    /// The counts with one group a step larger or smaller; nil where it has no such step near its share.
    func stepped(_ counts: [Int], _ group: Int, up: Bool) -> [Int]? {
      let count = counts[group]
      let next =
        up
        ? min((count / multiple + 1) * multiple, channels[group])
        : max((count - 1) / multiple * multiple, rounding.count(0, of: channels[group]))
      guard up ? next > count : next < count, abs(Double(next) - exact(group)) <= Double(multiple) else { return nil }
      var result = counts
      result[group] = next
      return result
    }
    while true {
      let larger = groups.compactMap { group -> (lack: Double, counts: [Int], cost: Double)? in
        guard let next = stepped(counts, group, up: true) else { return nil }
        let nextCost = Double(macs(next))
        guard nextCost <= budget else { return nil }
        return ((exact(group) - Double(counts[group])) / Double(channels[group]), next, nextCost)
      }
      guard let best = larger.max(by: { $0.lack < $1.lack }) else { break }
      (counts, cost) = (best.counts, best.cost)
    }
    // One group a step up and another one down come nearer, while that is worth it.
    while budget - cost > 0.002 * total {
      var best = (cost: cost, counts: counts)
      for up in groups {
        guard let larger = stepped(counts, up, up: true) else { continue }
        for down in groups where down != up {
          guard let moved = stepped(larger, down, up: false) else { continue }
          let movedCost = Double(macs(moved))
          if movedCost > best.cost, movedCost <= budget { best = (movedCost, moved) }
        }
      }
      guard best.cost > cost else { break }
      (cost, counts) = best
    }
    return counts
  }

  /// The share of channels that would meet a budget of MACs if there were parts of channels.
  private func exactShare(for budget: Double, in groups: [Int]) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<40 {
      let middle = (low + high) / 2
      var parts = channels.map(Double.init)
      for group in groups { parts[group] *= middle }
      if work.reduce(0, { $0 + $1.cost(parts) }) <= budget { low = middle } else { high = middle }
    }
    return low
  }
}
