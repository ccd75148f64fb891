import Compression
import Engine
import Foundation
import Networks
import Tensors
import Testing

private let engine = Result { try Engine(threads: 1) }

@Suite("exploration")
struct ExplorationTests {
  @Test(
    "draws of a truncated normal distribution lie in its range as densely as SciPy says",
    arguments: TruncatedNormalGolden.file.cases)
  func truncatedNormal(_ law: TruncatedNormalGolden.Case) throws {
    let count = 200_000
    var counts = [Int](repeating: 0, count: 10)
    var random = RandomKey(seed: 1, for: .synthetic).generator()
    for _ in 0..<count {
      let x = random.truncatedNormal(around: law.mean, std: law.std, in: law.low...law.high)
      #expect((law.low...law.high).contains(x))
      counts[min(Int((x - law.low) / (law.high - law.low) * 10), 9)] += 1
    }
    for (found, share) in zip(counts, law.shares) {
      // Five deviations of a count.
      let expected = Double(count) * share
      #expect(abs(Double(found) - expected) <= 5 * expected.squareRoot() + 1)
    }
  }

  @Test("a distribution without a width gives its mean, moved into the range")
  func narrow() {
    var random = RandomKey(seed: 1, for: .synthetic).generator()
    #expect(random.truncatedNormal(around: 0.3, std: 0, in: 0...1) == 0.3)
    #expect(random.truncatedNormal(around: 2, std: 0, in: 0...1) == 1)
    #expect(random.truncatedNormal(around: 5, std: 1, in: 0.5...0.5) == 0.5)
    #expect((0...1).contains(random.truncatedNormal(around: -3, std: 1e-300, in: 0...1)))
  }

  @Test("actions of the warm-up fill the range evenly, and later ones gather where the actor is")
  func warmUp() throws {
    var settings = DDPG.Settings.amc
    settings.hiddenSizes = [8]
    settings.warmUpEpisodes = 3
    let agent = try DDPGAgent(stateSize: 1, actions: 2...6, settings, on: engine.get())
    func spread() throws -> (mean: Double, std: Double) {
      let actions = try (0..<2000).map { _ in Double(try agent.action(for: [0.5], explores: true)) }
      for action in actions { #expect((2...6).contains(action)) }
      let mean = actions.reduce(0, +) / 2000
      return (mean, (actions.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2000).squareRoot())
    }
    for _ in 0..<3 {
      try agent.beginEpisode()
      #expect(agent.std == nil)
      let (mean, std) = try spread()
      // Of an even distribution, 4 and 4 / √12.
      #expect(abs(mean - 4) < 0.15 && abs(std - 1.155) < 0.05)
    }
    for episode in 0..<40 {
      try agent.beginEpisode()
      #expect(try #require(agent.std) - 0.5 * pow(0.95, Double(episode)) == 0)
    }
    let (mean, std) = try spread()
    let own = Double(try agent.action(for: [0.5], explores: false))
    #expect(abs(mean - own) < 0.01 && abs(std - 0.5 * pow(0.95, 39)) < 0.005)
  }

  @Test("plain normal noise ends at the ends of the range")
  func normal() throws {
    var settings = DDPG.Settings.amc
    settings.hiddenSizes = [8]
    settings.warmUpEpisodes = 0
    settings.exploration = .normal(std: 0.5, decay: 1)
    let agent = try DDPGAgent(stateSize: 1, actions: -1...1, settings, on: engine.get())
    try agent.beginEpisode()
    let actions = try (0..<2000).map { _ in try agent.action(for: [0.5], explores: true) }
    #expect(actions.min() == -1 && actions.max() == 1)
    #expect(actions.filter { abs($0) < 1 }.count > 1500)
  }

  @Test("noise on parameters has the std it should, and leaves layer norms alone")
  func parameterNoise() throws {
    var settings = DDPG.Settings.pocketFlow
    settings.exploration = .parameterNoise(from: 0.5, to: 0.005, episodes: 10)
    let agent = try DDPGAgent(stateSize: 3, actions: 0...1, settings, on: engine.get())
    var earlier: Weights = [:]
    for _ in 0..<2 {
      try agent.beginEpisode()
      #expect(agent.std == 0.5)
      let clean = try agent.actor.plan.weights()
      let noisy = try #require(agent.noisyActor).weights()
      var (sum, squares, count) = (0.0, 0.0, 0.0)
      for parameter in agent.actor.plan.network.parameters {
        let (a, b) = (try #require(clean[parameter.name]), try #require(noisy[parameter.name]))
        if parameter.name.hasPrefix("norm") {
          #expect(a == b, "\(parameter.name)")
          continue
        }
        #expect(earlier[parameter.name] != b)
        for (x, y) in zip(a.elements, b.elements) {
          let noise = Double(y - x)
          (sum, squares, count) = (sum + noise, squares + noise * noise, count + 1)
        }
      }
      let dense: Int = 64 * 4 + 64 * 65 + 65
      #expect(Int(count) == dense)
      // Four deviations of a mean, and of a mean square, of so many numbers.
      let (mean, square) = (sum / count, squares / count / 0.25)
      #expect(abs(mean) < 2 / count.squareRoot())
      #expect(abs(square - 1) < 4 * (2 / count).squareRoot())
      earlier = noisy
    }
    let noisyAction = try agent.action(for: [0.2, 0.4, 0.6], explores: true)
    #expect(try agent.action(for: [0.2, 0.4, 0.6], explores: true) == noisyAction)
    #expect(try agent.action(for: [0.2, 0.4, 0.6], explores: false) != noisyAction)
  }

  @Test("noise on parameters falls from the first update on")
  func noiseFalls() throws {
    var settings = DDPG.Settings.pocketFlow
    settings.capacity = 6
    settings.exploration = .parameterNoise(from: 1, to: 1e-4, episodes: 4)
    let agent = try DDPGAgent(stateSize: 1, actions: 0...1, settings, on: engine.get())
    var deviations: [Double] = []
    for _ in 0..<6 {
      try agent.beginEpisode()
      deviations.append(try #require(agent.std))
      for _ in 0..<2 {
        try agent.remember(DDPG.Transition(state: [0], action: 0.5, reward: 1, next: [0], isTerminal: true))
        try agent.update()
      }
    }
    // The buffer is full with the third episode's last step, and learned from then.
    for (found, expected) in zip(deviations, [1, 1, 1, 0.1, 0.01, 0.001]) {
      #expect(abs(found / expected - 1) < 1e-12)
    }
  }
}
