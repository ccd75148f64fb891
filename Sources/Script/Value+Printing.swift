import Foundation

extension Value {
  /// A number as people write it: at most 15 digits, so `0.1 + 0.2` is 0.3; integers without a point.
  public static func text(of number: Double) -> String { text(of: number, digits: 15) }

  /// A number with at most so many digits; integers keep all of theirs.
  static func text(of number: Double, digits: Int) -> String {
    if number.isNaN { return "nan" }
    if number.isInfinite { return number < 0 ? "-inf" : "inf" }
    if number.rounded() == number, abs(number) < 1e15 { return String(Int64(number)) }
    let text = String(format: "%.*g", digits, number)
    guard let mark = text.firstIndex(of: "e") else { return text }
    guard let exponent = Int(text[text.index(after: mark)...]) else { return text }
    return "\(text[..<mark])e\(exponent)"
  }

  /// How `print` shows it: strings without quotes, long lists and records cut, which `… 60 more` says.
  public var text: String {
    switch self {
    case .string(let string): return string
    case .object(let object): return object.text
    default: return literal
    }
  }

  /// All of it as text: what `string`, `"\(…)"`, `join` and files get.
  /// - Throws: `ScriptError.tooLarge` where that is longer than a string may be.
  public func whole(at span: @autoclosure () -> Span) throws(ScriptError) -> String {
    switch self {
    case .string(let string): return string
    case .object(let object): return object.text
    default:
      var writer = ValueWriter(budget: Operators.longestString, isWhole: true)
      writer.write(self)
      try Operators.checkLength(writer.text.utf8.count, at: span())
      return writer.text
    }
  }

  /// How a script would write it, on one line, cut where it is long.
  public var literal: String {
    var writer = ValueWriter(budget: 4000)
    writer.write(self)
    return writer.text
  }

  /// How the prompt shows it: lists of records as a table, strings in quotes.
  public var shown: String { shown(width: nil) }

  /// The same for lines of so many characters, into which tables are made to fit.
  public func shown(width: Int?) -> String { shownPieces.text(width: width) }

  /// The same in parts, where some of them are tables.
  public var shownPieces: [OutputPiece] {
    switch self {
    case .object(let object): object.pieces
    case .list(let list): [Table(list.elements).map(OutputPiece.table) ?? .text(literal)]
    default: [.text(literal)]
    }
  }

  static func quoted(_ string: some StringProtocol) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case "\0": text += "\\0"
      default:
        if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
          text += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    return text + "\""
  }
}

extension Value: CustomStringConvertible {
  public var description: String { literal }
}

/// Writes a value within a budget. What does not fit becomes `…`; of what should be whole a little too much is written.
private struct ValueWriter {
  private(set) var text = ""
  private var budget: Int
  /// Of a long list the first and the last elements are shown.
  private static let mostElements = 40
  private static let mostShownAtEnd = 3

  private let isWhole: Bool

  init(budget: Int, isWhole: Bool = false) { (self.budget, self.isWhole) = (budget, isWhole) }

  private mutating func put(_ piece: String) {
    text += piece
    budget -= piece.utf8.count
  }

  mutating func write(_ value: Value) {
    guard budget > 0 else { return isWhole ? () : put("…") }
    switch value {
    case .none: put("none")
    case .bool(let bool): put(bool ? "true" : "false")
    case .number(let number): put(Value.text(of: number))
    case .string(let string):
      let shown = isWhole ? string[...] : string.prefix(max(20, budget))
      put(Value.quoted(shown) + (shown.endIndex < string.endIndex ? "…" : ""))
    case .range(let range):
      let last = range.end.map { "..<\(Value.text(of: $0))" } ?? "...\(Value.text(of: range.upper))"
      put(Value.text(of: range.lower) + last)
    case .function(let function):
      put(
        "\(function.name == "function" ? "" : function.name)(\(function.parameterNames.joined(separator: ", "))) => …")
    case .object(let object): put(object.summary)
    case .list(let list): writeList(list.elements)
    case .record(let record):
      put("{")
      for (index, (name, value)) in record.fields.enumerated() {
        put(index == 0 ? " " : ", ")
        guard budget > 0, isWhole || index < Self.mostElements else {
          if !isWhole { put("… \(record.count - index) more") }
          break
        }
        put("\(isName(name) ? name : Value.quoted(name)): ")
        write(value)
      }
      put(record.count == 0 ? "}" : " }")
    }
  }

