internal import Notebook
internal import Script

/// The next useful call after an error, where the message does not say it itself.
enum NextCall {
  /// One line that says what to type, and why; nil where nothing is surely useful.
  static func hint(after failure: ScriptFailure, in entry: PromptEntry, library: Library) -> String? {
    guard let error = failure.errors.first, failure.category != .interrupted else { return nil }
    if failure.stage == .run, entry.done > 0 {
      let before = entry.done == 1 ? "the statement before it was" : "the \(entry.done) statements before it were"
      return "\(before) done; :undo takes back the entry, :edit opens it"
    }
    if entry.source.bytes.starts(with: "else".utf8) {
      return "an else belongs to the entry of its if; :edit opens the entry before, to write it there"
    }
    let diagnostic = error.diagnostic
    guard let span = diagnostic.span, span.source == entry.source else { return nil }
    switch error {
    case .unknownName(_, _, let near): return near.isEmpty ? ":who lists your names, help those of the language" : nil
    case .retired, .failed: return nil
    case .unexpected, .unclosed, .unterminatedString:
      return entry.text.contains("\n") ? ":edit opens the entry in your editor" : nil
    default: break
    }
    guard let name = function(around: span.range.lowerBound, in: entry.source), library.builtin(name) != nil else { return nil }
    return "\(name)? lists its arguments, with an example"
  }

  /// The name of the innermost call whose parentheses hold a place, or that begins there.
  static func function(around place: Int, in source: Source) -> String? {
    var lexer = Lexer(source)
    let tokens = lexer.tokens()
    func isCall(_ index: Int) -> String? {
      guard case .name(let name) = tokens[index].kind, index + 1 < tokens.count,
        case .symbol(.openParenthesis) = tokens[index + 1].kind
      else { return nil }
      return name
    }
    // The names of the calls that are open; nil for a parenthesis without one.
    var open: [String?] = []
    for index in tokens.indices {
      let start = tokens[index].range.lowerBound
      if start >= place {
        if start == place, let name = isCall(index) { return name }
        break
      }
      switch tokens[index].kind {
      case .symbol(.openParenthesis): open.append(index > 0 ? isCall(index - 1) : nil)
      case .symbol(.closeParenthesis): _ = open.popLast()
      default: break
      }
    }
    return open.last { $0 != nil } ?? nil
  }
}
