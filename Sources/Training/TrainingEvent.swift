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
