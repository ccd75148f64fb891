/// The pieces of a script, and which of them begin lines.
struct Layout {
  private(set) var pieces: [FormatPiece]

  init(_ pieces: [FormatPiece]) { self.pieces = pieces }

  /// A line: its pieces, the columns before them, and the columns of all.
  struct Line {
    let range: Range<Int>
    let indentation: Int
    let width: Int
  }

  /// Moves breaks to where the layout has them, then breaks what is too wide until nothing can be broken.
  mutating func settle() {
    for _ in 0...pieces.count {
      normalize()
      var isSettled = true
      /// Lines before this piece were broken in this turn, or joined with such a line.
      var untouched = 0
      for line in lines where line.width > Formatter.width && line.range.lowerBound >= untouched {
        guard let end = breakLine(line) else { continue }
        (isSettled, untouched) = (false, end)
      }
      if isSettled { break }
    }
  }

  // MARK: The author's breaks

  private mutating func normalize() {
    for index in pieces.indices.dropFirst() {
      // What follows a comment or a line of the report, and such a line itself, begin a line.
      if pieces[index - 1].isComment || pieces[index - 1].isReportText || pieces[index].isReportText {
        pieces[index].beginsLine = true
      }
    }
    // Inner ones first: a block is broken where a bracket in it is.
    for index in pieces.indices.reversed() where pieces[index].opens {
      guard let partner = pieces[index].partner else { continue }
      settleBracket(index, partner)
    }
    for index in pieces.indices.dropFirst() {
      let (previous, piece) = (pieces[index - 1], pieces[index])
      // `} else`, on one line.
      if piece.keyword == .else, !previous.isComment { pieces[index].beginsLine = false }
      let isFree = !previous.isComment && !previous.isReportText
      if piece.symbol == .comma || piece.symbol == .colon || previous.symbol == .colon, isFree, !piece.isComment {
        pieces[index].beginsLine = false
      }
      if !pieces[index].beginsLine { pieces[index].followsEmptyLine = false }
      if previous.opens || piece.closes { pieces[index].followsEmptyLine = false }
    }
    if !pieces.isEmpty { (pieces[0].beginsLine, pieces[0].followsEmptyLine) = (true, false) }
  }

  private mutating func settleBracket(_ open: Int, _ close: Int) {
    guard close > open + 1 else {
      pieces[close].beginsLine = false
      return
    }
    if pieces[open].opensBlock {
      // A block stands on one line, or has its own.
      let isBroken = ((open + 1)...close).contains {
        pieces[$0].beginsLine && (pieces[$0].parent == open || $0 == close)
      }
      if isBroken { (pieces[open + 1].beginsLine, pieces[close].beginsLine) = (!isTrailing(open + 1), true) }
    } else {
      // What a bracket holds stands on its line, or on lines of its own, as the bracket's other side does then.
      let isBroken = pieces[close - 1].isComment || ((open + 1)..<close).contains {
        pieces[$0].beginsLine && pieces[$0].parent == open && !pieces[$0].closes
      }
      if isBroken, !isTrailing(open + 1) { pieces[open + 1].beginsLine = true }
      pieces[close].beginsLine = isBroken
    }
  }

  /// Whether a comment stands behind code, on its line.
  private func isTrailing(_ index: Int) -> Bool { pieces[index].isComment && !pieces[index].beginsLine }

  /// Makes a piece the first of its line.
  mutating func begin(_ index: Int) { pieces[index].beginsLine = true }
  /// Puts a piece on the line before its own.
  mutating func join(_ index: Int) { pieces[index].beginsLine = false }

  /// Whether a piece is not written: a comma before the bracket that closes on its line, a semicolon at a line's end. The
  /// one at a script's end stays: it says that the last value is not shown.
  func isDropped(_ index: Int) -> Bool {
    guard index + 1 < pieces.count else { return false }
    let next = pieces[index + 1]
    return switch pieces[index].symbol {
    case .comma: next.closes && !next.beginsLine
    case .semicolon: next.beginsLine || next.isComment || next.closes
    default: false
    }
  }

  // MARK: Lines

