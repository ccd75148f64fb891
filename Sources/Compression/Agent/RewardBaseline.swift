/// The state of a `DDPG.Baseline`.
package struct RewardBaseline: Sendable {
  private let rule: DDPG.Baseline
  private var mean: Double?

  package init(_ rule: DDPG.Baseline) { self.rule = rule }

  /// What is subtracted from rewards now.
  package var value: Double { mean ?? 0 }

  /// Takes the rewards of a whole episode into account.
  package mutating func add(episode rewards: [Float]) {
    if case .episodeMeans(let decay) = rule { move(towards: rewards, rate: 1 - decay) }
  }

  /// Takes the rewards of an update's batch into account.
  package mutating func add(batch rewards: [Float]) {
    if case .batchMeans(let rate) = rule { move(towards: rewards, rate: rate) }
  }

  private mutating func move(towards rewards: [Float], rate: Double) {
    guard !rewards.isEmpty else { return }
    let new = rewards.reduce(0) { $0 + Double($1) } / Double(rewards.count)
    mean = mean.map { $0 + rate * (new - $0) } ?? new
  }
}
