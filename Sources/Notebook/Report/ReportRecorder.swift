public import Script
internal import Synchronization

/// Keeps what a script does, in its order, while another output shows it.
public final class ReportRecorder: ScriptOutput {
  enum Entry: Sendable {
    case text(String)
    case code(String)
    case output(String)
    /// The file of a picture that was drawn, as the script has it, and where it lies.
    case picture(name: String, path: String)
  }

  private let shown: any ScriptOutput
  private let kept = Mutex<[Entry]>([])

  public init(showing output: any ScriptOutput) { shown = output }

  var entries: [Entry] { kept.withLock { $0 } }

  public func print(_ text: String) {
    kept.withLock { $0.append(.output(text)) }
    shown.print(text)
  }

  public func report(_ text: String) { shown.report(text) }

  public func narrate(_ markdown: String) {
    kept.withLock { $0.append(.text(markdown)) }
    shown.narrate(markdown)
  }

  public func execute(_ code: String) {
    kept.withLock { $0.append(.code(code)) }
    shown.execute(code)
  }

  public func show(picture name: String, at path: String) {
    kept.withLock { $0.append(.picture(name: name, path: path)) }
    shown.show(picture: name, at: path)
  }
}
