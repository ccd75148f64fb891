import Prompt
import Script
import Testing

/// A terminal in memory: as much of one as the editor of entries uses.
private struct Emulator {
  struct Cell: Equatable { var character: Character = " " }
  private(set) var rows: [[Character]]
  private(set) var row = 0, column = 0
  let columns: Int
  /// After the last column of a row: the next character goes to the next row.
  private var wraps = false
  private(set) var unknown = ""

  init(columns: Int, height: Int) {
    self.columns = columns
    rows = Array(repeating: Array(repeating: " ", count: columns), count: height)
  }

  var text: [String] { rows.map { String($0.filter { $0 != "\0" }) } }

  private mutating func lineFeed() {
    if row + 1 < rows.count { row += 1 } else {
      rows.removeFirst()
      rows.append(Array(repeating: " ", count: columns))
    }
  }

  mutating func write(_ text: String) {
    var scalars = Array(text.unicodeScalars)[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\r": (column, wraps) = (0, false)
      case "\n":
        lineFeed()
        wraps = false
      case "\u{1B}": escape(&scalars)
      default: put(scalar)
      }
    }
  }

  private mutating func put(_ scalar: Unicode.Scalar) {
    let width = DisplayWidth.of(scalar)
    if width == 0 {
      // On what stands before it.
      let place = wraps ? columns - 1 : max(0, column - 1)
      let base = rows[row][place] == "\0" ? place - 1 : place
      rows[row][base].unicodeScalars.append(scalar)
      return
    }
    if wraps || column + width > columns {
      lineFeed()
      (column, wraps) = (0, false)
    }
    rows[row][column] = Character(scalar)
    if width == 2 { rows[row][column + 1] = "\0" }
    column += width
    if column == columns { (column, wraps) = (columns - 1, true) }
  }

  private mutating func escape(_ scalars: inout ArraySlice<Unicode.Scalar>) {
    guard scalars.popFirst() == "[" else { return unknown += "?" }
    var number = ""
    while let scalar = scalars.popFirst() {
      if ("0"..."9").contains(scalar) || scalar == ";" {
        number.unicodeScalars.append(scalar)
        continue
      }
      let count = Int(number) ?? 1
      switch scalar {
      case "m": break
      case "A": (row, wraps) = (max(0, row - count), false)
      case "B": (row, wraps) = (min(rows.count - 1, row + count), false)
      case "C": (column, wraps) = (min(columns - 1, column + count), false)
      case "K": for place in column..<columns { rows[row][place] = " " }
      case "J":
        for place in column..<columns { rows[row][place] = " " }
        for below in rows.indices where below > row { rows[below] = Array(repeating: " ", count: columns) }
      default: unknown.unicodeScalars.append(scalar)
      }
      return
    }
  }
}

extension Character {
  fileprivate var unicodeScalars: String.UnicodeScalarView {
    get { String(self).unicodeScalars }
    set { self = Character(String(newValue)) }
  }
}

@Suite("An entry on the screen")
struct ScreenTests {
  /// What is typed one after the other; long, wide, combining, with control characters and colours.
  static let texts = [
    "", "x", "x = train(net, data)", "fn f(a) {\n  a * 2\n}", "fn f(a) {\n  a * 2\n}\nf(\"日本語のテキスト\") # 日本語",
    String(repeating: "x + ", count: 60) + "1", "\n\n\n", "e\u{301}\u{302}te\u{301} = \"\u{1F600}\"", "a\tb\u{7}c",
    "日本語日本語日本語日本語日本語日本語日本語日本語", "if x {\n  \"open", (1...30).map { "line\($0) = \($0)" }.joined(separator: "\n"), "y",
  ]

  private func layout(_ text: String, _ cursor: Int?, _ columns: Int, _ palette: EntryPalette) -> EntryLayout {
    EntryLayout(
      prompt: Transcript.prompt, continuation: Transcript.continuation, text: text, cursor: cursor, columns: columns, palette: palette)
  }

  /// Rows without colours, as wide as the screen.
  private func plain(_ layout: EntryLayout) -> [String] {
    layout.rows.map { row in
      var (text, rest) = ("", row.text[...])
      while let start = rest.firstIndex(of: "\u{1B}") {
        text += rest[..<start]
        rest = rest[start...].drop { $0 != "m" }.dropFirst()
      }
      text += rest
      return text + String(repeating: " ", count: max(0, layout.columns - row.width))
    }
  }

