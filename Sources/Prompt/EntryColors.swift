internal import Script

/// Which bytes of an entry are to be told by which colour, while it is typed.
struct EntryColors {
  /// In their order, without overlap.
  let stretches: [(range: Range<Int>, style: EntryStyle)]

  /// Of a longer text, which somebody has pasted, nothing is coloured. Bytes.
  private static let longest = 1 << 16

  /// - Parameter cursor: Bytes before the cursor: where a bracket stands there, its partner is marked; nil for no marks.
  init(_ text: String, cursor: Int?) {
    let count = text.utf8.count
    guard count <= Self.longest else {
      stretches = []
      return
    }
    guard PromptCall.isCommand(text) else {
      stretches = Self.ofScript(text, from: 0, cursor: cursor)
      return
    }
    let (command, _, rest) = PromptCall.head(of: text)
    let start = count - rest.utf8.count
    var stretches: [(range: Range<Int>, style: EntryStyle)] = []
    if command != nil { stretches.append((0..<start, .command)) }
    if command?.parameters.first?.kind == .statement {
      stretches += Self.ofScript(String(rest), from: start, cursor: cursor.map { $0 - start })
    }
    self.stretches = stretches
  }

  private static func ofScript(_ text: String, from start: Int, cursor: Int?) -> [(range: Range<Int>, style: EntryStyle)] {
    let source = Source(text, name: "")
    var stretches: [(range: Range<Int>, style: EntryStyle)] = SyntaxColors(source).stretches.map { stretch in
      switch stretch.kind {
      case .keyword: (stretch.range, .keyword)
      case .number: (stretch.range, .number)
      case .string: (stretch.range, .string)
      case .comment: (stretch.range, .comment)
      case .function: (stretch.range, .function)
      }
    }
    if let open = openString(in: source, behind: stretches) {
      stretches.removeAll { $0.range.lowerBound >= open.lowerBound }
      stretches.append((open, .string))
    }
    if let cursor, let partner = partner(ofBracketAt: cursor, in: source) {
      // What brackets are is no stretch of another kind.
      let place = stretches.firstIndex { $0.range.lowerBound > partner } ?? stretches.count
      stretches.insert((partner..<partner + 1, .bracket), at: place)
    }
    return stretches.map { ($0.range.lowerBound + start..<$0.range.upperBound + start, $0.style) }
  }

  /// A string that is not closed yet: from its quote on.
  private static func openString(
    in source: Source, behind stretches: [(range: Range<Int>, style: EntryStyle)]
  ) -> Range<Int>? {
    var place = 0
    var next = stretches[...]
    while place < source.bytes.count {
      if let stretch = next.first, stretch.range.lowerBound <= place {
        place = max(place, stretch.range.upperBound)
        next.removeFirst()
      } else if source.bytes[place] == UInt8(ascii: "\"") {
        let isBlock = source.bytes[place...].starts(with: "\"\"\"".utf8)
        let end = isBlock ? nil : source.bytes[place...].firstIndex(of: UInt8(ascii: "\n"))
        return place..<(end ?? source.bytes.count)
      } else {
        place += 1
      }
    }
    return nil
  }

  /// The bracket that closes or opens what the one before or behind the cursor opens or closes.
  private static func partner(ofBracketAt cursor: Int, in source: Source) -> Int? {
    var lexer = Lexer(source)
    var open: [(symbol: Symbol, place: Int)] = []
    var pairs: [Int: Int] = [:]
    for token in lexer.tokens() {
      guard case .symbol(let symbol) = token.kind else { continue }
      switch symbol {
      case .openParenthesis, .openBracket, .openBrace: open.append((symbol, token.range.lowerBound))
      case .closeParenthesis, .closeBracket, .closeBrace:
        guard let last = open.popLast() else { continue }
        guard [.openParenthesis: .closeParenthesis, .openBracket: .closeBracket, .openBrace: .closeBrace][last.symbol] == symbol
        else { continue }
        (pairs[last.place], pairs[token.range.lowerBound]) = (token.range.lowerBound, last.place)
      default: break
      }
    }
    // The one that was just typed counts first.
    return pairs[cursor - 1] ?? pairs[cursor]
  }
}
