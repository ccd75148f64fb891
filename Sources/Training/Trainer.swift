public import Datasets
public import Distribution
public import Engine
internal import Foundation
public import Networks
public import Tensors

/// What an epoch gave.
public struct EpochRecord: Hashable, Sendable, Codable {
  /// From 1.
  public let epoch: Int
  /// Of the epoch's last step.
  public let learningRate: Double
  /// Means over the epoch's own steps, on augmented images, while the weights moved. The loss is the one that is made
  /// small; a mixed image counts as right where the class with the larger share is answered.
  public let trainLoss, trainTop1: Double
  public let validation: Evaluation
  /// The moving average's, on the validation set.
  public var ema: Evaluation?
  /// On what is held out of the training set: of the moving average where there is one.
  public var selection: Evaluation?
  /// Of training and of validation together.
  public let seconds: Double
  /// Of training alone.
  public let imagesPerSecond: Double
}

/// Where a training stands.
public struct Progress: Hashable, Sendable {
  /// From 1.
  public let epoch, step: Int
  public let epochs, steps: Int
  public let imagesPerSecond: Double
  /// Mean of the epoch so far.
  public let loss: Double
  /// Of the step alone, before the weights moved, and the learning rate they moved by.
  public let stepLoss, learningRate: Double
  /// For all epochs that are left, validation included.
  public let secondsLeft: Double
}

public enum TrainingEvent: Sendable {
  case step(Progress)
  case epoch(EpochRecord)
  case ledger(LedgerEntry)
}

/// What a training leaves.
public struct TrainingOutcome: Sendable {
  /// Those that the plan asks for; of an interrupted training without snapshots the last ones.
  public let weights: Weights
  /// Measured on the validation set, with these weights.
  public let final: Evaluation
  /// Which validation images they get right; nil where nothing was measured since the training run went on.
  public let each: CorrectImages?
  public let epochs: [EpochRecord]
  public let isInterrupted: Bool
  /// Over all epochs.
  public let stepsDone: Int
  /// Where to go on from, of a training run that was interrupted.
  public let checkpoint: Checkpoint?
  /// The names of the parameters, in the order of the ledger's hashes.
  public let parameterNames: [String]
}

/// Trains networks.
public struct Trainer {
  public let engine: Engine
  /// Who trains together: each computes its share of every batch, and all have the same weights after each step.
  public let communicator: Communicator
  /// Bytes of gradients that go between processes at once.
  public let bucketBytes: Int

  public init(engine: Engine, communicator: Communicator = .alone, bucketBytes: Int? = nil) {
    (self.engine, self.communicator) = (engine, communicator)
    self.bucketBytes = bucketBytes ?? GradientBuckets.standardByteCount
  }

