/// The safetensors format: named arrays, as timm, torchvision and Hugging Face publish weights.
///
/// All element types become `Float`; 32-bit floats go straight from the file into the arrays. Nothing that a file says is
/// believed: a header that lies about sizes is refused before memory is taken for them.
///
///     let file = try SafeTensors(reading: "resnet50.safetensors")
///     file.weights["fc.weight"]?.shape            // 1000 x 2048
///
/// Source: https://github.com/huggingface/safetensors, section "Format".
public struct SafeTensors: Sendable {
  public var weights: Weights
  /// The texts under `__metadata__`.
  public var metadata: [String: String]

  public init(weights: Weights, metadata: [String: String] = [:]) {
    self.weights = weights
    self.metadata = metadata
  }

  /// Reads a file.
  /// - Parameter isWanted: Which arrays to read, by name; all of them where it is not given.
  /// - Throws: `TensorError.file`, `.malformed`, `.unsupportedElementType`, `.outOfMemory`.
  public init(
    reading path: String, where isWanted: (String) -> Bool = { _ in true }
  ) throws(TensorError) {
    let file = try InputFile(path)
    let header = try Header(of: file)
    metadata = header.metadata
    weights = [:]
    for entry in header.entries where isWanted(entry.name) {
      var tensor = try Tensor(zeros: entry.shape)
      try entry.type.read(file, at: header.dataOffset + entry.begin, isBigEndian: false, into: &tensor)
      weights[entry.name] = tensor
    }
  }

  /// What a file holds, without the numbers.
  public struct Entry: Hashable, Sendable {
    public let name: String
    public let type: ElementType
    public let shape: Shape
    /// Where the elements begin, from the end of the header. Bytes.
    let begin: Int
  }

  /// Reads a file's list of arrays, in the order in which they lie in the file.
  /// - Throws: `TensorError.file`, `.malformed`, `.unsupportedElementType`.
  public static func entries(of path: String) throws(TensorError) -> [Entry] {
    try Header(of: try InputFile(path)).entries
  }

  /// Writes 32-bit floats by name, sorted, whole or not at all: the same contents give the same bytes.
  /// - Throws: `TensorError.file` with the system's reason.
  public func write(to path: String) throws(TensorError) {
    let names = weights.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var fields: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      fields.append(
        #""__metadata__":{"# + texts.map { "\(quoted($0.key)):\(quoted($0.value))" }.joined(separator: ",") + "}")
    }
    var offset = 0
    for name in names {
      guard name != "__metadata__" else { throw .malformed(path: path, problem: "no array may be called __metadata__") }
      let shape = weights[name]!.shape
      let end = offset + shape.elementCount * ElementType.float32.byteCount
      let extents = shape.extents.map(String.init).joined(separator: ",")
      fields.append(#"\#(quoted(name)):{"dtype":"F32","shape":[\#(extents)],"data_offsets":[\#(offset),\#(end)]}"#)
      offset = end
    }
    var header = Array("{\(fields.joined(separator: ","))}".utf8)
    header += repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    guard header.count <= Header.longest else {
      throw .malformed(path: path, problem: "a header of \(header.count) bytes is too long")
    }
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    try writeAtomically(to: path) { file throws(TensorError) in
      try file.write(length + header)
      for name in names {
        try weights[name]!.withUnsafeElements { elements throws(TensorError) in
          try file.write(UnsafeRawBufferPointer(elements))
        }
      }
    }
  }
}

extension SafeTensors {
  struct Header {
    /// By their place in the file; they follow each other without holes and end with it.
    let entries: [Entry]
    let metadata: [String: String]
    let dataOffset: Int

    /// As the reference implementation has it.
    static let longest = 100_000_000

