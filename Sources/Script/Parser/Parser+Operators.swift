/// How tightly operators hold what stands beside them, the loosest first. A sign before an expression, `**`, `with` and
/// what stands behind an expression hold tighter than all of these.
enum Precedence: Int, Comparable {
  case or, and, not, comparison, otherwise, range, sum, product, sign

  static func < (a: Precedence, b: Precedence) -> Bool { a.rawValue < b.rawValue }

  /// What the right side of an operator must hold to be part of it, so that operators group from the left.
  var tighter: Precedence { Precedence(rawValue: rawValue + 1) ?? .sign }
  /// Whether one may stand after another without brackets, as in `1 + 2 - 3`.
  var chains: Bool { self != .comparison && self != .range }
}

extension Token.Kind {
  /// The operator between two expressions that the token is; of `**`, which groups from the right, nil.
  fileprivate var binaryOperator: (operator: BinaryOperator, precedence: Precedence)? {
    switch self {
    case .keyword(.or), .symbol(.or): (.or, .or)
    case .keyword(.and), .symbol(.and): (.and, .and)
    case .symbol(.equal): (.equal, .comparison)
    case .symbol(.notEqual): (.notEqual, .comparison)
    case .symbol(.less): (.less, .comparison)
    case .symbol(.lessOrEqual): (.lessOrEqual, .comparison)
    case .symbol(.greater): (.greater, .comparison)
    case .symbol(.greaterOrEqual): (.greaterOrEqual, .comparison)
    case .symbol(.otherwise): (.otherwise, .otherwise)
    case .symbol(.ellipsis): (.range, .range)
    case .symbol(.halfOpen): (.halfOpenRange, .range)
    case .symbol(.plus): (.add, .sum)
    case .symbol(.minus): (.subtract, .sum)
    case .symbol(.times): (.multiply, .product)
    case .symbol(.divide): (.divide, .product)
    case .symbol(.remainder): (.remainder, .product)
    default: nil
    }
  }
}

extension Parser {
  /// An expression whose operators hold at least as tightly as given.
  mutating func binary(_ least: Precedence) throws(ScriptError) -> Expression {
    var left: Expression
    let start = current
    if least <= .not, at(Keyword.not) {
      try enter(at: span(start))
      defer { nesting -= 1 }
      advance()
      let operand = try binary(.not)
      left = try make(.unary(.not, operand), span(start).to(operand.span), operand)
    } else {
      left = try unary()
    }
    while let (binaryOperator, precedence) = current.kind.binaryOperator, precedence >= least {
      advance()
      skipNewlinesAfterOperator()
      let right = try beginsFunction() ? expression() : binary(precedence.tighter)
      left = try make(.binary(binaryOperator, left, right), left.span.to(right.span), left, right)
      if !precedence.chains, let (_, next) = current.kind.binaryOperator, next == precedence {
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
