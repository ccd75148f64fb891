public import Script
internal import Synchronization
internal import Tensors

/// Keeps what a script does, in its order, while another output shows it.
public final class ReportRecorder: ScriptOutput {
  enum Entry: Sendable {
    /// A statement of the script itself was reached.
    case statement(Span)
    case text(String)
    case output(OutputPiece)
    /// What a reader has to know beside the results.
    case warning(String)
    /// A figure that was drawn: its file's name in the script, and the bytes it had then; nil where it cannot be read.
    case picture(name: String, bytes: [UInt8]?)
  }

  private let shown: any ScriptOutput
  private let kept = Mutex<[Entry]>([])

  public init(showing output: any ScriptOutput) { shown = output }

  var entries: [Entry] { kept.withLock { $0 } }
  private func keep(_ entry: Entry) { kept.withLock { $0.append(entry) } }

  public var width: Int? { shown.width }

  public func print(_ text: String) {
    keep(.output(.text(text)))
    shown.print(text)
  }

  public func print(_ pieces: [OutputPiece]) {
    for piece in pieces { keep(.output(piece)) }
    shown.print(pieces)
  }

  public func report(_ text: String) {
    let mark = "warning: "
    if text.hasPrefix(mark) { keep(.warning(String(text.dropFirst(mark.count)))) }
    shown.report(text)
  }
  public var showsProgress: Bool { shown.showsProgress }
  public func showProgress(_ line: String?) { shown.showProgress(line) }

  public func narrate(_ markdown: String) {
    keep(.text(markdown))
    shown.narrate(markdown)
  }

  public func execute(_ statement: Span) {
    keep(.statement(statement))
    shown.execute(statement)
  }

  public func show(picture name: String, at path: String) {
    // Read now: another figure may be drawn to the same file later.
    keep(.picture(name: name, bytes: try? readFile(path, limit: 1 << 28)))
    shown.show(picture: name, at: path)
  }
}
