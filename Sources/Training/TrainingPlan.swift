public import Datasets
public import Engine

/// How a network is trained, as a value: everything but the network and the data. The language calls it a training
/// recipe.
public struct TrainingPlan: Hashable, Sendable, Codable {
  public var epochs = 10
  /// Samples in a step. The rest of an epoch that fills no batch is left out of it; the next epoch's order is another.
  public var batchSize = 128
  /// Samples that are computed at once, a divisor of the batch size; nil for all. Batch norms' statistics are theirs, as
  /// are the draws of mixing: what a device of its own has in the published recipes.
  public var partSize: Int?
  /// Whether batch norms' statistics are those of all processes' samples that are computed at once: the part of
  /// `partSize` is then one that the processes share. Alone it changes nothing.
  public var synchronizesBatchNorm = false
  /// Epochs, also a part of one, after which batch norms normalize by their running statistics and keep them; nil for
  /// never, 0 from the start. Krishnamoorthi 2018 (arXiv:1806.08342), section 3.2.2.
  public var freezesBatchNormAfter: Double?
  /// What the network is computed with, and its teachers; validation is in float32.
  public var precision = Precision.float32
  public var loss = Loss.crossEntropy
  public var optimizer = Optimizer.sgd(momentum: 0.9, nesterov: true)
  /// The peak, reached after the warm-up.
  public var learningRate = 0.1
  public var weightDecay = 5e-4
  public var decayed = DecayedParameters()
  public var clipping: GradientClipping?
  public var schedule = Schedule.cosine(final: 0)
  /// Whether the rate stays the same within an epoch, as in timm before 2023; else it changes with each step.
  public var schedulesByEpoch = false
  /// Whether the schedule's time runs from the first epoch on and the warm-up hides its beginning, as in timm; else a
  /// cosine begins at the peak after the warm-up.
  public var schedulesFromStart = false
  /// Epochs over which the rate rises in a straight line.
  public var warmupEpochs = 0.0
  public var warmup = Warmup.steps
  /// Epochs at the end, of all, in which the rate stays where the schedule ended.
  public var cooldownEpochs = 0
  /// The share of a target that is spread over all classes (Szegedy et al. 2016, arXiv:1512.00567, section 7).
  public var labelSmoothing = 0.0
  public var augmentations: [Augmentation] = []
  public var mixing: Mixing?
  /// The rate at which the last residual branch is dropped in training; see `Network.withDropPath`.
  public var dropPath = 0.0
  /// How teachers are listened to, where there are some.
  public var distillation: Distillation?
  public var movingAverage: MovingAverage?
  public var result = ResultWeights.last
  /// Batches, of the size that is computed at once, over which batch norms' statistics are measured again with the final
  /// weights; 0 leaves the running ones. See `PreciseBatchNorm`.
  public var preciseBatchNorm = 0
  /// Decides the initial weights, the order, the augmentation and what is dropped.
  public var seed: UInt64 = 1

  public init() {}

  /// Samples that each of some processes computes at once.
  package func rowsAtOnce(processes: Int) -> Int {
    if synchronizesBatchNorm { return (partSize ?? batchSize) / processes }
    return partSize ?? batchSize / processes
  }

  /// Whether batch norms keep their running statistics in a step, counted from 0 over all epochs.
  func freezesBatchNorm(atStep step: Int, stepsPerEpoch: Int) -> Bool {
    freezesBatchNormAfter.map { Double(step) >= $0 * Double(stepsPerEpoch) } ?? false
  }

  /// How many samples of a training set are held out of it.
  func heldOutCount(of samples: Int) -> Int {
    result.heldOutShare == 0 ? 0 : max(1, Int(Double(samples) * result.heldOutShare))
  }

  /// Steps of an epoch, of a training set of so many samples.
  package func stepsPerEpoch(samples: Int) -> Int { (samples - heldOutCount(of: samples)) / batchSize }

  /// What stands in the way of training so, in words; nil where nothing does.
  var problem: String? {
    if epochs < 1 { return "at least one epoch is needed, not \(epochs)" }
    if batchSize < 1 { return "a batch holds at least one sample, not \(batchSize)" }
    if let partSize, partSize < 1 || batchSize % partSize != 0 {
      return "a batch of \(batchSize) is not made of parts of \(partSize)"
    }
    if let freezesBatchNormAfter, !(freezesBatchNormAfter >= 0) {
      return "batch norms are frozen after 0 or more epochs, not after \(freezesBatchNormAfter)"
    }
    if !(learningRate > 0 && learningRate.isFinite) { return "a learning rate is positive, not \(learningRate)" }
    if !(weightDecay >= 0 && weightDecay.isFinite) { return "a weight decay is not negative, not \(weightDecay)" }
    if !(labelSmoothing >= 0 && labelSmoothing < 1) {
      return "label smoothing is at least 0 and below 1, not \(labelSmoothing)"
    }
    if !(warmupEpochs >= 0 && warmupEpochs <= Double(epochs)) {
      return "a warm-up lasts from 0 to \(epochs) epochs, not \(warmupEpochs)"
    }
    if case .epochs(let from) = warmup, !(from >= 0 && from <= 1) {
      return "a warm-up starts at 0 to 1 of the peak, not \(from)"
    }
    if cooldownEpochs < 0 || Double(cooldownEpochs) + warmupEpochs > Double(epochs) {
      return "warm-up and cool-down have at most \(epochs) epochs together, not \(warmupEpochs) and \(cooldownEpochs)"
    }
    if !(dropPath >= 0 && dropPath < 1) {
      return "the rate of stochastic depth is at least 0 and below 1, not \(dropPath)"
    }
    if result == .movingAverage && movingAverage == nil { return "there is no moving average to be the result" }
    if preciseBatchNorm < 0 { return "batch norms are measured over 0 or more batches, not \(preciseBatchNorm)" }
    return optimizer.problem ?? loss.problem ?? clipping?.problem ?? schedule.problem ?? mixing?.problem
      ?? distillation?.problem ?? movingAverage?.problem ?? result.problem
  }
}
