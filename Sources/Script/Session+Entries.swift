extension Session {
  /// Whether a whole text ends with an `if` over several lines, which an `else` in the next line would go on.
  ///
  /// Within a script the parser sees that line; at a prompt somebody has yet to type it.
  package static func mayGoOnWithElse(_ text: String) -> Bool {
    let (program, errors, _) = Parser.parse(Source(text, name: ""))
    guard errors.isEmpty, !program.isSilent, let last = program.statements.last else { return false }
    switch last.kind {
    case .expression(let expression), .assignment(_, let expression): return expression.lacksElse
    default: return false
    }
  }
}

extension Expression {
  /// Whether this is an `if` of several lines whose last branch has a condition.
  fileprivate var lacksElse: Bool {
    guard case .conditional(_, _, let otherwise) = kind, span.text.contains("\n") else { return false }
    guard let otherwise else { return true }
    // `else if` is a block of that one `if`.
    guard otherwise.statements.count == 1, let only = otherwise.statements.first, only.span == otherwise.span,
      case .expression(let next) = only.kind, case .conditional(_, _, let last) = next.kind
    else { return false }
    return last == nil || next.lacksElse
  }
}
