public import Datasets

/// How a network is trained, as a value: everything but the network and the data. The language calls it a training
/// recipe.
public struct TrainingPlan: Hashable, Sendable, Codable {
  public var epochs = 10
  /// Samples in a step. The rest of an epoch that fills no batch is left out of it; the next epoch's order is another.
  public var batchSize = 128
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
  /// Decides the initial weights, the order, the augmentation and what is dropped.
  public var seed: UInt64 = 1

  public init() {}

  /// What stands in the way of training so, in words; nil where nothing does.
  var problem: String? {
    if epochs < 1 { return "at least one epoch is needed, not \(epochs)" }
    if batchSize < 1 { return "a batch holds at least one sample, not \(batchSize)" }
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
    return optimizer.problem ?? loss.problem ?? clipping?.problem ?? schedule.problem
  }
}
