/// A script's text, with the name it is called by in messages.
///
/// The text is valid UTF-8: nothing after this has to think about broken bytes.
public final class Source: Hashable, Sendable {
  /// The file's path as it was given, or a name such as `<input>`.
  public let name: String
  package let bytes: [UInt8]
  /// Where each line begins, in bytes.
  private let lineStarts: [Int32]

  /// The largest script that is read. Bytes.
  public static let largest = 16 << 20

  /// Makes a source of text that is known to be valid.
  public init(_ text: String, name: String) {
    self.name = name
    bytes = Array(text.utf8)
    lineStarts = Self.starts(of: bytes)
  }

  /// Makes a source of a file's bytes.
  /// - Throws: `ScriptError.notText` with line and byte where the bytes are not UTF-8, `tooLarge` where there are too many.
  public init(validating bytes: [UInt8], name: String) throws(ScriptError) {
    guard bytes.count <= Self.largest else {
      throw .sourceTooLarge(name: name, byteCount: bytes.count, limit: Self.largest)
    }
    if let offset = Self.firstInvalidByte(of: bytes) {
      let line = Self.starts(of: bytes[..<offset]).count
      throw .notText(name: name, line: line, offset: offset, byte: bytes[offset])
    }
    self.name = name
    self.bytes = bytes
    lineStarts = Self.starts(of: bytes)
  }

  public var text: String { String(decoding: bytes, as: UTF8.self) }

  public static func == (a: Source, b: Source) -> Bool { a === b || (a.name == b.name && a.bytes == b.bytes) }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(bytes.count)
  }

  /// The number of the line that holds a byte, from 0.
  func line(at offset: Int) -> Int {
    var (low, high) = (0, lineStarts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if Int(lineStarts[middle]) <= offset { low = middle } else { high = middle }
    }
    return low
  }

  /// The bytes of a line, without its end.
  func range(ofLine line: Int) -> Range<Int> {
    let start = Int(lineStarts[line])
    var end = line + 1 < lineStarts.count ? Int(lineStarts[line + 1]) - 1 : bytes.count
    if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return start..<max(start, end)
  }

  package func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  private static func starts(of bytes: some Collection<UInt8>) -> [Int32] {
    var starts: [Int32] = [0]
    var last: UInt8 = 0
    for (offset, byte) in bytes.enumerated() {
      // Two characters may end a line together.
      if byte == UInt8(ascii: "\n"), last == UInt8(ascii: "\r") {
        starts[starts.count - 1] = Int32(offset + 1)
      } else if endsLine(byte) {
        starts.append(Int32(offset + 1))
      }
      last = byte
    }
    return starts
  }

  /// Whether a byte ends a line: the line feed of Unix, the carriage return of old Macs; Windows writes both.
  static func endsLine(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

  private static func firstInvalidByte(of bytes: [UInt8]) -> Int? {
    var offset = 0
    while offset < bytes.count {
      let lead = bytes[offset]
      if lead < 0x80 {
        offset += 1
        continue
      }
      let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
      guard (0xC2...0xF4).contains(lead), offset + length <= bytes.count else { return offset }
      for following in bytes[(offset + 1)..<(offset + length)] where following & 0xC0 != 0x80 { return offset }
      let second = bytes[offset + 1]
      switch lead {
      case 0xE0 where second < 0xA0, 0xED where second > 0x9F, 0xF0 where second < 0x90, 0xF4 where second > 0x8F:
        return offset
      default: offset += length
      }
    }
    return nil
  }
}

/// A stretch of a script's text: where something was written.
public struct Span: Hashable, Sendable {
  public let source: Source
  private let first, last: Int32

  /// Makes the span of a range of bytes.
  public init(_ source: Source, _ range: Range<Int>) {
    self.source = source
    first = Int32(clamping: range.lowerBound)
    last = Int32(clamping: range.upperBound)
  }

  /// Bytes.
  public var range: Range<Int> { Int(first)..<Int(last) }
  /// What stands there.
  public var text: String { source.text(range) }
  /// The line it begins on, from 1.
  public var line: Int { source.line(at: Int(first)) + 1 }
  /// The character of the line it begins with, from 1.
  public var column: Int {
    let start = source.range(ofLine: line - 1).lowerBound
    return source.text(start..<max(start, Int(first))).count + 1
  }

  /// From the beginning of this to the end of the other.
  func to(_ other: Span) -> Span { Span(source, Int(first)..<max(Int(first), Int(other.last))) }
  /// The place right behind.
  var end: Span { Span(source, Int(last)..<Int(last)) }
}
