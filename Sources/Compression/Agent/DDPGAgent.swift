public import Engine
internal import Foundation
internal import Networks
internal import Tensors

/// An agent that learns by deep deterministic policy gradient which action of one number to take in which state.
///
/// ```swift
/// let agent = try DDPGAgent(stateSize: 10, actions: 0...1, .amc, on: engine)
/// for _ in 0..<400 {
///   try agent.beginEpisode()
///   …  // action(for:), and what comes of it
///   for transition in episode {
///     try agent.remember(transition)
///     try agent.update()
///   }
///   agent.endEpisode()
/// }
/// ```
///
/// All it does follows from the settings and from the calls that change it (`beginEpisode`, `remember`, `update`,
/// `endEpisode`), to the bit on one kind of processor: who makes the recorded calls again has the same agent. What is
/// explored follows from the place of `action` among those of its episode, so that leaving calls of it out changes
/// nothing after the episode.
///
/// - Source: Lillicrap et al. 2015 (arXiv:1509.02971), Algorithm 1; for what else the settings offer, see there.
public final class DDPGAgent {
  /// What an update saw.
  public struct Update: Hashable, Sendable {
    /// The mean square of what the critic's answer is off its target by, before it learned.
    public var criticLoss: Double
    /// The mean of what the critic expects of the actor's actions, before the actor learned.
    public var value: Double
  }

  public let settings: DDPG.Settings
  public let stateSize: Int
  /// The lowest and the highest action.
  public let actions: ClosedRange<Float>
  /// Episodes that were begun.
  public private(set) var episodes = 0
  /// Updates that had an effect.
  public private(set) var updates = 0

  package let actor, critic: LearningNetwork
  /// The actor with noise on its weights, where that is how it explores.
  package let noisyActor: Plan?
  package private(set) var memory: ReplayBuffer
  package private(set) var baseline: RewardBaseline
  /// Of the current episode, as far as remembered.
  private var rewards: [Float] = []
  /// Actions of the current episode that explored.
  private var exploredActions = 0
  /// Episodes that were begun after the first update.
  private var learnedEpisodes = 0

  /// Streams of random numbers for exploration.
  private enum Lane: Int { case action, parameterNoise, batch }

  /// Compiles the networks and draws their weights.
  /// - Parameters:
  ///   - stateSize: numbers of a state. They should be of the order of 1: nothing is done to them.
  ///   - actions: the lowest and the highest action.
  ///   - engine: one thread is enough for networks of this size, and more may be slower.
  /// - Throws: `AgentError.settings`; `.engine` and `.memory` where the machine does not give what is needed.
  public init(stateSize: Int, actions: ClosedRange<Float>, _ settings: DDPG.Settings, on engine: Engine)
    throws(AgentError)
  {
    if let problem = settings.problem { throw .settings(problem) }
    guard (1...1_000_000).contains(stateSize) else {
      throw .settings("a state has 1 to 1000000 numbers, not \(stateSize)")
    }
    guard actions.lowerBound < actions.upperBound, (actions.upperBound - actions.lowerBound).isFinite else {
      throw .settings("actions are of a range that is neither empty nor infinite, not \(actions)")
    }
    (self.stateSize, self.actions, self.settings) = (stateSize, actions, settings)
    let networks: (actor: Network, critic: Network)
    do {
      networks = (
        try DDPG.actor(stateSize: stateSize, settings), try DDPG.critic(stateSize: stateSize, settings)
      )
    } catch { throw .engine(.shape(error)) }
    // Each network draws from streams of its own, which start at this seed.
    var seeds = RandomKey(seed: settings.seed, for: .initialization, lane: 1).generator()
    actor = try LearningNetwork(
      networks.actor, batch: settings.batchSize, inputGradient: false, rate: settings.actorRate, tau: settings.tau,
      seed: seeds.next(), on: engine)
    critic = try LearningNetwork(
      networks.critic, batch: settings.batchSize, inputGradient: true, rate: settings.criticRate, tau: settings.tau,
      seed: seeds.next(), on: engine)
    noisyActor =
      if case .parameterNoise = settings.exploration {
        try AgentError.wrapping { () throws(EngineError) in
          try engine.compile(networks.actor, batch: settings.batchSize, mode: .training())
        }
      } else { nil }
    memory = ReplayBuffer(capacity: settings.capacity)
    baseline = RewardBaseline(settings.baseline)
  }

  // MARK: Episodes

