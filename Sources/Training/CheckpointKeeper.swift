internal import Tensors

/// When a training's state is kept, and what is done with it.
public struct Checkpointing {
  /// Seconds between two checkpoints within an epoch; they also come at the end of each epoch. Where keeping one takes
  /// long, they come less often, so that it costs at most a twentieth of the time.
  public var interval: Double
  public var keep: (Checkpoint) -> Void

  public init(interval: Double = 60, keep: @escaping (Checkpoint) -> Void) {
    (self.interval, self.keep) = (interval, keep)
  }
}

/// Keeps the state of a training run on its way.
final class CheckpointKeeper {
  private let checkpointing: Checkpointing?
  private var keptAt = ContinuousClock.now
  /// What keeping the last one took.
  private var seconds = 0.0

  init(_ checkpointing: Checkpointing?) { self.checkpointing = checkpointing }

  /// Whether it is time for the next one.
  var isDue: Bool {
    guard let checkpointing else { return false }
    return keptAt.secondsUntilNow > max(checkpointing.interval, 20 * seconds)
  }

  /// Keeps what is made, where checkpoints are kept at all.
  func keep(_ make: () throws(TrainingError) -> Checkpoint) throws(TrainingError) {
    guard let checkpointing else { return }
    let begun = ContinuousClock.now
    checkpointing.keep(try make())
    seconds = begun.secondsUntilNow
    keptAt = .now
  }
}

extension ContinuousClock.Instant {
  /// More than 0, so that rates are numbers.
  var secondsUntilNow: Double { max((ContinuousClock.now - self).seconds, 1e-9) }
}
