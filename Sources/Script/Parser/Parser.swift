/// Makes a tree of tokens. After an error it goes on with the next statement.
package struct Parser {
  let source: Source
  var tokens: [Token]
  var position = 0
  /// Within round and square brackets a line may end anywhere.
  var skipsNewlines = false
  var nesting = 0
  /// What the innermost open bracket is, for messages.
  var open: [(symbol: String, span: Span)] = []
  var isHopeless = false
  /// Whether the end was found inside of a bracket.
  private var endedOpen = false
  package internal(set) var errors: [ScriptError] = []

  /// How deep brackets and blocks may be nested.
  package static let deepestNesting = 200
  /// How many expressions may stand in each other, as in `1 + 1 + …`.
  package static let deepestExpression = 1000
  static let mostErrors = 20

  /// Parses a script. Where there are errors the tree holds what could be understood.
  package static func parse(_ source: Source) -> (program: Program, errors: [ScriptError], isIncomplete: Bool) {
    var lexer = Lexer(source)
    var parser = Parser(source, lexer.tokens())
    if !lexer.errors.isEmpty {
      // The parser's complaints would be about the gaps.
      return (Program(source: source, statements: [], isSilent: false), lexer.errors,
        lexer.errors.count == 1 && lexer.endsInBlock)
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

  init(_ source: Source, _ tokens: [Token]) {
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

  var current: Token {
    mutating get {
      if skipsNewlines { skipNewlines() }
      return tokens[position]
    }
  }
  mutating func peek(_ ahead: Int) -> Token.Kind {
    _ = current
    var index = position
    for _ in 0..<ahead {
      index = min(index + 1, tokens.count - 1)
      while skipsNewlines, tokens[index].kind == .newline { index = min(index + 1, tokens.count - 1) }
    }
    return tokens[index].kind
  }
  func span(_ token: Token) -> Span { Span(source, token.range) }
  var previousSpan: Span { span(tokens[max(0, position - 1)]) }

  mutating func advance() {
    if position < tokens.count - 1 { position += 1 }
  }

  mutating func at(_ symbol: Symbol) -> Bool { current.kind == .symbol(symbol) }
  mutating func at(_ keyword: Keyword) -> Bool { current.kind == .keyword(keyword) }

  mutating func take(_ symbol: Symbol) -> Bool {
    guard at(symbol) else { return false }
    advance()
    return true
  }
  mutating func take(_ keyword: Keyword) -> Bool {
    guard at(keyword) else { return false }
    advance()
    return true
  }

  mutating func unexpected(_ expected: String) -> ScriptError {
    let token = current
    if token.kind == .end, let innermost = open.last {
      endedOpen = true
      return .unclosed(innermost.symbol, at: innermost.span)
    }
    return .unexpected(found: describe(token), expected: expected, at: span(token))
  }

  mutating func expect(_ symbol: Symbol, _ expected: String? = nil) throws(ScriptError) {
    guard take(symbol) else { throw unexpected(expected ?? "'\(symbol.rawValue)'") }
  }
  mutating func expect(_ keyword: Keyword) throws(ScriptError) {
    guard take(keyword) else { throw unexpected("'\(keyword.rawValue)'") }
  }

  mutating func name(_ expected: String) throws(ScriptError) -> Name {
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
  mutating func bracketed<Result>(
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

  mutating func enter(at span: Span) throws(ScriptError) {
    nesting += 1
    guard nesting <= Self.deepestNesting else {
      isHopeless = true
      throw .tooDeep(limit: Self.deepestNesting, at: span)
    }
  }

  mutating func skipNewlinesAfterOperator() {
    while tokens[position].kind == .newline { advance() }
  }
}
