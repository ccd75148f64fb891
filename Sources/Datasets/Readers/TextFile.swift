import Tensors

/// A file of text, line by line: UTF-8, with or without a mark of it, lines that end as on Unix, Windows or the old Mac.
struct TextFile {
  let path: String
  private let text: Substring

  /// - Parameter limit: Bytes; more are refused.
  /// - Throws: `DatasetError.missing`, `.unreadable`; `.malformed` where it is not UTF-8.
  init(_ path: String, limit: Int) throws(DatasetError) {
    self.path = path
    let bytes = try fileBytes(path, limit: limit)
    guard !bytes.starts(with: [0xFF, 0xFE]), !bytes.starts(with: [0xFE, 0xFF]) else {
      throw .malformed(path: path, problem: "it is UTF-16; save it as UTF-8")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .malformed(path: path, problem: "it is not UTF-8")
    }
    self.text = text.unicodeScalars.first == "\u{FEFF}" ? Substring(text.unicodeScalars.dropFirst()) : text[...]
  }

  /// A line that holds something, without spaces at its ends.
  struct Line {
    /// From 1.
    let number: Int
    let text: Substring
  }

  private static func isLineEnd(_ character: Character) -> Bool { ["\n", "\r\n", "\r"].contains(character) }

  var lines: [Line] {
    text.split(omittingEmptySubsequences: false, whereSeparator: Self.isLineEnd).enumerated().compactMap { place, line in
      let start = line.drop(while: \.isWhitespace)
      guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return nil }
      return Line(number: place + 1, text: start[...last])
    }
  }

  /// A row of a table, without spaces at the ends of its fields.
  struct Row {
    /// Of its first line, from 1.
    let number: Int
    let fields: [String]
  }

  /// The rows of a table in the form of RFC 4180: fields between commas, in quotes where they hold commas, quotes, which
  /// are doubled, or ends of lines. Empty rows are left out.
  /// - Throws: `DatasetError.malformed` for a quote that does not end, or with something behind it.
  func rows() throws(DatasetError) -> [Row] {
    func malformed(_ line: Int, _ problem: String) -> DatasetError {
      .malformed(path: path, problem: "line \(line): \(problem)")
    }
    var rows: [Row] = []
    var (fields, field): ([String], String) = ([], "")
    var (line, first) = (1, 1)
    enum State { case bare, quoted, behindQuote }
    var state = State.bare
    func trimmed(_ field: String) -> String {
      let start = field.drop(while: \.isWhitespace)
      return start.lastIndex { !$0.isWhitespace }.map { String(start[...$0]) } ?? ""
    }
    func endField() {
      // What is quoted is meant as it stands.
      fields.append(state == .behindQuote ? field : trimmed(field))
      (field, state) = ("", .bare)
    }
    func endRow() {
      endField()
      if fields != [""] { rows.append(Row(number: first, fields: fields)) }
      fields = []
    }
    for character in text {
      switch (state, character) {
      case (.quoted, "\""): state = .behindQuote
      case (.quoted, _):
        if Self.isLineEnd(character) { line += 1 }
        field.append(character)
      case (.behindQuote, "\""):
        field.append(character)
        state = .quoted
      case (_, ","): endField()
      case (_, _) where Self.isLineEnd(character):
        endRow()
        line += 1
        first = line
      case (.bare, "\"") where trimmed(field).isEmpty: (field, state) = ("", .quoted)
      case (.bare, _): field.append(character)
      case (.behindQuote, _):
        guard character.isWhitespace else { throw malformed(line, "something follows a quoted field") }
      }
    }
    guard state != .quoted else { throw malformed(first, "a quote does not end") }
    if !field.isEmpty || !fields.isEmpty || state != .bare { endRow() }
    return rows
  }
}
