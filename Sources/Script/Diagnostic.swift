/// An error in words, ready to be drawn.
public struct Diagnostic: Hashable, Sendable {
  /// Stable, and never made from what the script says.
  public let code: String
  /// The problem, in one line.
  public let title: String
  public let span: Span?
  /// One thing that can be typed.
  public let hint: String?
  /// Another place that matters, and why.
  public let note: Note?
  /// What could stand there, where that is a long list.
  public let list: String?

  public struct Note: Hashable, Sendable {
    public let text: String
    public let span: Span
  }

  init(_ code: String, _ title: String, at span: Span?, hint: String? = nil, note: Note? = nil, list: String? = nil) {
    (self.code, self.title, self.span) = (code, Self.cut(title), span)
    (self.hint, self.note, self.list) = (hint.map(Self.cut), note, list)
  }

  /// A script may hold names of any length; a message has one line.
  private static func cut(_ text: String) -> String {
    guard text.utf8.count > 1000 else { return text }
    return "\(text.prefix(300)) … \(text.suffix(200))"
  }
}
