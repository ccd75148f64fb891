internal import Script

/// How an entry stands on a terminal: rows behind prompts, broken where the terminal ends, and where the cursor is.
package struct EntryLayout: Equatable {
  package struct Row: Equatable {
    /// With colours, which end within the row.
    package var text = ""
    /// Columns.
    package var width = 0
  }
  package private(set) var rows: [Row] = [Row()]
  package private(set) var cursor = (row: 0, column: 0)
  package let columns: Int

  package static func == (a: Self, b: Self) -> Bool {
    a.rows == b.rows && a.cursor == b.cursor && a.columns == b.columns
  }

  /// - Parameters:
  ///   - prompt: What stands before the first line.
  ///   - continuation: What stands before each other line.
  ///   - cursor: Bytes of the text before the cursor; nil for an entry that is done, of which no bracket is marked.
  ///   - columns: Of the terminal; at least 2.
  package init(
    prompt: String, continuation: String, text: String, cursor: Int?, columns: Int, palette: EntryPalette
  ) {
    self.columns = max(2, columns)
    var pen = Pen(columns: self.columns, palette: palette)
    pen.write(prompt, as: .prompt)
    var colors = EntryColors(text, cursor: cursor).stretches[...]
    var place = 0
    for scalar in text.unicodeScalars {
      if place == cursor { pen.mark() }
      while let stretch = colors.first, stretch.range.upperBound <= place { colors.removeFirst() }
      if scalar == "\n" {
        pen.endLine()
        pen.write(continuation, as: .prompt)
      } else {
        let style = colors.first.flatMap { $0.range.lowerBound <= place ? $0.style : nil }
        pen.write(scalar, as: style)
      }
      place += UTF8.width(scalar)
    }
    if cursor.map({ place <= $0 }) ?? true { pen.mark() }
    pen.style = nil
    (rows, self.cursor) = (pen.rows, pen.marked)
  }
}

/// Puts characters into rows.
private struct Pen {
  let columns: Int
  let palette: EntryPalette
  var rows = [EntryLayout.Row()]
  var marked = (row: 0, column: 0)
  /// Of what is written next; each row ends without one.
  var style: EntryStyle? {
    didSet {
      guard style != oldValue else { return }
      if let oldValue, !palette.begin(oldValue).isEmpty { rows[rows.count - 1].text += EntryPalette.end }
      if let style { rows[rows.count - 1].text += palette.begin(style) }
    }
  }

  init(columns: Int, palette: EntryPalette) { (self.columns, self.palette) = (columns, palette) }

  private var column: Int { rows[rows.count - 1].width }

  mutating func write(_ text: String, as style: EntryStyle) {
    for scalar in text.unicodeScalars { write(scalar, as: style) }
  }

  mutating func write(_ scalar: Unicode.Scalar, as style: EntryStyle?) {
    switch scalar.value {
    case 0x09:
      for _ in 0..<8 - column % 8 { put(" ", 1, style) }
    // Readline's marks around what has no width in a prompt.
    case 0x01 where style == .prompt, 0x02 where style == .prompt: break
    case 0..<0x20, 0x7F:
      put("^", 1, style)
      put(Character(Unicode.Scalar(UInt8(scalar.value ^ 0x40))), 1, style)
    case 0x80..<0xA0: put("?", 1, style)
    default: put(Character(scalar), DisplayWidth.of(scalar), style)
    }
  }

  private mutating func put(_ character: Character, _ width: Int, _ style: EntryStyle?) {
    if column + width > columns { endLine() }
    self.style = style
    rows[rows.count - 1].text.append(character)
    rows[rows.count - 1].width += width
  }

  mutating func endLine() {
    style = nil
    rows.append(EntryLayout.Row())
  }

  /// The cursor is here. Behind a full row it stands at the beginning of the next.
  mutating func mark() {
    if column >= columns { endLine() }
    marked = (rows.count - 1, column)
  }
}
