/// The number types that files hold. Arrays in memory have fewer; reading converts.
public enum ElementType: Hashable, Sendable, CaseIterable {
  case bool, uint8, uint16, uint32, uint64, int8, int16, int32, int64, float16, bfloat16, float32, float64
  /// Floats of eight bits, called by the bits of exponent and fraction: as OCP has them; with one nan in the place of
  /// -0, and no infinity (`z`); powers of two alone.
  case float8e4m3, float8e5m2, float8e4m3z, float8e5m2z, float8e8m0

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e4m3, .float8e5m2, .float8e4m3z, .float8e5m2z, .float8e8m0: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    }
  }

  var isWhole: Bool {
    switch self {
    case .bool, .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64: true
    case .float16, .bfloat16, .float32, .float64, .float8e4m3, .float8e5m2, .float8e4m3z, .float8e5m2z, .float8e8m0:
      false
    }
  }
}

/// A float of eight bits: a sign, an exponent, and a fraction of so many bits.
///
/// Source: OCP, "8-bit Floating Point Specification", 1.0, table 1; for those without -0, Noune et al. 2022,
/// arXiv:2206.02915.
private func float8(_ byte: UInt8, fractionBits: Int, bias: Int) -> Double {
  let exponent = Int(byte & 0x7F) >> fractionBits
  let fraction = Double(Int(byte) & (1 << fractionBits - 1)) / Double(1 << fractionBits)
  let significand = exponent == 0 ? fraction : 1 + fraction
  let sign: FloatingPointSign = byte & 0x80 == 0 ? .plus : .minus
  return Double(sign: sign, exponent: max(exponent, 1) - bias, significand: significand)
}

/// How an array element is made from a number in a file.
///
/// Law: `Self(nearest:)` is never nil for `Float` and `Double`, which round; a whole type gives nil for what does not
/// fit.
public protocol ConvertibleElement {
  /// The type under which files hold these elements.
  static var elementType: ElementType { get }
  init?(nearest value: some BinaryInteger)
  /// Whole types refuse all floating-point numbers.
  init?(nearest value: Double)
}

extension Float: ConvertibleElement {
  public static var elementType: ElementType { .float32 }
  @inlinable public init?(nearest value: some BinaryInteger) { self = Float(value) }
  @inlinable public init?(nearest value: Double) { self = Float(value) }
}
extension Double: ConvertibleElement {
  public static var elementType: ElementType { .float64 }
  @inlinable public init?(nearest value: some BinaryInteger) { self = Double(value) }
  @inlinable public init?(nearest value: Double) { self = value }
}
extension UInt8: ConvertibleElement {
  public static var elementType: ElementType { .uint8 }
  @inlinable public init?(nearest value: some BinaryInteger) { self.init(exactly: value) }
  @inlinable public init?(nearest value: Double) { return nil }
}
extension Int64: ConvertibleElement {
  public static var elementType: ElementType { .int64 }
  @inlinable public init?(nearest value: some BinaryInteger) { self.init(exactly: value) }
  @inlinable public init?(nearest value: Double) { return nil }
}

extension ElementType {
  /// Converts elements as a file holds them.
  /// - Parameter bytes: Exactly as many elements of this type as `target` has room for; need not be aligned.
  /// - Returns: The position of the first element that does not fit, or nil where all do.
  package func convert<Element: ArrayElement>(
    _ bytes: UnsafeRawBufferPointer, isBigEndian: Bool, into target: UnsafeMutableBufferPointer<Element>
  ) -> Int? {
    precondition(bytes.count == target.count * byteCount)
    func each<Word: FixedWidthInteger>(_: Word.Type, _ element: (Word) -> Element?) -> Int? {
      for i in target.indices {
        let word = bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<Word>.size, as: Word.self)
        guard let value = element(isBigEndian ? Word(bigEndian: word) : Word(littleEndian: word)) else { return i }
        target[i] = value
      }
      return nil
    }
    return switch self {
    case .bool: each(UInt8.self) { Element(nearest: $0 == 0 ? 0 as UInt8 : 1) }
    case .uint8: each(UInt8.self) { Element(nearest: $0) }
    case .uint16: each(UInt16.self) { Element(nearest: $0) }
    case .uint32: each(UInt32.self) { Element(nearest: $0) }
    case .uint64: each(UInt64.self) { Element(nearest: $0) }
    case .int8: each(Int8.self) { Element(nearest: $0) }
    case .int16: each(Int16.self) { Element(nearest: $0) }
    case .int32: each(Int32.self) { Element(nearest: $0) }
    case .int64: each(Int64.self) { Element(nearest: $0) }
    case .float16: each(UInt16.self) { Element(nearest: Double(Float16(bitPattern: $0))) }
    case .bfloat16: each(UInt16.self) { Element(nearest: Double(Float(bitPattern: UInt32($0) << 16))) }
    case .float32: each(UInt32.self) { Element(nearest: Double(Float(bitPattern: $0))) }
    case .float64: each(UInt64.self) { Element(nearest: Double(bitPattern: $0)) }
    case .float8e4m3:
      each(UInt8.self) { Element(nearest: $0 & 0x7F == 0x7F ? .nan : float8($0, fractionBits: 3, bias: 7)) }
    case .float8e5m2: each(UInt8.self) { Element(nearest: Double(Float16(bitPattern: UInt16($0) << 8))) }
    case .float8e4m3z: each(UInt8.self) { Element(nearest: $0 == 0x80 ? .nan : float8($0, fractionBits: 3, bias: 8)) }
    case .float8e5m2z: each(UInt8.self) { Element(nearest: $0 == 0x80 ? .nan : float8($0, fractionBits: 2, bias: 16)) }
    case .float8e8m0:
      each(UInt8.self) { Element(nearest: $0 == 0xFF ? .nan : Double(sign: .plus, exponent: Int($0) - 127, significand: 1)) }
    }
  }

  /// Reads an array's elements from a file whose length is known to suffice.
  /// - Throws: `TensorError.malformed` where a number does not fit the array's type, and what reading throws.
  package func read<Element: ArrayElement>(
    _ file: borrowing InputFile, at offset: Int, isBigEndian: Bool, into array: inout NDArray<Element>
  ) throws(TensorError) {
    let isStoredAsIs = self == Element.elementType && (!isBigEndian || byteCount == 1)
    try array.withUnsafeMutableElements { target throws(TensorError) in
      if isStoredAsIs { return try file.read(at: offset, into: UnsafeMutableRawBufferPointer(target)) }
      let perChunk = (1 << 20) / byteCount
      let chunk = try AlignedBuffer(byteCount: min(target.count, perChunk) * byteCount)
      var done = 0
      while done < target.count {
        let count = min(perChunk, target.count - done)
        let bytes = UnsafeMutableRawBufferPointer(start: chunk.pointer, count: count * byteCount)
        try file.read(at: offset + done * byteCount, into: bytes)
        let part = UnsafeMutableBufferPointer(rebasing: target[done..<done + count])
        if let misfit = convert(UnsafeRawBufferPointer(bytes), isBigEndian: isBigEndian, into: part) {
          throw .malformed(
            path: file.path, problem: "element \(done + misfit) does not fit in \(Element.self)")
        }
        done += count
      }
    }
  }
}
