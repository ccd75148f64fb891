public import Tensors

/// What a training leaves.
public struct TrainingOutcome: Sendable {
  /// Those that the plan asks for; of an interrupted training without snapshots the last ones.
  public let weights: Weights
  /// Measured on the validation set, with these weights.
  public let final: Evaluation
  public let epochs: [EpochRecord]
  public let isInterrupted: Bool
  /// Over all epochs.
  public let stepsDone: Int
  /// Where to go on from, of a training run that was interrupted.
  public let checkpoint: Checkpoint?
  /// The names of the parameters, in the order of the ledger's hashes.
  public let parameterNames: [String]
}
