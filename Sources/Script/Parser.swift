/// Makes a tree of tokens. After an error it goes on with the next statement.
package struct Parser {
  private let source: Source
  private var tokens: [Token]
  private var position = 0
  /// Within round and square brackets a line may end anywhere.
  private var skipsNewlines = false
  private var nesting = 0
  /// What the innermost open bracket is, for messages.
  private var open: [(symbol: String, span: Span)] = []
  private var isHopeless = false
  /// Whether the end was found inside of a bracket.
  private var endedOpen = false
  package private(set) var errors: [ScriptError] = []

  /// How deep brackets and blocks may be nested.
  package static let deepestNesting = 200
  /// How many expressions may stand in each other, as in `1 + 1 + …`.
  package static let deepestExpression = 1000
  private static let mostErrors = 20

  /// Parses a script. Where there are errors the tree holds what could be understood.
  package static func parse(_ source: Source) -> (program: Program, errors: [ScriptError], isIncomplete: Bool) {
    var lexer = Lexer(source)
    var parser = Parser(source, lexer.tokens())
    if !lexer.errors.isEmpty {
      // The parser's complaints would be about the gaps.
      return (Program(source: source, statements: [], isSilent: false), lexer.errors, false)
    }
    let statements = parser.program()
    var isSilent = false
    for token in parser.tokens.reversed() {
      if token.kind == .newline || token.kind == .end { continue }
      isSilent = token.kind == .symbol(.semicolon)
      break
    }
    let isIncomplete = parser.errors.count == 1 && parser.endedEarly
    return (Program(source: source, statements: statements, isSilent: isSilent), parser.errors, isIncomplete)
  }

  private var endedEarly: Bool {
    switch errors.first {
    case .unexpected(_, _, let span): span.range.lowerBound >= endOfText
    case .unclosed: endedOpen
    default: false
    }
  }
  private var endOfText: Int { Int(tokens[tokens.count - 1].start) }

  private init(_ source: Source, _ tokens: [Token]) {
    self.source = source
    self.tokens = tokens
  }

  // MARK: Tokens

  private mutating func skipNewlines() {
    while position < tokens.count - 1 {
      switch tokens[position].kind {
      case .newline: position += 1
      case .text where skipsNewlines: position += 1
      default: return
      }
    }
  }

  private var current: Token {
    mutating get {
      if skipsNewlines { skipNewlines() }
      return tokens[position]
    }
  }
  private mutating func peek(_ ahead: Int) -> Token.Kind {
    _ = current
    var index = position
    for _ in 0..<ahead {
      index = min(index + 1, tokens.count - 1)
      while skipsNewlines, tokens[index].kind == .newline { index = min(index + 1, tokens.count - 1) }
    }
    return tokens[index].kind
  }
  private func span(_ token: Token) -> Span { Span(source, token.range) }
  private var previousSpan: Span { span(tokens[max(0, position - 1)]) }

  private mutating func advance() {
    if position < tokens.count - 1 { position += 1 }
  }

  private mutating func at(_ symbol: Symbol) -> Bool { current.kind == .symbol(symbol) }
  private mutating func at(_ keyword: Keyword) -> Bool { current.kind == .keyword(keyword) }

  private mutating func take(_ symbol: Symbol) -> Bool {
    guard at(symbol) else { return false }
    advance()
    return true
  }
  private mutating func take(_ keyword: Keyword) -> Bool {
    guard at(keyword) else { return false }
    advance()
    return true
  }

  private mutating func unexpected(_ expected: String) -> ScriptError {
    let token = current
    if token.kind == .end, let innermost = open.last {
      endedOpen = true
      return .unclosed(innermost.symbol, at: innermost.span)
    }
    return .unexpected(found: describe(token), expected: expected, at: span(token))
  }

  private mutating func expect(_ symbol: Symbol, _ expected: String? = nil) throws(ScriptError) {
    guard take(symbol) else { throw unexpected(expected ?? "'\(symbol.rawValue)'") }
  }
  private mutating func expect(_ keyword: Keyword) throws(ScriptError) {
    guard take(keyword) else { throw unexpected("'\(keyword.rawValue)'") }
  }

  private mutating func name(_ expected: String) throws(ScriptError) -> Name {
    let token = current
    guard case .name(let text) = token.kind else { throw unexpected(expected) }
    advance()
    return Name(text: text, span: span(token))
  }

  private func describe(_ token: Token) -> String {
    switch token.kind {
    case .name(let name): "'\(name)'"
    case .number: "the number \(source.text(token.range))"
    case .string: "a string"
    case .keyword(let keyword): "the keyword '\(keyword.rawValue)'"
    case .symbol(let symbol): "'\(symbol.rawValue)'"
    case .newline: "the end of the line"
    case .text: "a line of the report"
    case .end: "the end"
    }
  }

  /// Runs a part of the grammar inside brackets.
  private mutating func bracketed<Result>(
    _ symbol: Symbol, newlines: Bool, _ body: (inout Parser) throws(ScriptError) -> Result
  ) throws(ScriptError) -> Result {
    let place = span(current)
    try enter(at: place)
    try expect(symbol)
    open.append((symbol.rawValue, place))
    let before = skipsNewlines
    skipsNewlines = !newlines
    let result: Result
    do throws(ScriptError) { result = try body(&self) } catch {
      nesting -= 1
      throw error
    }
    skipsNewlines = before
    open.removeLast()
    nesting -= 1
    return result
  }

  private mutating func enter(at span: Span) throws(ScriptError) {
    nesting += 1
    guard nesting <= Self.deepestNesting else {
      isHopeless = true
      throw .tooDeep(limit: Self.deepestNesting, at: span)
    }
  }

  // MARK: Statements

  private mutating func program() -> [Statement] {
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

  /// Skips to where a statement may begin: a new line outside of the brackets that the wrong one opened.
  private mutating func recover(from start: Int) {
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

  private mutating func statement() throws(ScriptError) -> Statement {
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
      let variable = try name("a name for the loop's variable")
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

  private mutating func parameters() throws(ScriptError) -> [FunctionSyntax.Parameter] {
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
  private mutating func body() throws(ScriptError) -> Block {
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
    default: return false
    }
  }

  private mutating func block() throws(ScriptError) -> Block {
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

  /// Moves to the end of a wrong statement's line if its brackets close on it.
  private mutating func skipLine(from start: Int) -> Bool {
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

  private mutating func skipNewlinesAfterOperator() {
    while tokens[position].kind == .newline { advance() }
  }

  // MARK: Expressions

  private mutating func make(
    _ kind: Expression.Kind, _ span: Span, _ parts: Expression...
  ) throws(ScriptError) -> Expression {
    try make(kind, span, parts)
  }

  private mutating func make(
    _ kind: Expression.Kind, _ span: Span, _ parts: [Expression], inner: Int = 0
  ) throws(ScriptError) -> Expression {
    let depth = max(parts.lazy.map(\.depth).max() ?? 0, inner) + 1
    guard depth <= Self.deepestExpression else {
      isHopeless = true
      throw .tooDeep(limit: Self.deepestExpression, at: span)
    }
    return Expression(kind: kind, span: span, depth: depth)
  }

  private mutating func expression() throws(ScriptError) -> Expression {
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
    return try binary(0)
  }

  /// Whether `x =>`, `() =>`, `(a, …` or `(a: …` stands here. A comma or colon stands in brackets nowhere else.
  private mutating func beginsFunction() -> Bool {
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

  private mutating func binaryOperator() -> (BinaryOperator, level: Int)? {
    switch current.kind {
    case .keyword(.or), .symbol(.or): (.or, 1)
    case .keyword(.and), .symbol(.and): (.and, 2)
    case .symbol(.equal): (.equal, 4)
    case .symbol(.notEqual): (.notEqual, 4)
    case .symbol(.less): (.less, 4)
    case .symbol(.lessOrEqual): (.lessOrEqual, 4)
    case .symbol(.greater): (.greater, 4)
    case .symbol(.greaterOrEqual): (.greaterOrEqual, 4)
    case .symbol(.ellipsis): (.range, 5)
    case .symbol(.halfOpen): (.halfOpenRange, 5)
    case .symbol(.plus): (.add, 6)
    case .symbol(.minus): (.subtract, 6)
    case .symbol(.times): (.multiply, 7)
    case .symbol(.divide): (.divide, 7)
    case .symbol(.remainder): (.remainder, 7)
    default: nil
    }
  }

  private static let notLevel = 3

  private mutating func binary(_ level: Int) throws(ScriptError) -> Expression {
    var left: Expression
    let start = current
    if level <= Self.notLevel, at(Keyword.not) {
      try enter(at: span(start))
      defer { nesting -= 1 }
      advance()
      let operand = try binary(Self.notLevel)
      left = try make(.unary(.not, operand), span(start).to(operand.span), operand)
    } else {
      left = try unary()
    }
    while let (binaryOperator, itsLevel) = binaryOperator(), itsLevel >= level {
      advance()
      skipNewlinesAfterOperator()
      let right = try beginsFunction() ? expression() : binary(itsLevel + 1)
      left = try make(.binary(binaryOperator, left, right), left.span.to(right.span), left, right)
      if itsLevel == 4 || itsLevel == 5, let (_, next) = self.binaryOperator(), next == itsLevel {
        throw .chainedComparison(at: span(current))
      }
    }
    return left
  }

  private mutating func unary() throws(ScriptError) -> Expression {
    let start = current
    let unary: UnaryOperator
    switch start.kind {
    case .symbol(.minus): unary = .negate
    case .symbol(.not): unary = .not
    default: return try power()
    }
    try enter(at: span(start))
    defer { nesting -= 1 }
    advance()
    let operand = try self.unary()
    return try make(.unary(unary, operand), span(start).to(operand.span), operand)
  }

  /// `**` binds tighter than a sign before it and looser than one behind it, and groups from the right.
  private mutating func power() throws(ScriptError) -> Expression {
    let base = try withClauses()
    guard at(.power) else { return base }
    try enter(at: base.span)
    defer { nesting -= 1 }
    advance()
    skipNewlinesAfterOperator()
    let exponent = try unary()
    return try make(.binary(.power, base, exponent), base.span.to(exponent.span), base, exponent)
  }

  private mutating func withClauses() throws(ScriptError) -> Expression {
    var base = try postfix()
    while take(.with) {
      let changes = try postfix()
      base = try make(.with(base, changes), base.span.to(changes.span), base, changes)
    }
    return base
  }

  private mutating func postfix() throws(ScriptError) -> Expression {
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
  private mutating func fieldName() throws(ScriptError) -> Name {
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
      var labelled = false
      while !parser.take(.closeParenthesis) {
        var label: Name?
        if parser.peek(1) == .symbol(.colon), !parser.at(.openParenthesis) { label = try parser.label() }
        let value = try parser.expression()
        if label == nil, labelled { throw .unlabelledAfterLabelled(at: value.span) }
        labelled = label != nil
        arguments.append(CallArgument(label: label, value: value))
        if !parser.take(.comma) {
          try parser.expect(.closeParenthesis, "',' or ')'")
          break
        }
      }
      return arguments
    }
  }

  private mutating func label() throws(ScriptError) -> Name {
    let label: Name
    if case .keyword = current.kind { label = try fieldName() } else { label = try name("the name of an argument") }
    try expect(.colon)
    return label
  }

  private mutating func primary() throws(ScriptError) -> Expression {
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
