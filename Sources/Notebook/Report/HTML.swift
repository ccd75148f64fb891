internal import Foundation
internal import Script

/// Text as a page may hold it.
enum HTML {
  static func escaped(_ text: some StringProtocol) -> String {
    var result = ""
    for character in visible(text) {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }

  /// Text with a sign in the place of each control character, which a page must not hold: `␛` for the escape of a
  /// terminal's colours. Marks that turn the direction of writing hide what a text says, and become `�`.
  static func visible(_ text: some StringProtocol) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x09, 0x0A: result.append(scalar)
      case 0..<0x20: result.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
      case 0x7F: result.append("\u{2421}")
      case 0x80..<0xA0, 0x202A...0x202E, 0x2066...0x2069: result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// A table, which its readers can scroll sideways where it is wide. Columns of numbers stand to the right.
  /// - Parameters:
  ///   - label: What a screen reader calls it.
  ///   - head: The names of the columns; empty for none.
  static func table(_ label: String, head: [String], rows: [[String]], remark: String = "") -> String {
    let count = max(head.count, rows.map(\.count).max() ?? 0)
    let isNumeric = (0..<count).map { column in
      rows.contains { column < $0.count && $0[column].contains(where: \.isNumber) }
        && rows.allSatisfy { column >= $0.count || isNumber($0[column]) }
    }
    func row(_ cells: [String], _ tag: String) -> String {
      let cells = (0..<count).map { column in
        let scope = tag == "th" ? " scope=\"col\"" : ""
        let text = column < cells.count ? cells[column] : ""
        // Short cells keep their line. Those that are broken get room for some words.
        let kind = isNumeric[column] ? " class=\"n\"" : text.count > longestLine ? " class=\"w\"" : ""
        return "<\(tag)\(scope)\(kind)>\(escaped(text))</\(tag)>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    let top = head.allSatisfy(\.isEmpty) ? "" : "<thead>\(row(head, "th"))</thead>\n"
    let lines = rows.map { row($0, "td") }.joined(separator: "\n")
    return scrolling(label, "<table>\n\(top)<tbody>\n\(lines)\n</tbody>\n</table>")
      + (remark.isEmpty ? "" : "\n<p class=\"remark\">\(escaped(remark))</p>")
  }

  /// A table of the language, with a remark where rows are left out.
  static func table(_ table: Table) -> String {
    let (rows, omitted) = table.cells
    return Self.table(
      "Table", head: table.columns, rows: rows, remark: omitted > 0 ? "… \(NumberText.grouped(omitted)) more rows" : "")
  }

  /// Something that may be wider than the page: the keyboard scrolls it too.
  static func scrolling(_ label: String, _ content: String) -> String {
    "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"\(escaped(label))\">\(content)</div>"
  }

  private static let longestLine = 36

  private static func isNumber(_ text: String) -> Bool {
    let marks: Set<Character> = ["-", "+", ".", ",", "%", " ", "e", "·", "–"]
    return ["nan", "inf", "-inf"].contains(text) || text.allSatisfy { $0.isNumber || marks.contains($0) }
  }
}