  /// Trains and, after each epoch, evaluates on the validation split.
  ///
  /// The result follows from the arguments alone, on one kind of processor with one number of threads and of processes.
  /// n processes, each with b images at once, give within rounding what one gives with `partSize` b.
  /// - Parameters:
  ///   - weights: where to start; drawn from the plan's seed where nil.
  ///   - teachers: whom it learns from, as the plan's distillation says.
  ///   - checkpoint: where to go on: of a training run with the same arguments. The result is then the same, bit by bit.
  ///   - checkpointing: keeps the state on the way.
  ///   - keepsLedger: whether entries of the ledger are reported.
  ///   - isInterrupted: asked before each step; once true, what was trained so far is the result.
  ///   - report: called after each step and each epoch, on the caller's thread.
  /// - Throws: `TrainingError`; `.notFinite` at the first step with a loss or a gradient that is not finite.
  public func train(
    _ network: Network, from weights: Weights? = nil, on dataset: Dataset, _ plan: TrainingPlan,
    teachers: [Teacher] = [], resuming checkpoint: Checkpoint? = nil, checkpointing: Checkpointing? = nil,
    keepsLedger: Bool = false, isInterrupted: () -> Bool = { false }, report: (TrainingEvent) -> Void = { _ in }
  ) throws(TrainingError) -> TrainingOutcome {
    if let problem = plan.problem { throw .plan(problem) }
    guard (plan.distillation == nil) == teachers.isEmpty else {
      throw .plan(teachers.isEmpty ? "a distillation needs a teacher" : "a teacher needs a distillation")
    }
    try network.mustFit(images: dataset.imageShape)
    let classes = network.shape(of: network.output).elementCount
    guard classes == dataset.classes.count else { throw .classes(network: classes, data: dataset.classes.count) }
    let (training, selection) = try plan.parts(of: dataset)
    guard training.count >= plan.batchSize else {
      throw .tooFewSamples(count: training.count, batchSize: plan.batchSize)
    }
    let trained: Network
    do { trained = try network.withDropPath(Float(plan.dropPath)) } catch { throw .network(error) }

    // A batch is computed in parts, each of which the loader takes for a batch of its own.
    let sharding = try Sharding(plan, rank: communicator.rank, size: communicator.size)
    let (rows, parts) = (sharding.rows, sharding.partsOfBatch)
    try communicator.mustAgree("\(Engine.instructionSet), \(engine.threads) threads", on: "the processor")
    let loader = Loader(
      training, batchSize: rows, normalization: dataset.normalization, augmentations: plan.augmentations,
      order: .shuffled, seed: plan.seed, dropsLast: true, workers: engine.threads, ranks: sharding.ranks,
      rankRows: sharding.rankRows, share: sharding.share)
    let steps = loader.batchCount / parts
    // Enough samples for a batch, but not as many of them are shown.
    guard steps > 0 else {
      throw .tooFewRepeated(shown: loader.repeatedCount ?? 0, count: training.count, batchSize: plan.batchSize)
    }
    let totalSteps = plan.epochs * steps

    let start: Weights?
    if checkpoint != nil {
      start = nil
    } else if let weights {
      start = weights
    } else {
      do { start = try network.initialWeights(seed: plan.seed) } catch { throw .tensor(error) }
    }
    let compiled = try Training.engine { () throws(EngineError) in
      try engine.compile(
        trained, batch: rows, mode: .training(), precision: plan.precision,
        normReduction: plan.synchronizesBatchNorm && !communicator.isAlone
          ? NormReduction(processes: communicator.size, sum: { [communicator] in communicator.sumNow($0, count: $1) })
          : nil)
    }
    let state = try TrainingState(compiled, plan, parts: sharding.parts, totalSteps: totalSteps, from: start)
    var records = checkpoint?.records ?? []
    var each: CorrectImages?
    if let checkpoint {
      guard records.count <= plan.epochs else {
        throw .checkpoint("it has \(records.count) epochs, the training \(plan.epochs)")
      }
      try checkpoint.restore(into: state, stepsPerEpoch: steps, batchSize: plan.batchSize)
    }
    let measures = try Measures(self, network, dataset, selection: selection)
    let step = try TrainingStep(plan, sharding, state, teachers: teachers, on: dataset, self)

    let ledgerStride = max(1, totalSteps / LedgerEntry.length)
    let segments = compiled.arenas.segments
    var (stepsDone, stopped) = (checkpoint?.steps ?? 0, false)
    let firstStep = stepsDone
    var rate = 0.0
    let clock = ContinuousClock()
    let begun = clock.now
    var keptAt = begun
    var keepingSeconds = 0.0
    func checkpointNow(_ running: Evaluation, _ seconds: Double) throws(TrainingError) -> Checkpoint {
      do {
        return try Checkpoint(steps: stepsDone, records: records, running: running, seconds: seconds, of: state)
      } catch { throw .tensor(error) }
    }
    func keep(_ running: Evaluation, _ seconds: Double) throws(TrainingError) {
      guard let checkpointing else { return }
      let keepingBegun = clock.now
      checkpointing.keep(try checkpointNow(running, seconds))
      keptAt = clock.now
      keepingSeconds = self.seconds(from: keepingBegun, to: keptAt)
    }
    var interrupted: Checkpoint?

    for epoch in records.count..<plan.epochs where !stopped {
      // What an unfinished epoch gave before.
      let before = epoch == checkpoint?.records.count ? checkpoint : nil
      let epochBegun = clock.now
      var running = before?.running ?? Evaluation()
      var stepLoss = 0.0
      func elapsed() -> Double { (before?.seconds ?? 0) + seconds(from: epochBegun, to: clock.now) }
      let stream = try data { () throws(DatasetError) in
        try loader.batches(epoch: epoch, from: (stepsDone - epoch * steps) * parts)
      }
      while stepsDone < (epoch + 1) * steps, let batch = try data({ () throws(DatasetError) in try stream.next() }) {
        if sharding.ownPlace(of: batch.index) == 0 {
          if communicator.isAlone ? isInterrupted() : step.stopsAll {
            stopped = true
            break
          }
          rate = plan.learningRate(atStep: stepsDone, stepsPerEpoch: steps)
          compiled.freezesBatchNorm = plan.freezesBatchNorm(atStep: stepsDone, stepsPerEpoch: steps)
          stepLoss = 0
        }
        let stops = !communicator.isAlone && isInterrupted()
        guard try step(batch, epoch: epoch, number: stepsDone, rate: rate, stops: stops) else {
          throw .notFinite(
            gradient: step.parameterWithoutFiniteGradient, epoch: epoch + 1, step: batch.index / parts + 1,
            learningRate: rate)
        }
        step.add(to: &running)
        stepLoss += step.lossSum
        guard sharding.ownPlace(of: batch.index) == sharding.parts - 1 else { continue }
        stepsDone += 1
        if keepsLedger, stepsDone % ledgerStride == 0 {
          report(.ledger(LedgerEntry(step: stepsDone, loss: stepLoss, segments, in: compiled)))
        }
        let inEpoch = elapsed()
        let left = seconds(from: begun, to: clock.now) / Double(stepsDone - firstStep) * Double(totalSteps - stepsDone)
        report(
          .step(
            Progress(
              epoch: epoch + 1, step: stepsDone - epoch * steps, epochs: plan.epochs, steps: steps,
              imagesPerSecond: Double(running.count) / inEpoch, loss: running.loss,
              stepLoss: stepLoss / Double(plan.batchSize), learningRate: rate, secondsLeft: left)))
        if let checkpointing,
          seconds(from: keptAt, to: clock.now) > max(checkpointing.interval, 20 * keepingSeconds)
        {
          try keep(running, elapsed())
        }
      }
      if stopped {
        interrupted = try checkpointNow(running, elapsed())
        checkpointing?.keep(interrupted!)
      }
      if running.count == 0 { break }
      var times = [elapsed()]
      try communicator.mustAgree(on: compiled)
      let measured = try measures(of: state)
      if !stopped, let best = state.best {
        let correct = (measured.selection ?? measured.ema ?? measured.validation.all).correct
        try Training.engine { () throws(EngineError) in
          try best.offer(BestSnapshots.Entry(epoch: epoch + 1, correct: correct)) { (copy) throws(EngineError) in
            if let average = state.average {
              copy.take(average.copy)
            } else {
              try compiled.perform { _ in copy.take() }
            }
          }
        }
      }
      // A script may look at the times too: they are the first process's.
      times.append(elapsed())
      communicator.broadcast(&times)
      let record = EpochRecord(
        epoch: epoch + 1, learningRate: rate, trainLoss: running.loss, trainTop1: running.top1,
        validation: measured.validation.all, ema: measured.ema, selection: measured.selection, seconds: times[1],
        imagesPerSecond: Double(running.count) / times[0])
      records.append(record)
      each = measured.validation.each
      report(.epoch(record))
      if !stopped { try keep(Evaluation(), 0) }
    }

    var final = try state.weights(plan.result)
    if plan.preciseBatchNorm > 0, !stopped {
      // The epoch after the last has draws of its own.
      let stream = try data { () throws(DatasetError) in try loader.batches(epoch: plan.epochs) }
      final = try PreciseBatchNorm(
        plan: compiled, communicator: communicator, isSynchronized: plan.synchronizesBatchNorm
      )(final) { () throws(TrainingError) in
        guard let batch = try data({ () throws(DatasetError) in try stream.next() }),
          // Synchronized, the processes compute a batch together.
          batch.index / (plan.synchronizesBatchNorm ? communicator.size : 1) < plan.preciseBatchNorm
        else { return false }
        compiled.setRandom(
          seed: plan.seed, step: totalSteps + batch.index / parts, row: sharding.place(of: batch.index) * rows)
        _ = compiled.input.update(fromContentsOf: batch.images)
        return true
      }
    }
    let isMeasured = plan.result == .last && plan.preciseBatchNorm == 0
    let given: (all: Evaluation, each: CorrectImages?) =
      isMeasured
      ? (all: records.last?.validation ?? Evaluation(), each: each) : try measures.validation(of: final)
    return TrainingOutcome(
      weights: final, final: given.all, each: given.each, epochs: records, isInterrupted: stopped, stepsDone: stepsDone, checkpoint: interrupted,
      parameterNames: segments.map(\.name))
  }

  private func seconds(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Double {
    let passed = end - start
    return max(passed.seconds, 1e-9)
  }
}

extension LedgerEntry {
  fileprivate init(
    step: Int, loss: Double,
    _ segments: [(name: String, rule: ParameterRule, offset: Int, count: Int, gradientStep: Int)], in plan: Plan
  ) {
    self.step = step
    self.loss = loss.bitPattern
    let values = plan.arenas.values
    parameters = segments.map { segment in
      var hasher = StableHasher()
      hasher.combine(UnsafeRawBufferPointer(start: values + segment.offset, count: segment.count * 4))
      return UInt32(truncatingIfNeeded: hasher.value)
    }
  }
}
