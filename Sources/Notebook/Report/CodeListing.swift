internal import Script

/// A script's text in the colours of its syntax.
struct CodeListing {
  let source: Source
  private let stretches: [(range: Range<Int>, kind: SyntaxColors.Kind)]

  init(_ source: Source) {
    self.source = source
    stretches = SyntaxColors(source).stretches
  }

  private static let classes: [SyntaxColors.Kind: String] = [
    .keyword: "k", .number: "m", .string: "s", .comment: "c", .function: "f",
  ]

  /// A block of stretches of the script, each with a note behind it, without blank lines at its ends; nil where nothing
  /// is left.
  func block(_ parts: [(range: Range<Int>, note: String)], kind: String = "code") -> String? {
    var parts = parts
    while let first = parts.first {
      parts[0].range = source.withoutBlankStart(first.range)
      guard parts[0].range.isEmpty else { break }
      parts.removeFirst()
    }
    while let last = parts.last {
      parts[parts.count - 1].range = source.withoutBlankEnd(last.range)
      guard parts[parts.count - 1].range.isEmpty else { break }
      parts.removeLast()
    }
    guard !parts.isEmpty else { return nil }
    let code = parts.map { part in
      html(part.range) + (part.note.isEmpty ? "" : "<span class=\"note\">\(HTML.escaped(part.note))</span>")
    }.joined()
    return "<pre class=\"\(kind)\"><code>\(code)</code></pre>"
  }

  private func html(_ range: Range<Int>) -> String {
    var result = ""
    var place = range.lowerBound
    var index = firstStretch(endingAfter: place)
    while index < stretches.count, stretches[index].range.lowerBound < range.upperBound {
      let part = stretches[index].range.clamped(to: range)
      result += text(place..<max(place, part.lowerBound))
      let name = Self.classes[stretches[index].kind] ?? ""
      result += "<span class=\"\(name)\">\(text(part))</span>"
      place = max(place, part.upperBound)
      index += 1
    }
    return result + text(place..<max(place, range.upperBound))
  }

  private func firstStretch(endingAfter place: Int) -> Int {
    var (low, high) = (0, stretches.count)
    while low < high {
      let middle = (low + high) / 2
      if stretches[middle].range.upperBound <= place { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Lines end alike, however the file ends them.
  private func text(_ range: Range<Int>) -> String {
    let text = source.text(range)
    guard text.utf8.contains(0x0D) else { return HTML.escaped(text) }
    return HTML.escaped(text.replacing("\r\n", with: "\n").replacing("\r", with: "\n"))
  }
}

extension Source {
  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || endsLine(byte) }
  private static func endsLine(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

  /// Whether nothing but blanks stands there.
  func isBlank(_ range: Range<Int>) -> Bool { bytes[range].allSatisfy(Self.isBlank) }

  /// What is left without the blank lines that it begins with.
  fileprivate func withoutBlankStart(_ range: Range<Int>) -> Range<Int> {
    guard let first = bytes[range].firstIndex(where: { !Self.isBlank($0) }) else { return range.upperBound..<range.upperBound }
    let line = bytes[range.lowerBound..<first].lastIndex(where: Self.endsLine).map { $0 + 1 } ?? range.lowerBound
    return line..<range.upperBound
  }

  fileprivate func withoutBlankEnd(_ range: Range<Int>) -> Range<Int> {
    guard let last = bytes[range].lastIndex(where: { !Self.isBlank($0) }) else { return range.lowerBound..<range.lowerBound }
    return range.lowerBound..<(last + 1)
  }
}
