internal import Datasets
public import Engine
internal import Foundation
internal import Networks
internal import Tensors
public import Training

/// What a search for ratios is.
public struct SearchSettings: Hashable, Sendable, Codable {
  public enum Method: String, Hashable, Sendable, Codable, CaseIterable {
    /// One share of channels for all groups: one rollout.
    case uniform
    /// Shares sampled uniformly; the control that an agent is held to.
    case random
    case ddpg
  }

  public var method = Method.ddpg
  public var style = SearchStyle.amc
  public var reward = PruningReward.top1
  /// The share of MACs that may stay.
  public var macsKept = 0.5
  /// Rollouts.
  public var episodes = 100
  /// Of the agent; nil for the style's own, in proportion to the rollouts.
  public var agent: DDPG.Settings?
  public var seed: UInt64 = 1

  public init() {}

  /// What stands in the way of such a search, in words; nil where nothing does.
  public var problem: String? {
    if !(macsKept > 0 && macsKept <= 1) { return "a share of MACs is above 0 and at most 1, not \(macsKept)" }
    return (1...1_000_000).contains(episodes) ? nil : "a search has at least one rollout, not \(episodes)"
  }
}

/// Draws every action evenly from the range.
private final class EvenPolicy: RatioPolicy {
  private let range: ClosedRange<Double>
  private let seed: UInt64
  private var episode = -1
  private var random: Philox
  init(_ range: ClosedRange<Double>, seed: UInt64) {
    (self.range, self.seed) = (range, seed)
    random = RandomKey(seed: seed, for: .exploration).generator()
  }
  func begin() {
    episode += 1
    random = RandomKey(seed: seed, for: .exploration, epoch: episode, lane: 1).generator()
  }
  func action(for state: [Float]) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * random.uniformDouble()
  }
  func end(states: [[Float]], actions: [Float], reward: Double) {}
}

/// What came of a search.
public struct SearchResult: Hashable, Sendable, Codable {
  public let settings: SearchSettings
  /// In the order of the rollouts.
  public let trials: [Trial]
  public let isInterrupted: Bool

  /// The one with the largest reward, the first among equals.
  public var best: Trial? {
    guard var best = trials.first else { return nil }
    for trial in trials where trial.reward > best.reward { best = trial }
    return best
  }
}

/// Searches how many channels each group keeps.
public struct RatioSearch {
  public let problem: PruningProblem
  public let ledger: SearchLedger
  public let engine: Engine

  public init(_ problem: PruningProblem, _ ledger: SearchLedger, engine: Engine) {
    (self.problem, self.ledger, self.engine) = (problem, ledger, engine)
  }

  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    case settings(String)
    /// Even the fewest channels cost more.
    case infeasible(macsKept: Double, least: Double)

