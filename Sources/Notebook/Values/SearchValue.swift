internal import Compression
internal import Foundation
internal import Networks
internal import Script
internal import Training

/// A search for pruning ratios, in the language: what was found, and every rollout of it and of its controls.
struct SearchValue: ScriptObject, Equatable {
  /// Of one method.
  struct Part: Equatable, Codable {
    var result: SearchResult
    /// Of all its rollouts, with what the agent took to learn.
    var seconds: Double
  }

  let network: String
  /// What the store calls the run that made the model; empty for none.
  let run: String
  /// The groups' names, in the order of the channels.
  let layers: [String]
  /// Channels and MACs of the whole network.
  let whole: [Int]
  let macs: Int
  let agent: Part
  /// What the agent is held to: one share for all, and as many rollouts sampled uniformly.
  let uniform: Part?
  let random: Part?
  /// The file; empty where there is none.
  let ledger: String
  /// All that is known of pruned models like these, from other searches too.
  let known: [Trial]

  private static let rollout = ValueType.recordOf([
    "ratios": .list(of: .number), "channels": .list(of: .integer), "reward": .number, "top1": .number, "top5": .number,
    "macs": .integer, "parameters": .integer, "weights": .string, "seconds": .number,
  ])
  private static let part = ValueType.recordOf([
    "channels": .list(of: .integer), "ratios": .list(of: .number), "reward": .number, "top1": .number, "macs": .integer,
    "rewards": .series, "best": .series, "trials": .list(of: rollout),
  ])

  static let type = ObjectType(
    "search",
    "A search for pruning ratios. Accuracies are in per cent, on the images that the search evaluated on.",
    fields: [
      .init("channels", .list(of: .integer), "Channels kept in each group by the best rollout."),
      .init("ratios", .list(of: .number), "The same as shares of the group's channels."),
      .init("layers", .list(of: .string), "Names of the groups."),
      .init("reward", .number, "Reward of the best rollout."),
      .init("top1", .number, "Top-1 accuracy of the best rollout, in per cent."),
      .init("macs", .integer, "MACs of the best rollout."),
      .init("macsKept", .number, "The same as a share of the original network's MACs."),
      .init("rewards", .series, "Reward of each rollout."),
      .init("best", .series, "Best reward so far, at each rollout."),
      .init("trials", .list(of: rollout), "A record for each rollout."),
      .init("uniform", .optional(part), "Result of a uniform ratio at the same budget."),
      .init("random", .optional(part), "Result of the random search with as many rollouts."),
      .init("rolloutsPerMinute", .number, "Rollouts per minute; 0 if all came from the store."),
      .init("ledger", .string, "Path of the file with all rollouts."),
      .init("interrupted", .bool, "Whether the search stopped before its last rollout."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  func field(_ name: String) -> Value? {
    switch name {
    case "layers": .list(layers)
    case "macsKept": .number(agent.result.best.map { Double($0.macs) / Double(macs) } ?? .nan)
    case "uniform": record(uniform)
    case "random": record(random)
    case "rolloutsPerMinute": .number(rolloutsPerMinute)
    case "ledger": .string(ledger)
    case "interrupted": .bool(agent.result.isInterrupted)
    default: partField(name, agent)
    }
  }

  private func record(_ part: Part?) -> Value {
    guard let part else { return .none }
    return .record(Record(Self.partFields.map { ($0, partField($0, part) ?? .none) }))
  }

  private static let partFields = ["channels", "ratios", "reward", "top1", "macs", "rewards", "best", "trials"]

  private func partField(_ name: String, _ part: Part) -> Value? {
    let (trials, best) = (part.result.trials, part.result.best)
    switch name {
    case "channels": return .list(best?.channels.map { Value.count($0) } ?? [])
    case "ratios": return .list(best?.ratios.map { Value.number($0) } ?? [])
    case "reward": return .number(best?.reward ?? .nan)
    case "top1": return .number((best?.evaluation.top1 ?? .nan) * 100)
    case "macs": return .count(best?.macs ?? 0)
    case "rewards": return .object(curve("each rollout", part, trials.map(\.reward)))
    case "best":
      var highest = -Double.infinity
      return .object(
        curve(
          "best so far", part,
          trials.map {
            highest = max(highest, $0.reward)
            return highest
          }))
    case "trials":
      return .list(
        trials.map { trial in
          .record([
            "ratios": .list(trial.ratios.map(Value.number)), "channels": .list(trial.channels.map { Value.count($0) }),
            "reward": .number(trial.reward), "top1": .number(trial.evaluation.top1 * 100),
            "top5": .number(trial.evaluation.top5 * 100), "macs": .count(trial.macs),
            "parameters": .count(trial.parameters), "weights": .string(trial.weights),
            "seconds": .number(trial.seconds),
          ])
        })
    default: return nil
    }
  }

  private func curve(_ what: String, _ part: Part, _ y: [Double]) -> SeriesValue {
    SeriesValue(
      quantity: "reward", part: "\(part.result.settings.method.title), \(what)", owner: "", over: "rollout",
      run: run, x: y.indices.map { Double($0 + 1) }, y: y)
  }

  var rolloutsPerMinute: Double {
    let parts = [agent, random].compactMap { $0 }
    let made = parts.reduce(0) { $0 + $1.result.trials.count { $0.seconds > 0 } }
    let seconds = parts.reduce(0) { $0 + $1.seconds }
    return made > 0 && seconds > 0 ? Double(made) / seconds * 60 : 0
  }

  var summary: String {
    guard let best = agent.result.best else { return "\(network): no rollout" }
    return "\(network): \(NumberText.fixed(best.evaluation.top1 * 100, 2)) % with "
      + "\(NumberText.fixed(Double(best.macs) / Double(macs) * 100, 1)) % of the MACs, "
      + "\(agent.result.trials.count) rollouts" + (agent.result.isInterrupted ? ", interrupted" : "")
  }

  var text: String { pieces.text() }
  var pieces: [OutputPiece] {
    let methods = [
      ("one share for all", uniform), ("sampled uniformly", random), (agent.result.settings.method.title, agent),
    ]
    let rows = methods.compactMap { name, part -> [Value]? in
      guard let part, let best = part.result.best else { return nil }
      return [
        .string(name), .count(part.result.trials.count), .string(NumberText.fixed(best.evaluation.top1 * 100, 2)),
        .string(NumberText.short(best.reward)), .string(NumberText.fixed(Double(best.macs) / Double(macs) * 100, 1)),
      ]
    }
    let channels = layers.indices.map { place -> [Value] in
      [.string(layers[place]), .string("\(whole[place]) -> \(agent.result.best?.channels[place] ?? whole[place])")]
    }
    return [
      .text(summary), .table(Table(columns: ["ratios", "rollouts", "best top-1 %", "reward", "MACs %"], rows: rows)),
      .table(Table(columns: ["layer", "channels"], rows: channels)),
    ]
  }

  /// Equal where all but the time is.
  func isEqual(to other: any ScriptObject) -> Bool {
    guard let other = other as? Self else { return false }
    func facts(_ part: Part?) -> [Trial] { part?.result.trials.map(\.facts) ?? [] }
    return network == other.network && facts(agent) == facts(other.agent) && facts(uniform) == facts(other.uniform)
      && facts(random) == facts(other.random)
  }
}

extension SearchSettings.Method {
  /// What a chart's legend calls it.
  var title: String {
    switch self {
    case .uniform: "uniform"
    case .random: "random"
    case .ddpg: "agent"
    }
  }
}
