/// Cuts a script into tokens. Goes on after an error, so that one run finds several.
package struct Lexer {
  private let source: Source
  private let bytes: [UInt8]
  private var position: Int
  private let limit: Int
  package private(set) var errors: [ScriptError] = []
  /// Whether the end came within `"""`.
  private(set) var endsInBlock = false

  /// How deep strings may stand in the interpolations of strings.
  private static let deepestString = 20
  private static let mostErrors = 20

  package init(_ source: Source) {
    self.source = source
    bytes = source.bytes
    position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0  // a byte order mark means nothing in UTF-8
    limit = bytes.count
  }

  /// The tokens of the whole source; the last is `.end`.
  package mutating func tokens() -> [Token] {
    var tokens: [Token] = []
    tokens.reserveCapacity(min(bytes.count / 4 + 1, 1 << 16))
    while errors.count < Self.mostErrors, let token = next(depth: 0) { tokens.append(token) }
    tokens.append(Token(.end, limit..<limit))
    return tokens
  }

  private func peek(_ ahead: Int = 0) -> UInt8? {
    position + ahead < limit ? bytes[position + ahead] : nil
  }
  private func span(_ range: Range<Int>) -> Span { Span(source, range) }

  /// The next token, or nil at the end.
  private mutating func next(depth: Int) -> Token? {
    while let byte = peek() {
      let start = position
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"): position += 1
      case UInt8(ascii: "\r") where peek(1) == UInt8(ascii: "\n"): position += 1
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        position += 1
        return Token(.newline, start..<position)
      case UInt8(ascii: "#"):
        if let text = comment() { return text }
      case UInt8(ascii: "\""):
        if let string = string(depth: depth) { return string }
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        if let number = number() { return number }
      default:
        if Self.isNameStart(byte) {
          if let name = name() { return name }
        } else if let symbol = symbol() {
          return symbol
        } else {
          unexpectedCharacter()
        }
      }
      if errors.count >= Self.mostErrors { return nil }
    }
    return nil
  }

  private mutating func unexpectedCharacter() {
    let start = position
    let scalar = scalar()
    errors.append(.unexpectedCharacter(scalar, at: span(start..<position)))
  }

  /// Reads one scalar. The source is valid, so there is one.
  private mutating func scalar() -> Unicode.Scalar {
    let byte = bytes[position]
    let length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
    let text = String(decoding: bytes[position..<min(limit, position + length)], as: UTF8.self)
    position = min(limit, position + length)
    return text.unicodeScalars.first ?? "\u{FFFD}"
  }

  /// Skips a comment; a `##` that begins a line is text for the report.
  private mutating func comment() -> Token? {
    let start = position
    while let byte = peek(), !Source.endsLine(byte) { position += 1 }
    guard start + 1 < position, bytes[start + 1] == UInt8(ascii: "#") else { return nil }
    var before = start
    while before > 0, bytes[before - 1] == UInt8(ascii: " ") || bytes[before - 1] == UInt8(ascii: "\t") { before -= 1 }
    guard before == 0 || Source.endsLine(bytes[before - 1]) else { return nil }
    var from = start + 2
    if from < position, bytes[from] == UInt8(ascii: " ") { from += 1 }
    return Token(.text(source.text(from..<position)), start..<position)
  }

  private static func isNameStart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
    default: byte >= 0x80
    }
  }

  private mutating func name() -> Token? {
    let start = position
    while let byte = peek() {
      if byte >= 0x80 {
        let before = position
        let scalar = scalar()
        guard scalar.properties.isXIDContinue else {
          position = before
          break
        }
      } else if Self.isNameStart(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
        position += 1
      } else {
        break
      }
    }
    guard position > start else {
      unexpectedCharacter()
      return nil
    }
    let text = source.text(start..<position)
    return Token(Self.keywords[text].map(Token.Kind.keyword) ?? .name(text), start..<position)
  }

  /// Reads `20_000`, `0.5`, `1e-3`, `50%`.
  private mutating func number() -> Token? {
    let start = position
    func isDigit(_ byte: UInt8?) -> Bool { byte.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false }
    func skipDigits(_ lexer: inout Lexer) {
      while isDigit(lexer.peek()) || lexer.peek() == UInt8(ascii: "_") { lexer.position += 1 }
    }
    skipDigits(&self)
    if peek() == UInt8(ascii: "."), isDigit(peek(1)) {
      position += 1
      skipDigits(&self)
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      let signed = peek(1) == UInt8(ascii: "-") || peek(1) == UInt8(ascii: "+")
      if isDigit(peek(signed ? 2 : 1)) {
        position += signed ? 2 : 1
        skipDigits(&self)
      }
    }
    let digits = String(decoding: bytes[start..<position].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    let value: Double?
    if peek() == UInt8(ascii: "%") {
      position += 1
      value = Self.hundredth(of: digits)
    } else {
      value = Double(digits)
    }
    // `12abc` is one mistake, not a number and a name.
    var trailing = false
    while let byte = peek(), Self.isNameStart(byte) || isDigit(byte) {
      trailing = true
      position += 1
    }
    guard let value, value.isFinite, !trailing else {
      errors.append(.malformedNumber(source.text(start..<min(position, start + 40)), at: span(start..<position)))
      return nil
    }
    return Token(.number(value), start..<position)
  }

  /// The number nearest to a hundredth of what is written, so that 99.9% is 0.999. Dividing would round twice.
  private static func hundredth(of digits: String) -> Double? {
    let parts = digits.lowercased().split(separator: "e", maxSplits: 1)
    // An exponent beyond all Ints is beyond all Doubles too, with or without the two.
    guard parts.count == 2, let exponent = Int(parts[1]) else {
      return Double(digits + (parts.count == 2 ? "" : "e-2"))
    }
    return Double("\(parts[0])e\(exponent.subtractingReportingOverflow(2).partialValue)")
  }

  private mutating func string(depth: Int) -> Token? {
    let start = position
    let isBlock = peek(1) == UInt8(ascii: "\"") && peek(2) == UInt8(ascii: "\"")
    position += isBlock ? 3 : 1
    var pieces: [StringPiece] = []
    var text = StringText()
    func unterminated(_ lexer: inout Lexer) -> Token? {
      if isBlock { lexer.endsInBlock = lexer.position >= lexer.limit }
      while let byte = lexer.peek(), !Source.endsLine(byte) { lexer.position += 1 }
      lexer.errors.append(.unterminatedString(at: lexer.span(start..<lexer.position)))
      return nil
    }
    while true {
      guard let byte = peek(), isBlock || !Source.endsLine(byte) else { return unterminated(&self) }
      if Source.endsLine(byte) {
        position += byte == UInt8(ascii: "\r") && peek(1) == UInt8(ascii: "\n") ? 2 : 1
        text.endLine()
        continue
      }
      if byte == UInt8(ascii: "\""), !isBlock || (peek(1) == byte && peek(2) == byte) {
        position += isBlock ? 3 : 1
        break
      }
      guard byte == UInt8(ascii: "\\") else {
        text.bytes.append(byte)
        position += 1
        continue
      }
      let escape = position
      position += 1
      switch peek() {
      case UInt8(ascii: "n"): text.bytes.append(UInt8(ascii: "\n"))
      case UInt8(ascii: "t"): text.bytes.append(UInt8(ascii: "\t"))
      case UInt8(ascii: "r"): text.bytes.append(UInt8(ascii: "\r"))
      case UInt8(ascii: "0"): text.bytes.append(0)
      case UInt8(ascii: "\\"): text.bytes.append(UInt8(ascii: "\\"))
      case UInt8(ascii: "\""): text.bytes.append(UInt8(ascii: "\""))
      case UInt8(ascii: "u") where peek(1) == UInt8(ascii: "{"):
        var end = position + 2
        while end < limit, end < position + 11, bytes[end] != UInt8(ascii: "}"), bytes[end] != UInt8(ascii: "\"") {
          end += 1
        }
        guard end < limit, bytes[end] == UInt8(ascii: "}"),
          let scalar = UInt32(source.text((position + 2)..<end), radix: 16).flatMap(Unicode.Scalar.init)
        else {
          errors.append(.unknownEscape(source.text(escape..<min(end, limit)), at: span(escape..<min(end, limit))))
          continue
        }
        text.bytes += Array(String(Character(scalar)).utf8)
        position = end
      case UInt8(ascii: "("):
        position += 1
        pieces.append(.text(text))
        text = StringText()
        guard depth < Self.deepestString else {
          errors.append(.tooDeep(limit: Self.deepestString, at: span(escape..<position)))
          return unterminated(&self)
        }
        guard let tokens = interpolation(depth: depth + 1) else { return unterminated(&self) }
        pieces.append(.expression(tokens))
        continue
      case nil, UInt8(ascii: "\n"), UInt8(ascii: "\r"): return unterminated(&self)
      default:
        let scalar = scalar()
        errors.append(.unknownEscape("\\\(scalar)", at: span(escape..<position)))
        continue
      }
      position += 1
    }
    pieces.append(.text(text))
    if isBlock { pieces.removeIndentation() }
    return Token(.string(pieces.parts), start..<position)
  }

  /// Reads the tokens of `\(…)` up to its bracket; nil where the line ends before.
  private mutating func interpolation(depth: Int) -> [Token]? {
    var tokens: [Token] = []
    var open = 0
    while let token = next(depth: depth) {
      switch token.kind {
      case .newline, .text: return nil
      case .symbol(.openParenthesis): open += 1
      case .symbol(.closeParenthesis):
        if open == 0 { return tokens + [Token(.end, token.range)] }
        open -= 1
      default: break
      }
      tokens.append(token)
    }
    return nil
  }

  private mutating func symbol() -> Token? {
    let first = UInt32(bytes[position])
    let second = UInt32(peek(1) ?? 0)
    let third = UInt32(peek(2) ?? 0)
    for (length, key) in [(3, first << 16 | second << 8 | third), (2, first << 8 | second), (1, first)] {
      guard position + length <= limit, let symbol = Self.symbols[key] else { continue }
      position += length
      return Token(.symbol(symbol), (position - length)..<position)
    }
    return nil
  }

  /// Each symbol under its bytes, the first one highest.
  private static let symbols = Dictionary(
    uniqueKeysWithValues: Symbol.allCases.map { symbol in
      (symbol.rawValue.utf8.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }, symbol)
    })
  private static let keywords = Dictionary(uniqueKeysWithValues: Keyword.allCases.map { ($0.rawValue, $0) })
}
