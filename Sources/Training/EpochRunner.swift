internal import Datasets
internal import Distribution
internal import Engine

/// Runs the epochs of one training run: its steps, what is measured after them, and the checkpoints between.
final class EpochRunner {
  private let plan: TrainingPlan
  private let sharding: Sharding
  private let loader: Loader
  private let stepsPerEpoch: Int
  private let state: TrainingState
  private let step: TrainingStep
  private let measures: Measures
  private let keeper: CheckpointKeeper
  private let communicator: Communicator
  private let keepsLedger: Bool
  /// What a checkpoint's unfinished epoch gave, and how long it took.
  private let resumed: (epoch: Int, running: Evaluation, seconds: Double)?

  /// Of the epochs that have ended, and of one that was stopped.
  private(set) var records: [EpochRecord]
  /// Which validation images the weights got right at the end of the last epoch; nil before one has ended.
  private(set) var each: CorrectImages?
  /// Over all epochs.
  private(set) var stepsDone: Int
  private(set) var isStopped = false
  /// Where to go on, once it is stopped.
  private(set) var interrupted: Checkpoint?

  private let begun = ContinuousClock.now
  private let firstStep: Int
  /// Of the last step.
  private var rate = 0.0
  /// Of the epoch that runs: what its steps gave, when it began, and the seconds that it took before that.
  private var running = Evaluation()
  private var epochBegun = ContinuousClock.now
  private var secondsBefore = 0.0

  init(
    _ plan: TrainingPlan, _ sharding: Sharding, _ loader: Loader, stepsPerEpoch: Int, _ state: TrainingState,
    _ step: TrainingStep, _ measures: Measures, _ keeper: CheckpointKeeper, _ communicator: Communicator,
    keepsLedger: Bool, resuming checkpoint: Checkpoint?
  ) {
    (self.plan, self.sharding, self.loader, self.stepsPerEpoch) = (plan, sharding, loader, stepsPerEpoch)
    (self.state, self.step, self.measures, self.keeper) = (state, step, measures, keeper)
    (self.communicator, self.keepsLedger) = (communicator, keepsLedger)
    resumed = checkpoint.map { ($0.records.count, $0.running, $0.seconds) }
    (records, stepsDone) = (checkpoint?.records ?? [], checkpoint?.steps ?? 0)
    firstStep = stepsDone
    // Of an epoch that only its measuring is left of.
    if firstStep > 0 { rate = plan.learningRate(atStep: firstStep - 1, stepsPerEpoch: stepsPerEpoch) }
  }

  private var totalSteps: Int { plan.epochs * stepsPerEpoch }
  private var parts: Int { sharding.partsOfBatch }
  /// That the epoch has taken.
  private var seconds: Double { secondsBefore + epochBegun.secondsUntilNow }

  /// Runs what is left of an epoch, counted from 0.
  func run(
    _ epoch: Int, isInterrupted: () -> Bool, report: (TrainingEvent) -> Void
  ) throws(TrainingError) {
    let before = epoch == resumed?.epoch ? resumed : nil
    (running, epochBegun, secondsBefore) = (before?.running ?? Evaluation(), .now, before?.seconds ?? 0)
    try runSteps(of: epoch, isInterrupted: isInterrupted, report: report)
    if isStopped {
      let checkpoint = try checkpoint(running, seconds)
      interrupted = checkpoint
      try keeper.keep { () throws(TrainingError) in checkpoint }
    }
    guard running.count > 0 else { return }
    let record: EpochRecord
    do throws(TrainingError) { record = try measure(epoch) } catch {
      guard error.meansInterruption else { throw error }
      // An epoch that is not measured is not finished: it goes on with its measuring.
      if interrupted == nil {
        let checkpoint = try checkpoint(running, seconds)
        interrupted = checkpoint
        try keeper.keep { () throws(TrainingError) in checkpoint }
      }
      isStopped = true
      return
    }
    records.append(record)
    report(.epoch(record))
    if !isStopped { try keeper.keep { () throws(TrainingError) in try checkpoint(Evaluation(), 0) } }
  }

