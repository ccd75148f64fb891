/// A text inside a PNG file.
public struct TextChunk: Hashable, Sendable {
  /// 1 to 79 characters of Latin-1.
  public var keyword: String
  /// Any text without NUL.
  public var text: String

  public init(_ keyword: String, _ text: String) {
    self.keyword = keyword
    self.text = text
  }
}

/// The parts of PNG files that pictures are not made of (ISO/IEC 15948, chapters 5 and 11).
public enum PNG {
  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  private struct Chunk {
    var type: String
    var data: ArraySlice<UInt8>
    /// With length, type and checksum.
    var range: Range<Int>
  }

  /// The file with `texts` stored in it, before the picture data. A text takes the place of one with its keyword.
  ///
  /// ASCII becomes a `tEXt` chunk, other text an uncompressed `iTXt`.
  public static func adding(_ texts: [TextChunk], to file: [UInt8]) throws(ChartError) -> [UInt8] {
    let chunks = try chunks(of: file)
    let keywords = Set(texts.map(\.keyword))
    var added: [UInt8] = []
    for text in texts { added += try bytes(of: text) }
    var result = signature
    var isAdded = false
    for chunk in chunks {
      if !isAdded && (chunk.type == "IDAT" || chunk.type == "IEND") {
        result += added
        isAdded = true
      }
      if let old = text(in: chunk), keywords.contains(old.keyword) { continue }
      result += file[chunk.range]
    }
    return result
  }

  /// The texts of a PNG file, in their order. Compressed ones are left out.
  public static func texts(in file: [UInt8]) throws(ChartError) -> [TextChunk] {
    try chunks(of: file).compactMap(text)
  }

  /// The CRC-32 of ISO 3309 that ends every chunk.
  package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(0xFFFF_FFFF) { crc, byte in table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8 }
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

  private static func bytes(of number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  private static func chunks(of file: [UInt8]) throws(ChartError) -> [Chunk] {
    guard file.starts(with: signature) else { throw .notPNG(offset: 0) }
    var chunks: [Chunk] = []
    var offset = signature.count
    while offset < file.count {
      guard file.count - offset >= 12 else { throw .notPNG(offset: offset) }
      let length = Int(number(file[offset..<offset + 4]))
      guard length <= file.count - offset - 12 else { throw .notPNG(offset: offset) }
      let end = offset + 12 + length
      guard checksum(file[offset + 4..<end - 4]) == number(file[end - 4..<end]) else { throw .notPNG(offset: offset) }
      let type = String(decoding: file[offset + 4..<offset + 8], as: UTF8.self)
      chunks.append(Chunk(type: type, data: file[offset + 8..<end - 4], range: offset..<end))
      offset = end
      if type == "IEND" { break }
    }
    guard chunks.first?.type == "IHDR", chunks.last?.type == "IEND" else { throw .notPNG(offset: offset) }
    return chunks
  }

  private static func bytes(of chunk: TextChunk) throws(ChartError) -> [UInt8] {
    let keyword = latin1(chunk.keyword)
    guard let keyword, (1...79).contains(keyword.count), keyword.first != 32, keyword.last != 32,
      !chunk.keyword.contains("  "), keyword.allSatisfy({ (32...126).contains($0) || $0 >= 161 }),
      !chunk.text.utf8.contains(0)
    else { throw .textChunk(keyword: chunk.keyword) }
    let text = Array(chunk.text.utf8)
    // iTXt: no compression, no language, no translated keyword.
    let isASCII = text.allSatisfy { $0 < 128 }
    let data = keyword + (isASCII ? [0] : [0, 0, 0, 0, 0]) + text
    guard data.count < 1 << 31 else { throw .textChunk(keyword: chunk.keyword) }
    let body = Array((isASCII ? "tEXt" : "iTXt").utf8) + data
    return bytes(of: UInt32(data.count)) + body + bytes(of: checksum(body))
  }

  private static func latin1(_ text: String) -> [UInt8]? {
    let bytes = text.unicodeScalars.compactMap { UInt8(exactly: $0.value) }
    return bytes.count == text.unicodeScalars.count ? bytes : nil
  }

  private static func latin1(_ bytes: ArraySlice<UInt8>) -> String {
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
  }

  private static func text(in chunk: Chunk) -> TextChunk? {
    guard let end = chunk.data.firstIndex(of: 0) else { return nil }
    let keyword = latin1(chunk.data[..<end])
    let rest = chunk.data[(end + 1)...]
    switch chunk.type {
    case "tEXt": return TextChunk(keyword, latin1(rest))
    case "iTXt":
      guard rest.count >= 4, rest.first == 0 else { return nil }
      let language = rest.dropFirst(2)
      guard let languageEnd = language.firstIndex(of: 0),
        let translationEnd = language[(languageEnd + 1)...].firstIndex(of: 0)
      else { return nil }
      return TextChunk(keyword, String(decoding: language[(translationEnd + 1)...], as: UTF8.self))
    default: return nil
    }
  }
}
