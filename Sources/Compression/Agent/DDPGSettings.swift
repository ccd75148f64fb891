extension DDPG {
  /// Everything that decides what an agent does, but the problem it is set.
  public struct Settings: Hashable, Sendable, Codable {
    /// Features of each hidden layer, of the actor and of the critic.
    public var hiddenSizes = [300, 300]
    /// Whether each hidden layer has a layer norm before its ReLU.
    public var hasLayerNorm = false
    public var initialWeights = InitialWeights.uniformFanIn
    /// Of Adam, with its usual β₁ .9, β₂ .999 and ε 1e-8.
    public var actorRate = 1e-4
    public var criticRate = 1e-3
    /// What a reward of the next step is worth now.
    public var gamma = 1.0
    /// The share of the networks that their targets take on with each update.
    public var tau = 0.01
    /// Transitions of an update.
    public var batchSize = 64
    /// Transitions that are remembered; a new one then takes the place of the oldest.
    public var capacity = 2000
    /// Episodes at the beginning in which actions are sampled uniformly from the whole range.
    public var warmUpEpisodes = 100
    public var exploration = Exploration.truncatedNormal(std: 0.5, decay: 0.95)
    public var baseline = Baseline.batchMeans(rate: 0.5)
    public var updateStart = UpdateStart.episodes(100)
    /// Updates that follow each remembered step, once they have begun.
    public var updatesPerStep = 1
    /// Decides the initial weights, the exploration and the order in which transitions are remembered.
    public var seed: UInt64 = 1

    public init() {}

    /// Of AMC (He et al. 2018, arXiv:1802.03494): section 3.2 and the released `lib/agent.py`, `amc_search.py`.
    ///
    /// There the reward of an episode's end is credited to all its steps, and then one update is made for each of
    /// them. The paper remembers 2000 transitions; the release's script 100 for each layer. Its loop counts one warm-up
    /// episode more than it is asked for.
    public static let amc = Settings()

    /// Of PocketFlow's `rl_agents/ddpg`, as its pruning learners set it.
    ///
    /// There one update is made for each layer during an episode, and the buffer holds `cp_nb_rlouts_min` = 15
    /// episodes, which the user of another network than one of 50 layers has to put into `capacity`.
    public static let pocketFlow = {
      var settings = Settings()
      settings.hiddenSizes = [64, 64]
      settings.hasLayerNorm = true
      settings.initialWeights = .glorotUniform
      (settings.actorRate, settings.criticRate) = (1e-3, 1e-3)
      settings.gamma = 0.9
      settings.capacity = 15 * 50
      settings.warmUpEpisodes = 0
      settings.exploration = .parameterNoise(from: 1, to: 1e-5, episodes: 200)
      settings.baseline = .episodeMeans(decay: 0.95)
      settings.updateStart = .full
      return settings
    }()
  }

  /// How dense layers start.
  public enum InitialWeights: String, Hashable, Sendable, Codable {
    /// Weights and biases of U(±1/√fan in): PyTorch's, and so AMC's.
    case uniformFanIn
    /// Weights of U(±√(6 / (fan in + fan out))), no biases: TensorFlow's, and so PocketFlow's.
    case glorotUniform
  }

  /// How actions are tried that the actor would not choose, after the warm-up.
  public enum Exploration: Hashable, Sendable, Codable {
    /// A normal distribution around the actor's action, cut off at the ends of the range. Its std, in the
    /// action's units, is `std · decay ^ (episode − warm-up)`, episodes counted from 0. AMC, section 3.2.
    case truncatedNormal(std: Double, decay: Double)
    /// The same, and what lies out of the range is moved to its end, as Fujimoto et al. 2018 (arXiv:1802.09477) and
    /// most programs do.
    case normal(std: Double, decay: Double)
    /// Noise on the weights and biases of the actor's dense layers, drawn again for each episode; layer norms are left
    /// alone. Plappert et al. 2018 (arXiv:1706.01905), section 3, without its adaptive scale.
    ///
    /// The std begins as `from` and is multiplied by `(to / from) ^ (1 / episodes)` with each episode after the
    /// first update: so it does not reach `to` where updates start late. PocketFlow's `TimeDecayNoiseSpec`.
    case parameterNoise(from: Double, to: Double, episodes: Int)
  }

  /// What is subtracted from rewards before the critic sees them.
  public enum Baseline: Hashable, Sendable, Codable {
    case none
    /// A running mean of the mean reward of the updates' batches: `b ← b + rate (mean − b)`. It begins as the first
    /// mean. AMC's `moving_average`.
    case batchMeans(rate: Double)
    /// A running mean of the mean reward of episodes: `b ← decay b + (1 − decay) mean`. It begins as the first mean.
    /// PocketFlow's `reward_ema`.
    case episodeMeans(decay: Double)
  }

  /// When updates begin to have an effect.
  public enum UpdateStart: Hashable, Sendable, Codable {
    /// As soon as so many transitions are remembered.
    case transitions(Int)
    /// As soon as the buffer is full.
    case full
    /// After so many whole episodes.
    case episodes(Int)
  }
}