  private func runSteps(
    of epoch: Int, isInterrupted: () -> Bool, report: (TrainingEvent) -> Void
  ) throws(TrainingError) {
    let stream = try data { () throws(DatasetError) in
      try loader.batches(epoch: epoch, from: (stepsDone - epoch * stepsPerEpoch) * parts)
    }
    // Of one step.
    var loss = 0.0
    while stepsDone < (epoch + 1) * stepsPerEpoch,
      let batch = try data({ () throws(DatasetError) in try stream.next() })
    {
      if sharding.ownPlace(of: batch.index) == 0 {
        if communicator.isAlone ? isInterrupted() : step.stopsAll {
          isStopped = true
          return
        }
        rate = plan.learningRate(atStep: stepsDone, stepsPerEpoch: stepsPerEpoch)
        state.compiled.freezesBatchNorm = plan.freezesBatchNorm(atStep: stepsDone, stepsPerEpoch: stepsPerEpoch)
        loss = 0
      }
      let stops = !communicator.isAlone && isInterrupted()
      guard try step(batch, epoch: epoch, number: stepsDone, rate: rate, stops: stops) else {
        throw .notFinite(
          gradient: step.parameterWithoutFiniteGradient, epoch: epoch + 1, step: batch.index / parts + 1,
          learningRate: rate)
      }
      step.add(to: &running)
      loss += step.lossSum
      guard sharding.ownPlace(of: batch.index) == sharding.parts - 1 else { continue }
      stepsDone += 1
      tell(epoch, loss: loss, report)
      if keeper.isDue { try keeper.keep { () throws(TrainingError) in try checkpoint(running, seconds) } }
    }
  }

  /// Reports a step that has been made.
  private func tell(_ epoch: Int, loss: Double, _ report: (TrainingEvent) -> Void) {
    if keepsLedger, stepsDone % max(1, totalSteps / LedgerEntry.length) == 0 {
      report(.ledger(LedgerEntry(step: stepsDone, loss: loss, in: state.compiled)))
    }
    let imagesPerSecond = Double(running.count) / seconds
    let left = begun.secondsUntilNow / Double(stepsDone - firstStep) * Double(totalSteps - stepsDone)
    report(
      .step(
        Progress(
          epoch: epoch + 1, step: stepsDone - epoch * stepsPerEpoch, epochs: plan.epochs, steps: stepsPerEpoch,
          imagesPerSecond: imagesPerSecond, loss: running.loss, stepLoss: loss / Double(plan.batchSize),
          learningRate: rate, secondsLeft: left)))
  }

  /// Measures the weights at an epoch's end, and keeps a snapshot of them where they are among the best.
  private func measure(_ epoch: Int) throws(TrainingError) -> EpochRecord {
    var times = [seconds]
    try communicator.mustAgree(on: state.compiled)
    let measured = try measures(of: state)
    if !isStopped, let best = state.best {
      let correct = (measured.selection ?? measured.ema ?? measured.validation.all).correct
      try Training.engine { () throws(EngineError) in
        try best.offer(BestSnapshots.Entry(epoch: epoch + 1, correct: correct)) { (copy) throws(EngineError) in
          if let average = state.average {
            copy.take(average.copy)
          } else {
            try state.compiled.perform { _ in copy.take() }
          }
        }
      }
    }
    // A script may look at the times too: they are the first process's.
    times.append(seconds)
    each = measured.validation.each
    communicator.broadcast(&times)
    return EpochRecord(
      epoch: epoch + 1, learningRate: rate, trainLoss: running.loss, trainTop1: running.top1,
      validation: measured.validation.all, ema: measured.ema, selection: measured.selection, seconds: times[1],
      imagesPerSecond: Double(running.count) / times[0])
  }

  /// The state as it is now.
  /// - Parameter running: what the epoch that is not finished gave.
  private func checkpoint(_ running: Evaluation, _ seconds: Double) throws(TrainingError) -> Checkpoint {
    do {
      return try Checkpoint(steps: stepsDone, records: records, running: running, seconds: seconds, of: state)
    } catch { throw .tensor(error) }
  }
}