    init(of file: borrowing InputFile) throws(TensorError) {
      let path = file.path
      func malformed(_ problem: String) -> TensorError { .malformed(path: path, problem: problem) }
      guard file.byteCount >= 8 else { throw malformed("its \(file.byteCount) bytes are no safetensors file") }
      let length = try file.bytes(at: 0, count: 8).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      let first = try file.bytes(at: 8, count: min(1, file.byteCount - 8))
      guard first.isEmpty || first == [UInt8(ascii: "{")] else {
        throw malformed("it is no safetensors file: no header begins at its byte 8")
      }
      guard length <= UInt64(min(file.byteCount - 8, Self.longest)) else {
        throw malformed("it says that its header has \(length) bytes, but the file has \(file.byteCount)")
      }
      dataOffset = 8 + Int(length)
      var parser = HeaderParser(try file.bytes(at: 8, count: Int(length)))
      let fields: HeaderParser.Fields
      do throws(HeaderParser.Problem) { fields = try parser.header() } catch {
        throw malformed("its header: \(error.text), at byte \(8 + error.position)")
      }
      metadata = fields.metadata

      var entries: [Entry] = []
      var end = 0
      let dataCount = file.byteCount - dataOffset
      for field in fields.tensors.sorted(by: { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }) {
        guard let type = Self.types[field.type] else { throw .unsupportedElementType(path: path, name: field.type) }
        guard let shape = Shape(checking: field.shape) else {
          throw malformed("'\(field.name)' has the shape \(field.shape)")
        }
        let (byteCount, overflow) = shape.elementCount.multipliedReportingOverflow(by: type.byteCount)
        guard field.begin == end, field.end >= field.begin, field.end <= dataCount else {
          throw malformed(
            "'\(field.name)' lies at bytes \(field.begin) to \(field.end), where \(end) to at most \(dataCount) is left"
          )
        }
        guard !overflow, byteCount == field.end - field.begin else {
          throw malformed("'\(field.name)' of \(shape) does not have \(field.end - field.begin) bytes")
        }
        end = field.end
        entries.append(Entry(name: field.name, type: type, shape: shape, begin: field.begin))
      }
      guard end == dataCount else { throw malformed("\(dataCount - end) bytes belong to no array") }
      self.entries = entries
    }

    private static let types: [String: ElementType] = [
      "BOOL": .bool, "U8": .uint8, "I8": .int8, "I16": .int16, "U16": .uint16, "I32": .int32, "U32": .uint32,
      "I64": .int64, "U64": .uint64, "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64,
      "F8_E4M3": .float8e4m3, "F8_E5M2": .float8e5m2, "F8_E4M3FNUZ": .float8e4m3z, "F8_E5M2FNUZ": .float8e5m2z,
      "F8_E8M0": .float8e8m0,
    ]
  }
}

/// A text as JSON writes it.
private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\u{0}"..<"\u{20}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

/// Reads the JSON of a safetensors header, and only that: an object of arrays, and texts under `__metadata__`.
///
/// A parser of its own, since general ones take the last of two equal keys, make numbers into `Double` and follow any
/// depth of nesting.
struct HeaderParser {
  struct Problem: Error {
    var text: String
    var position: Int
  }
  struct Field {
    var name: String
    var type: String
    var shape: [Int]
    var begin, end: Int
  }
  struct Fields {
    var tensors: [Field] = []
    var metadata: [String: String] = [:]
  }

  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func header() throws(Problem) -> Fields {
    guard bytes.first == UInt8(ascii: "{") else { throw problem("it does not begin with '{'") }
    var fields = Fields()
    var hasMetadata = false
    var names: Set<String> = []
    try object { parser, name throws(Problem) in
      if name == "__metadata__" {
        guard !hasMetadata else { throw parser.problem("'__metadata__' comes twice") }
        hasMetadata = true
        var metadata: [String: String] = [:]
        try parser.object { parser, key throws(Problem) in
          let value = try parser.text()
          guard metadata.updateValue(value, forKey: key) == nil else { throw parser.problem("'\(key)' comes twice") }
        }
        fields.metadata = metadata
      } else {
        guard names.insert(name).inserted else { throw parser.problem("'\(name)' comes twice") }
        fields.tensors.append(try parser.tensor(name))
      }
    }
    guard peek() == nil else { throw problem("something follows the object") }
    return fields
  }

