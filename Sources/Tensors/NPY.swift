/// NumPy's `.npy` files: one array each.
///
/// Read: versions 1.0 to 3.0; booleans, integers of 8 to 64 bits, floats of 16 to 64 bits, in either byte order and
/// in C or Fortran order. Written: little-endian in C order, the data 64 bytes from a multiple of 64, as NumPy does.
///
/// Source: NEP 1, "A simple file format for NumPy arrays", and `numpy.lib.format`.
public enum NPY {
  /// Longer headers are refused.
  private static let longestHeader = 1 << 20

  /// Reads a file whatever its numbers are, rounding them to `Float`.
  /// - Throws: `TensorError.file`, `.malformed`, `.unsupportedElementType`, `.outOfMemory`.
  public static func read(_ path: String) throws(TensorError) -> Tensor { try read(path, as: Float.self) }

  /// Reads a file into an array of a chosen type. `Float` and `Double` take all numbers and round; whole types take
  /// integers that fit.
  /// - Throws: `TensorError.file`, `.malformed`, `.unsupportedElementType`, `.outOfMemory`.
  public static func read<Element: ArrayElement>(
    _ path: String, as _: Element.Type
  ) throws(TensorError) -> NDArray<Element> {
    let file = try InputFile(path)
    let header = try Header(of: file)
    guard !Element.elementType.isWhole || header.type.isWhole else {
      throw .unsupportedElementType(path: path, name: header.descriptor)
    }
    let (byteCount, overflow) = header.shape.elementCount.multipliedReportingOverflow(by: header.type.byteCount)
    let available = file.byteCount - header.dataOffset
    guard !overflow, byteCount <= available else {
      throw .malformed(path: path, problem: "an array of \(header.shape) does not fit in its \(available) bytes")
    }
    guard byteCount == available else {
      throw .malformed(path: path, problem: "\(available - byteCount) bytes follow the array")
    }
    guard header.isFortranOrder, header.shape.rank > 1 else {
      var array = try NDArray<Element>(zeros: header.shape)
      try header.type.read(file, at: header.dataOffset, isBigEndian: header.isBigEndian, into: &array)
      return array
    }
    // Fortran order is row-major order of the reversed shape.
    var reversed = try NDArray<Element>(zeros: Shape(header.shape.extents.reversed()))
    try header.type.read(file, at: header.dataOffset, isBigEndian: header.isBigEndian, into: &reversed)
    return try reversed.transposed(Array((0..<header.shape.rank).reversed()))
  }

  /// Writes an array in the type it has, whole or not at all.
  /// - Throws: `TensorError.file` with the system's reason.
  public static func write<Element: ArrayElement>(_ array: NDArray<Element>, to path: String) throws(TensorError) {
    let descriptor =
      switch Element.elementType {
      case .uint8: "|u1"
      case .int64: "<i8"
      case .float64: "<f8"
      default: "<f4"
      }
    let extents = array.shape.extents
    let shape = extents.count == 1 ? "(\(extents[0]),)" : "(\(extents.map(String.init).joined(separator: ", ")))"
    let dictionary = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(shape), }"
    let unpadded = 10 + dictionary.utf8.count + 1
    let padding = (64 - unpadded % 64) % 64
    let length = dictionary.utf8.count + padding + 1
    guard length <= UInt16.max else { throw .malformed(path: path, problem: "an array with \(extents.count) axes") }
    let header =
      magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(dictionary.utf8)
      + Array(repeating: UInt8(ascii: " "), count: padding) + [UInt8(ascii: "\n")]
    try writeAtomically(to: path) { file throws(TensorError) in
      try file.write(header)
      try array.withUnsafeElements { elements throws(TensorError) in
        try file.write(UnsafeRawBufferPointer(elements))
      }
    }
  }

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  private struct Header {
    var type: ElementType
    var descriptor: String
    var isBigEndian: Bool
    var isFortranOrder: Bool
    var shape: Shape
    /// Where the elements begin in the file.
    var dataOffset: Int

    init(of file: borrowing InputFile) throws(TensorError) {
      func malformed(_ problem: String) -> TensorError { .malformed(path: file.path, problem: problem) }
      guard file.byteCount >= 10 else { throw malformed("its \(file.byteCount) bytes are no .npy file") }
      let start = try file.bytes(at: 0, count: 10)
      guard start.starts(with: NPY.magic) else { throw malformed("it does not begin as a .npy file does") }
      let version = start[6]
      guard (1...3).contains(version), start[7] == 0 else {
        throw malformed("version \(version).\(start[7]) of the .npy format is not known")
      }
      let prefix = version == 1 ? 10 : 12
      guard file.byteCount >= prefix else { throw malformed("its header is cut off") }
      let lengthBytes = try file.bytes(at: 8, count: prefix - 8)
      let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
      guard length <= NPY.longestHeader, prefix + length <= file.byteCount else {
        throw malformed("its header has \(length) bytes, the file \(file.byteCount)")
      }
      dataOffset = prefix + length
      var parser = LiteralParser(try file.bytes(at: prefix, count: length))
      guard let fields = parser.dictionary() else { throw malformed("its header cannot be read") }
      guard case .text(let descriptor)? = fields["descr"] else {
        if case .other? = fields["descr"] { throw .unsupportedElementType(path: file.path, name: "a structure") }
        throw malformed("its header has no 'descr'")
      }
      guard case .truth(let isFortranOrder)? = fields["fortran_order"] else {
        throw malformed("its header has no 'fortran_order'")
      }
      guard case .numbers(let extents)? = fields["shape"] else { throw malformed("its header has no 'shape'") }
      guard fields.count == 3 else { throw malformed("its header has more than three fields") }
      guard extents.count <= 64, let shape = Shape(checking: extents) else {
        throw malformed("its shape \(extents.prefix(64)) cannot be")
      }
      let types: [String: ElementType] = [
        "b1": .bool, "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64, "i1": .int8, "i2": .int16,
        "i4": .int32, "i8": .int64, "f2": .float16, "f4": .float32, "f8": .float64,
      ]
      guard let order = descriptor.first, "<>|=".contains(order), let type = types[String(descriptor.dropFirst())],
        order != "|" || type.byteCount == 1
      else { throw .unsupportedElementType(path: file.path, name: descriptor) }
      self.type = type
      self.descriptor = descriptor
      self.isFortranOrder = isFortranOrder
      self.shape = shape
      isBigEndian = order == ">"
    }
  }
}