    public var description: String {
      switch self {
      case .settings(let problem): problem
      case .infeasible(let kept, let least):
        "\(percent(kept)) % of the MACs cannot be reached: the fewest channels leave \(percent(least)) %"
      }
    }
    private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10)" }
  }

  /// Searches, and writes each rollout to the ledger. What the ledger holds already is taken from there: the result
  /// follows from the problem and the settings alone.
  /// - Parameters:
  ///   - isInterrupted: asked before each rollout; once true, those made so far are the result.
  ///   - report: called after each rollout.
  /// - Throws: `Failure`, and whatever pruning and measuring may throw.
  public func run(
    _ settings: SearchSettings, isInterrupted: () -> Bool = { false }, report: (Trial) -> Void = { _ in }
  ) throws -> SearchResult {
    if let problem = settings.problem { throw Failure.settings(problem) }
    let environment = RatioEnvironment(problem, settings.style, macsKept: settings.macsKept)
    let id = key(of: settings)
    var trials: [Trial] = []
    func roll(_ channels: [Int]) throws -> Trial {
      var trial = try tried(channels)
      (trial.search, trial.method, trial.seed, trial.episode) = (
        id, settings.method.rawValue, settings.seed, trials.count
      )
      trial.reward = settings.reward.value(trial.evaluation, macs: trial.macs)
      try ledger.append(trial)
      trials.append(trial)
      report(trial)
      return trial
    }

    if settings.method == .uniform {
      guard
        let counts = problem.cost.counts(for: .macsKept(settings.macsKept), in: problem.decisions, problem.rounding)
      else { throw infeasible(settings) }
      _ = try roll(problem.decisions.map { counts[$0] })
      return SearchResult(settings: settings, trials: trials, isInterrupted: false)
    }

    guard environment.isFeasible else { throw infeasible(settings) }
    let policy: any RatioPolicy =
      settings.method == .random
      ? EvenPolicy(environment.lowest...1, seed: settings.seed)
      : try AgentPolicy(settings, environment, engine: engine)
    while trials.count < settings.episodes {
      if isInterrupted() { return SearchResult(settings: settings, trials: trials, isInterrupted: true) }
      try policy.begin()
      var counts = problem.cost.channels
      var (states, actions): ([[Float]], [Float]) = ([], [])
      var previous = 1.0
      for step in environment.decisions.indices {
        let state = environment.state(step, counts, previous: previous)
        let action = try policy.action(for: state)
        let group = environment.decisions[step]
        counts[group] = environment.count(action, step, counts)
        previous = Double(counts[group]) / Double(problem.cost.channels[group])
        states.append(state)
        // PocketFlow remembers the action that the budget left, AMC the one that was asked for.
        actions.append(Float(settings.style == .pocketFlow ? previous : action))
      }
      let trial: Trial
      do { trial = try roll(problem.decisions.map { counts[$0] }) } catch where error.meansInterruption {
        return SearchResult(settings: settings, trials: trials, isInterrupted: true)
      }
      try policy.end(states: states, actions: actions, reward: trial.reward)
    }
    return SearchResult(settings: settings, trials: trials, isInterrupted: false)
  }

  /// Prunes to some channels and measures, or takes from the ledger what is known of them. To whom it belongs is not said
  /// yet.
  private func tried(_ channels: [Int]) throws -> Trial {
    let begun = ContinuousClock.now
    let known = ledger.known(channels)
    let measured =
      if let known {
        PruningProblem.Measured(evaluation: known.evaluation, weights: known.weights)
      } else { try problem.measured(channels) }
    let passed = ContinuousClock.now - begun
    let counts = problem.counts(channels)
    return Trial(
      search: "", method: "", seed: 0, episode: 0,
      ratios: zip(channels, problem.decisions).map { Double($0) / Double(problem.cost.channels[$1]) },
      channels: channels,
      reward: 0, evaluation: measured.evaluation, macs: problem.cost.macs(counts),
      parameters: problem.cost.parameters(counts), weights: measured.weights,
      seconds: known == nil ? passed.seconds : 0)
  }

  /// How accuracy falls when one group alone is pruned.
  public struct Sensitivity: Hashable, Sendable {
    /// The group's.
    public let name: String
    /// Of channels that stayed, rising; each number of channels once.
    public let shares: [Double]
    public let evaluations: [Evaluation]
  }

  /// Prunes each group that is decided on by itself, to each of some shares.
  /// - Parameters:
  ///   - isInterrupted: asked before each model.
  ///   - report: how many groups are measured, and of how many.
  /// - Throws: `EngineError.interrupted`, and whatever pruning and measuring may throw. What was measured is in the
  ///   ledger.
  public func sensitivity(
    shares: [Double], isInterrupted: () -> Bool = { false }, report: (Int, Int) -> Void = { _, _ in }
  ) throws -> [Sensitivity] {
    let whole = problem.decisions.map { problem.cost.channels[$0] }
    var done = 0
    return try problem.decisions.indices.map { step in
      var counts: [Int] = []
      for share in shares {
        let count = problem.rounding.count(share, of: whole[step])
        if !counts.contains(count) { counts.append(count) }
      }
      let evaluations = try counts.map { count -> Evaluation in
        if isInterrupted() { throw EngineError.interrupted }
        var channels = whole
        channels[step] = count
        var trial = try tried(channels)
        (trial.search, trial.method, trial.episode) = ("sensitivity", "sensitivity", ledger.trials.count)
        trial.reward = trial.evaluation.top1
        if ledger.known(channels) == nil { try ledger.append(trial) }
        return trial.evaluation
      }
      done += 1
      report(done, problem.decisions.count)
      return Sensitivity(
        name: problem.pruner.groups.groups[problem.decisions[step]].name,
        shares: counts.map { Double($0) / Double(whole[step]) }, evaluations: evaluations)
    }
  }

  private func infeasible(_ settings: SearchSettings) -> Failure {
    let least =
      problem.cost.counts(for: .channelsKept(0), in: problem.decisions, problem.rounding) ?? problem.cost.channels
    return .infeasible(
      macsKept: settings.macsKept,
      least: Double(problem.cost.macs(least)) / Double(problem.cost.macs(problem.cost.channels)))
  }

  /// What tells a search from others in one ledger.
  private func key(of settings: SearchSettings) -> String {
    var hasher = StableHasher()
    var settings = settings
    // A longer search begins as a shorter one does where nothing in it goes by the number of rollouts.
    if settings.method != .ddpg { settings.episodes = 1 }
    hasher.combine(bytes: Array(JSONText.of(settings).utf8))
    return hasher.hexadecimal
  }
}
