/// Where a line that is too wide is broken.
extension Layout {
  private enum Break {
    /// Behind brackets and before their partners.
    case brackets([Int])
    /// Before elements of the bracket that the line stands in.
    case elements([Int])
    /// Before operands.
    case operands([Int])
  }

  /// Breaks a line where that can be done.
  /// - Returns: the end of the pieces that stand otherwise now; nil where nothing can be broken.
  mutating func breakLine(_ line: Line) -> Int? {
    let end = line.range.upperBound
    switch place(line) {
    case .brackets(let open): for index in open { breakBracket(index) }
    case .operands(let indices): for index in indices { begin(index) }
    case .elements(let indices):
      for index in indices { begin(index) }
      // What was pushed to a line of its own goes on with the author's next.
      if let last = indices.last, isElement(end), pieces[last].parent == pieces[end].parent {
        join(end)
        return end + 1
      }
    case nil: return nil
    }
    return end
  }

  /// Whether a piece begins an element of a bracket that is no block, behind a comma, and may stand on the line of that.
  private func isElement(_ index: Int) -> Bool {
    guard index < pieces.count, !pieces[index].isComment, !pieces[index].closes, !pieces[index].followsEmptyLine else { return false }
    return pieces[index - 1].symbol == .comma
  }

  private func place(_ line: Line) -> Break? {
    let brackets = outermost(line)
    // What stands between commas of the bracket around the line goes first, then blocks that are on one line.
    if let elements = elements(line) { return .elements(elements) }
    let blocks = brackets.filter { pieces[$0].opensBlock && isUnbroken($0) && !isEmpty($0) }
    if !blocks.isEmpty { return .brackets(blocks) }
    let operators = operators(line)
    let candidates = brackets.filter { isUnbroken($0) && !isEmpty($0) }
    let widest = candidates.max { width($0, line) < width($1, line) }
    if let widest, operators.isEmpty || 2 * width(widest, line) > line.width - line.indentation {
      return .brackets([widest])
    }
    return operators.isEmpty ? nil : .operands(fill(operators, line, further: 2))
  }

  /// The brackets of a line that stand in no other of it.
  private func outermost(_ line: Line) -> [Int] {
    var found: [Int] = []
    var index = line.range.lowerBound
    while index < line.range.upperBound {
      if pieces[index].opens, let partner = pieces[index].partner {
        found.append(index)
        index = partner
      }
      index += 1
    }
    return found
  }

  private func isEmpty(_ open: Int) -> Bool { pieces[open].partner == open + 1 }
  private func isUnbroken(_ open: Int) -> Bool { !pieces[open + 1].beginsLine && !pieces[open + 1].isComment }

  /// Columns of what a bracket holds, as far as it is on the line.
  private func width(_ open: Int, _ line: Line) -> Int {
    let end = min(pieces[open].partner ?? open, line.range.upperBound - 1)
    return columns(open..<(end + 1))
  }

  /// The pieces behind the loosest operators that stand in no bracket of the line.
  private func operators(_ line: Line) -> [Int] {
    var found: [(index: Int, rank: Int)] = []
    var index = line.range.lowerBound
    while index < line.range.upperBound {
      let piece = pieces[index]
      if piece.opens, let partner = piece.partner {
        index = partner + 1
        continue
      }
      // A comma holds less than all of them: what stands between two is broken alone.
      if piece.symbol == .comma { return [] }
      let isBinary = index > line.range.lowerBound && pieces[index - 1].endsExpression
      if isBinary, index + 1 < line.range.upperBound, let rank = rank(piece) { found.append((index + 1, rank)) }
      index += 1
    }
    guard let loosest = found.map(\.rank).min() else { return [] }
    return found.filter { $0.rank == loosest }.map(\.index)
  }

  private func rank(_ piece: FormatPiece) -> Int? {
    switch (piece.keyword, piece.symbol) {
    case (.or, _), (_, .or): 0
    case (.and, _), (_, .and): 1
    case (_, .otherwise): 2
    case (_, .plus), (_, .minus): 3
    default: nil
    }
  }

  /// Of the places that may begin a line those that must, so that each line is as full as it can be.
  /// - Parameter further: Columns before those lines beyond the line's own.
  private func fill(_ places: [Int], _ line: Line, further: Int) -> [Int] {
    var chosen: [Int] = []
    var (start, indentation) = (line.range.lowerBound, line.indentation)
    for (number, place) in places.enumerated() {
      let end = number + 1 < places.count ? places[number + 1] : line.range.upperBound
      if columns(start..<end, from: indentation) > Formatter.width {
        chosen.append(place)
        (start, indentation) = (place, line.indentation + further)
      }
    }
    return chosen.isEmpty ? [places[places.count - 1]] : chosen
  }

  /// The places behind commas of the bracket that the whole line stands in, or before the parts of a comprehension,
  /// where the line has any.
  private func elements(_ line: Line) -> [Int]? {
    var places: [Int] = []
    var index = line.range.lowerBound
    while index < line.range.upperBound {
      if pieces[index].opens, let partner = pieces[index].partner { index = partner }
      if index + 1 < line.range.upperBound, pieces[index].symbol == .comma, !pieces[index + 1].isComment,
        !pieces[index + 1].closes
      {
        places.append(index + 1)
      }
      if index > line.range.lowerBound, pieces[index].keyword == .for || pieces[index].keyword == .if,
        pieces[index].parent.map({ pieces[$0].symbol == .openBracket }) == true
      {
        places.append(index)
      }
      index += 1
    }
    guard !places.isEmpty else { return nil }
    return fill(places, line, further: 0)
  }

  private mutating func breakBracket(_ outer: Int) {
    // A bracket that holds nothing but another is broken with it: `f([`.
    var open = outer
    while !pieces[open].opensBlock, pieces[open + 1].opens, let partner = pieces[open + 1].partner, partner + 1 == pieces[open].partner,
      isUnbroken(open + 1), !isEmpty(open + 1)
    {
      open += 1
    }
    guard let close = pieces[open].partner else { return }
    begin(open + 1)
    begin(close)
    guard pieces[open].opensBlock else { return }
    // Statements behind semicolons get lines of their own.
    var index = open + 1
    while index < close {
      if pieces[index].opens, let partner = pieces[index].partner { index = partner }
      if pieces[index].symbol == .semicolon { begin(index + 1) }
      index += 1
    }
  }
}
