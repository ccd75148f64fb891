/// A table of the reference that a module makes from its own declarations.
public struct ReferenceTable: Sendable {
  public let title: String
  /// What the columns say, in sentences.
  public let text: String
  public let columns: [String]
  public let rows: [[String]]

  public init(_ title: String, _ text: String, columns: [String], rows: [[String]]) {
    precondition(rows.allSatisfy { $0.count == columns.count }, "a row of '\(title)' has not a cell for each column")
    (self.title, self.text, self.columns, self.rows) = (title, text, columns, rows)
  }

  /// In Markdown.
  var markdown: String {
    func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }
    return "## \(title)\n\n\(text)\n\n" + line(columns) + "|\(String(repeating: "---|", count: columns.count))\n"
      + rows.map { line($0.map { $0.replacing("|", with: "\\|") }) }.joined()
  }
}
