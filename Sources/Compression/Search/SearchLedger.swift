public import Tensors
public import Training

/// One rollout of a search, as the ledger keeps it.
public struct Trial: Hashable, Sendable, Codable {
  /// Which search it belongs to: a hash of its settings, its method and its seed.
  public var search: String
  public var method: String
  public var seed: UInt64
  /// From 0.
  public var episode: Int
  /// The share of channels that stays in each group that is pruned.
  public var ratios: [Double]
  /// The number of channels in these groups.
  public var channels: [Int]
  public var reward: Double
  public var evaluation: Evaluation
  /// MACs for one image, and trainable numbers.
  public var macs, parameters: Int
  /// A hash of the pruned weights.
  public var weights: String
  /// What it took; 0 where its network had been measured before.
  public var seconds: Double

  /// What does not depend on the clock.
  public var facts: Trial {
    var facts = self
    facts.seconds = 0
    return facts
  }
}

/// Every rollout of the searches over one network.
///
/// A network of the same channels is measured once, whichever search comes to it. So a search that was killed goes on by
/// doing its steps again: what the ledger holds costs nothing, and the rest follows as if nothing had happened.
public final class SearchLedger {
  private let file: LineFile<Trial>
  private var byChannels: [[Int]: Trial] = [:]
  private var written: [Place: [Int]] = [:]

  private struct Place: Hashable { var search: String, episode: Int }

  /// The file; nil for one that is kept in memory alone.
  public var path: String? { file.path }
  public var trials: [Trial] { file.entries }

  /// Opens a ledger, or begins one. A last line that was not finished is passed over.
  /// - Throws: `TensorError.file` where the system refuses; `.malformed` for a line that is no rollout.
  public init(at path: String?) throws(TensorError) {
    file = try LineFile(at: path, of: "rollout") { trial in
      trial.evaluation.isPossible && trial.evaluation.count > 0 && trial.macs > 0 && !trial.channels.isEmpty
        && trial.channels.allSatisfy { $0 > 0 }
    }
    trials.forEach(note)
  }

  private func note(_ trial: Trial) {
    written[Place(search: trial.search, episode: trial.episode)] = trial.channels
    if byChannels[trial.channels] == nil { byChannels[trial.channels] = trial }
  }

  /// What is known of a network of these channels.
  func known(_ channels: [Int]) -> Trial? { byChannels[channels] }

  /// Adds a line, unless the rollout has one.
  /// - Throws: `TensorError.file` with the system's reason, such as a full disk; `.malformed` where the ledger says that
  ///   the same rollout had other channels.
  func append(_ trial: Trial) throws(TensorError) {
    if let channels = written[Place(search: trial.search, episode: trial.episode)] {
      guard channels == trial.channels else {
        throw .malformed(
          path: path ?? "the ledger",
          problem: "rollout \(trial.episode + 1) of search \(trial.search) has other channels than it would have")
      }
      return
    }
    try file.append(trial)
    note(trial)
  }
}

extension [Trial] {
  /// The rollout that another reward, or another budget, would have chosen.
  public func best(by reward: PruningReward, macsAtMost budget: Int) -> Trial? {
    var best: (trial: Trial, reward: Double)?
    for trial in self where trial.macs <= budget {
      let value = reward.value(trial.evaluation, macs: trial.macs)
      if value > best?.reward ?? -.infinity { best = (trial, value) }
    }
    return best?.trial
  }
}
