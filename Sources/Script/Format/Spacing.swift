/// Where a space stands between two pieces of one line.
enum Spacing {
  static func stands(between a: FormatPiece, _ b: FormatPiece, before: FormatPiece?) -> Bool {
    if b.isComment { return true }
    if isUnary(a, before: before) { return false }
    switch (a.symbol, b.symbol) {
    case (.openParenthesis, _), (.openBracket, _), (_, .closeParenthesis), (_, .closeBracket): return false
    case (.openBrace, .closeBrace): return false
    case (_, .comma), (_, .semicolon), (_, .colon), (.dot, _), (_, .dot): return false
    case (.ellipsis, _), (_, .ellipsis), (.halfOpen, _), (_, .halfOpen): return false
    case (_, .openParenthesis), (_, .openBracket): return !a.endsExpression
    default: return true
    }
  }

  /// Whether a sign stands before one expression, not between two.
  private static func isUnary(_ piece: FormatPiece, before: FormatPiece?) -> Bool {
    guard piece.symbol == .minus || piece.symbol == .not else { return false }
    return before?.endsExpression != true
  }
}
