extension Parser {
  /// A name, `(a, b)` or `{ a, b }`.
  mutating func pattern(_ expected: String) throws(ScriptError) -> Pattern {
    let start = span(current)
    switch current.kind {
    case .symbol(.openParenthesis):
      let names = try names(from: .openParenthesis, to: .closeParenthesis)
      return .list(names, start.to(previousSpan))
    case .symbol(.openBrace):
      let names = try names(from: .openBrace, to: .closeBrace)
      return .record(names, start.to(previousSpan))
    default: return .name(try name(expected))
    }
  }

  private mutating func names(from open: Symbol, to close: Symbol) throws(ScriptError) -> [Name] {
    try bracketed(open, newlines: false) { parser throws(ScriptError) in
      var names = [try parser.name("a name for the variable")]
      while parser.take(.comma), !parser.at(close) { names.append(try parser.name("a name for the variable")) }
      try parser.expect(close, "',' or '\(close.rawValue)'")
      return names
    }
  }

  /// Whether names in brackets stand here with `=` behind them.
  mutating func beginsPattern() -> Bool {
    _ = current
    var index = position
    func next() -> Token.Kind {
      repeat { index = min(index + 1, tokens.count - 1) } while tokens[index].kind == .newline
      return tokens[index].kind
    }
    let close: Symbol = tokens[index].kind == .symbol(.openBrace) ? .closeBrace : .closeParenthesis
    var kind = next()
    while case .name = kind {
      kind = next()
      guard kind == .symbol(.comma) else { break }
      kind = next()
    }
    return kind == .symbol(close) && tokens[min(index + 1, tokens.count - 1)].kind == .symbol(.assign)
  }

  /// What stands behind `use`: a string without interpolations.
  mutating func usedPath() throws(ScriptError) -> Name {
    advance()
    let token = current
    guard case .string(let parts) = token.kind, parts.count == 1, case .text(let path) = parts[0] else {
      throw unexpected("a path in quotes without \\(…)")
    }
    advance()
    return Name(text: path, span: span(token))
  }

  /// Whether a computed name of a field begins behind the brace: `[key]:`.
  func beginsComputedField(behind brace: Int) -> Bool {
    var index = brace + 1
    while index < tokens.count, tokens[index].kind == .newline { index += 1 }
    guard index < tokens.count, tokens[index].kind == .symbol(.openBracket) else { return false }
    var depth = 0
    while index < tokens.count {
      switch tokens[index].kind {
      case .symbol(.openBracket), .symbol(.openParenthesis), .symbol(.openBrace): depth += 1
      case .symbol(.closeBracket), .symbol(.closeParenthesis), .symbol(.closeBrace): depth -= 1
      default: break
      }
      index += 1
      if depth == 0 { break }
    }
    return index < tokens.count && tokens[index].kind == .symbol(.colon)
  }
}

extension Token.Kind {
  /// The operator of `+=` and the like.
  var compound: BinaryOperator? { if case .symbol(let symbol) = self { symbol.compound } else { nil } }
  var isString: Bool { if case .string = self { true } else { false } }
}
