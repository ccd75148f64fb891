internal import Compression
internal import Datasets
internal import Distribution
internal import Engine
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// What pruned models are tried for: which groups are decided on, and what judges the result.
struct RatioQuestion {
  let model: ModelValue
  let data: Dataset
  let pruning: PruningSettings
  let decisions: [Int]
  let rounding: Int
  let judgedOn: String
  /// Images that judge, where they are not the whole validation set.
  let heldOut: Int

  /// What decides what a rollout gives, beside its channels.
  struct Settings: Codable {
    var pruning: PruningSettings
    var decisions: [Int]
    var judgedOn: String
    var heldOut: Int
  }

  var settings: Settings {
    Settings(
      pruning: pruning, decisions: decisions, judgedOn: judgedOn, heldOut: judgedOn == "validation" ? 0 : heldOut)
  }

  /// Prepares it, with the ledger of all that is known of it.
  func problem(_ work: StepWork) throws -> (PruningProblem, SearchLedger) {
    var (seen, judged) = (data.train, data.validation)
    if judgedOn == "heldOut" {
      let parts = try data.holdingOut(heldOut, seed: pruning.seed)
      (seen, judged) = (parts.train, parts.validation)
    }
    if judgedOn == "trainingBatches" { judged = try data.train.first(min(heldOut, data.train.count)) }
    let inputs = try StepInputs("pruned models", model.network, from: model.weights, on: data, settings, work)
    let path = work.ledgerPath(
      StepKey.of(JSONText.of(inputs), JSONText.of(ExactnessClass(work.notebook))), in: "searches")
    let pruner = try work.pruner(of: model, seen, data.normalization, pruning)
    let augmentations: [Augmentation] = [.randomCrop(padding: 2), .horizontalFlip()]
    let problem = PruningProblem(
      pruner, decisions: decisions, rounding: ChannelRounding(multiple: rounding), judgedOn: judged,
      normalization: data.normalization, measure: judgedOn == "trainingBatches" ? .trainingBatches : .heldOut,
      augmentations: augmentations, engine: try work.notebook.engine())
    return (problem, try SearchLedger(at: path))
  }
}

/// A search for how many channels each group keeps.
struct SearchStep: Step {
  let question: RatioQuestion
  let search: SearchSettings
  /// Whether uniform and drawn ratios are tried too.
  let hasControl: Bool

  struct Outcome: Codable {
    var layers: [String]
    /// Channels and MACs of the whole network.
    var whole: [Int]
    var macs: Int
    var agent: SearchValue.Part
    var uniform, random: SearchValue.Part?
    /// The ledger, and what it held at the end.
    var ledger: String
    var known: [Trial]
  }

  static let kind = "search"
  static var builtins: [Builtin] { [searchRatios, selectTrial] }

  var subject: (network: Network, weights: Weights?) { (question.model.network, question.model.weights) }
  var data: Dataset { question.data }

  struct Settings: Encodable {
    var question: RatioQuestion.Settings
    var rounding: Int
    var search: SearchSettings
    var control: Bool
  }

  var settings: Settings {
    Settings(question: question.settings, rounding: question.rounding, search: search, control: hasControl)
  }

  func run(_ work: StepWork) throws -> StepResult<Outcome> { try rollouts(work, episodes: search.episodes) }

  func estimate(_ work: StepWork) throws -> (Cost, StepResult<Outcome>) {
    var result = try rollouts(work, episodes: min(search.episodes, 3))
    result.isInterrupted = false
    let parts = [result.outcome.uniform, result.outcome.random, result.outcome.agent].compactMap(\.self)
    let seconds = parts.reduce(0) { sum, part in
      let count = part.result.settings.method == .uniform ? 1 : search.episodes
      return sum + part.seconds * Double(count) / Double(max(part.result.trials.count, 1))
    }
    return (
      Cost(
        name: "search of \(name)", steps: search.episodes, seconds: seconds, disk: 0,
        measuring: parts.reduce(0) { $0 + $1.seconds }), result
    )
  }

