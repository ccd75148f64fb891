public import Datasets
internal import Foundation

/// How a network is trained, as a value: everything but the network and the data. The language calls it a training
/// recipe.
public struct TrainingPlan: Hashable, Sendable, Codable {
  public var epochs = 10
  /// Samples in a step. The rest of an epoch that fills no batch is left out of it; the next epoch's order is another.
  public var batchSize = 128
  public var optimizer = Optimizer.sgd(momentum: 0.9, nesterov: true)
  /// The peak, reached after the warm-up.
  public var learningRate = 0.1
  public var weightDecay = 5e-4
  /// Whether batch norms' scales and shifts and all biases decay too, as in PyTorch's plain SGD.
  public var decaysNormsAndBiases = false
  public var schedule = Schedule.cosine(final: 0)
  /// Epochs over which the rate rises from 0 in a straight line, step by step.
  public var warmupEpochs = 0.0
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
    return nil
  }
}

/// How the learning rate falls after the warm-up.
public enum Schedule: Hashable, Sendable, Codable {
  case constant
  /// Times `factor` after each `every` epochs.
  case step(every: Int, factor: Double)
  /// Half a cosine from the peak to `final` of it (Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5).
  case cosine(final: Double)
  /// Rises from `start` of the peak to the peak, by the same factor in each step: the learning-rate range test of Smith
  /// 2017 (arXiv:1506.01186, section 3.3), in its exponential form.
  case rising(start: Double)

  /// The share of the peak at a time in epochs, of `epochs` in all.
  func factor(at time: Double, warmup: Double, epochs: Int) -> Double {
    if time < warmup { return time / warmup }
    switch self {
    case .constant: return 1
    case .step(let every, let factor):
      var share = 1.0
      for _ in 0..<(Int(time) / max(every, 1)) { share *= factor }
      return share
    case .rising(let start): return Foundation.pow(start, 1 - min(time / Double(epochs), 1))
    case .cosine(let final):
      let length = Double(epochs) - warmup
      let done = length > 0 ? min((time - warmup) / length, 1) : 1
      let falling: Double = 0.5 * (1 + Foundation.cos(Double.pi * done))
      return final + (1 - final) * falling
    }
  }
}

extension TrainingPlan {
  /// The learning rate of a step: warm-up first, then the schedule.
  /// - Parameter step: from 0, over all epochs.
  public func learningRate(atStep step: Int, stepsPerEpoch: Int) -> Double {
    // A warm-up ends with its last step at the peak, so the first is not zero.
    let time = Double(step) / Double(stepsPerEpoch)
    let rising = Double(step + 1) / Double(stepsPerEpoch)
    let place = time < warmupEpochs ? min(rising, warmupEpochs) : time
    return learningRate * schedule.factor(at: place, warmup: warmupEpochs, epochs: epochs)
  }
}