  /// Begins the next episode; ends the one before where that was not done.
  /// - Throws: `AgentError.engine`.
  public func beginEpisode() throws(AgentError) {
    endEpisode()
    episodes += 1
    exploredActions = 0
    if updates > 0 { learnedEpisodes += 1 }
    if let noisyActor, let std { try perturb(noisyActor, std: std) }
  }

  /// Ends the episode: its rewards, as they were remembered, count towards the baseline where that is of episodes.
  public func endEpisode() {
    baseline.add(episode: rewards)
    rewards = []
  }

  private func random(_ lane: Lane, epoch: Int, sample: Int) -> Philox {
    RandomKey(seed: settings.seed, for: .exploration, epoch: epoch, sample: sample, lane: lane.rawValue).generator()
  }

  /// The std of what the current episode explores with; nil where actions are sampled uniformly, and before the first
  /// episode.
  public var std: Double? {
    guard episodes > settings.warmUpEpisodes else { return nil }
    switch settings.exploration {
    case .truncatedNormal(let std, let decay), .normal(let std, let decay):
      return std * pow(decay, Double(episodes - 1 - settings.warmUpEpisodes))
    case .parameterNoise(let first, let last, let episodes):
      return first * pow(last / first, Double(learnedEpisodes) / Double(episodes))
    }
  }

  /// Takes the actor's weights, with noise on those of dense layers.
  private func perturb(_ noisyActor: Plan, std: Double) throws(AgentError) {
    try AgentError.wrapping { () throws(EngineError) in
      var weights = try actor.plan.weights()
      for (i, parameter) in actor.plan.network.parameters.enumerated()
      where parameter.rule.role == .weight || parameter.rule.role == .bias {
        var random = random(.parameterNoise, epoch: episodes, sample: i)
        weights[parameter.name]?.withUnsafeMutableElements {
          for i in $0.indices { $0[i] += Float(std * random.normal()) }
        }
      }
      try noisyActor.load(weights)
    }
  }

  /// Chooses an action.
  /// - Parameter explores: whether to try what the actor would not choose, as the settings say; else the actor alone
  ///   answers.
  /// - Throws: `AgentError.stateSize`, `.notFinite`, `.noEpisode`, `.diverged`, `.engine`.
  public func action(for state: [Float], explores: Bool) throws(AgentError) -> Float {
    guard state.count == stateSize else { throw .stateSize(expected: stateSize, found: state.count) }
    guard state.allSatisfy(\.isFinite) else { throw .notFinite }
    guard explores else { return try answer(of: actor.plan, to: state) }
    guard episodes > 0 else { throw .noEpisode }
    var random = random(.action, epoch: episodes, sample: exploredActions)
    exploredActions += 1
    let range = Double(actions.lowerBound)...Double(actions.upperBound)
    guard let std else {
      return Float(range.lowerBound + (range.upperBound - range.lowerBound) * random.uniformDouble())
    }
    if let noisyActor { return try answer(of: noisyActor, to: state) }
    let mean = Double(try answer(of: actor.plan, to: state))
    switch settings.exploration {
    case .truncatedNormal, .parameterNoise:
      return Float(random.truncatedNormal(around: mean, std: std, in: range))
    case .normal:
      return Float(min(max(mean + std * random.normal(), range.lowerBound), range.upperBound))
    }
  }

  /// An actor's action. The state is one row of a batch, and the others are left as they are: parameters lie otherwise
  /// in a plan of another batch, and to bring them there with each update would take longer than the other rows do.
  private func answer(of plan: Plan, to state: [Float]) throws(AgentError) -> Float {
    _ = plan.input.update(fromContentsOf: state)
    try AgentError.wrapping { () throws(EngineError) in try plan.forward() }
    let share = plan.logits[0]
    guard share.isFinite else { throw .diverged(updates: updates) }
    return action(share)
  }

  /// The action that a share of the range from 0 to 1 stands for.
  private func action(_ share: Float) -> Float {
    min(
      max(actions.lowerBound + (actions.upperBound - actions.lowerBound) * share, actions.lowerBound),
      actions.upperBound)
  }

  // MARK: Learning

  /// Remembers a step of the current episode.
  /// - Throws: `AgentError.stateSize`, `.notFinite`, `.noEpisode`.
  public func remember(_ transition: DDPG.Transition) throws(AgentError) {
    for state in [transition.state, transition.next] {
      guard state.count == stateSize else { throw .stateSize(expected: stateSize, found: state.count) }
      guard state.allSatisfy(\.isFinite) else { throw .notFinite }
    }
    guard transition.action.isFinite, transition.reward.isFinite else { throw .notFinite }
    guard episodes > 0 else { throw .noEpisode }
    memory.append(transition)
    rewards.append(transition.reward)
  }