  private mutating func tensor(_ name: String) throws(Problem) -> Field {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try object { parser, key throws(Problem) in
      switch key {
      case "dtype" where type == nil: type = try parser.text()
      case "shape" where shape == nil: shape = try parser.numbers()
      case "data_offsets" where offsets == nil: offsets = try parser.numbers()
      default: throw parser.problem("'\(key)' of '\(name)' is unknown or comes twice")
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2, shape.count <= 64 else {
      throw problem("'\(name)' needs a dtype, a shape and two data_offsets")
    }
    return Field(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }

  private mutating func object(
    _ member: (inout HeaderParser, String) throws(Problem) -> Void
  ) throws(Problem) {
    try expect("{")
    if skip("}") { return }
    repeat {
      _ = peek()
      let key = try text()
      try expect(":")
      try member(&self, key)
    } while skip(",")
    try expect("}")
  }

  private mutating func numbers() throws(Problem) -> [Int] {
    try expect("[")
    var numbers: [Int] = []
    if skip("]") { return numbers }
    repeat { numbers.append(try number()) } while skip(",")
    try expect("]")
    return numbers
  }

  /// An integer from 0; safetensors has no others.
  private mutating func number() throws(Problem) -> Int {
    _ = peek()
    var value = 0
    let start = at
    while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(bytes[at] - UInt8(ascii: "0")))
      guard !overflow, !carry else { throw problem("a number is too large") }
      value = sum
      at += 1
    }
    guard at > start, at == start + 1 || bytes[start] != UInt8(ascii: "0") else {
      throw problem("an integer of at least 0 is expected")
    }
    if at < bytes.count, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[at]) {
      throw problem("an integer of at least 0 is expected")
    }
    return value
  }

  private mutating func text() throws(Problem) -> String {
    try expect("\"")
    var units: [UInt8] = []
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: units, as: UTF8.self) else { throw problem("a text is not UTF-8") }
        return text
      case UInt8(ascii: "\\"): units += String(try escaped()).utf8
      case 0..<0x20: throw problem("a text holds a control character")
      default: units.append(byte)
      }
    }
    throw problem("a text does not end")
  }

  private mutating func escaped() throws(Problem) -> Character {
    guard at < bytes.count else { throw problem("a text does not end") }
    let byte = bytes[at]
    at += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let high = try fourDigits()
      if let scalar = Unicode.Scalar(high) { return Character(scalar) }
      guard (0xD800..<0xDC00).contains(high), at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
        bytes[at + 1] == UInt8(ascii: "u")
      else { throw problem("half of a surrogate pair") }
      at += 2
      let low = try fourDigits()
      guard (0xDC00..<0xE000).contains(low), let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + low - 0xDC00)
      else { throw problem("half of a surrogate pair") }
      return Character(scalar)
    default: throw problem("an unknown escape")
    }
  }

  private mutating func fourDigits() throws(Problem) -> UInt32 {
    guard at + 4 <= bytes.count else { throw problem("a text does not end") }
    var value: UInt32 = 0
    for byte in bytes[at..<at + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw problem("an unknown escape") }
      value = value << 4 | UInt32(digit)
    }
    at += 4
    return value
  }

  private mutating func peek() -> UInt8? {
    while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    return at < bytes.count ? bytes[at] : nil
  }

  private mutating func skip(_ mark: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: mark) else { return false }
    at += 1
    return true
  }

  private mutating func expect(_ mark: Unicode.Scalar) throws(Problem) {
    guard skip(mark) else { throw problem("'\(mark)' is expected") }
  }

  private func problem(_ text: String) -> Problem { Problem(text: text, position: at) }
}