  private mutating func writeList(_ elements: [Value]) {
    put("[")
    var index = 0
    while index < elements.count {
      if index > 0 { put(", ") }
      let left = elements.count - index
      if isWhole {
        guard budget > 0 else { return }
      } else if budget <= 0 || (index >= Self.mostElements - Self.mostShownAtEnd && left > Self.mostShownAtEnd + 1) {
        let skipped = budget <= 0 ? left : left - Self.mostShownAtEnd
        put("… \(skipped) more")
        index += skipped
        continue
      }
      write(elements[index])
      index += 1
    }
    put("]")
  }

  private func isName(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, first == "_" || first.properties.isXIDStart else { return false }
    return text.unicodeScalars.allSatisfy { $0 == "_" || $0.properties.isXIDContinue }
  }
}

extension Value {
  /// The row that it is in a table: a record, or what an object says of itself.
  public var row: Record? {
    switch self {
    case .record(let record): record
    case .object(let object): object.row
    default: nil
    }
  }
}

/// Records with the same fields, as rows under a head.
public struct Table: Sendable {
  public let columns: [String]
  public let rows: [[Value]]
  private static let mostRows = 60

  /// Makes a table of values that are all records of the same names, or objects whose rows are; nil where they are not.
  public init?(_ values: [Value]) {
    guard let first = values.first?.row, first.count > 0 else { return nil }
    var rows: [[Value]] = []
    for value in values {
      guard let record = value.row, record.names == first.names else { return nil }
      rows.append(record.values)
    }
    columns = first.names
    self.rows = rows
  }

  public init(columns: [String], rows: [[Value]]) { (self.columns, self.rows) = (columns, rows) }

  /// Numbers stand to the right, all else to the left; two spaces between columns.
  public var text: String { text(width: nil) }

  /// The same in lines of at most so many characters: columns that do not fit follow below, behind the first column again.
  public func text(width: Int?) -> String {
    let shown = rows.count > Self.mostRows ? Array(rows.prefix(Self.mostRows - 10)) : rows
    let cells = [columns] + shown.map { $0.map(Self.cell) }
    let widths = columns.indices.map { column in cells.map { DisplayWidth.of($0[column]) }.max() ?? 0 }
    var blocks: [[Int]] = [[]]
    var taken = 0
    for column in columns.indices {
      if let width, taken + widths[column] > width, blocks[blocks.count - 1].count > (blocks.count > 1 ? 1 : 0), column > 1 {
        blocks.append([0])
        taken = widths[0] + 2
      }
      blocks[blocks.count - 1].append(column)
      taken += widths[column] + 2
    }
    var text = blocks.map { block in
      cells.map { Self.line($0, block, widths, isNumeric) }.joined(separator: "\n")
    }.joined(separator: "\n\n")
    if shown.count < rows.count { text += "\n… \(rows.count - shown.count) more rows" }
    return text
  }

  /// What its cells say, the first rows of a long table alone.
  public var cells: (rows: [[String]], omitted: Int) {
    let shown = rows.prefix(rows.count > Self.mostRows * 10 ? Self.mostRows * 10 - 10 : rows.count)
    return (shown.map { $0.map { Self.cell($0, limit: 400) } }, rows.count - shown.count)
  }

  private static func cell(_ value: Value) -> String { cell(value, limit: 60) }

  /// Six digits of a number are enough to compare; the value itself has all.
  private static func cell(_ value: Value, limit: Int) -> String {
    let text =
      switch value.plain {
      case .object(let object): object.summary
      case .number(let number): Value.text(of: number, digits: 6)
      case .none: "-"
      default: value.text
      }
    return text.count > limit ? text.prefix(limit - 1) + "…" : text
  }

  private var isNumeric: [Bool] {
    columns.indices.map { column in
      rows.allSatisfy {
        switch $0[column] {
        case .number, .none: true
        case let value: value.isNumberObject
        }
      }
    }
  }

  private static func line(_ row: [String], _ block: [Int], _ widths: [Int], _ isNumeric: [Bool]) -> String {
    var line = ""
    for (place, column) in block.enumerated() {
      if place > 0 { line += "  " }
      let padding = String(repeating: " ", count: widths[column] - DisplayWidth.of(row[column]))
      line += isNumeric[column] ? padding + row[column] : row[column] + padding
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}

/// How many columns of a terminal text takes.
package enum DisplayWidth {
  package static func of(_ text: some StringProtocol) -> Int { text.reduce(0) { $0 + of($1) } }

  package static func of(_ character: Character) -> Int { character.unicodeScalars.first.map { of($0) } ?? 0 }

  /// As terminals see it, which know no clusters.
  package static func of(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: return 0
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      return 2
    default:
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .format: return 0
      default: return 1
      }
    }
  }
}