  private func rollouts(_ work: StepWork, episodes: Int) throws -> StepResult<Outcome> {
    let (context, notebook) = (work.context, work.notebook)
    let (problem, ledger) = try question.problem(work)
    let ratios = RatioSearch(problem, ledger, engine: try notebook.engine())
    func part(_ method: SearchSettings.Method) throws -> SearchValue.Part {
      var settings = search
      (settings.method, settings.episodes) = (method, episodes)
      var progress = SearchProgress(notebook.showProgress, context, of: settings)
      defer { progress.clear() }
      let begun = ContinuousClock.now
      let result = try ratios.run(settings, isInterrupted: context.interrupts) {
        progress.show($0)
        work.events?.add(Self.points(of: [$0], method.title))
      }
      return SearchValue.Part(result: result, seconds: (ContinuousClock.now - begun).seconds)
    }
    let uniform = hasControl ? try part(.uniform) : nil
    let random = hasControl ? try part(.random) : nil
    let agent = try part(.ddpg)
    let groups = problem.pruner.groups
    if agent.result.isInterrupted {
      context.report("interrupted after \(agent.result.trials.count) rollouts; the same line goes on from there")
    }
    return StepResult(
      outcome: Outcome(
        layers: problem.decisions.map { groups.groups[$0].name },
        whole: problem.decisions.map { groups.groups[$0].channels },
        macs: problem.cost.macs(problem.cost.channels), agent: agent, uniform: uniform, random: random,
        ledger: ledger.path ?? "", known: notebook.communicator.isAlone ? ledger.trials : []),
      isInterrupted: agent.result.isInterrupted)
  }

  static func facts(of outcome: Outcome) -> [RunStore.Run.Fact] {
    [("uniform", outcome.uniform), ("random", outcome.random), ("agent", outcome.agent)].flatMap { name, part in
      guard let part, let best = part.result.best else { return [RunStore.Run.Fact]() }
      return [
        .init(name: "\(name): rollouts", value: "\(part.result.trials.count)"),
        .init(
          name: "\(name): best",
          value: "\(NumberText.fixed(best.evaluation.top1 * 100, 2)) % with "
            + "\(NumberText.fixed(Double(best.macs) / Double(max(outcome.macs, 1)) * 100, 1)) % of the MACs"),
        .init(name: "\(name): channels", value: best.channels.map(String.init).joined(separator: ", ")),
      ]
    }
  }

  static func top1(of outcome: Outcome) -> Double? { outcome.agent.result.best.map { $0.evaluation.top1 * 100 } }

  static func points(of outcome: Outcome) -> [ScalarPoint] {
    let parts = [outcome.uniform, outcome.random, outcome.agent].compactMap { $0?.result }
    let best = outcome.agent.result.best.map { best in
      [
        ScalarPoint("final/top1", best.evaluation.top1 * 100), ScalarPoint("final/reward", best.reward),
        ScalarPoint("final/macsKept", Double(best.macs) / Double(max(outcome.macs, 1))),
      ]
    }
    return parts.flatMap { points(of: $0.trials, $0.settings.method.title) } + (best ?? [])
  }

  /// A point for each rollout, from 1.
  private static func points(of trials: [Trial], _ method: String) -> [ScalarPoint] {
    trials.flatMap { trial in
      [
        ScalarPoint("reward/\(method)", trial.reward, step: trial.episode + 1),
        ScalarPoint("top1/\(method)", trial.evaluation.top1 * 100, step: trial.episode + 1),
      ]
    }
  }

  static func comparable(_ outcome: Outcome) -> String {
    JSONText.of([outcome.uniform, outcome.random, outcome.agent].map { $0?.result.trials.map(\.facts) })
  }
}

/// How accuracy falls where one group of channels alone is pruned.
struct SensitivityStep: Step {
  let question: RatioQuestion
  let shares: [Double]

  struct Outcome: Codable {
    struct Curve: Codable {
      var name: String
      var shares: [Double]
      var evaluations: [Evaluation]
    }
    var curves: [Curve]
  }

  static let kind = "sensitivity"
  static var builtins: [Builtin] { [sensitivity, compressionReport] }

  var subject: (network: Network, weights: Weights?) { (question.model.network, question.model.weights) }
  var data: Dataset { question.data }

  struct Settings: Encodable {
    var question: RatioQuestion.Settings
    var rounding: Int
    var shares: [Double]
  }

  var settings: Settings { Settings(question: question.settings, rounding: question.rounding, shares: shares) }

  func run(_ work: StepWork) throws -> StepResult<Outcome> {
    let context = work.context
    let (problem, ledger) = try question.problem(work)
    let curves = try RatioSearch(problem, ledger, engine: try work.notebook.engine()).sensitivity(
      shares: shares, isInterrupted: context.interrupts
    ) { done, count in
      if done % 10 == 0 || done == count { context.report("sensitivity: \(done) of \(count) layers") }
    }
    return StepResult(
      outcome: Outcome(
        curves: curves.map { Outcome.Curve(name: $0.name, shares: $0.shares, evaluations: $0.evaluations) }))
  }

  static func facts(of outcome: Outcome) -> [RunStore.Run.Fact] {
    outcome.curves.map { curve in
      .init(
        name: curve.name,
        value: zip(curve.shares, curve.evaluations).map {
          "\(NumberText.fixed($0 * 100, 0)) %: \(NumberText.fixed($1.top1 * 100, 2)) %"
        }.joined(separator: ", "))
    }
  }
}
