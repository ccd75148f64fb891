/// Where a script's words go.
public protocol ScriptOutput: Sendable {
  /// Takes what the script prints; a line, or several, without the last line's end.
  func print(_ text: String)
  /// Takes a message beside the results, such as progress.
  func report(_ text: String)
  /// Takes the Markdown of a `##` line when the run gets there.
  func narrate(_ markdown: String)
}

extension ScriptOutput {
  public func report(_ text: String) {}
  public func narrate(_ markdown: String) {}
}
