import Foundation
import Notebook
import Script
import Synchronization

/// Keeps what a script prints and reports.
final class Recorder: ScriptOutput {
  private let printed = Mutex<[String]>([])
  private let reported = Mutex<[String]>([])
  private let onReport: @Sendable (String) -> Void

  init(onReport: @escaping @Sendable (String) -> Void = { _ in }) { self.onReport = onReport }

  var text: String { printed.withLock { $0.joined(separator: "\n") } }
  var reports: [String] { reported.withLock { $0 } }
  func print(_ text: String) { printed.withLock { $0.append(text) } }
  func report(_ text: String) {
    reported.withLock { $0.append(text) }
    onReport(text)
  }
  func narrate(_ markdown: String) {}
}

/// A session in a new empty folder that goes when its owner goes.
final class Workshop {
  let folder: String
  let output: Recorder
  let interruption = Interruption()
  let notebook: NotebookSession
  let session: Session

  private let isOwner: Bool

  /// - Parameters:
  ///   - shared: The folder of another workshop, which stays its own.
  ///   - source: Where it reads what its folder has not, its store too, which it leaves as it is.
  ///   - onReport: Called with what is reported.
  ///   - threads: One for small networks, which gain nothing from more.
  ///   - interruptions: How often what is reported first asks the script to stop.
  init(
    in shared: String? = nil, threads: Int = 1, isFresh: Bool = false, replay: Replay? = nil, interruptions: Int = 0,
    isPlanning: Bool = false, readingFrom source: String? = nil,
    showProgress: (@Sendable (String?) -> Void)? = nil, onReport: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    let left = Mutex(interruptions)
    output = Recorder { [interruption] text in
      onReport(text)
      while left.withLock({ left in defer { left = max(left - 1, 0) }; return left > 0 }) { interruption.raise() }
    }
    isOwner = shared == nil
    folder = shared ?? NSTemporaryDirectory() + "/reprise-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    notebook = NotebookSession(threads: threads, isFresh: isFresh, replay: replay, isPlanning: isPlanning, showProgress: showProgress)
    session = Session(
      library: notebookLibrary, output: output, interruption: interruption, host: notebook,
      workingDirectory: WorkingDirectory(folder, readingFrom: source))
  }

  deinit { if isOwner { try? FileManager.default.removeItem(atPath: folder) } }

  /// The value of a script's last line.
  @discardableResult
  func value(_ text: String) throws -> Value? { try session.run(Source(text, name: "test")).value }

  /// The error that a script ends in, as people see it; nil where it ends well.
  func error(_ text: String) -> (category: ErrorCategory, message: String)? {
    do throws(ScriptFailure) {
      try session.run(Source(text, name: "test"))
      return nil
    } catch {
      return (error.category, DiagnosticRenderer().render(error))
    }
  }
}

/// The folder of the package.
let packageFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()
