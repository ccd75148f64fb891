internal import Engine
internal import Foundation

/// Who answers states with actions.
protocol RatioPolicy {
  func begin() throws
  func action(for state: [Float]) throws -> Double
  /// Learns from a rollout, whose reward is that of each of its steps.
  func end(states: [[Float]], actions: [Float], reward: Double) throws
}

/// Lets the agent answer. As many updates as a rollout has steps follow it: AMC's release makes them so; PocketFlow makes
/// one in each step, from what the rollouts before left.
final class AgentPolicy: RatioPolicy {
  private let agent: DDPGAgent

  init(_ settings: SearchSettings, _ environment: RatioEnvironment, engine: Engine) throws {
    var own = settings.agent ?? settings.style.agent(episodes: settings.episodes, steps: environment.decisions.count)
    own.seed = settings.seed
    // AMC's agent answers from 0 on, and the environment lifts what is too low.
    let lowest = settings.style == .amc ? 0 : Float(environment.lowest)
    agent = try DDPGAgent(stateSize: environment.stateSize, actions: min(lowest, 0.99)...1, own, on: engine)
  }

  func begin() throws { try agent.beginEpisode() }

  func action(for state: [Float]) throws -> Double { Double(try agent.action(for: state, explores: true)) }

  func end(states: [[Float]], actions: [Float], reward: Double) throws {
    for (step, state) in states.enumerated() {
      let isLast = step == states.count - 1
      try agent.remember(
        DDPG.Transition(
          state: state, action: actions[step], reward: Float(reward), next: isLast ? state : states[step + 1],
          isTerminal: isLast))
      try agent.update()
    }
    agent.endEpisode()
  }
}

extension SearchStyle {
  /// The published agent, with its schedule in proportion to the number of rollouts: a quarter of them sampled uniformly, as
  /// 100 of AMC's 400, and noise that ends as there; PocketFlow's buffer a quarter of them too, as 50 of its 200.
  public func agent(episodes: Int, steps: Int) -> DDPG.Settings {
    let quarter = max(episodes / 4, 1)
    switch self {
    case .amc:
      var settings = DDPG.Settings.amc
      settings.warmUpEpisodes = quarter
      settings.updateStart = .episodes(quarter)
      settings.exploration = .truncatedNormal(
        std: 0.5, decay: pow(0.95, 300 / Double(max(episodes - quarter, 1))))
      return settings
    case .pocketFlow:
      var settings = DDPG.Settings.pocketFlow
      settings.capacity = max(quarter * steps, 1)
      settings.exploration = .parameterNoise(from: 1, to: 1e-5, episodes: episodes)
      return settings
    }
  }
}
