/// A piece of a string while it is read.
enum StringPiece {
  case text(StringText)
  case expression([Token])
}

/// Text of a string, with the places where a line of the script begins in it.
struct StringText {
  var bytes: [UInt8] = []
  private(set) var lineStarts: [Int] = []

  /// A line of the script ends here, whichever bytes end it there.
  mutating func endLine() {
    bytes.append(UInt8(ascii: "\n"))
    lineStarts.append(bytes.count)
  }

  fileprivate static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  /// What stands behind the last line's beginning, where that is white space alone.
  fileprivate var lastIndentation: [UInt8]? {
    guard let start = lineStarts.last, bytes[start...].allSatisfy(Self.isBlank) else { return nil }
    return Array(bytes[start...])
  }

  /// Ends before the end of the line before the last.
  fileprivate mutating func removeLastLine() {
    guard let start = lineStarts.popLast() else { return }
    bytes.removeSubrange(max(0, start - 1)...)
  }

  /// Begins with the second line, where the first is white space alone.
  fileprivate mutating func removeBlankFirstLine() {
    guard let start = lineStarts.first, bytes[..<(start - 1)].allSatisfy(Self.isBlank) else { return }
    // What it begins with is the beginning of a line too.
    bytes.removeSubrange(..<start)
    lineStarts = lineStarts.map { $0 - start }
  }

  /// Takes from each line what it begins with of an indentation.
  fileprivate mutating func remove(_ indentation: [UInt8]) {
    for start in lineStarts.reversed() {
      let common = Swift.zip(bytes[start...], indentation).prefix { $0 == $1 }.count
      bytes.removeSubrange(start..<(start + common))
    }
    lineStarts = []
  }
}

extension [StringPiece] {
  /// Of text between `"""`: without the first line where nothing stands there, without the last where only the end
  /// stands there, and with as much less indentation as that has.
  mutating func removeIndentation() {
    guard case .text(var last)? = self.last else { return }
    if let indentation = last.lastIndentation {
      let isWhole = count == 1
      if isWhole { last.removeBlankFirstLine() }
      if !isWhole || last.lastIndentation != nil { last.removeLastLine() }
      last.remove(indentation)
      self[count - 1] = .text(last)
      if isWhole { return }
      for index in indices.dropLast() {
        guard case .text(var text) = self[index] else { continue }
        if index == startIndex { text.removeBlankFirstLine() }
        text.remove(indentation)
        self[index] = .text(text)
      }
    } else if case .text(var first) = self[0] {
      first.removeBlankFirstLine()
      self[0] = .text(first)
    }
  }

  /// What the token holds: no empty text, but where there is nothing else.
  var parts: [StringPart] {
    let parts = compactMap { piece -> StringPart? in
      switch piece {
      case .text(let text): text.bytes.isEmpty ? nil : .text(String(decoding: text.bytes, as: UTF8.self))
      case .expression(let tokens): .expression(tokens)
      }
    }
    return parts.isEmpty ? [.text("")] : parts
  }
}
