internal import Script

/// Reads JSON as a value of the language, with the fields of objects in their order.
struct JSONReader {
  /// What is wrong, and the line it is on, from 1.
  struct Failure: Error {
    let problem: String
    let line: Int
  }

  private let bytes: [UInt8]
  private var position = 0
  /// How deep lists and objects may stand in each other.
  private static let deepest = 500

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The value of a whole text.
  static func value(of text: String) throws(Failure) -> Value {
    var reader = JSONReader(Array(text.utf8))
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == reader.bytes.count else { throw reader.failure("there is more behind the value") }
    return value
  }

  private func failure(_ problem: String) -> Failure {
    let line = bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") } + 1
    return Failure(problem: problem, line: line)
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard current == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func take(word: String) -> Bool {
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func value(depth: Int) throws(Failure) -> Value {
    guard depth < Self.deepest else { throw failure("it is nested deeper than \(Self.deepest) levels") }
    skipSpace()
    switch current {
    case UInt8(ascii: "{")?: return try object(depth: depth)
    case UInt8(ascii: "[")?: return try list(depth: depth)
    case UInt8(ascii: "\"")?: return .string(try string())
    case UInt8(ascii: "t")? where take(word: "true"): return .bool(true)
    case UInt8(ascii: "f")? where take(word: "false"): return .bool(false)
    case UInt8(ascii: "n")? where take(word: "null"): return .none
    case nil: throw failure("it ends where a value should stand")
    default: return .number(try number())
    }
  }

  private mutating func object(depth: Int) throws(Failure) -> Value {
    position += 1
    var fields: [(String, Value)] = []
    if take("}") { return .record(Record(fields)) }
    repeat {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw failure("expected the name of a field in quotes") }
      let name = try string()
      guard take(":") else { throw failure("expected ':' behind the name of a field") }
      fields.append((name, try value(depth: depth + 1)))
    } while take(",")
    guard take("}") else { throw failure("expected ',' or '}'") }
    return .record(Record(fields))
  }

  private mutating func list(depth: Int) throws(Failure) -> Value {
    position += 1
    var elements: [Value] = []
    if take("]") { return .list(elements) }
    repeat { elements.append(try value(depth: depth + 1)) } while take(",")
    guard take("]") else { throw failure("expected ',' or ']'") }
    return .list(elements)
  }

  private mutating func number() throws(Failure) -> Double {
    let start = position
    while let byte = current, "0123456789+-.eE".utf8.contains(byte) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let number = Double(text), number.isFinite else {
      position = start
      throw failure(text.isEmpty ? "expected a value" : "'\(text)' is not a number")
    }
    return number
  }

  private mutating func string() throws(Failure) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = current, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw failure("a string does not end on its line") }
      position += 1
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      guard let escape = current else { break }
      position += 1
      switch escape {
      case UInt8(ascii: "n"): text.append(0x0A)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "r"): text.append(0x0D)
      case UInt8(ascii: "b"): text.append(0x08)
      case UInt8(ascii: "f"): text.append(0x0C)
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
      case UInt8(ascii: "u"): text += Array(String(try escapedCharacter()).utf8)
      default: throw failure("a string holds an unknown escape sequence")
      }
    }
    guard current == UInt8(ascii: "\"") else { throw failure("a string does not end") }
    position += 1
    return String(decoding: text, as: UTF8.self)
  }

  /// What `\u` stands for; two of them stand for a character beyond the first 65,536.
  private mutating func escapedCharacter() throws(Failure) -> Character {
    let first = try codeUnit()
    var units = [first]
    if UTF16.isLeadSurrogate(first), take(word: "\\u") { units.append(try codeUnit()) }
    guard let character = String(validating: units, as: UTF16.self)?.first else {
      throw failure("a string holds half of a character")
    }
    return character
  }

  private mutating func codeUnit() throws(Failure) -> UInt16 {
    let digits = bytes[position..<min(position + 4, bytes.count)]
    guard digits.count == 4, let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
      throw failure("expected four hexadecimal digits behind \\u")
    }
    position += 4
    return unit
  }
}
