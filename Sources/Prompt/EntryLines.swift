internal import Script

/// The lines of an entry, for a cursor that goes from one to another.
package struct EntryLines {
  private let lines: [Substring.UTF8View]

  package init(_ text: String) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(\.utf8)
  }

  /// The place in the line above or below that is nearest to a cursor's column; nil where there is no such line.
  /// - Parameter cursor: Bytes of the text before the cursor.
  package func place(from cursor: Int, by step: Int) -> Int? {
    var (line, start) = (0, 0)
    while line + 1 < lines.count, cursor > start + lines[line].count {
      start += lines[line].count + 1
      line += 1
    }
    guard lines.indices.contains(line + step) else { return nil }
    let before = String(decoding: lines[line].prefix(max(0, cursor - start)), as: UTF8.self)
    let wanted = DisplayWidth.of(before)
    let target = lines[..<(line + step)].reduce(0) { $0 + $1.count + 1 }
    var (column, bytes) = (0, 0)
    for character in String(decoding: lines[line + step], as: UTF8.self) {
      let width = DisplayWidth.of(character)
      if column + width > wanted { break }
      column += width
      bytes += character.utf8.count
    }
    return target + bytes
  }
}
