extension Parser {
  /// Skips to where a statement may begin: a new line outside of the brackets that the wrong one opened.
  mutating func recover(from start: Int) {
    skipsNewlines = false
    open = []
    nesting = 0
    var depth = 0
    for token in tokens[start..<position] { depth += Self.nestingChange(token) }
    while position < tokens.count - 1 {
      let token = tokens[position]
      if token.kind == .newline, depth <= 0 || beginsStatement(position + 1) { return }
      depth += Self.nestingChange(token)
      position += 1
    }
  }

  private static func nestingChange(_ token: Token) -> Int {
    switch token.kind {
    case .symbol(.openParenthesis), .symbol(.openBracket), .symbol(.openBrace): 1
    case .symbol(.closeParenthesis), .symbol(.closeBracket), .symbol(.closeBrace): -1
    default: 0
    }
  }

  /// Whether a token at the very left of its line looks like a statement of the outermost level.
  private func beginsStatement(_ index: Int) -> Bool {
    guard index < tokens.count - 1, index == 0 || tokens[index - 1].end == tokens[index].start else { return false }
    switch tokens[index].kind {
    case .keyword(.fn), .keyword(.param), .keyword(.for), .keyword(.while), .text: return true
    case .name: return tokens[index + 1].kind == .symbol(.assign)
    default: return false
    }
  }

  /// Moves to the end of a wrong statement's line if its brackets close on it.
  mutating func skipLine(from start: Int) -> Bool {
    var depth = 0
    for index in start..<tokens.count - 1 {
      let change = Self.nestingChange(tokens[index])
      if index >= position {
        if tokens[index].kind == .newline || (change < 0 && depth == 0) {
          guard depth == 0 else { return false }
          position = index
          return true
        }
      }
      depth += change
      if depth < 0 { return false }
    }
    return false
  }
}
