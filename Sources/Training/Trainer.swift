internal import CKernels
public import Datasets
public import Engine
internal import Foundation
public import Networks
public import Tensors

/// What an epoch gave.
public struct EpochRecord: Hashable, Sendable {
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
  /// For all epochs that are left, validation included.
  public let secondsLeft: Double
}

public enum TrainingEvent: Sendable {
  case step(Progress)
  case epoch(EpochRecord)
}

/// What a training leaves.
public struct TrainingOutcome: Sendable {
  public let weights: Weights
  public let epochs: [EpochRecord]
  public let isInterrupted: Bool
  /// Over all epochs.
  public let stepsDone: Int
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
  ///   - isInterrupted: asked before each step; once true, what was trained so far is the result.
  ///   - report: called after each step and each epoch, on the caller's thread.
  /// - Throws: `TrainingError`; `.notFinite` at the first step whose loss is not a number.
  public func train(
    _ network: Network, from weights: Weights? = nil, on dataset: Dataset, _ plan: TrainingPlan,
    isInterrupted: () -> Bool = { false }, report: (TrainingEvent) -> Void = { _ in }
  ) throws(TrainingError) -> TrainingOutcome {
    if let problem = plan.problem { throw .plan(problem) }
    try network.mustFit(pictures: dataset.pictureShape)
    let classes = network.shape(of: network.output).elementCount
    guard classes == dataset.classes.count else { throw .classes(network: classes, data: dataset.classes.count) }
    let batchSize = plan.batchSize
    guard dataset.train.count >= batchSize else {
      throw .tooFewSamples(count: dataset.train.count, batchSize: batchSize)
    }

    let start: Weights
    if let weights {
      start = weights
    } else {
      do { start = try network.initialWeights(seed: plan.seed) } catch { throw .tensor(error) }
    }
    let compiled = try Training.engine { () throws(EngineError) in
      let compiled = try engine.compile(network, batch: batchSize, mode: .training())
      try compiled.load(start)
      return compiled
    }
    let optimizer: OptimizerState
    do {
      optimizer = try OptimizerState(
        plan.optimizer, over: compiled, weightDecay: plan.weightDecay, decaysNormsAndBiases: plan.decaysNormsAndBiases)
    } catch { throw .tensor(error) }
    let evaluator = Evaluator(engine: engine)
    let evaluation =
      dataset.validation.count > 0
      ? try evaluator.makePlan(network, batchSize: min(dataset.validation.count, 200)) : nil

    let loader = Loader(
      dataset.train, batchSize: batchSize, normalization: dataset.normalization, augmentations: plan.augmentations,
      order: .shuffled, seed: plan.seed, dropsLast: true, workers: engine.threads)
    let steps = loader.batchCount
    var records: [EpochRecord] = []
    var targets = [Float](repeating: 0, count: batchSize * classes)
    var losses = [Double](repeating: 0, count: batchSize)
    var (stepsDone, stopped) = (0, false)
    var rate = 0.0
    var images = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
    let step = compiled.prepare { execution in
      _ = compiled.input.update(fromContentsOf: images)
      execution.forward()
      rk_soft_cross_entropy(
        compiled.logits.baseAddress, targets, compiled.logitsGradient!.baseAddress, &losses, Int64(batchSize),
        Int64(classes), 1 / Float(batchSize))
      // Weights that a loss without a value would spoil are left as they are.
      guard losses.allSatisfy(\.isFinite) else { return false }
      execution.backward()
      optimizer.step(rate: rate)
      return true
    }
    let clock = ContinuousClock()
    let begun = clock.now

    for epoch in 0..<plan.epochs where !stopped {
      let epochBegun = clock.now
      var running = Evaluation()
      let stream = try data { () throws(DatasetError) in try loader.batches(epoch: epoch) }
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
        let inEpoch = seconds(since: epochBegun)
        let left = seconds(since: begun) / Double(stepsDone) * Double(plan.epochs * steps - stepsDone)
        report(
          .step(
            Progress(
              epoch: epoch + 1, step: batch.index + 1, epochs: plan.epochs, steps: steps,
              imagesPerSecond: Double(running.count) / inEpoch, loss: running.loss, secondsLeft: left)))
      }
      if running.count == 0 { break }
      let trainSeconds = seconds(since: epochBegun)
      var validation = Evaluation()
      if let evaluation {
        let now = try Training.engine { () throws(EngineError) in try compiled.weights() }
        validation = try evaluator.evaluate(
          evaluation, now, on: dataset.validation, normalization: dataset.normalization)
      }
      let record = EpochRecord(
        epoch: epoch + 1, learningRate: rate, trainLoss: running.loss, trainTop1: running.top1, validation: validation,
        seconds: seconds(since: epochBegun), imagesPerSecond: Double(running.count) / trainSeconds)
      records.append(record)
      report(.epoch(record))
    }
    let final = try Training.engine { () throws(EngineError) in try compiled.weights() }
    return TrainingOutcome(weights: final, epochs: records, isInterrupted: stopped, stepsDone: stepsDone)

    func seconds(since instant: ContinuousClock.Instant) -> Double {
      let passed = clock.now - instant
      return max(Double(passed.components.seconds) + Double(passed.components.attoseconds) * 1e-18, 1e-9)
    }
  }
}
