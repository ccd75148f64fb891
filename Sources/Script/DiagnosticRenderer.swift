/// Draws errors for people: the place, the line with the place marked, the hint, the chain of calls.
public struct DiagnosticRenderer: Sendable {
  /// Whether to use colours; the caller knows whether it writes to a terminal.
  public var usesColor: Bool
  /// The widest line of a script that is shown whole. Columns.
  public var width: Int

  public init(usesColor: Bool = false, width: Int = 100) {
    self.usesColor = usesColor
    self.width = max(40, width)
  }

  /// All errors of a failure, with the calls on the way to it.
  public func render(_ failure: ScriptFailure) -> String {
    var text = failure.errors.map { render($0) }.joined(separator: "\n")
    if !failure.calls.isEmpty { text += chain(failure.calls) }
    return text
  }

  public func render(_ error: ScriptError) -> String { render(error.diagnostic) }

  public func render(_ diagnostic: Diagnostic) -> String {
    var text = red("error[\(diagnostic.code)]") + bold(": \(printable(diagnostic.title))") + "\n"
    if let span = diagnostic.span {
      text += excerpt(span, mark: "^", label: diagnostic.hint, color: red)
    } else if let hint = diagnostic.hint {
      text += "  hint: \(printable(hint))\n"
    }
    if let list = diagnostic.list { text += wrapped(list) }
    if let note = diagnostic.note { text += excerpt(note.span, mark: "-", label: note.text, color: blue) }
    return text
  }

  // MARK: Parts

  private func excerpt(_ span: Span, mark: Character, label: String?, color: (String) -> String) -> String {
    let number = span.line
    let range = span.source.range(ofLine: number - 1)
    let gutter = String(repeating: " ", count: "\(number)".count)
    let (line, marked) = cut(span, range)
    let label = label.map { " " + printable($0) } ?? ""
    let indent = String(repeating: " ", count: marked.lowerBound)
    let marks = String(repeating: mark, count: max(1, marked.count))
    return """
      \(blue("\(gutter)-->")) \(span.source.name):\(number):\(span.column)
      \(blue("\(number) |")) \(line)
      \(blue("\(gutter) |")) \(indent)\(color(marks + label))

      """
  }

  /// The line as it is shown, cut around the mark where it is long, and the columns of the mark.
  private func cut(_ span: Span, _ range: Range<Int>) -> (line: String, marked: Range<Int>) {
    // Of a line of megabytes only what stands around the mark is ever looked at.
    let reach = width * 4
    var first = max(range.lowerBound, min(span.range.lowerBound, range.upperBound) - reach)
    var last = min(range.upperBound, max(span.range.lowerBound, range.lowerBound) + reach)
    while first > range.lowerBound, span.source.bytes[first] & 0xC0 == 0x80 { first -= 1 }
    while last < range.upperBound, span.source.bytes[last] & 0xC0 == 0x80 { last += 1 }

    var cells: [(text: String, width: Int)] = []
    var (from, to) = (0, 0)
    var offset = first
    var column = 0
    for character in span.source.text(first..<last) {
      if offset <= span.range.lowerBound { from = cells.count }
      if offset < span.range.upperBound { to = cells.count + 1 }
      if character == "\t" {
        let spaces = 4 - column % 4
        cells.append((String(repeating: " ", count: spaces), spaces))
        column += spaces
      } else {
        let shown = printable(String(character))
        let itsWidth = DisplayWidth.of(shown)
        cells.append((shown, itsWidth))
        column += itsWidth
      }
      offset += String(character).utf8.count
    }
    if offset <= span.range.lowerBound { from = cells.count }
    to = max(to, from)

    // Keep the mark in sight: two thirds of the room go to what stands before it.
    var (start, end) = (0, cells.count)
    func total(_ range: Range<Int>) -> Int { cells[range].reduce(0) { $0 + $1.width } }
    if column > width {
      start = from
      var room = width * 2 / 3
      while start > 0, room > cells[start - 1].width {
        start -= 1
        room -= cells[start].width
      }
      end = start
      var left = width
      while end < cells.count, left > cells[end].width {
        left -= cells[end].width
        end += 1
      }
    }
    let before = start > 0 || first > range.lowerBound ? "…" : ""
    let after = end < cells.count || last < range.upperBound ? "…" : ""
    let line = before + cells[start..<end].map(\.text).joined() + after
    let markStart = before.count + total(start..<min(max(from, start), end))
    let markEnd = before.count + total(start..<min(max(to, start), end))
    return (line, markStart..<max(markStart, markEnd))
  }

  /// Words in lines, set in by two characters.
  private func wrapped(_ text: String) -> String {
    var lines = [" "]
    var taken = 1
    for word in printable(text).split(separator: " ") {
      if taken + 1 + word.count > width, taken > 1 {
        lines.append("   ")
        taken = 3
      }
      lines[lines.count - 1] += " " + word
      taken += 1 + word.count
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let mostCalls = 12

  private func chain(_ calls: [CallSite]) -> String {
    var text = ""
    let half = Self.mostCalls / 2
    for (index, call) in calls.enumerated() {
      if calls.count > Self.mostCalls, index >= half, index < calls.count - half {
        if index == half { text += "  … \(calls.count - Self.mostCalls) more calls …\n" }
        continue
      }
      text += "  in '\(call.function)', called at \(call.at.source.name):\(call.at.line):\(call.at.column)\n"
    }
    return text
  }

  /// Control characters would move the cursor or worse.
  private func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x0A, 0x09: result.unicodeScalars.append(" ")
      case 0..<0x20: result.unicodeScalars.append(Unicode.Scalar(0x2400 + scalar.value) ?? " ")
      case 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private func red(_ text: String) -> String { usesColor ? "\u{1B}[1;31m\(text)\u{1B}[0m" : text }
  private func blue(_ text: String) -> String { usesColor ? "\u{1B}[34m\(text)\u{1B}[0m" : text }
  private func bold(_ text: String) -> String { usesColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
}
