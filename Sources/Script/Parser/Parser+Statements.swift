extension Parser {
  mutating func program() -> [Statement] {
    var statements: [Statement] = []
    while true {
      while current.kind == .newline || at(.semicolon) { advance() }
      if current.kind == .end || isHopeless || errors.count >= Self.mostErrors { return statements }
      let start = position
      do throws(ScriptError) {
        statements.append(try statement())
        try endStatement()
      } catch {
        errors.append(error)
        recover(from: start)
      }
    }
  }

  private mutating func endStatement() throws(ScriptError) {
    switch current.kind {
    case .newline, .end, .text, .symbol(.semicolon): return
    case .symbol(.closeBrace) where !open.isEmpty: return
    default: throw unexpected("the end of the line")
    }
  }

  mutating func statement() throws(ScriptError) -> Statement {
    let start = current
    let kind: Statement.Kind
    switch start.kind {
    case .text(let text):
      advance()
      return Statement(kind: .text(text), span: span(start))
    case .keyword(.fn):
      if case .name = peek(1) { kind = .function(try function()) } else { throw unexpectedName(after: .fn) }
    case .keyword(.param): kind = .parameter(try parameter())
    case .keyword(.for):
      advance()
      let variable = try pattern("a name for the loop's variable")
      try expect(.in)
      let source = try expression()
      kind = .loop(variable, source, try block())
    case .keyword(.while):
      advance()
      let condition = try expression()
      kind = .whileLoop(condition, try block())
    case .keyword(.return):
      advance()
      switch current.kind {
      case .newline, .end, .symbol(.semicolon), .symbol(.closeBrace), .text: kind = .return(nil)
      default: kind = .return(try expression())
      }
    case .keyword(.break):
      advance()
      kind = .break
    case .keyword(.continue):
      advance()
      kind = .continue
    case .name(let text) where peek(1).compound != nil:
      guard let binary = peek(1).compound else { throw unexpected("an operator") }
      advance()
      advance()
      skipNewlinesAfterOperator()
      let value = try expression()
      let name = Name(text: text, span: span(start))
      let old = try make(.name(text), name.span)
      kind = .assignment(name, try make(.binary(binary, old, value), name.span.to(value.span), old, value))
    case .name("use") where peek(1).isString: kind = .use(try usedPath())
    case .symbol(.openParenthesis) where beginsPattern(), .symbol(.openBrace) where beginsPattern():
      let pattern = try pattern("names")
      try expect(.assign)
      skipNewlinesAfterOperator()
      kind = .destructuring(pattern, try expression())
    case .name(let text) where peek(1) == .symbol(.assign):
      advance()
      advance()
      skipNewlinesAfterOperator()
      kind = .assignment(Name(text: text, span: span(start)), try expression())
    default:
      kind = .expression(try expression())
      if at(.assign) { throw unexpected("the end of the line: only a name can be given a value") }
    }
    return Statement(kind: kind, span: span(start).to(previousSpan))
  }

  private mutating func unexpectedName(after keyword: Keyword) -> ScriptError {
    advance()
    return unexpected("a name for the function")
  }

  private mutating func parameter() throws(ScriptError) -> ScriptParameter {
    advance()
    let name = try name("a name for the parameter")
    try expect(.assign, "'=' and the default")
    let expression = try expression()
    var doc = ""
    if case .string(let parts) = current.kind {
      for case .text(let text) in parts { doc += text }
      advance()
    }
    return ScriptParameter(name: name.text, doc: doc, nameSpan: name.span, expression: expression)
  }

  private mutating func function() throws(ScriptError) -> FunctionSyntax {
    advance()
    let name = try name("a name for the function")
    guard at(.openParenthesis) else { throw unexpected("'(' and the parameters") }
    let parameters = try parameters()
    if take(.assign) {
      skipNewlinesAfterOperator()
      return FunctionSyntax(name: name, parameters: parameters, body: try body())
    }
    guard at(.openBrace) else { throw unexpected("'=' or '{' and the function's body") }
    return FunctionSyntax(name: name, parameters: parameters, body: try block())
  }

  mutating func parameters() throws(ScriptError) -> [FunctionSyntax.Parameter] {
    try bracketed(.openParenthesis, newlines: false) { parser throws(ScriptError) in
      var parameters: [FunctionSyntax.Parameter] = []
      while !parser.take(.closeParenthesis) {
        let name = try parser.name("the name of a parameter")
        var value: Expression?
        if parser.take(.colon) { value = try parser.expression() }
        parameters.append(FunctionSyntax.Parameter(name: name, default: value))
        if !parser.take(.comma) {
          try parser.expect(.closeParenthesis, "',' or ')'")
          break
        }
      }
      return parameters
    }
  }

  /// What stands behind `=>` or a function's `=`: a block, or an expression.
  mutating func body() throws(ScriptError) -> Block {
    if at(.openBrace), !beginsRecord() { return try block() }
    let expression = try expression()
    return Block(statements: [Statement(kind: .expression(expression), span: expression.span)], span: expression.span)
  }

  /// Whether a brace opens a record: a block cannot begin with `name:`.
  private mutating func beginsRecord() -> Bool {
    let before = skipsNewlines
    skipsNewlines = true
    defer { skipsNewlines = before }
    switch peek(1) {
    case .name, .string, .keyword: return peek(2) == .symbol(.colon)
    case .symbol(.openBracket): return beginsComputedField(behind: position)
    default: return false
    }
  }

  mutating func block() throws(ScriptError) -> Block {
    let start = current
    guard at(.openBrace) else { throw unexpected("'{'") }
    if beginsRecord() {
      let record = try expression()
      return Block(statements: [Statement(kind: .expression(record), span: record.span)], span: record.span)
    }
    let statements = try bracketed(.openBrace, newlines: true) { parser throws(ScriptError) in
      var statements: [Statement] = []
      while true {
        while parser.current.kind == .newline || parser.at(.semicolon) { parser.advance() }
        if parser.take(.closeBrace) { return statements }
        if parser.current.kind == .end { throw parser.unexpected("'}'") }
        let start = parser.position
        let openBefore = parser.open
        let nestingBefore = parser.nesting
        do throws(ScriptError) {
          statements.append(try parser.statement())
          try parser.endStatement()
        } catch {
          // Go on within the block where the mistake ends with its line; else let the outermost level recover.
          guard !parser.isHopeless, parser.errors.count < Self.mostErrors, parser.skipLine(from: start) else {
            throw error
          }
          parser.errors.append(error)
          parser.skipsNewlines = false
          parser.open = openBefore
          parser.nesting = nestingBefore
        }
      }
    }
    return Block(statements: statements, span: span(start).to(previousSpan))
  }
}
