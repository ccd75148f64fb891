import Script
import Synchronization

/// Raises an interruption as soon as something is printed.
final class RaisingOutput: ScriptOutput {
  private let interruption: Interruption
  init(_ interruption: Interruption) { self.interruption = interruption }
  func print(_ text: String) { interruption.raise() }
}

/// Keeps what is told of progress.
final class ProgressOutput: ScriptOutput {
  let showsProgress: Bool
  private let kept = Mutex<[String]>([])
  var lines: [String] { kept.withLock { $0 } }
  init(showsProgress: Bool) { self.showsProgress = showsProgress }
  func print(_ text: String) {}
  func report(_ text: String) { kept.withLock { $0.append(text) } }
  func showProgress(_ line: String?) { kept.withLock { $0.append(line ?? "cleared") } }
}
