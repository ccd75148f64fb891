internal import Engine
internal import Foundation

/// Who answers states with actions.
protocol RatioPolicy {
  func begin() throws
  func action(for state: [Float]) throws -> Double
  /// Learns from a rollout, whose reward is that of each of its steps.
  func end(states: [[Float]], actions: [Float], reward: Double) throws
}

/// Lets the agent answer. Updates follow each rollout, for each of its steps: AMC's release makes them so; PocketFlow makes
/// one in each step, from what the rollouts before left.
final class AgentPolicy: RatioPolicy {
  private let agent: DDPGAgent

  init(_ settings: SearchSettings, _ environment: RatioEnvironment, engine: Engine) throws {
    var own = settings.agent ?? settings.style.agent(episodes: settings.episodes, steps: environment.decisions.count)
    own.seed = settings.seed
    // The range of the random search, so that one is a control of the other. AMC's release answers from 0 on and lifts what
    // is too low, so that a fifth of its warm-up has the least share.
    let lowest = min(Float(environment.lowest), 0.99)
    agent = try DDPGAgent(stateSize: environment.stateSize, actions: lowest...1, own, on: engine)
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
      for _ in 0..<agent.settings.updatesPerStep { try agent.update() }
    }
    agent.endEpisode()
  }
}

extension SearchStyle {
  /// The published agent, with its schedule in proportion to the number of rollouts: a quarter of them sampled uniformly, as
  /// 100 of AMC's 400; PocketFlow's buffer a quarter of them too, as 50 of its 200.
  ///
  /// AMC's noise falls by 5 % with each rollout, from 0.5 to 1e-7 after 300. Fewer rollouts get eight updates a step instead
  /// of one, and noise from 0.5 to 0.05, so that they do not repeat each other. MobileNet-v1 at half the width, 200 rollouts:
  /// the best had a top-1 of 62.9, 67.2 and 62.7 % with 80 % of the MACs removed (three seeds), and 24.3 and 13.2 % with
  /// 90 % removed (two). With the published noise in proportion and one update a step: 62.7, 68.1, 57.5 and 19.4, 18.6 %; a
  /// random search: 50.5, 38.4, 37.2 and 12.7, 13.0 %; the uniform ratio: 61.6, 70.0, 60.4 and 19.7, 11.2 %.
  public func agent(episodes: Int, steps: Int) -> DDPG.Settings {
    let quarter = max(episodes / 4, 1)
    switch self {
    case .amc:
      var settings = DDPG.Settings.amc
      settings.warmUpEpisodes = quarter
      settings.updateStart = .episodes(quarter)
      if episodes < 400 {
        settings.exploration = .truncatedNormal(std: 0.5, decay: pow(0.1, 1 / Double(max(episodes - quarter, 1))))
        settings.updatesPerStep = 8
      }
      return settings
    case .pocketFlow:
      var settings = DDPG.Settings.pocketFlow
      settings.capacity = max(quarter * steps, 1)
      settings.exploration = .parameterNoise(from: 1, to: 1e-5, episodes: episodes)
      return settings
    }
  }
}
