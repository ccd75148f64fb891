internal import Script

/// Comma-separated values, as RFC 4180 has them.
enum CSV {
  /// What is wrong, and the line it is on, from 1.
  struct Failure: Error {
    let problem: String
    let line: Int
  }

  // MARK: Reading

  /// A record for each row; the first row names the fields. Columns of numbers are numbers, and empty cells are none.
  static func records(of text: String, separator: Character = ",") throws(Failure) -> [Value] {
    let rows = try self.rows(of: text, separator: separator)
    guard let header = rows.first?.cells else { return [] }
    var seen = Set<String>()
    for name in header where !seen.insert(name).inserted {
      throw Failure(problem: "two columns are called '\(name)'", line: 1)
    }
    for row in rows where row.cells.count != header.count {
      throw Failure(problem: "there are \(row.cells.count) cells for \(header.count) columns", line: row.line)
    }
    let isNumeric = header.indices.map { column in
      rows.dropFirst().allSatisfy { $0.cells[column].isEmpty || number($0.cells[column]) != nil }
    }
    return rows.dropFirst().map { row in
      .record(
        Record(
          header.indices.map { column -> (String, Value) in
            let cell = row.cells[column]
            if cell.isEmpty { return (header[column], .none) }
            if isNumeric[column], let number = number(cell) { return (header[column], .number(number)) }
            return (header[column], .string(cell))
          }))
    }
  }

  /// The number that a cell holds, written as Reprise and other programs write numbers.
  private static func number(_ cell: String) -> Double? {
    switch cell.lowercased() {
    case "nan": return .nan
    case "inf", "+inf": return .infinity
    case "-inf": return -.infinity
    default:
      guard cell.utf8.allSatisfy("0123456789+-.eE".utf8.contains), let number = Double(cell), number.isFinite else {
        return nil
      }
      return number
    }
  }

  private static func rows(
    of text: String, separator: Character
  ) throws(Failure) -> [(cells: [String], line: Int)] {
    var rows: [(cells: [String], line: Int)] = []
    var (cells, cell): ([String], String) = ([], "")
    var (line, rowLine) = (1, 1)
    var (isQuoted, wasQuoted) = (false, false)
    var characters = text.makeIterator()
    var next = characters.next()
    func isEnd(_ character: Character) -> Bool { character == "\n" || character == "\r\n" || character == "\r" }
    func endRow() {
      if !(cells.isEmpty && cell.isEmpty && !wasQuoted) { rows.append((cells + [cell], rowLine)) }
      (cells, cell, wasQuoted) = ([], "", false)
    }
    while let character = next {
      next = characters.next()
      if isEnd(character) { line += 1 }
      if isQuoted {
        if character == "\"", next == "\"" {
          cell.append(character)
          next = characters.next()
        } else if character == "\"" {
          isQuoted = false
        } else {
          cell.append(character)
        }
      } else if character == "\"", cell.isEmpty, !wasQuoted {
        (isQuoted, wasQuoted) = (true, true)
      } else if character == separator {
        cells.append(cell)
        (cell, wasQuoted) = ("", false)
      } else if isEnd(character) {
        endRow()
        rowLine = line
      } else {
        cell.append(character)
      }
    }
    guard !isQuoted else { throw Failure(problem: "a cell that begins with \" does not end", line: rowLine) }
    endRow()
    return rows
  }

  // MARK: Writing

  /// A line for each row, with a first line that names the columns.
  ///
  /// - Returns: nil where the value is no table: neither a list of records, a list of lists, a list of single values, nor
  ///   a record of lists of one length or of single values.
  static func text(of value: Value) -> String? {
    if case .record(let record) = value { return text(of: record) }
    guard let elements = elements(of: value) else { return nil }
    let records = elements.compactMap(\.row)
    if !elements.isEmpty, records.count == elements.count {
      var (columns, seen): ([String], Set<String>) = ([], [])
      for name in records.flatMap(\.names) where seen.insert(name).inserted { columns.append(name) }
      return lines([columns] + records.map { record in columns.map { cell(record[$0] ?? .none) } })
    }
    guard records.isEmpty else { return nil }
    let lists = elements.compactMap(Self.elements)
    if !elements.isEmpty, lists.count == elements.count { return lines(lists.map { $0.map(cell) }) }
    return lists.isEmpty ? lines([["value"]] + elements.map { [cell($0)] }) : nil
  }

  private static func text(of record: Record) -> String? {
    let columns = record.values.compactMap(elements)
    if columns.isEmpty { return lines([record.names, record.values.map(cell)]) }
    guard columns.count == record.count, let count = columns.first?.count, columns.allSatisfy({ $0.count == count }) else {
      return nil
    }
    return lines([record.names] + (0..<count).map { row in columns.map { cell($0[row]) } })
  }

  private static func elements(of value: Value) -> [Value]? {
    switch value {
    case .list(let list): return list.elements
    case .range(let range) where range.count <= 10_000_000:
      return (0..<range.count).map { .number(range.lower + Double($0)) }
    case .object(let object) where object.number == nil: return object.elements
    default: return nil
    }
  }

  private static func cell(_ value: Value) -> String {
    switch value {
    case .none: ""
    case .string(let string): string
    case .number(let number): Value.text(of: number)
    case .object(let object) where object.number == nil && object.elements == nil: object.summary
    default: value.json
    }
  }

  private static func lines(_ rows: [[String]]) -> String {
    rows.map { row in row.map(quoted).joined(separator: ",") + "\n" }.joined()
  }

  private static func quoted(_ cell: String) -> String {
    let isPlain = !cell.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D].contains($0) }
    return isPlain ? cell : "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
