internal import Datasets
internal import Engine

extension Error {
  /// Whether it says that somebody wanted the work to stop, rather than that something is wrong.
  package var meansInterruption: Bool {
    switch self as any Error {
    case EngineError.interrupted, DatasetError.interrupted, TrainingError.engine(.interrupted),
      TrainingError.data(.interrupted):
      true
    default: false
    }
  }
}
