/// A part of what is printed: lines of text, or a table, which a page shows as one.
public enum OutputPiece: Sendable {
  /// Lines, without the last one's end.
  case text(String)
  case table(Table)
  /// A line of a table that is printed line by line: its cells, how it looks as text, and whether it is the head.
  case line(cells: [String], text: String, isHead: Bool)
}

extension [OutputPiece] {
  /// All of it as lines of text.
  /// - Parameter width: How many characters a line should have at most; nil where that does not matter.
  public func text(width: Int? = nil) -> String {
    map { piece in
      switch piece {
      case .text(let text): text
      case .table(let table): table.text(width: width)
      case .line(_, let text, _): text
      }
    }.joined(separator: "\n")
  }
}
