/// Markdown as TensorBoard shows it.
enum TensorBoardText {
  /// Text as it is, in lines of code.
  static func code(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }.joined(separator: "\n")
  }

  static func table(_ head: [String], _ rows: [[String]]) -> String {
    let rule = head.map { _ in "---" }
    return ([head, rule] + rows.map { $0.map(escaped) }).map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
  }

  /// Text that a cell shows as it is.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "|", "\\", "`", "*", "_", "[", "]", "#": result += "\\\(character)"
      case "<": result += "&lt;"
      case "&": result += "&amp;"
      case _ where character.isNewline: result += " "
      default: result.append(character)
      }
    }
    return result
  }
}
