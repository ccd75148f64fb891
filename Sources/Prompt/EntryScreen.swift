/// What of an entry is on the terminal, and what has to be written to show another state of it.
///
/// Only rows that differ are written again. Of an entry higher than the screen, the part around the cursor is shown until
/// it is done.
package struct EntryScreen {
  private var rows: [EntryLayout.Row] = []
  /// Among `rows`.
  private var cursor = (row: 0, column: 0)
  private var columns = 0
  /// Which row of the entry is the first that is shown.
  private var first = 0

  package init() {}

  /// Begins where the cursor is: at the start of a line with nothing of the entry on the screen.
  package mutating func forget() { self = EntryScreen() }

  /// Goes on at the first row of the screen, which was cleared.
  package mutating func update(_ layout: EntryLayout, height: Int) -> String {
    let height = max(1, height)
    if layout.cursor.row < first { first = layout.cursor.row }
    if layout.cursor.row >= first + height { first = layout.cursor.row - height + 1 }
    first = max(0, min(first, layout.rows.count - height))
    let shown = Array(layout.rows[first..<min(layout.rows.count, first + height)])
    return show(shown, cursor: (layout.cursor.row - first, layout.cursor.column), columns: layout.columns)
  }

  /// Shows the whole entry, higher than the screen or not, with the cursor behind it on a line of its own.
  package mutating func finish(_ layout: EntryLayout) -> String {
    var rows = layout.rows
    // Where the end of a full row made one for the cursor.
    if rows.count > 1, rows.last?.width == 0 { rows.removeLast() }
    let text: String
    if first == 0 || rows.count <= self.rows.count {
      text = show(rows, cursor: (rows.count - 1, 0), columns: layout.columns)
    } else {
      text = move(to: 0) + "\r\u{1B}[J" + rows.map(\.text).joined(separator: "\r\n")
    }
    forget()
    return text + "\r\n"
  }

  /// What brings the cursor below the entry, for other text that follows.
  package mutating func leave() -> String {
    defer { forget() }
    return rows.isEmpty ? "" : move(to: rows.count - 1) + "\r\n"
  }

  private mutating func show(
    _ shown: [EntryLayout.Row], cursor target: (row: Int, column: Int), columns: Int
  ) -> String {
    var text = ""
    if columns != self.columns, self.columns != 0 {
      // The terminal has broken longer rows anew; ours end with line ends, so shorter ones stay.
      let above = rows.prefix(cursor.row).reduce(0) { $0 + max(1, ($1.width + columns - 1) / columns) }
      let up = above + cursor.column / columns
      text += "\r" + (up > 0 ? "\u{1B}[\(up)A" : "") + "\u{1B}[J"
      (rows, cursor) = ([], (0, 0))
    }
    self.columns = columns
    if rows.isEmpty { text += "\r" }
    for (place, row) in shown.enumerated() {
      if place < rows.count {
        guard rows[place] != row else { continue }
        // Cleared first: at the end of a full row, clearing would take its last character.
        text += move(to: place) + "\r\u{1B}[K" + row.text
      } else {
        text += (place == 0 ? "" : move(to: place - 1) + "\r\n") + row.text
      }
      cursor.row = place
    }
    if rows.count > shown.count { text += move(to: shown.count) + "\r\u{1B}[J" }
    rows = shown
    text += move(to: target.row) + "\r" + (target.column > 0 ? "\u{1B}[\(target.column)C" : "")
    cursor = target
    return text
  }

  /// Up or down, in whatever column.
  private mutating func move(to row: Int) -> String {
    defer { cursor.row = row }
    if row < cursor.row { return "\u{1B}[\(cursor.row - row)A" }
    return row > cursor.row ? "\u{1B}[\(row - cursor.row)B" : ""
  }
}
