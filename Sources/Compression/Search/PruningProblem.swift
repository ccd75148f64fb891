public import Datasets
public import Engine
internal import Networks
internal import Tensors
internal import Training

/// How a pruned network is judged while ratios are searched.
public enum TrialMeasure: String, Hashable, Sendable, Codable, CaseIterable {
  /// On images held out of the training set, as they are, with the running statistics of batch norms.
  case heldOut
  /// On augmented training images, with the statistics of each batch: PocketFlow's practice, whose graph for pruning is
  /// that of training.
  case trainingBatches
}

/// A network whose channels are to be pruned, with what judges the result.
public final class PruningProblem {
  public let pruner: ChannelPruner
  public let cost: CostModel
  /// The groups whose channels are decided on, in order.
  public let decisions: [Int]
  public let rounding: ChannelRounding
  public let measure: TrialMeasure

  private let judged: Split
  private let normalization: Normalization
  private let augmentations: [Augmentation]
  private let evaluator: Evaluator

  /// - Parameters:
  ///   - judged: the images that a pruned network is judged by.
  ///   - augmentations: what `trainingBatches` does to them.
  public init(
    _ pruner: ChannelPruner, decisions: [Int]? = nil, rounding: ChannelRounding = ChannelRounding(),
    judgedOn judged: Split, normalization: Normalization, measure: TrialMeasure = .heldOut,
    augmentations: [Augmentation] = [], engine: Engine
  ) {
    self.pruner = pruner
    cost = CostModel(of: pruner.network, pruner.groups)
    self.decisions = decisions ?? pruner.groups.prunable
    (self.rounding, self.judged, self.normalization) = (rounding, judged, normalization)
    (self.measure, self.augmentations) = (measure, augmentations)
    evaluator = Evaluator(engine: engine, isInterrupted: pruner.isInterrupted)
  }

  /// What a pruned network is worth.
  struct Measured {
    var evaluation: Evaluation
    /// A hash of its weights.
    var weights: String
  }

  /// The counts of all groups where those that are decided on have these.
  public func counts(_ channels: [Int]) -> [Int] {
    var counts = cost.channels
    for (place, group) in decisions.enumerated() { counts[group] = channels[place] }
    return counts
  }

  /// Prunes, and judges what came of it.
  /// - Parameter channels: of the groups that are decided on.
  func measured(_ channels: [Int]) throws -> Measured {
    let (network, weights, _) = try pruner.pruned(to: counts(channels))
    let evaluation =
      switch measure {
      case .heldOut:
        try evaluator.evaluate(
          network, weights, on: judged, normalization: normalization, batchSize: min(200, judged.count))
      case .trainingBatches:
        try evaluator.evaluateByBatchStatistics(
          network, weights, on: judged, normalization: normalization, augmentations: augmentations,
          batchSize: min(64, judged.count), seed: pruner.settings.seed)
      }
    return Measured(evaluation: evaluation, weights: weights.contentHash)
  }
}
