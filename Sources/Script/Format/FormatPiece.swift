/// A token or a comment of a script, with how the author set it.
struct FormatPiece {
  enum Kind: Equatable {
    case token(Token.Kind)
    /// `# …`, to the end of its line.
    case comment
  }
  /// What a brace opens: statements, or fields that stand on lines as they fit.
  enum Brace { case block, record }

  let kind: Kind
  /// As it is written.
  let text: String
  /// Whether it begins a line.
  var beginsLine: Bool
  /// Whether an empty line stands before its line.
  var followsEmptyLine: Bool
  /// The column of a comment behind code, so that those that stood below each other still do.
  let column: Int
  /// Of an opening brace.
  var brace = Brace.record
  /// The index of the bracket on the other side, of a bracket.
  var partner: Int?
  /// The index of the bracket that it stands in; of a bracket that opens, and of its partner, that around both.
  var parent: Int?

  var symbol: Symbol? { if case .token(.symbol(let symbol)) = kind { symbol } else { nil } }
  var keyword: Keyword? { if case .token(.keyword(let keyword)) = kind { keyword } else { nil } }
  var isComment: Bool { kind == .comment }
  var isReportText: Bool { if case .token(.text) = kind { true } else { false } }
  var opens: Bool { symbol == .openParenthesis || symbol == .openBracket || symbol == .openBrace }
  var closes: Bool { symbol == .closeParenthesis || symbol == .closeBracket || symbol == .closeBrace }
  var opensBlock: Bool { symbol == .openBrace && brace == .block }
  /// Whether an expression may end with it, so that what follows is an operator, a call or an index.
  var endsExpression: Bool {
    switch kind {
    case .token(.name), .token(.number), .token(.string): true
    case .token(.keyword(let keyword)): keyword == .true || keyword == .false || keyword == .none
    default: closes
    }
  }
  /// Characters of its first and of its last line; only strings have several.
  var widths: (first: Int, last: Int) {
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    return (lines.first?.count ?? 0, lines.last?.count ?? 0)
  }
  var isOfOneLine: Bool { !text.contains { $0.isNewline } }
}

extension FormatPiece {
  /// The pieces of a script without mistakes.
  static func pieces(of source: Source, _ tokens: [Token]) -> [FormatPiece] {
    var pieces: [FormatPiece] = []
    var position = source.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var newlines = 2
    func column(_ offset: Int) -> Int { Span(source, offset..<offset).column }
    func add(_ kind: Kind, _ range: Range<Int>) {
      var text = source.text(range)
      if kind == .comment { while text.last?.isWhitespace == true { text.removeLast() } }
      pieces.append(
        FormatPiece(
          kind: kind, text: text, beginsLine: newlines > 0, followsEmptyLine: newlines > 1 && !pieces.isEmpty,
          column: column(range.lowerBound)))
      newlines = 0
    }
    /// Comments between two tokens, of which the lexer says nothing.
    func comments(before end: Int) {
      while position < end {
        if source.bytes[position] == UInt8(ascii: "#") {
          let start = position
          while position < end, !Source.endsLine(source.bytes[position]) { position += 1 }
          add(.comment, start..<position)
        } else {
          position += 1
        }
      }
    }
    for token in tokens {
      comments(before: token.range.lowerBound)
      position = token.range.upperBound
      switch token.kind {
      case .newline: newlines += 1
      case .end: break
      default: add(.token(token.kind), token.range)
      }
    }
    pair(&pieces)
    return pieces
  }

  /// Finds the other side of each bracket, and what braces open.
  private static func pair(_ pieces: inout [FormatPiece]) {
    var open: [Int] = []
    for index in pieces.indices {
      if pieces[index].closes { pieces[index].partner = open.popLast() }
      pieces[index].parent = open.last
      if pieces[index].opens {
        open.append(index)
        if pieces[index].symbol == .openBrace { pieces[index].brace = brace(pieces, index) }
      } else if let partner = pieces[index].partner {
        pieces[partner].partner = index
      }
    }
  }

  private static func brace(_ pieces: [FormatPiece], _ index: Int) -> Brace {
    var behind: [FormatPiece] = []
    var position = index + 1
    while position < pieces.count, behind.count < 3 {
      if !pieces[position].isComment, !pieces[position].isReportText { behind.append(pieces[position]) }
      position += 1
    }
    guard let first = behind.first else { return .block }
    let second = behind.dropFirst().first?.symbol
    // A block cannot begin with `name:` or `name,`; `{ name } =` and `{ name } in` are patterns.
    switch first.kind {
    case .token(.name), .token(.keyword), .token(.string):
      if second == .colon || second == .comma { return .record }
      if second == .closeBrace, behind.count > 2, behind[2].symbol == .assign || behind[2].keyword == .in { return .record }
    case .token(.symbol(.openBracket)):
      if beginsComputedField(pieces, index) { return .record }
    default: break
    }
    guard let previous = pieces[..<index].last(where: { !$0.isComment && !$0.isReportText }) else {
      return first.symbol == .closeBrace ? .record : .block
    }
    return previous.endsExpression || previous.symbol == .arrow || previous.keyword == .else ? .block : .record
  }

  private static func beginsComputedField(_ pieces: [FormatPiece], _ brace: Int) -> Bool {
    var depth = 0
    for index in pieces.indices[(brace + 1)...] where !pieces[index].isComment {
      if pieces[index].opens { depth += 1 }
      if pieces[index].closes { depth -= 1 }
      if depth == 0 { return index + 1 < pieces.count && pieces[index + 1].symbol == .colon }
    }
    return false
  }
}