  /// Whether updates have an effect yet.
  public var learns: Bool {
    guard !memory.transitions.isEmpty else { return false }
    return switch settings.updateStart {
    case .transitions(let count): memory.transitions.count >= count
    case .full: memory.isFull
    case .episodes(let count): episodes > count
    }
  }

  /// Learns from a batch of what is remembered.
  ///
  /// The critic moves towards `y = r − b + γ Q′(s′, μ′(s′))`, where `b` is the baseline and the last term is left out
  /// after a terminal step; then the actor climbs the critic's gradient; then the targets follow. With AMC's settings
  /// that takes a few milliseconds of one core.
  /// - Returns: nil where updates do not start yet.
  /// - Throws: `AgentError.diverged` where a gradient is not finite, which then moves no weight; `.engine`.
  @discardableResult
  public func update() throws(AgentError) -> Update? {
    guard learns else { return nil }
    var random = random(.batch, epoch: 0, sample: updates)
    let batch = memory.sample(settings.batchSize, using: &random)
    baseline.add(batch: batch.map(\.reward))
    let result = try AgentError.wrapping { () throws(EngineError) -> Update? in
      let targets = try targets(of: batch)
      guard let criticLoss = try teachCritic(batch, targets), let value = try teachActor(batch) else { return nil }
      return Update(criticLoss: criticLoss, value: value)
    }
    guard let result else { throw .diverged(updates: updates) }
    updates += 1
    return result
  }

  private func targets(of batch: [DDPG.Transition]) throws(EngineError) -> [Double] {
    fill(actor.target.input, batch.lazy.map(\.next))
    try actor.target.forward()
    fill(critic.target.input, batch.lazy.map(\.next), actor.target.logits.map(action))
    try critic.target.forward()
    return zip(batch, critic.target.logits).map { transition, value in
      let reward = Double(transition.reward) - baseline.value
      return transition.isTerminal ? reward : reward + settings.gamma * Double(value)
    }
  }

  /// - Returns: the loss, `Σ (Q(s, a) − y)² / N`; nil where its gradient is not finite.
  private func teachCritic(_ batch: [DDPG.Transition], _ targets: [Double]) throws(EngineError) -> Double? {
    let plan = critic.plan
    fill(plan.input, batch.lazy.map(\.state), batch.map(\.action))
    let (values, gradient, count) = (plan.logits, plan.logitsGradient!, Double(batch.count))
    return try plan.perform { execution in
      execution.forward()
      var loss = 0.0
      for (i, target) in targets.enumerated() {
        let difference = Double(values[i]) - target
        loss += difference * difference / count
        gradient[i] = Float(2 * difference / count)
      }
      execution.backward()
      return critic.step() ? loss : nil
    }
  }

  /// Moves the actor along the gradient of `Σ Q(s, μ(s)) / N`, and then both targets.
  /// - Returns: that mean; nil where its gradient is not finite.
  private func teachActor(_ batch: [DDPG.Transition]) throws(EngineError) -> Double? {
    fill(actor.plan.input, batch.lazy.map(\.state))
    try actor.plan.forward()
    fill(critic.plan.input, batch.lazy.map(\.state), actor.plan.logits.map(action))
    critic.plan.logitsGradient!.update(repeating: -1 / Float(batch.count))
    try critic.plan.perform { execution in
      execution.forward()
      execution.backward()
    }
    let value = critic.plan.logits.reduce(0) { $0 + Double($1) } / Double(batch.count)
    guard let inputGradient = try critic.plan.inputGradient() else { preconditionFailure("compiled with it") }
    let (gradient, width) = (actor.plan.logitsGradient!, actions.upperBound - actions.lowerBound)
    inputGradient.withUnsafeElements {
      for i in batch.indices { gradient[i] = $0[i * (stateSize + 1) + stateSize] * width }
    }
    return try actor.plan.perform { execution in
      execution.backward()
      guard actor.step() else { return nil }
      actor.moveTarget()
      critic.moveTarget()
      return value
    }
  }

  /// Writes states row by row, and an action after each where there are some.
  private func fill(
    _ input: UnsafeMutableBufferPointer<Float>, _ states: some Collection<[Float]>, _ actions: [Float]? = nil
  ) {
    var place = 0
    for (i, state) in states.enumerated() {
      _ = input[place...].update(fromContentsOf: state)
      place += stateSize
      if let actions {
        input[place] = actions[i]
        place += 1
      }
    }
  }
}
