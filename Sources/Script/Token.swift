/// The smallest piece of a script that means something.
package struct Token: Hashable, Sendable {
  package indirect enum Kind: Hashable, Sendable {
    case name(String)
    case number(Double)
    case string([StringPart])
    case keyword(Keyword)
    case symbol(Symbol)
    case newline
    /// A `##` line: a line of the report's Markdown.
    case text(String)
    case end
  }
  package let kind: Kind
  package let start, end: Int32

  init(_ kind: Kind, _ range: Range<Int>) {
    (self.kind, start, end) = (kind, Int32(range.lowerBound), Int32(range.upperBound))
  }
  package var range: Range<Int> { Int(start)..<Int(end) }
}

/// A piece of a string: text, or the tokens of `\(…)`, which end with `.end`.
package enum StringPart: Hashable, Sendable {
  case text(String)
  case expression([Token])
}

package enum Keyword: String, CaseIterable, Sendable {
  case and, `break`, `continue`, `else`, `false`, fn, `for`, `if`, `in`, none, not, or, param, `return`, `true`, `while`
  case with
}

package enum Symbol: String, CaseIterable, Hashable, Sendable {
  case arrow = "=>"
  case addAssign = "+="
  case subtractAssign = "-="
  case multiplyAssign = "*="
  case divideAssign = "/="
  case otherwise = "??"
  case ellipsis = "..."
  case halfOpen = "..<"
  case power = "**"
  case equal = "=="
  case notEqual = "!="
  case lessOrEqual = "<="
  case greaterOrEqual = ">="
  case and = "&&"
  case or = "||"
  case assign = "="
  case plus = "+"
  case minus = "-"
  case times = "*"
  case divide = "/"
  case remainder = "%"
  case less = "<"
  case greater = ">"
  case not = "!"
  case dot = "."
  case comma = ","
  case colon = ":"
  case semicolon = ";"
  case question = "?"
  case openParenthesis = "("
  case closeParenthesis = ")"
  case openBracket = "["
  case closeBracket = "]"
  case openBrace = "{"
  case closeBrace = "}"

  /// The operator of `x += 1` and the like, which is short for `x = x + 1`.
  var compound: BinaryOperator? {
    switch self {
    case .addAssign: .add
    case .subtractAssign: .subtract
    case .multiplyAssign: .multiply
    case .divideAssign: .divide
    default: nil
    }
  }

  /// Whether what it begins ends with the next line at the earliest.
  var isBinary: Bool {
    switch self {
    case .ellipsis, .halfOpen, .power, .otherwise, .equal, .notEqual, .lessOrEqual, .greaterOrEqual, .and, .or, .plus, .minus,
      .times, .divide, .remainder, .less, .greater:
      true
    default: false
    }
  }
}
