public import Datasets
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
  /// Means over the epoch's own steps, on augmented pictures, while the weights moved.
  public let trainLoss, trainTop1: Double
  public let validation: Evaluation
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
  public let weights: Weights
  public let epochs: [EpochRecord]
  public let isInterrupted: Bool
  /// Over all epochs.
  public let stepsDone: Int
  /// Where to go on from, of a training that was interrupted.
  public let checkpoint: Checkpoint?
  /// The names of the parameters, in the order of the ledger's hashes.
  public let parameterNames: [String]
}

/// Trains networks.
public struct Trainer {
  public let engine: Engine
  public init(engine: Engine) { self.engine = engine }

  /// Trains and, after each epoch, evaluates on the validation split.
  ///
  /// The result follows from the arguments alone, on one kind of processor with one number of threads.
  /// - Parameters:
  ///   - weights: where to start; drawn from the plan's seed where nil.
  ///   - checkpoint: where to go on: of a training with the same arguments. The result is then the same, bit by bit.
  ///   - checkpointing: keeps the state on the way.
  ///   - keepsLedger: whether entries of the ledger are reported.
  ///   - isInterrupted: asked before each step; once true, what was trained so far is the result.
  ///   - report: called after each step and each epoch, on the caller's thread.
  /// - Throws: `TrainingError`; `.notFinite` at the first step whose loss is not a number.
  public func train(
    _ network: Network, from weights: Weights? = nil, on dataset: Dataset, _ plan: TrainingPlan,
    resuming checkpoint: Checkpoint? = nil, checkpointing: Checkpointing? = nil, keepsLedger: Bool = false, isInterrupted: () -> Bool = { false }, report: (TrainingEvent) -> Void = { _ in }
  ) throws(TrainingError) -> TrainingOutcome {
    if let problem = plan.problem { throw .plan(problem) }
    try network.mustFit(pictures: dataset.pictureShape)
    let classes = network.shape(of: network.output).elementCount
    guard classes == dataset.classes.count else { throw .classes(network: classes, data: dataset.classes.count) }
    let batchSize = plan.batchSize
    guard dataset.train.count >= batchSize else {
      throw .tooFewSamples(count: dataset.train.count, batchSize: batchSize)
    }

    let start: Weights?
    if checkpoint != nil {
      start = nil
    } else if let weights {
      start = weights
    } else {
      do { start = try network.initialWeights(seed: plan.seed) } catch { throw .tensor(error) }
    }
    let compiled = try Training.engine { () throws(EngineError) in
      let compiled = try engine.compile(network, batch: batchSize, mode: .training())
      if let start { try compiled.load(start) }
      return compiled
    }
    let parameters: ParameterSegments
    let optimizer: OptimizerState
    do {
      parameters = try ParameterSegments(of: compiled, weightDecay: plan.weightDecay, decayed: plan.decayed)
      optimizer = try OptimizerState(plan.optimizer, over: parameters)
    } catch { throw .tensor(error) }
    let evaluator = Evaluator(engine: engine)
    let evaluation =
      dataset.validation.count > 0
      ? try evaluator.makePlan(network, batchSize: min(dataset.validation.count, 200)) : nil

    let loader = Loader(
      dataset.train, batchSize: batchSize, normalization: dataset.normalization, augmentations: plan.augmentations,
      order: .shuffled, seed: plan.seed, dropsLast: true, workers: engine.threads)
    let steps = loader.batchCount
    var records = checkpoint?.records ?? []
    if let checkpoint {
      guard records.count <= plan.epochs, (records.count * steps...(records.count + 1) * steps).contains(checkpoint.steps)
      else { throw .checkpoint("it stands at step \(checkpoint.steps), after \(records.count) epochs of \(steps)") }
      try checkpoint.restore(into: compiled, optimizer)
    }
    let ledgerStride = max(1, plan.epochs * steps / LedgerEntry.length)
    let segments = compiled.arenas.segments
    var targets = [Float](repeating: 0, count: batchSize * classes)
    var losses = [Double](repeating: 0, count: batchSize)
    var (stepsDone, stopped) = (checkpoint?.steps ?? 0, false)
    let firstStep = stepsDone
    var rate = 0.0
    var images = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
    let step = compiled.prepare { execution in
      _ = compiled.input.update(fromContentsOf: images)
      execution.forward()
      plan.loss.evaluate(
        compiled.logits.baseAddress!, targets, gradient: compiled.logitsGradient!.baseAddress!, losses: &losses,
        rows: batchSize, classes: classes, scale: 1 / Float(batchSize))
      // Weights that a loss without a value would spoil are left as they are.
      guard losses.allSatisfy(\.isFinite) else { return false }
      execution.backward()
      plan.clipping?.apply(to: parameters)
      optimizer.step(rate: rate)
      return true
    }
    let clock = ContinuousClock()
    let begun = clock.now
    var keptAt = begun
    var keepingSeconds = 0.0
    func state(_ running: Evaluation, _ seconds: Double) throws(TrainingError) -> Checkpoint {
      do {
        return try Checkpoint(
          steps: stepsDone, records: records, running: running, seconds: seconds, of: compiled, optimizer)
      } catch { throw .tensor(error) }
    }
    func keep(_ running: Evaluation, _ seconds: Double) throws(TrainingError) {
      guard let checkpointing else { return }
      let keepingBegun = clock.now
      checkpointing.keep(try state(running, seconds))
      keptAt = clock.now
      keepingSeconds = self.seconds(from: keepingBegun, to: keptAt)
    }
    var interrupted: Checkpoint?

    for epoch in records.count..<plan.epochs where !stopped {
      // What an unfinished epoch gave before.
      let before = epoch == checkpoint?.records.count ? checkpoint : nil
      let epochBegun = clock.now
      var running = before?.running ?? Evaluation()
      func elapsed() -> Double { (before?.seconds ?? 0) + seconds(from: epochBegun, to: clock.now) }
      let stream = try data { () throws(DatasetError) in
        try loader.batches(epoch: epoch, from: stepsDone - epoch * steps)
      }
      while let batch = try data({ () throws(DatasetError) in try stream.next() }) {
        if isInterrupted() {
          stopped = true
          break
        }
        rate = plan.learningRate(atStep: stepsDone, stepsPerEpoch: steps)
        compiled.setRandom(seed: plan.seed, step: stepsDone)
        targets.withUnsafeMutableBufferPointer {
          fillTargets(
            $0.baseAddress!, labels: batch.labels, rows: batchSize, classes: classes, smoothing: plan.labelSmoothing)
        }
        images = batch.images
        let isFinite = try Training.engine { () throws(EngineError) in try step() }
        guard isFinite else { throw .notFinite(epoch: epoch + 1, step: batch.index + 1, learningRate: rate) }
        stepsDone += 1
        running.add(compiled.logits, labels: batch.labels, losses: losses, rows: batchSize, classes: classes)
        if keepsLedger, stepsDone % ledgerStride == 0 {
          report(.ledger(LedgerEntry(step: stepsDone, losses: losses, segments, in: compiled)))
        }
        let inEpoch = elapsed()
        let left =
          seconds(from: begun, to: clock.now) / Double(stepsDone - firstStep) * Double(plan.epochs * steps - stepsDone)
        report(
          .step(
            Progress(
              epoch: epoch + 1, step: batch.index + 1, epochs: plan.epochs, steps: steps,
              imagesPerSecond: Double(running.count) / inEpoch, loss: running.loss,
              stepLoss: losses.reduce(0, +) / Double(batchSize), learningRate: rate, secondsLeft: left)))
        if let checkpointing,
          seconds(from: keptAt, to: clock.now) > max(checkpointing.interval, 20 * keepingSeconds)
        { try keep(running, elapsed()) }
      }
      if stopped {
        interrupted = try state(running, elapsed())
        checkpointing?.keep(interrupted!)
      }
      if running.count == 0 { break }
      let trainSeconds = elapsed()
      var validation = Evaluation()
      if let evaluation {
        let now = try Training.engine { () throws(EngineError) in try compiled.weights() }
        validation = try evaluator.evaluate(
          evaluation, now, on: dataset.validation, normalization: dataset.normalization)
      }
      let record = EpochRecord(
        epoch: epoch + 1, learningRate: rate, trainLoss: running.loss, trainTop1: running.top1, validation: validation,
        seconds: elapsed(), imagesPerSecond: Double(running.count) / trainSeconds)
      records.append(record)
      report(.epoch(record))
      if !stopped { try keep(Evaluation(), 0) }
    }
    let final = try Training.engine { () throws(EngineError) in try compiled.weights() }
    return TrainingOutcome(
      weights: final, epochs: records, isInterrupted: stopped, stepsDone: stepsDone, checkpoint: interrupted,
      parameterNames: segments.map(\.name))
  }

  private func seconds(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Double {
    let passed = end - start
    return max(Double(passed.components.seconds) + Double(passed.components.attoseconds) * 1e-18, 1e-9)
  }
}

extension LedgerEntry {
  fileprivate init(
    step: Int, losses: [Double], _ segments: [(name: String, rule: ParameterRule, offset: Int, count: Int)], in plan: Plan
  ) {
    self.step = step
    loss = losses.reduce(0, +).bitPattern
    let values = plan.arenas.values
    parameters = segments.map { segment in
      var hasher = StableHasher()
      hasher.combine(UnsafeRawBufferPointer(start: values + segment.offset, count: segment.count * 4))
      return UInt32(truncatingIfNeeded: hasher.value)
    }
  }
}
