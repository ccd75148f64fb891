internal import Datasets
internal import Engine
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// A training run: from new weights, or from those of a model, which is then fine-tuned.
struct TrainingRun: Step {
  let network: Network
  /// Where it starts; the seed's weights where nil.
  let start: Weights?
  let data: Dataset
  let plan: TrainingPlan
  let teachers: [Teacher]

  struct Outcome: Codable {
    var epochs: [EpochRecord]
    var steps: Int
    /// The parameters' names, in the order of the ledger's hashes.
    var parameters: [String]
    /// Of the weights on the validation set.
    var final: Evaluation?
    /// Which of these images are correct; none in what an earlier release kept.
    var each: CorrectImages?

    var given: Evaluation { final ?? epochs.last?.validation ?? Evaluation() }
  }

  static let kind = "training"
  static var builtins: [Builtin] { [train, resume] }

  var subject: (network: Network, weights: Weights?) { (network, start) }
  var made: Network? { network }

  struct Settings: Encodable {
    var plan: TrainingPlan
    /// A hash of each teacher's network, weights and normalization.
    var teachers: [String]
  }

  var settings: Settings {
    let teachers = teachers.map { teacher in
      var hasher = StableHasher()
      hasher.combine(teacher.network.specification)
      hasher.combine(teacher.weights.contentHash)
      for number in (teacher.normalization.map { $0.mean + $0.std } ?? []) { hasher.combine(Int(number.bitPattern)) }
      return hasher.hexadecimal
    }
    return Settings(plan: plan, teachers: teachers)
  }

  func announce(_ context: CallContext) {
    let manner = plan.precision == .float32 ? "" : " in \(plan.precision.rawValue)"
    context.print([.text(name + manner), EpochTable.head(of: plan)])
  }

  func show(_ outcome: Outcome, _ context: CallContext) {
    for epoch in outcome.epochs { context.print([EpochTable.row(epoch)]) }
    if let line = EpochTable.end(of: plan, outcome.given) { context.print(line) }
  }

  func estimate(_ work: StepWork) throws -> (Cost, StepResult<Outcome>) {
    let (cost, outcome) = try Cost.measured(
      network, from: start, on: data, plan, teachers: teachers, notebook: work.notebook,
      isInterrupted: work.context.interrupts)
    var result = Self.result(of: outcome)
    // What was cut off on purpose is nothing to go on from.
    (result.isInterrupted, result.checkpoint) = (false, nil)
    return (cost, result)
  }

  func run(_ work: StepWork) throws -> StepResult<Outcome> {
    let (context, notebook, interruption) = (work.context, work.notebook, work.context.interruption)
    if let checkpoint = work.checkpoint {
      for epoch in checkpoint.records { context.print([EpochTable.row(epoch)]) }
      work.events?.add(Self.points(of: checkpoint.records))
      context.report("goes on after step \(checkpoint.steps) of run \(work.id)")
    }
    var progress = ProgressLine(notebook.showProgress, context)
    for epoch in work.checkpoint?.records ?? [] { progress.note(epoch) }
    defer { progress.clear() }
    let outcome = try Trainer(
      engine: notebook.engine(), communicator: notebook.communicator, bucketBytes: notebook.bucketBytes
    ).train(
      network, from: start, on: data, plan, teachers: teachers, resuming: work.checkpoint,
      checkpointing: work.checkpointing, keepsLedger: true, isInterrupted: { interruption.isRaised },
      isHurried: { interruption.isHurried },
      report: { event in
        switch event {
        case .step(let step): progress.show(step)
        case .epoch(let record):
          progress.clear()
          progress.note(record)
          context.print([EpochTable.row(record)])
          work.events?.add(Self.points(of: [record]))
        case .ledger(let entry): work.note(entry)
        }
      })
    progress.clear()
    if outcome.isInterrupted {
      context.report("interrupted after \(outcome.stepsDone) steps; what was trained is kept, resume() goes on")
    }
    if let line = EpochTable.end(of: plan, outcome.final) { context.print(line) }
    return Self.result(of: outcome)
  }

  private static func result(of outcome: TrainingOutcome) -> StepResult<Outcome> {
    StepResult(
      outcome: Outcome(
        epochs: outcome.epochs, steps: outcome.stepsDone, parameters: outcome.parameterNames, final: outcome.final,
        each: outcome.each),
      weights: outcome.weights, isInterrupted: outcome.isInterrupted, checkpoint: outcome.checkpoint)
  }

  static func facts(of outcome: Outcome) -> [RunStore.Run.Fact] {
    [
      .init(name: "steps", value: "\(outcome.steps)"),
      .init(name: "top-1 of the weights", value: "\(NumberText.fixed(outcome.given.top1 * 100, 2)) %"),
    ]
      + outcome.epochs.map { epoch in
        .init(
          name: "epoch \(epoch.epoch)",
          value: "loss \(NumberText.fixed(epoch.trainLoss, 4)), validation loss "
            + "\(NumberText.fixed(epoch.validation.loss, 4)), top-1 \(NumberText.fixed(epoch.validation.top1 * 100, 2)) %")
      }
  }

  static func points(of outcome: Outcome) -> [ScalarPoint] {
    points(of: outcome.epochs) + outcome.given.points("final/", step: outcome.epochs.count)
  }

  private static func points(of epochs: [EpochRecord]) -> [ScalarPoint] {
    var seconds = 0.0
    return epochs.flatMap { epoch in
      seconds += epoch.seconds
      let measured = [("validation", epoch.validation), ("ema", epoch.ema), ("heldOut", epoch.selection)]
      return [
        ScalarPoint("loss/train", epoch.trainLoss, step: epoch.epoch, seconds: seconds),
        ScalarPoint("top1/train", epoch.trainTop1 * 100, step: epoch.epoch, seconds: seconds),
        ScalarPoint("lr/epoch", epoch.learningRate, step: epoch.epoch, seconds: seconds),
        ScalarPoint("speed/imagesPerSecond", epoch.imagesPerSecond, step: epoch.epoch, seconds: seconds),
      ]
        + measured.flatMap { part, evaluation in
          evaluation?.points("", "/\(part)", step: epoch.epoch, seconds: seconds) ?? []
        }
    }
  }

  static func top1(of outcome: Outcome) -> Double? { outcome.epochs.isEmpty ? nil : outcome.given.top1 * 100 }
  static func steps(of outcome: Outcome) -> Int { outcome.steps }
  /// The weights tell the rest.
  static func comparable(_ outcome: Outcome) -> String { "\(outcome.given.correct) of \(outcome.given.count)" }
}
