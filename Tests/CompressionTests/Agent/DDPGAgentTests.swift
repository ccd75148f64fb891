import Compression
import Engine
import Foundation
import Networks
import Tensors
import Testing

private let engine = Result { try Engine(threads: 1) }

extension Weights {
  fileprivate var doubles: [String: NDArray<Double>] { mapValues { $0.map { Double($0) } } }
}

enum Preset: String, CaseIterable, Sendable {
  case amc, pocketFlow

  var settings: DDPG.Settings {
    switch self {
    case .amc: .amc
    case .pocketFlow: .pocketFlow
    }
  }
}

@Suite("agents", .serialized)
struct DDPGAgentTests {
  /// A batch of one row.
  func row(_ numbers: [Double]) throws -> NDArray<Double> { try NDArray(numbers, shape: [1, numbers.count]) }

  /// By the networks' definitions.
  func action(_ agent: DDPGAgent, _ weights: [String: NDArray<Double>], _ state: [Double]) throws -> Double {
    let share = agent.actor.plan.network.reference(try row(state), weights: weights)[flat: 0]
    let (low, high) = (Double(agent.actions.lowerBound), Double(agent.actions.upperBound))
    return low + (high - low) * share
  }

  func value(
    _ agent: DDPGAgent, _ weights: [String: NDArray<Double>], _ state: [Double], _ action: Double
  ) throws -> Double { agent.critic.plan.network.reference(try row(state + [action]), weights: weights)[flat: 0] }

  /// With small networks, that learn from the first transition on.
  func settings(_ preset: DDPG.Settings) -> DDPG.Settings {
    var settings = preset
    settings.hiddenSizes = [24, 16]
    settings.batchSize = 8
    settings.capacity = 50
    settings.warmUpEpisodes = 1
    settings.updateStart = .transitions(1)
    settings.gamma = 0.9
    return settings
  }

  func transition(_ i: Int, isTerminal: Bool = false) -> DDPG.Transition {
    let t = Float(i)
    return DDPG.Transition(
      state: [sin(t), cos(2 * t), 0.3], action: 1 + 2 * abs(sin(3 * t)), reward: cos(t),
      next: [sin(t + 1), cos(2 * t + 2), 0.3],
      isTerminal: isTerminal)
  }

