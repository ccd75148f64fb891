/// Where a script's words go.
public protocol ScriptOutput: Sendable {
  /// Takes what the script prints; a line, or several, without the last line's end.
  func print(_ text: String)
  /// Takes what the script prints where parts of it are tables.
  func print(_ pieces: [OutputPiece])
  /// How many characters a line should have at most; nil where that does not matter.
  var width: Int? { get }
  /// Bits of the colours that text may have: 24, 8 for the 256 of xterm, 0 for none.
  var colorBits: Int { get }
  /// Takes a message beside the results, such as progress.
  func report(_ text: String)
  /// Whether there is a line for progress that changes in place.
  var showsProgress: Bool { get }
  /// Shows one line of progress in the place of the one before; nil takes it away.
  func showProgress(_ line: String?)
  /// Takes the Markdown of a `##` line when the run gets there.
  func narrate(_ markdown: String)
  /// Takes where a statement of the script itself stands when the run gets there; a `##` line is one too.
  func execute(_ statement: Span)
  /// Takes an image that was drawn: its name in the script, and where it lies.
  func show(picture name: String, at path: String)
}

extension ScriptOutput {
  public var width: Int? { nil }
  public var colorBits: Int { 0 }
  public func print(_ pieces: [OutputPiece]) { print(pieces.text(width: width)) }
  public func report(_ text: String) {}
  public var showsProgress: Bool { false }
  public func showProgress(_ line: String?) {}
  public func narrate(_ markdown: String) {}
  public func execute(_ statement: Span) {}
  public func show(picture name: String, at path: String) {}
}