extension DDPG.Settings {
  /// What stands in the way of an agent with these settings, in words; nil where nothing does.
  package var problem: String? {
    if hiddenSizes.isEmpty { return "at least one hidden layer is needed" }
    if let size = hiddenSizes.first(where: { !(1...65_536).contains($0) }) {
      return "a hidden layer has 1 to 65536 features, not \(size)"
    }
    for (name, rate) in [("actor", actorRate), ("critic", criticRate)] where !(rate > 0 && rate.isFinite) {
      return "the learning rate of the \(name) is positive, not \(rate)"
    }
    if !(0...1).contains(gamma) { return "gamma is from 0 to 1, not \(gamma)" }
    if !(tau > 0 && tau <= 1) { return "tau is above 0 and at most 1, not \(tau)" }
    if !(1...65_536).contains(batchSize) { return "a batch holds 1 to 65536 transitions, not \(batchSize)" }
    if !(1...100_000_000).contains(capacity) { return "a buffer holds 1 to 100000000 transitions, not \(capacity)" }
    if !(1...1000).contains(updatesPerStep) { return "1 to 1000 updates follow a step, not \(updatesPerStep)" }
    if warmUpEpisodes < 0 { return "a warm-up lasts 0 or more episodes, not \(warmUpEpisodes)" }
    return exploration.problem ?? baseline.problem ?? updateStart.problem(capacity: capacity)
  }
}

extension DDPG.Exploration {
  fileprivate var problem: String? {
    switch self {
    case .truncatedNormal(let std, let decay), .normal(let std, let decay):
      if !(std >= 0 && std.isFinite) { return "a std is not negative, not \(std)" }
      return decay > 0 && decay <= 1 ? nil : "the decay of a std is above 0 and at most 1, not \(decay)"
    case .parameterNoise(let first, let last, let episodes):
      if !(last > 0 && last <= first && first.isFinite) {
        return "noise falls from one positive number to another, not from \(first) to \(last)"
      }
      return episodes >= 1 ? nil : "noise falls over at least one episode, not \(episodes)"
    }
  }
}

extension DDPG.Baseline {
  fileprivate var problem: String? {
    switch self {
    case .none: nil
    case .batchMeans(let rate):
      rate > 0 && rate <= 1 ? nil : "the rate of a baseline is above 0 and at most 1, not \(rate)"
    case .episodeMeans(let decay):
      decay >= 0 && decay < 1 ? nil : "the decay of a baseline is at least 0 and below 1, not \(decay)"
    }
  }
}

extension DDPG.UpdateStart {
  fileprivate func problem(capacity: Int) -> String? {
    switch self {
    case .full: nil
    case .transitions(let count):
      (1...capacity).contains(count)
        ? nil : "updates start with 1 to \(capacity) transitions, as many as are remembered, not \(count)"
    case .episodes(let count): count >= 0 ? nil : "updates start after 0 or more episodes, not \(count)"
    }
  }
}