  /// The lines as they stand now.
  var lines: [Line] {
    var lines: [Line] = []
    /// The brackets that are open, with the columns of the line on which each opened.
    var open: [(index: Int, indentation: Int)] = []
    /// Whether a statement, or an element within a bracket, goes on from the line before; for each level.
    var begun = [false]
    var index = 0
    while index < pieces.count {
      var end = index + 1
      while end < pieces.count, !pieces[end].beginsLine { end += 1 }
      let indentation: Int
      if pieces[index].closes, let last = open.last {
        indentation = last.indentation
      } else {
        let base = open.last.map { $0.indentation + 2 } ?? 0
        indentation = base + (goesOn(index, begun.last ?? false) ? 2 : 0)
      }
      for position in index..<end {
        let piece = pieces[position]
        if piece.opens {
          begun[begun.count - 1] = true
          open.append((position, indentation))
          begun.append(false)
        } else if piece.closes {
          if !open.isEmpty { open.removeLast() }
          if begun.count > 1 { begun.removeLast() }
          begun[begun.count - 1] = true
        } else if piece.symbol == .comma || piece.symbol == .semicolon || piece.isReportText {
          begun[begun.count - 1] = false
        } else if !piece.isComment {
          begun[begun.count - 1] = true
        }
      }
      // A line ends a statement, where it does not end within one.
      if end < pieces.count, endsStatement(before: end, open.last?.index) { begun[begun.count - 1] = false }
      lines.append(Line(range: index..<end, indentation: indentation, width: columns(index..<end, from: indentation)))
      index = end
    }
    return lines
  }

  /// Columns of pieces of one line behind some columns; of a string of several lines, of the longer of first and last.
  /// Comments may be as wide as they are.
  func columns(_ range: Range<Int>, from indentation: Int = 0) -> Int {
    var width = indentation
    for index in range where !isDropped(index) && !pieces[index].isComment {
      if index > range.lowerBound { width += gap(before: index) }
      let widths = pieces[index].widths
      width = pieces[index].isOfOneLine ? width + widths.first : max(width + widths.first, widths.last)
    }
    return width
  }

  private func goesOn(_ index: Int, _ begun: Bool) -> Bool {
    let keyword = pieces[index].keyword
    if keyword == .for || (keyword == .if && pieces[index].parent.map { pieces[$0].symbol == .openBracket } == true) {
      return false
    }
    return begun && !pieces[index].isComment && keyword != .else
  }

  /// Whether the line break before a piece ends a statement: outside of brackets, and not behind an operator.
  private func endsStatement(before index: Int, _ open: Int?) -> Bool {
    if let open, !pieces[open].opensBlock { return false }
    if pieces[index].symbol == .dot { return false }
    guard let last = pieces[..<index].last(where: { !$0.isComment }) else { return true }
    if let symbol = last.symbol, symbol.isBinary || symbol == .assign || symbol == .arrow || symbol.compound != nil || symbol == .dot {
      return false
    }
    return last.keyword != .and && last.keyword != .or
  }

  func gap(before index: Int) -> Int {
    let before = index > 1 ? pieces[index - 2] : nil
    return Spacing.stands(between: pieces[index - 1], pieces[index], before: before) ? 1 : 0
  }

  // MARK: Text

  /// A line as it is written: the code, and behind it what lines below each other set in one column.
  private struct Written {
    var code: String
    var tail = ""
    /// What lines of one column have alike; nil where the line has no tail.
    var column: Column?
    var followsEmptyLine: Bool
  }
  private enum Column: Equatable {
    /// Comments that stood below each other, by where that was.
    case comments(Int)
    /// The descriptions of parameters.
    case descriptions
  }

  /// What is written.
  var text: String {
    let written = lines.map(write)
    var text = ""
    var index = 0
    while index < written.count {
      var end = index + 1
      if let column = written[index].column {
        while end < written.count, written[end].column == column, !written[end].followsEmptyLine { end += 1 }
      }
      let column = written[index..<end].map { $0.code.lastLineCount }.max() ?? 0
      for line in written[index..<end] {
        if line.followsEmptyLine { text += "\n" }
        text += line.code
        if !line.tail.isEmpty {
          text += String(repeating: " ", count: column - line.code.lastLineCount + 2) + line.tail
        }
        text += "\n"
      }
      index = end
    }
    return text
  }

  private func write(_ line: Line) -> Written {
    var written = Written(
      code: String(repeating: " ", count: line.indentation), followsEmptyLine: pieces[line.range.lowerBound].followsEmptyLine)
    for index in line.range where !isDropped(index) {
      let isFirst = index == line.range.lowerBound
      if pieces[index].isComment, !isFirst {
        (written.tail, written.column) = (pieces[index].text, .comments(pieces[index].column))
      } else if isDescription(index, line) {
        (written.tail, written.column) = (pieces[index].text, .descriptions)
      } else {
        if !isFirst, gap(before: index) > 0 { written.code += " " }
        written.code += pieces[index].text
      }
    }
    return written
  }

  /// Whether a piece is the description of a parameter, at the end of its line: `param epochs = 6 "epochs"`.
  private func isDescription(_ index: Int, _ line: Line) -> Bool {
    guard pieces[line.range.lowerBound].keyword == .param, index + 1 == line.range.upperBound, case .token(.string) = pieces[index].kind
    else { return false }
    return pieces[index].isOfOneLine && pieces[index - 1].endsExpression
  }
}

extension String {
  /// Characters behind its last line break.
  fileprivate var lastLineCount: Int { reversed().prefix { !$0.isNewline }.count }
}
