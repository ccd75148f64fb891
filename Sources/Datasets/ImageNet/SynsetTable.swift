import CZlib
import Tensors

/// The table `synsets` of the development kit's `meta.mat`: which number it gives to which class.
///
/// Reads as much of MATLAB's level 5 files as that takes: one array of records, compressed or not, of numbers and texts.
/// Source: MathWorks, "MAT-File Format", version 5.
enum SynsetTable {
  /// Bytes; larger files, and what inflates to more, are refused.
  private static let largest = 1 << 26

  /// Kinds of data elements.
  private enum Kind {
    static let int32 = 5, matrix = 14, compressed = 15
  }

  private struct Element {
    let kind: Int
    let bytes: ArraySlice<UInt8>
  }

  /// The WordNet number of each `ILSVRC2012_ID`.
  /// - Throws: `DatasetError.malformed` where it is no such file.
  static func wordNetNumbers(in path: String) throws(DatasetError) -> [Int: String] {
    let bytes = try fileBytes(path, limit: largest)
    func malformed(_ problem: String) -> DatasetError { .malformed(path: path, problem: problem) }
    guard bytes.count > 128, bytes[124..<128].elementsEqual([0, 1, UInt8(ascii: "I"), UInt8(ascii: "M")]) else {
      throw malformed("this is no level 5 MAT-file, as MATLAB 5 to 7 write them")
    }
    var rest = bytes[128...]
    while let element = next(&rest) {
      guard element.kind == Kind.compressed else {
        if let table = table(in: element) { return table }
        continue
      }
      guard let inflated = inflated(element.bytes) else { throw malformed("its compressed data is damaged") }
      var inner = inflated[...]
      if let matrix = next(&inner), let table = table(in: matrix) { return table }
    }
    throw malformed("it has no records 'synsets' of ILSVRC2012_ID and WNID")
  }

  private static func table(in element: Element) -> [Int: String]? {
    guard element.kind == Kind.matrix else { return nil }
    var rest = element.bytes
    // Flags, whose first byte is the class of array, 2 for records; extents; name.
    guard let flags = next(&rest), flags.bytes.first == 2, let extents = next(&rest), extents.kind == Kind.int32,
      let name = next(&rest), name.bytes.elementsEqual(Array("synsets".utf8)),
      let nameLength = next(&rest).flatMap({ number($0) }).flatMap({ Int(exactly: $0) }), nameLength > 0,
      let names = next(&rest), names.bytes.count % nameLength == 0
    else { return nil }
    let fields = stride(from: names.bytes.startIndex, to: names.bytes.endIndex, by: nameLength).map {
      String(decoding: names.bytes[$0..<$0 + nameLength].prefix { $0 != 0 }, as: UTF8.self)
    }
    guard let idPlace = fields.firstIndex(of: "ILSVRC2012_ID"), let namePlace = fields.firstIndex(of: "WNID") else {
      return nil
    }
    var table: [Int: String] = [:]
    while !rest.isEmpty {
      var (id, name): (Int?, String?)
      for place in fields.indices {
        guard let field = next(&rest), field.kind == Kind.matrix else { return nil }
        guard place == idPlace || place == namePlace, let value = contents(of: field) else { continue }
        if place == idPlace { id = number(value).flatMap { Int(exactly: $0) } } else { name = text(value) }
      }
      guard let id, let name, isWordNetNumber(name), table.updateValue(name, forKey: id) == nil else { return nil }
    }
    return table.isEmpty ? nil : table
  }

  /// What an array of numbers or letters holds, behind flags, extents and name.
  private static func contents(of matrix: Element) -> Element? {
    var rest = matrix.bytes
    for _ in 0..<3 { guard next(&rest) != nil else { return nil } }
    return next(&rest)
  }

  /// The next data element; nil at the end, or where its length is wrong.
  private static func next(_ rest: inout ArraySlice<UInt8>) -> Element? {
    guard rest.count >= 8 else { return nil }
    let start = rest.startIndex
    let first = little(rest[start..<start + 4])
    guard first >> 16 == 0 else {
      // A small one: kind and length in two bytes each, up to four bytes of data.
      let count = first >> 16
      guard count <= 4 else { return nil }
      defer { rest = rest[(start + 8)...] }
      return Element(kind: first & 0xFFFF, bytes: rest[(start + 4)..<(start + 4 + count)])
    }
    let count = little(rest[start + 4..<start + 8])
    guard count <= rest.count - 8 else { return nil }
    let end = start + 8 + count
    let element = Element(kind: first, bytes: rest[(start + 8)..<end])
    let padding = first == Kind.compressed ? 0 : (8 - count % 8) % 8
    rest = rest[min(rest.endIndex, end + padding)...]
    return element
  }

  private static func little(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reversed().reduce(0) { $0 << 8 | Int($1) } }

  /// The first number of an element.
  private static func number(_ element: Element) -> Double? {
    func bits(_ count: Int) -> UInt64? {
      guard element.bytes.count >= count else { return nil }
      return element.bytes.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    switch element.kind {
    case 1: return bits(1).map { Double(Int8(truncatingIfNeeded: $0)) }
    case 2: return bits(1).map { Double($0) }
    case 3: return bits(2).map { Double(Int16(truncatingIfNeeded: $0)) }
    case 4: return bits(2).map { Double($0) }
    case Kind.int32: return bits(4).map { Double(Int32(truncatingIfNeeded: $0)) }
    case 6: return bits(4).map { Double($0) }
    case 7: return bits(4).map { Double(Float(bitPattern: UInt32($0))) }
    case 9: return bits(8).map { Double(bitPattern: $0) }
    default: return nil
    }
  }

  private static func text(_ element: Element) -> String {
    // Letters of two bytes, or of one, or UTF-8.
    guard element.kind == 4 || element.kind == 17 else { return String(decoding: element.bytes, as: UTF8.self) }
    let bytes = Array(element.bytes)
    return String(
      decoding: stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 },
      as: UTF16.self)
  }

  private static func inflated(_ packed: ArraySlice<UInt8>) -> [UInt8]? {
    var stream = z_stream()
    guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var packed = Array(packed)
    var result: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    return packed.withUnsafeMutableBufferPointer { input -> [UInt8]? in
      (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
      while result.count <= largest {
        let status = chunk.withUnsafeMutableBufferPointer { output -> Int32 in
          (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
          return inflate(&stream, Z_NO_FLUSH)
        }
        result.append(contentsOf: chunk.prefix(chunk.count - Int(stream.avail_out)))
        if status == Z_STREAM_END { return result }
        guard status == Z_OK else { return nil }
      }
      return nil
    }
  }
}
