public import Script
internal import Synchronization
internal import Tensors

/// Keeps what a script does, in its order, while another output shows it.
public final class ReportRecorder: ScriptOutput {
  enum Entry: Sendable {
    case text(String)
    case code(String)
    case output(String)
    /// A figure that was drawn: its file's name in the script, and the bytes it had then; nil where it cannot be read.
    case picture(name: String, bytes: [UInt8]?)
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
  public var showsProgress: Bool { shown.showsProgress }
  public func showProgress(_ line: String?) { shown.showProgress(line) }

  public func narrate(_ markdown: String) {
    kept.withLock { $0.append(.text(markdown)) }
    shown.narrate(markdown)
  }

  public func execute(_ code: String) {
    kept.withLock { $0.append(.code(code)) }
    shown.execute(code)
  }

  public func show(picture name: String, at path: String) {
    // Read now: another figure may be drawn to the same file later.
    let bytes = try? readFile(path, limit: 1 << 28)
    kept.withLock { $0.append(.picture(name: name, bytes: bytes)) }
    shown.show(picture: name, at: path)
  }
}
