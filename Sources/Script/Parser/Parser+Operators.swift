extension Parser {
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

  mutating func binary(_ level: Int) throws(ScriptError) -> Expression {
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
}
