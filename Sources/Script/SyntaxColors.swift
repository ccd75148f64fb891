/// What the stretches of a script are, for a page or a terminal that shows them in colours.
package struct SyntaxColors {
  package enum Kind: String, Sendable {
    case keyword, number, string, comment
    /// A function where it is made or called.
    case function
  }

  /// In their order; what no stretch covers has no kind.
  package private(set) var stretches: [(range: Range<Int>, kind: Kind)] = []

  /// Works on any text: what is no script is simply without kinds.
  package init(_ source: Source) {
    var lexer = Lexer(source)
    let tokens = lexer.tokens()
    var end = 0
    for (index, token) in tokens.enumerated() {
      addComment(in: end..<max(end, token.range.lowerBound), of: source)
      add(token, before: index + 1 < tokens.count ? tokens[index + 1] : nil)
      end = token.range.upperBound
    }
  }

  private mutating func add(_ token: Token, before next: Token?) {
    switch token.kind {
    case .keyword: stretches.append((token.range, .keyword))
    case .number: stretches.append((token.range, .number))
    case .text: stretches.append((token.range, .comment))
    case .name:
      guard let next, next.kind == .symbol(.openParenthesis), next.start == token.end else { return }
      stretches.append((token.range, .function))
    case .string(let parts):
      var start = token.range.lowerBound
      for case .expression(let tokens) in parts {
        guard let first = tokens.first, let last = tokens.last else { continue }
        addString(start..<first.range.lowerBound)
        for (index, inner) in tokens.dropLast().enumerated() { add(inner, before: tokens[index + 1]) }
        start = last.range.lowerBound
      }
      addString(start..<token.range.upperBound)
    case .symbol, .newline, .end: return
    }
  }

  private mutating func addString(_ range: Range<Int>) {
    if !range.isEmpty { stretches.append((range, .string)) }
  }

  private mutating func addComment(in gap: Range<Int>, of source: Source) {
    guard let start = source.bytes[gap].firstIndex(of: UInt8(ascii: "#")) else { return }
    stretches.append((start..<gap.upperBound, .comment))
  }
}