  @Test("the screen shows the entry and the cursor whatever it showed before", arguments: [13, 20, 40, 80], [EntryPalette.none, .eight, .extended])
  func updates(_ columns: Int, _ palette: EntryPalette) {
    let height = 8
    for before in Self.texts {
      for text in Self.texts {
        var (screen, emulator) = (EntryScreen(), Emulator(columns: columns, height: height))
        emulator.write("other\r\n")
        emulator.write(screen.update(layout(before, before.utf8.count, columns, palette), height: height))
        for cursor in Set([0, 1, text.utf8.count / 2, text.utf8.count]) where text.utf8.count >= cursor {
          guard text.utf8.index(text.startIndex, offsetBy: cursor).samePosition(in: text.unicodeScalars) != nil else { continue }
          let layout = layout(text, cursor, columns, palette)
          emulator.write(screen.update(layout, height: height))
          let rows = plain(layout)
          // As much of it as fits, with the cursor's row.
          let place = rows.indices.first { start in
            let shown = rows[start...].prefix(height)
            return emulator.text.indices.contains(emulator.row - layout.cursor.row + start)
              && emulator.text.dropFirst(emulator.row - layout.cursor.row + start).prefix(shown.count).elementsEqual(shown)
              && (start == 0 || shown.count == height)
          }
          #expect(place != nil, "\(columns): \(emulator.text) is not \(rows)")
          #expect(emulator.column == layout.cursor.column && emulator.unknown.isEmpty)
        }
      }
    }
  }

  @Test("a finished entry stands whole above the cursor, also one that is higher than the screen", arguments: [13, 40])
  func finish(_ columns: Int) {
    for text in Self.texts {
      var (screen, emulator) = (EntryScreen(), Emulator(columns: columns, height: 200))
      emulator.write(screen.update(layout(text, 0, columns, .extended), height: 8))
      emulator.write(screen.update(layout(text, text.utf8.count, columns, .extended), height: 8))
      let layout = layout(text, nil, columns, .extended)
      emulator.write(screen.finish(layout))
      var rows = plain(layout)
      if rows.count > 1, layout.rows.last?.width == 0 { rows.removeLast() }
      #expect(Array(emulator.text.prefix(rows.count)) == rows)
      #expect(emulator.row == rows.count && emulator.column == 0)
    }
  }

  @Test("no row is wider than the terminal, and the rows together are the entry", arguments: [2, 3, 7, 80])
  func rows(_ columns: Int) {
    for text in Self.texts {
      let layout = layout(text, text.utf8.count, columns, .none)
      #expect(layout.rows.allSatisfy { $0.width <= columns })
      #expect(layout.cursor.column < columns && layout.cursor.row < layout.rows.count)
    }
  }

  @Test("what the terminal has no colours for is written without")
  func noColors() {
    for text in Self.texts { #expect(layout(text, 0, 80, .none).rows.allSatisfy { !$0.text.contains("\u{1B}") }) }
    let colored = layout("x = train(net, 5) # a", nil, 80, .extended).rows[0].text
    #expect(colored.contains("\u{1B}[38;5;130m5") && colored.contains("\u{1B}[38;5;244m# a"))
    #expect(layout("f(x)", 4, 80, .eight).rows[0].text.contains("\u{1B}[1;4m("))
    #expect(layout("x = \"a", 6, 80, .eight).rows[0].text.contains("\u{1B}[32m\"a"))
    #expect(layout(":time f(2)", 10, 80, .extended).rows[0].text.contains("\u{1B}[38;5;133m:time"))
  }

  @Test("the cursor goes to the nearest column of the line above or below, and nowhere behind the first and the last")
  func lines() {
    let lines = EntryLines("abc\n日本\n\nabcdef")
    #expect(lines.place(from: 3, by: 1) == 4 + "日".utf8.count)
    #expect(lines.place(from: 0, by: -1) == nil && lines.place(from: 4 + 6, by: 1) == 11)
    #expect(lines.place(from: 11, by: 1) == 12 && lines.place(from: 18, by: 1) == nil)
    #expect(lines.place(from: 4 + 6, by: -1) == 3)
  }
}
