extension Parser {
  mutating func primary() throws(ScriptError) -> Expression {
    let token = current
    let place = span(token)
    switch token.kind {
    case .number(let number):
      advance()
      return try make(.number(number), place)
    case .string(let parts):
      advance()
      return try string(parts, place)
    case .name(let name):
      advance()
      return try make(.name(name), place)
    case .keyword(.true), .keyword(.false):
      advance()
      return try make(.bool(token.kind == .keyword(.true)), place)
    case .keyword(.none):
      advance()
      return try make(.none, place)
    case .keyword(.if): return try conditional()
    case .symbol(.openParenthesis):
      return try bracketed(.openParenthesis, newlines: false) { parser throws(ScriptError) in
        let inner = try parser.expression()
        try parser.expect(.closeParenthesis)
        return inner
      }
    case .symbol(.openBracket): return try list()
    case .symbol(.openBrace): return try record()
    default: throw unexpected("an expression")
    }
  }

  private mutating func string(_ parts: [StringPart], _ place: Span) throws(ScriptError) -> Expression {
    if parts.count == 1, case .text(let text) = parts[0] { return try make(.string(text), place) }
    var pieces: [Expression] = []
    for part in parts {
      switch part {
      case .text(let text): pieces.append(try make(.string(text), place))
      case .expression(let tokens):
        try enter(at: place)
        defer { nesting -= 1 }
        var parser = Parser(source, tokens)
        parser.nesting = nesting
        parser.skipsNewlines = true
        let piece: Expression
        do throws(ScriptError) {
          piece = try parser.expression()
          guard parser.current.kind == .end else { throw parser.unexpected("')'") }
        } catch {
          isHopeless = isHopeless || parser.isHopeless
          throw error
        }
        pieces.append(piece)
      }
    }
    return try make(.interpolation(pieces), place, pieces)
  }

  private mutating func list() throws(ScriptError) -> Expression {
    let start = span(current)
    let kind: (Expression.Kind, [Expression]) = try bracketed(.openBracket, newlines: false) {
      parser throws(ScriptError) in
      if parser.take(.closeBracket) { return (.list([]), []) }
      let first = try parser.expression()
      if parser.take(.for) {
        let variable = try parser.name("a name for the variable")
        try parser.expect(.in)
        let source = try parser.expression()
        let condition = parser.take(.if) ? try parser.expression() : nil
        try parser.expect(.closeBracket)
        return (
          .comprehension(first, variable: variable, source: source, condition: condition),
          [first, source] + (condition.map { [$0] } ?? [])
        )
      }
      var elements = [first]
      while parser.take(.comma), !parser.at(.closeBracket) { elements.append(try parser.expression()) }
      try parser.expect(.closeBracket, "',' or ']'")
      return (.list(elements), elements)
    }
    return try make(kind.0, start.to(previousSpan), kind.1)
  }

  private mutating func record() throws(ScriptError) -> Expression {
    let start = span(current)
    let fields = try bracketed(.openBrace, newlines: false) {
      parser throws(ScriptError) -> [(name: Name, value: Expression)] in
      var fields: [(name: Name, value: Expression)] = []
      while !parser.take(.closeBrace) {
        let token = parser.current
        let name: Name
        if case .string(let parts) = token.kind, parts.count == 1, case .text(let text) = parts[0] {
          parser.advance()
          name = Name(text: text, span: parser.span(token))
        } else if case .keyword = token.kind {
          name = try parser.fieldName()
        } else {
          name = try parser.name("the name of a field")
        }
        try parser.expect(.colon)
        fields.append((name, try parser.expression()))
        if !parser.take(.comma) {
          try parser.expect(.closeBrace, "',' or '}'")
          break
        }
      }
      return fields
    }
    return try make(.record(fields), start.to(previousSpan), fields.map(\.value))
  }

  private mutating func conditional() throws(ScriptError) -> Expression {
    let start = span(current)
    try enter(at: start)
    defer { nesting -= 1 }
    advance()
    let condition = try expression()
    let then = try block()
    var otherwise: Block?
    if continuesWithElse() {
      skipNewlinesAfterOperator()
      advance()
      if at(.if) {
        let next = try conditional()
        otherwise = Block(statements: [Statement(kind: .expression(next), span: next.span)], span: next.span)
      } else {
        otherwise = try block()
      }
    }
    return try make(
      .conditional(condition, then, otherwise: otherwise), start.to(previousSpan), [condition],
      inner: max(then.depth, otherwise?.depth ?? 0))
  }

  private mutating func continuesWithElse() -> Bool {
    var index = position
    while tokens[index].kind == .newline { index += 1 }
    return tokens[index].kind == .keyword(.else)
  }
}
