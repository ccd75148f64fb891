extension ScriptError {
  /// The error in words.
  public var diagnostic: Diagnostic {
    switch self {
    case .notText(let name, let line, let offset, let byte):
      Diagnostic(
        "not-text", "\(name) is not UTF-8 text: line \(line), byte \(offset + 1) is 0x\(Self.hex(byte))", at: nil,
        hint: "save the file as UTF-8")
    case .sourceTooLarge(let name, let byteCount, let limit):
      Diagnostic("source-too-large", "\(name) has \(byteCount) bytes, a script at most \(limit)", at: nil)
    case .unreadable(let path, let reason):
      Diagnostic("unreadable", "\(path) cannot be read: \(reason)", at: nil)
    case .unexpectedCharacter(let scalar, let span):
      Diagnostic(
        "unexpected-character", "unexpected character \(Self.describe(scalar))", at: span,
        hint: Self.lookalikes[scalar].map { "did you mean \($0)?" })
    case .unterminatedString(let span):
      Diagnostic("unterminated-string", span.text.hasPrefix("\"\"\"") ? "the string does not end" : "the string does not end on its line",
        at: span, hint: span.text.hasPrefix("\"\"\"") ? "close it with \"\"\"" : "close it with \", or write \"\"\" around several lines")
    case .unknownEscape(let text, let span):
      Diagnostic(
        "unknown-escape", "'\(text)' is not an escape sequence", at: span,
        hint: #"escape sequences: \n \t \r \0 \\ \" \u{…} and \(…)"#)
    case .malformedNumber(let text, let span):
      Diagnostic(
        "malformed-number", "'\(text)' is not a number", at: span,
        hint: text.contains("%")
          ? "a percentage is 50%; the remainder has a space: 7 % 3" : "write 20_000, 0.5, 1e-3 or 50%")

    case .unexpected(let found, let expected, let span):
      Diagnostic(
        "unexpected", "expected \(expected), found \(found)", at: span,
        hint: span.text == "else" ? "write it behind the block of its if: } else {" : nil)
    case .unclosed(let symbol, let span):
      Diagnostic("unclosed", "'\(symbol)' is never closed", at: span)
    case .chainedComparison(let span):
      Diagnostic("chained-comparison", "comparisons and ranges cannot be chained", at: span, hint: "write a < b and b < c")
    case .tooDeep(let limit, let span):
      Diagnostic(
        "too-deep", "the nesting is deeper than \(limit) levels", at: span, hint: "give a part of it a name")
    case .unlabelledAfterLabelled(let span):
      Diagnostic(
        "unlabelled-after-labelled", "an argument without a label follows one with a label", at: span,
        hint: "put it first")

    case .unknownName(let name, let span, let near):
      Diagnostic("unknown-name", "'\(name)' is not defined", at: span, hint: Self.suggestion(near))
    case .usedBeforeDefined(let name, let span, let defined):
      Diagnostic(
        "used-before-defined", "'\(name)' has no value yet", at: span,
        note: .init(text: "it gets its value here", span: defined))
    case .unknownField(let name, let type, let span, let near):
      Diagnostic(
        "unknown-field", "a \(type) has no field '\(name)'", at: span, hint: Self.suggestion(near))
    case .unknownLabel(let label, let function, let span, let near, let labels):
      Diagnostic(
        "unknown-label", "'\(function)' has no argument '\(label)'", at: span, hint: Self.suggestion(near, suffix: ":"),
        list: near.isEmpty ? labels.text : nil)
    case .retired(let old, let new, let span):
      Diagnostic("retired-word", "'\(old)' is now '\(new)'", at: span, hint: "write \(new)")
    case .wrongCount(let names, let elements, let span):
      Diagnostic(
        "wrong-count", "there \(names == 1 ? "is 1 name" : "are \(names) names") for \(elements) element\(elements == 1 ? "" : "s")",
        at: span, hint: "write one name for each element; _ for one that is not used")
    case .unusable(let path, let reason, let span):
      Diagnostic(
        "unusable", "'\(path)' cannot be used: \(reason)", at: span,
        hint: "a path is seen from the folder of the script that it stands in")
    case .useCycle(let names, let span):
      Diagnostic(
        "use-cycle", "scripts use each other: \(names.joined(separator: " → "))", at: span,
        hint: "move what both need into a script that uses neither")
    case .missingArgument(let label, let function, let span):
      Diagnostic("missing-argument", "'\(function)' needs '\(label)'", at: span, hint: "add \(label): …")
    case .extraArgument(let function, let allowed, let span):
      Diagnostic(
        "extra-argument", "'\(function)' takes \(Self.count(allowed, "argument")), this is one too many", at: span)
    case .labelNeeded(let label, let function, let span):
      Diagnostic(
        "label-needed", "the argument '\(label)' of '\(function)' needs its label", at: span,
        hint: "write \(label): \(span.brief)")
    case .duplicate(let name, let kind, let span):
      Diagnostic("duplicate", "the \(kind) '\(name)' is defined twice", at: span)
    case .wrongType(let what, let expected, let found, let span):
      Diagnostic("wrong-type", "\(Self.quoted(what)) must be \(Self.article(expected)), not \(found)", at: span)
    case .wrongChoice(let given, let what, let allowed, let span, let near):
      Diagnostic(
        "wrong-choice", "\(Self.quoted(what)) cannot be \"\(given)\"", at: span,
        hint: near.first.map { "did you mean \"\($0)\"?" }
          ?? "one of \(allowed.map { "\"\($0)\"" }.joined(separator: ", "))")
    case .outOfRange(let what, let number, let allowed, let span):
      Diagnostic(
        "out-of-range", "\(Self.quoted(what)) is \(Value.text(of: number)), outside of \(Self.bounds(allowed))",
        at: span)
    case .misplaced(let what, let allowed, let span):
      Diagnostic("misplaced", "'\(what)' is allowed only \(allowed)", at: span)
    case .notLiteral(let name, let span):
      Diagnostic(
        "not-literal", "the default of parameter '\(name)' must be a literal", at: span,
        hint: "a number, a string, true, false, none, or a list of these")

    case .noValue(let name, let span):
      Diagnostic("no-value", "'\(name)' has no value yet", at: span)
    case .notCallable(let type, let shadows, let span):
      Diagnostic(
        "not-callable", "a \(type) cannot be called", at: span,
        hint: shadows.map { "the script assigns '\($0)'; x.\($0)() still calls the built-in function" })
    case .wrongOperands(let symbol, let left, let right, let span):
      if let right {
        Diagnostic("wrong-operands", "'\(symbol)' cannot be applied to a \(left) and a \(right)", at: span)
      } else {
        Diagnostic("wrong-operands", "'\(symbol)' cannot be applied to a \(left)", at: span)
      }
    case .divisionByZero(let span):
      Diagnostic("division-by-zero", "division by zero", at: span)
    case .indexOutOfRange(let index, let count, let span):
      Diagnostic(
        "index-out-of-range", "index \(index) is out of range: there are \(Self.count(count, "element"))", at: span,
        hint: count == 0 ? nil : "the first is 0, the last \(count - 1) or -1")
    case .notWhole(let number, let what, let span):
      Diagnostic("not-whole", "\(Self.quoted(what)) must be an integer, not \(Value.text(of: number))", at: span)
    case .tooLarge(let what, let limit, let span):
      Diagnostic("too-large", "the \(what) exceeds \(limit)", at: span)
    case .endlessRecursion(let depth, let span):
      Diagnostic("endless-recursion", "\(depth) nested calls: the recursion may be endless", at: span)
    case .inapplicable(let labels, let condition, let found, let span):
      Diagnostic(
        "no-effect", condition.problem(with: labels, found: found), at: span, hint: condition.hint(for: labels))
    case .failed(let problem, let hint, let span):
      Diagnostic("failed", problem, at: span, hint: hint)
    case .domain(let failure, let span):
      Diagnostic(failure.isMissingData ? "not-here" : "failed", failure.problem, at: span, hint: failure.hint)
    case .missingData(let problem, let hint, let span):
      Diagnostic("not-here", problem, at: span, hint: hint)
    case .outsideWorkingDirectory(let path, let directory, let span):
      Diagnostic(
        "outside-working-directory", "'\(path)' is outside of \(directory)", at: span,
        hint: "a script writes only below the directory it was started in")
    case .file(let path, let reason, let span):
      Diagnostic("file", "\(path): \(reason)", at: span)
    case .interrupted(let span):
      Diagnostic("interrupted", "interrupted", at: span)

    case .unknownSetting(let name, let near):
      Diagnostic("unknown-setting", "the script has no parameter '\(name)'", at: nil, hint: Self.suggestion(near))
    case .wrongSetting(let name, let value, let expected):
      Diagnostic("wrong-setting", "'\(name)' must be \(expected), not '\(value)'", at: nil)
    }
  }

  private static func hex(_ byte: UInt8) -> String { String(byte, radix: 16, uppercase: true) }

  private static func describe(_ scalar: Unicode.Scalar) -> String {
    if scalar.value < 0x20 || (0x7F...0xA0).contains(scalar.value) || scalar.properties.generalCategory == .format {
      return "U+\(String(repeating: "0", count: max(0, 4 - String(scalar.value, radix: 16).count)))"
        + String(scalar.value, radix: 16, uppercase: true)
    }
    return "'\(scalar)'"
  }

  /// What word processors make of what people type.
  private static let lookalikes: [Unicode.Scalar: String] = [
    "“": "\"", "”": "\"", "‘": "\"", "’": "\"", "'": "\"", "–": "-", "−": "-", "×": "*", "·": "*", "÷": "/", "…": "...",
    "≤": "<=", "≥": ">=", "≠": "!=", "&": "'and'", "|": "'or'", "^": "**", "→": "=>", "`": "\"",
  ]

  private static func suggestion(_ near: [String], suffix: String = "") -> String? {
    near.first.map { "did you mean '\($0)\(suffix)'?" }
  }

  private static func count(_ count: Int, _ noun: String) -> String {
    count == 0 ? "no \(noun)s" : count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
  }

  /// A parameter's name in quotes; a phrase as it is.
  private static func quoted(_ what: String) -> String { what.contains(" ") ? what : "'\(what)'" }

  private static func article(_ type: ValueType) -> String {
    switch type {
    case .bool, .oneOf, .none, .any: return type.description
    case .optional(let inner): return article(inner) + " or none"
    case .either(let types): return types.map(article).joined(separator: " or ")
    default:
      let name = type.description
      return ("aeiou".contains(name.first ?? " ") ? "an " : "a ") + name
    }
  }

  private static func bounds(_ allowed: ClosedRange<Double>) -> String {
    switch (allowed.lowerBound.isFinite && allowed.lowerBound > -1e300, allowed.upperBound < 1e300) {
    case (true, false): "\(Value.text(of: allowed.lowerBound)) and more"
    case (false, true): "at most \(Value.text(of: allowed.upperBound))"
    default: "\(Value.text(of: allowed.lowerBound))...\(Value.text(of: allowed.upperBound))"
    }
  }
}

extension Span {
  /// What stands there, if it is short.
  fileprivate var brief: String {
    let text = text
    return text.count <= 30 && !text.contains("\n") ? text : "…"
  }
}