  @Test("an update is what Algorithm 1 says, with and without layer norms", arguments: Preset.allCases, [false, true])
  func update(preset: Preset, isTerminal: Bool) throws {
    var settings = settings(preset.settings)
    settings.baseline = .none
    settings.tau = 0.25
    let agent = try DDPGAgent(stateSize: 3, actions: 1...3, settings, on: engine.get())
    try agent.beginEpisode()
    // One transition is the whole batch.
    let step = transition(1, isTerminal: isTerminal)
    try agent.remember(step)
    let (state, next) = (step.state.map(Double.init), step.next.map(Double.init))
    let (actor, critic) = (try agent.actor.plan.weights(), try agent.critic.plan.weights())
    #expect(try agent.actor.target.weights() == actor)
    #expect(try agent.critic.target.weights() == critic)

    let seen = try #require(try agent.update())
    #expect(agent.updates == 1)
    let future = try value(agent, critic.doubles, next, action(agent, actor.doubles, next))
    let target = Double(step.reward) + (isTerminal ? 0 : 0.9 * future)
    let off = try value(agent, critic.doubles, state, Double(step.action)) - target
    #expect(abs(seen.criticLoss - off * off) < 1e-5 * max(1, off * off))

    // The critic has learned before the actor asks it.
    let (learnedActor, learnedCritic) = (try agent.actor.plan.weights(), try agent.critic.plan.weights())
    #expect(learnedCritic != critic && learnedActor != actor)
    let still = try value(agent, learnedCritic.doubles, state, Double(step.action)) - target
    #expect(abs(still) < abs(off))
    let expected = try value(agent, learnedCritic.doubles, state, action(agent, actor.doubles, state))
    #expect(abs(seen.value - expected) < 1e-5 * max(1, abs(expected)))

    // w′ ← τ w + (1 − τ) w′
    for (network, start, learned) in [(agent.actor, actor, learnedActor), (agent.critic, critic, learnedCritic)] {
      let targets = try network.target.weights()
      for (name, tensor) in targets {
        for (i, found) in tensor.elements.enumerated() {
          let (old, new) = (try #require(start[name])[flat: i], try #require(learned[name])[flat: i])
          #expect(abs(found - (0.25 * new + 0.75 * old)) < 1e-6)
        }
      }
    }
  }

  @Test("the actor's gradient is that of the critic's answer to it, by finite differences", arguments: Preset.allCases)
  func policyGradient(preset: Preset) throws {
    let agent = try DDPGAgent(stateSize: 3, actions: 1...3, settings(preset.settings), on: engine.get())
    try agent.beginEpisode()
    let step = transition(4)
    try agent.remember(step)
    let state = step.state.map(Double.init)
    let actor = try agent.actor.plan.weights().doubles
    try agent.update()
    let critic = try agent.critic.plan.weights().doubles
    let gradients = try agent.actor.plan.gradients()
    let largest = gradients.values.flatMap(\.elements).map(abs).max()!
    for (name, gradient) in gradients {
      for i in stride(from: 0, to: gradient.count, by: 7) {
        func loss(_ change: Double) throws -> Double {
          var weights = actor
          weights[name]?[flat: i] += change
          return -(try value(agent, critic, state, action(agent, weights, state)))
        }
        let difference = try (loss(1e-6) - loss(-1e-6)) / 2e-6
        // Float32's rounding, beside the largest of the gradient.
        #expect(abs(Double(gradient[flat: i]) - difference) < 1e-4 * Double(largest) + 1e-8, "\(name) \(i)")
      }
    }
  }

  @Test("the critic's gradient at its input is that of finite differences", arguments: Preset.allCases)
  func inputGradient(preset: Preset) throws {
    let network = try DDPG.critic(stateSize: 3, settings(preset.settings))
    let weights = try network.initialWeights(seed: 3)
    let plan = try engine.get().compile(network, batch: 2, mode: .training(inputGradient: true))
    let input: [Float] = [0.3, -0.5, 0.8, 1.7, -0.1, 0.4, 0.2, 2.5]
    try plan.load(weights)
    try plan.setInput(try Tensor(input, shape: [2, 4]))
    try plan.forward()
    try plan.setLogitsGradient(try Tensor([1, 1], shape: [2, 1]))
    try plan.backward()
    let gradient = try #require(try plan.inputGradient())
    let doubles = weights.doubles
    for i in input.indices {
      func sum(_ change: Double) throws -> Double {
        var numbers = input.map(Double.init)
        numbers[i] += change
        return network.reference(try NDArray(numbers, shape: [2, 4]), weights: doubles).elements.reduce(0, +)
      }
      let difference = try (sum(1e-6) - sum(-1e-6)) / 2e-6
      #expect(abs(Double(gradient[flat: i]) - difference) < 1e-5)
    }
  }

  @Test("AMC's two dense layers, summed, are one on state and action together")
  func criticForm() throws {
    let network = try DDPG.critic(stateSize: 3, settings(.amc))
    let weights = try network.initialWeights(seed: 3).doubles
    let (w, b) = (try #require(weights["hidden1.weight"]), try #require(weights["hidden1.bias"]))
    let (state, action) = ([0.3, -0.5, 0.8], 1.7)
    let first = network.referenceActivations(try row(state + [action]), weights: weights)[1]
    for o in 0..<24 {
      let ofState = (0..<3).reduce(b[flat: o]) { $0 + w[flat: o * 4 + $1] * state[$1] }
      #expect(abs(first[flat: o] - (ofState + w[flat: o * 4 + 3] * action)) < 1e-12)
    }
  }

  /// A search as the presets make one: each layer has an action that is best, the reward comes at the end, and is
  /// credited to all steps. To answer with the same action everywhere is worth at most .91.
  @Test("each published preset finds the actions that are rewarded", arguments: Preset.allCases)
  func search(preset: Preset) throws {
    let best: [Float] = [0.2, 0.8, 0.2, 0.8, 0.2, 0.8, 0.2, 0.8, 0.2, 0.8]
    let isPocketFlow = preset == .pocketFlow
    var settings = preset.settings
    if isPocketFlow { settings.capacity = 15 * best.count }
    let agent = try DDPGAgent(stateSize: 3, actions: 0...1, settings, on: engine.get())
    func episode(explores: Bool) throws -> (reward: Float, transitions: [DDPG.Transition]) {
      var transitions: [DDPG.Transition] = []
      var (distance, before): (Float, Float) = (0, 0)
      func state(_ i: Int) -> [Float] { [Float(i) / Float(best.count), i % 2 == 0 ? 1 : 0, before] }
      for (i, goal) in best.enumerated() {
        let now = state(i)
        before = try agent.action(for: now, explores: explores)
        if explores && isPocketFlow { try agent.update() }
        distance += (before - goal) * (before - goal) / Float(best.count)
        transitions.append(
          DDPG.Transition(
            state: now, action: before, reward: 0, next: state(i + 1), isTerminal: i == best.count - 1))
      }
      for i in transitions.indices { transitions[i].reward = 1 - distance }
      return (1 - distance, transitions)
    }
    for _ in 0..<(isPocketFlow ? 200 : 150) {
      try agent.beginEpisode()
      for transition in try episode(explores: true).transitions {
        try agent.remember(transition)
        if !isPocketFlow { try agent.update() }
      }
      agent.endEpisode()
    }
    #expect(agent.updates == 10 * (isPocketFlow ? 185 : 50))
    #expect(try episode(explores: false).reward > 0.95)
  }

  @Test("the same calls give the same bits, whether actions were asked for or not", arguments: Preset.allCases)
  func determinism(preset: Preset) throws {
    var results: [(Weights, Weights, [Float], [DDPGAgent.Update?])] = []
    for asks in [true, true, false] {
      let agent = try DDPGAgent(stateSize: 3, actions: 1...3, settings(preset.settings), on: engine.get())
      var (actions, updates): ([Float], [DDPGAgent.Update?]) = ([], [])
      for episode in 0..<4 {
        try agent.beginEpisode()
        for i in 0..<20 {
          let step = transition(episode * 20 + i, isTerminal: i == 19)
          if asks { actions.append(try agent.action(for: step.state, explores: true)) }
          try agent.remember(step)
          updates.append(try agent.update())
        }
        agent.endEpisode()
      }
      try agent.beginEpisode()
      if !asks { actions = Array(results[0].2.dropLast()) }
      actions.append(try agent.action(for: [0.1, 0.2, 0.3], explores: true))
      results.append((try agent.actor.plan.weights(), try agent.critic.target.weights(), actions, updates))
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
  }

  @Test("another seed has other weights, and its networks differ from each other")
  func seeds() throws {
    var settings = settings(.amc)
    let first = try DDPGAgent(stateSize: 3, actions: 1...3, settings, on: engine.get())
    settings.seed = 2
    let second = try DDPGAgent(stateSize: 3, actions: 1...3, settings, on: engine.get())
    let name = "hidden2.weight"
    let weights = try [
      first.actor.plan.weights()[name], first.critic.plan.weights()[name], second.actor.plan.weights()[name],
      second.critic.plan.weights()[name],
    ]
    #expect(Set(weights).count == 4)
  }

  @Test("updates start when they are told to")
  func start() throws {
    for (start, expected) in [
      (DDPG.UpdateStart.transitions(3), [false, false, true, true, true, true]),
      (.full, [false, false, false, false, true, true]), (.episodes(1), [false, false, false, true, true, true]),
    ] {
      var settings = settings(.amc)
      settings.capacity = 5
      settings.updateStart = start
      let agent = try DDPGAgent(stateSize: 3, actions: 1...3, settings, on: engine.get())
      var learned: [Bool] = []
      for _ in 0..<2 {
        try agent.beginEpisode()
        for i in 0..<3 {
          try agent.remember(transition(i))
          learned.append(try agent.update() != nil)
        }
      }
      #expect(learned == expected)
    }
  }

  @Test("a full buffer forgets the oldest transition first")
  func buffer() {
    var buffer = ReplayBuffer(capacity: 4)
    for i in 0..<4 {
      #expect(!buffer.isFull)
      buffer.append(transition(i))
    }
    for i in 4..<11 {
      #expect(buffer.isFull)
      buffer.append(transition(i))
      #expect(Set(buffer.transitions) == Set((i - 3...i).map { transition($0) }))
    }
  }

  @Test("a baseline is a running mean of what its rule says")
  func baselines() {
    var none = RewardBaseline(.none)
    none.add(batch: [4])
    none.add(episode: [4])
    #expect(none.value == 0)
    var batches = RewardBaseline(.batchMeans(rate: 0.5))
    batches.add(episode: [100])
    #expect(batches.value == 0)
    batches.add(batch: [1, 3])
    #expect(batches.value == 2)
    batches.add(batch: [6, 6])
    #expect(batches.value == 4)
    var episodes = RewardBaseline(.episodeMeans(decay: 0.95))
    episodes.add(batch: [100])
    #expect(episodes.value == 0)
    episodes.add(episode: [1, 3])
    episodes.add(episode: [])
    #expect(episodes.value == 2)
    episodes.add(episode: [4])
    #expect(abs(episodes.value - (0.95 * 2 + 0.05 * 4)) < 1e-12)
  }

  @Test("what the agent remembers goes into the baseline of episodes once, when one ends")
  func episodeBaseline() throws {
    let agent = try DDPGAgent(stateSize: 3, actions: 1...3, settings(.pocketFlow), on: engine.get())
    try agent.beginEpisode()
    for i in 0..<2 { try agent.remember(transition(i)) }
    #expect(agent.baseline.value == 0)
    agent.endEpisode()
    let mean = Double(transition(0).reward + transition(1).reward) / 2
    #expect(abs(agent.baseline.value - mean) < 1e-6)
    try agent.beginEpisode()
    #expect(abs(agent.baseline.value - mean) < 1e-6)
    try agent.remember(transition(2))
    try agent.beginEpisode()
    #expect(abs(agent.baseline.value - (0.95 * mean + 0.05 * Double(transition(2).reward))) < 1e-6)
  }

  @Test("settings out of their range are told apart, and the presets have none")
  func problems() throws {
    let changes: [(inout DDPG.Settings) -> Void] = [
      { $0.hiddenSizes = [] }, { $0.hiddenSizes = [64, 0] }, { $0.actorRate = 0 }, { $0.criticRate = .nan },
      { $0.gamma = 1.5 }, { $0.tau = 0 }, { $0.batchSize = 0 }, { $0.capacity = 0 }, { $0.warmUpEpisodes = -1 },
      { $0.exploration = .normal(std: -1, decay: 1) },
      { $0.exploration = .truncatedNormal(std: 1, decay: 0) },
      { $0.exploration = .parameterNoise(from: 1, to: 0, episodes: 10) },
      { $0.exploration = .parameterNoise(from: 1, to: 0.1, episodes: 0) }, { $0.baseline = .batchMeans(rate: 0) },
      { $0.baseline = .episodeMeans(decay: 1) }, { $0.updateStart = .transitions(2001) },
      { $0.updateStart = .episodes(-1) },
    ]
    var problems: Set<String> = []
    for change in changes {
      var settings = DDPG.Settings.amc
      change(&settings)
      let problem = try #require(settings.problem)
      problems.insert(problem)
      #expect(throws: AgentError.settings(problem)) {
        try DDPGAgent(stateSize: 3, actions: 0...1, settings, on: engine.get())
      }
    }
    #expect(problems.count == changes.count)
    for preset in Preset.allCases.map(\.settings) { #expect(preset.problem == nil) }
    for (size, actions) in [(0, 0...1), (3, 1...1), (3, -.infinity...0)] as [(Int, ClosedRange<Float>)] {
      #expect(throws: AgentError.self) { try DDPGAgent(stateSize: size, actions: actions, .amc, on: engine.get()) }
    }
  }

  @Test("states and rewards that do not fit are refused, and so is what comes before the first episode")
  func refusals() throws {
    let agent = try DDPGAgent(stateSize: 3, actions: 1...3, settings(.amc), on: engine.get())
    #expect(throws: AgentError.noEpisode) { try agent.action(for: [0, 0, 0], explores: true) }
    #expect(throws: AgentError.noEpisode) { try agent.remember(transition(1)) }
    try agent.beginEpisode()
    #expect(throws: AgentError.stateSize(expected: 3, found: 2)) { try agent.action(for: [0, 0], explores: false) }
    #expect(throws: AgentError.notFinite) { try agent.action(for: [0, .nan, 0], explores: false) }
    var wrong = transition(1)
    wrong.reward = .infinity
    #expect(throws: AgentError.notFinite) { try agent.remember(wrong) }
    wrong = transition(1)
    wrong.next = []
    #expect(throws: AgentError.stateSize(expected: 3, found: 0)) { try agent.remember(wrong) }
    #expect(try agent.update() == nil)
    #expect(agent.memory.transitions.isEmpty)
  }

  @Test("an agent that diverges says so, and its weights stay")
  func divergence() throws {
    let agent = try DDPGAgent(stateSize: 3, actions: 1...3, settings(.amc), on: engine.get())
    try agent.beginEpisode()
    var step = transition(1)
    step.state = [3e38, 3e38, 3e38]
    step.next = step.state
    try agent.remember(step)
    let weights = try agent.critic.plan.weights()
    #expect(throws: AgentError.diverged(updates: 0)) { try agent.update() }
    #expect(try agent.critic.plan.weights() == weights)
  }

  @Test("settings and transitions are the same after a way through JSON")
  func coding() throws {
    for preset in Preset.allCases.map(\.settings) {
      #expect(try JSONDecoder().decode(DDPG.Settings.self, from: JSONEncoder().encode(preset)) == preset)
    }
    let step = transition(3)
    #expect(try JSONDecoder().decode(DDPG.Transition.self, from: JSONEncoder().encode(step)) == step)
  }
}