/// Reads the Python dictionary of a `.npy` header: text, `True` and `False`, tuples of integers.
private struct LiteralParser {
  enum Value {
    case text(String)
    case truth(Bool)
    case numbers([Int])
    case other
  }

  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The dictionary, or nil where this is none, a key comes twice, or something follows.
  mutating func dictionary() -> [String: Value]? {
    guard skip("{") else { return nil }
    var fields: [String: Value] = [:]
    while !skip("}") {
      guard let key = text(), fields[key] == nil, skip(":"), let value = value() else { return nil }
      fields[key] = value
      // The list of a structured type is not read, so neither is what follows it.
      if case .other = value { return fields }
      guard skip(",") || peek() == UInt8(ascii: "}") else { return nil }
    }
    return peek() == nil ? fields : nil
  }

  private mutating func value() -> Value? {
    switch peek() {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): text().map { .text($0) }
    case UInt8(ascii: "("): numbers().map { .numbers($0) }
    case UInt8(ascii: "["): .other
    default: skip("True") ? .truth(true) : skip("False") ? .truth(false) : nil
    }
  }

  private mutating func text() -> String? {
    guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
    let start = at + 1
    guard let end = bytes[start...].firstIndex(of: quote), !bytes[start..<end].contains(UInt8(ascii: "\\")) else {
      return nil
    }
    at = end + 1
    return String(validating: bytes[start..<end], as: UTF8.self)
  }

  private mutating func numbers() -> [Int]? {
    guard skip("(") else { return nil }
    var numbers: [Int] = []
    while !skip(")") {
      guard let number = number() else { return nil }
      numbers.append(number)
      guard skip(",") || (peek() == UInt8(ascii: ")") && numbers.count > 1) else { return nil }
    }
    return numbers
  }

  private mutating func number() -> Int? {
    guard peek() != nil else { return nil }
    let end = bytes[at...].firstIndex { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? bytes.count
    let digits = bytes[at..<end]
    guard !digits.isEmpty, digits.count <= 19 else { return nil }
    at = end
    // Python 2 marked long integers.
    _ = at < bytes.count && bytes[at] == UInt8(ascii: "L") && skip("L")
    return Int(String(decoding: digits, as: UTF8.self))
  }

  private mutating func peek() -> UInt8? {
    while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    return at < bytes.count ? bytes[at] : nil
  }

  private mutating func skip(_ word: StaticString) -> Bool {
    _ = peek()
    let matches = word.withUTF8Buffer { bytes[at...].starts(with: $0) }
    if matches { at += word.utf8CodeUnitCount }
    return matches
  }
}
