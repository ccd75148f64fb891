internal import Foundation
internal import Networks
internal import Tensors

/// How the search for ratios is put to an agent: what it sees of each layer, and what it may answer.
public enum SearchStyle: String, Hashable, Sendable, Codable, CaseIterable {
  /// AMC (He et al. 2018, arXiv:1802.03494): ten numbers a layer, at least 0.2 of the channels.
  case amc
  /// PocketFlow: eight numbers a layer, at least `1.5 · log10(1 + p)` of the channels where `p` of the cost may stay.
  case pocketFlow
}

extension SearchStyle {
  /// The least share of channels that an action may leave, where so much of the MACs may stay.
  public func lowestShare(macsKept: Double) -> Double {
    switch self {
    case .amc: 0.2
    case .pocketFlow: min(1.5 * log10(1 + macsKept), 1)
    }
  }
}

/// Pruning as a walk over the groups of channels: one action a group, the share that stays.
package struct RatioEnvironment {
  /// What is known of a group's layer before anything is decided: its first reader.
  private struct Layer {
    var isDense: Bool
    var inputs, outputs, height, width, stride, kernel, weights, macs: Int
  }

  let style: SearchStyle
  /// The share of MACs that may stay, and their number.
  let budgetShare: Double
  let budget: Int
  let decisions: [Int]
  private let cost: CostModel
  private let rounding: ChannelRounding
  private let total: Int
  /// For each step what does not change.
  private let fixed: [[Double]]
  /// For each step the share of the whole network's MACs in the layers behind it.
  private let behind: [Double]

  package init(_ problem: PruningProblem, _ style: SearchStyle, macsKept: Double) {
    let (network, groups) = (problem.pruner.network, problem.pruner.groups)
    (self.style, decisions, cost, rounding) = (style, problem.decisions, problem.cost, problem.rounding)
    budgetShare = macsKept
    total = cost.macs(cost.channels)
    budget = Int(macsKept * Double(total))
    let layers = decisions.map { group in
      let reader = groups.groups[group].consumers[0]
      let layer = network[reader]
      let (input, shape) = (network.inputShapes(of: reader)[0], layer.shape)
      var window = Window(kernel: 1)
      var isDense = true
      if case .convolution(let convolution) = layer.operation { (window, isDense) = (convolution.window, false) }
      return Layer(
        isDense: isDense, inputs: input[0], outputs: shape[0], height: shape.rank == 3 ? shape[1] : 1,
        width: shape.rank == 3 ? shape[2] : 1, stride: window.stride.height, kernel: window.kernel.height,
        weights: network.parameters(of: reader)[0].rule.shape.elementCount,
        macs: layer.operation.rules.macs(of: network.inputShapes(of: reader)))
    }
    let (readers, whole) = (decisions.map { groups.groups[$0].consumers[0] }, Double(max(total, 1)))
    behind = readers.map { reader in
      let macs = network.nodes.dropFirst(reader.index + 1).reduce(0) {
        $0 + network[$1].operation.rules.macs(of: network.inputShapes(of: $1))
      }
      return Double(macs) / whole
    }
    let numbers = layers.enumerated().map { step, layer -> [Double] in
      let list =
        switch style {
        case .amc:
          [
            step, layer.isDense ? 1 : 0, layer.inputs, layer.outputs, layer.stride, layer.kernel, layer.weights,
          ]
        case .pocketFlow:
          [step, layer.outputs, layer.inputs, layer.height, layer.width, layer.stride, layer.macs]
        }
      return list.map(Double.init)
    }
    // AMC stretches each number over 0 to 1, PocketFlow divides it by its largest.
    let columns = numbers.first?.indices ?? 0..<0
    let least = columns.map { column in style == .amc ? numbers.map { $0[column] }.min()! : 0 }
    let most = columns.map { column in numbers.map { $0[column] }.max()! }
    fixed = numbers.map { row in
      columns.map { most[$0] > least[$0] ? (row[$0] - least[$0]) / (most[$0] - least[$0]) : 0 }
    }
  }

  /// The least share of channels that an action may leave.
  var lowest: Double { style.lowestShare(macsKept: budgetShare) }

  var stateSize: Int { (fixed.first?.count ?? 0) + (style == .amc ? 3 : 1) }

  /// What an agent sees before a step.
  /// - Parameters:
  ///   - counts: of all groups, those before the step as decided.
  ///   - previous: the share that the step before left; 1 at the first.
  package func state(_ step: Int, _ counts: [Int], previous: Double) -> [Float] {
    switch style {
    case .amc:
      // What the steps before took away.
      let reduced = Double(total - cost.macs(counts)) / Double(total)
      return (fixed[step] + [reduced, behind[step], previous]).map(Float.init)
    case .pocketFlow:
      // What would stay if as little as may be stayed from here on.
      return (fixed[step] + [Double(cost.macs(withLowest(from: step, counts))) / Double(total)]).map(Float.init)
    }
  }

  /// The channels that a step leaves: as many as the action says, or as the budget allows with the least in every later
  /// step; at least those of the lowest share.
  func count(_ action: Double, _ step: Int, _ counts: [Int]) -> Int {
    let group = decisions[step]
    let channels = cost.channels[group]
    let floor = rounding.count(lowest, of: channels)
    var count = max(rounding.count(action, of: channels), floor)
    var rest = withLowest(from: step, counts)
    while count > floor {
      rest[group] = count
      if cost.macs(rest) <= budget { break }
      // To the next smaller number that may stay.
      count = max((count - 1) / rounding.multiple * rounding.multiple, floor)
    }
    return count
  }

  /// The counts with the lowest share in all steps from one on.
  private func withLowest(from step: Int, _ counts: [Int]) -> [Int] {
    var counts = counts
    for group in decisions[step...] { counts[group] = rounding.count(lowest, of: cost.channels[group]) }
    return counts
  }

  /// Whether the budget can be kept at all.
  var isFeasible: Bool { cost.macs(withLowest(from: 0, cost.channels)) <= budget }
}
