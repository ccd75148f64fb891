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
          piece = try parser.piece()
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

  /// What stands in `\(…)`: an expression, or one with how it is to be written.
  private mutating func piece() throws(ScriptError) -> Expression {
    let value = try expression()
    var arguments: [CallArgument] = []
    while take(.comma), current.kind != .end { arguments.append(try argument(after: arguments.last)) }
    guard !arguments.isEmpty else { return value }
    return try make(
      .formatted(value, arguments), value.span.to(previousSpan), [value] + arguments.map(\.value))
  }

  private mutating func list() throws(ScriptError) -> Expression {
    let start = span(current)
    let kind: (Expression.Kind, [Expression]) = try bracketed(.openBracket, newlines: false) {
      parser throws(ScriptError) in
      if parser.take(.closeBracket) { return (.list([]), []) }
      let first = try parser.expression()
      if parser.take(.for) {
        let variable = try parser.pattern("a name for the variable")
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

  private enum FieldName {
    case written(Name)
    case computed(Expression)
  }

  private mutating func record() throws(ScriptError) -> Expression {
    let start = span(current)
    let fields = try bracketed(.openBrace, newlines: false) {
      parser throws(ScriptError) -> [(name: FieldName, value: Expression)] in
      var fields: [(name: FieldName, value: Expression)] = []
      while !parser.take(.closeBrace) {
        let name = try parser.recordFieldName()
        try parser.expect(.colon)
        fields.append((name, try parser.expression()))
        if !parser.take(.comma) {
          try parser.expect(.closeBrace, "',' or '}'")
          break
        }
      }
      return fields
    }
    var written: [(name: Name, value: Expression)] = []
    var computed: [(key: Expression, value: Expression)] = []
    for field in fields {
      switch field.name {
      case .written(let name):
        written.append((name, field.value))
        computed.append((try make(.string(name.text), name.span), field.value))
      case .computed(let key): computed.append((key, field.value))
      }
    }
    let place = start.to(previousSpan)
    if written.count == fields.count { return try make(.record(written), place, written.map(\.value)) }
    return try make(.computedRecord(computed), place, computed.flatMap { [$0.key, $0.value] })
  }

  private mutating func recordFieldName() throws(ScriptError) -> FieldName {
    let token = current
    switch token.kind {
    case .string(let parts):
      guard parts.count == 1, case .text(let text) = parts[0] else { break }
      advance()
      return .written(Name(text: text, span: span(token)))
    case .keyword: return .written(try fieldName())
    case .symbol(.openBracket):
      return .computed(
        try bracketed(.openBracket, newlines: false) { parser throws(ScriptError) in
          let key = try parser.expression()
          try parser.expect(.closeBracket)
          return key
        })
    default: break
    }
    return .written(try name("the name of a field"))
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
