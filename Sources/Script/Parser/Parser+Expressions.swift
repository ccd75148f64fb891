extension Parser {
  mutating func make(
    _ kind: Expression.Kind, _ span: Span, _ parts: Expression...
  ) throws(ScriptError) -> Expression {
    try make(kind, span, parts)
  }

  mutating func make(
    _ kind: Expression.Kind, _ span: Span, _ parts: [Expression], inner: Int = 0
  ) throws(ScriptError) -> Expression {
    let depth = max(parts.lazy.map(\.depth).max() ?? 0, inner) + 1
    guard depth <= Self.deepestExpression else {
      isHopeless = true
      throw .tooDeep(limit: Self.deepestExpression, at: span)
    }
    return Expression(kind: kind, span: span, depth: depth)
  }

  mutating func expression() throws(ScriptError) -> Expression {
    let start = current
    if beginsFunction() {
      try enter(at: span(start))
      defer { nesting -= 1 }
      let parameters: [FunctionSyntax.Parameter]
      if case .name(let text) = start.kind {
        advance()
        parameters = [.init(name: Name(text: text, span: span(start)), default: nil)]
      } else {
        parameters = try self.parameters()
      }
      try expect(.arrow)
      skipNewlinesAfterOperator()
      let body = try body()
      let function = FunctionSyntax(name: nil, parameters: parameters, body: body)
      return try make(.function(function), span(start).to(previousSpan), [], inner: function.depth)
    }
    return try binary(.or)
  }

  /// Whether `x =>`, `() =>`, `(a, …` or `(a: …` stands here. A comma or colon stands in brackets nowhere else.
  mutating func beginsFunction() -> Bool {
    switch current.kind {
    case .name: return peek(1) == .symbol(.arrow)
    case .symbol(.openParenthesis):
      let before = skipsNewlines
      skipsNewlines = true
      defer { skipsNewlines = before }
      switch (peek(1), peek(2)) {
      case (.symbol(.closeParenthesis), .symbol(.arrow)): return true
      case (.name, .symbol(.comma)), (.name, .symbol(.colon)): return true
      case (.name, .symbol(.closeParenthesis)): return peek(3) == .symbol(.arrow)
      default: return false
      }
    default: return false
    }
  }

  mutating func postfix() throws(ScriptError) -> Expression {
    var base = try primary()
    while true {
      switch current.kind {
      case .symbol(.dot):
        advance()
        skipNewlinesAfterOperator()
        let field = try fieldName()
        base = try make(.field(base, field), base.span.to(field.span), base)
      case .newline where continuesWithDot(): skipNewlinesAfterOperator()
      case .symbol(.openParenthesis):
        let arguments = try arguments()
        base = try make(
          .call(base, arguments), base.span.to(previousSpan), [base] + arguments.map(\.value))
      case .symbol(.openBracket):
        let index = try bracketed(.openBracket, newlines: false) { parser throws(ScriptError) in
          let index = try parser.expression()
          try parser.expect(.closeBracket)
          return index
        }
        base = try make(.index(base, index), base.span.to(previousSpan), base, index)
      default: return base
      }
    }
  }

  private func continuesWithDot() -> Bool {
    var index = position
    while tokens[index].kind == .newline { index += 1 }
    return tokens[index].kind == .symbol(.dot)
  }

  /// A field may be called like a keyword: `x.none`.
  mutating func fieldName() throws(ScriptError) -> Name {
    let token = current
    if case .keyword(let keyword) = token.kind {
      advance()
      return Name(text: keyword.rawValue, span: span(token))
    }
    return try name("the name of a field or function")
  }

  private mutating func arguments() throws(ScriptError) -> [CallArgument] {
    try bracketed(.openParenthesis, newlines: false) { parser throws(ScriptError) in
      var arguments: [CallArgument] = []
      while !parser.take(.closeParenthesis) {
        arguments.append(try parser.argument(after: arguments.last))
        if !parser.take(.comma) {
          try parser.expect(.closeParenthesis, "',' or ')'")
          break
        }
      }
      return arguments
    }
  }

  mutating func argument(after last: CallArgument?) throws(ScriptError) -> CallArgument {
    var label: Name?
    if peek(1) == .symbol(.colon), !at(.openParenthesis) { label = try self.label() }
    let value = try expression()
    if label == nil, last?.label != nil { throw .unlabelledAfterLabelled(at: value.span) }
    return CallArgument(label: label, value: value)
  }

  private mutating func label() throws(ScriptError) -> Name {
    let label: Name
    if case .keyword = current.kind { label = try fieldName() } else { label = try name("the name of an argument") }
    try expect(.colon)
    return label
  }
}
