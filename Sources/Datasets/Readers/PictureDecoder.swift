import CGD
import Tensors

/// Decodes picture files through libgd: PNG, JPEG, GIF (its first frame), BMP and WebP, known by their first bytes.
enum PictureDecoder {
  /// Pixels; larger pictures are refused before memory is taken for them.
  static let largest = 1 << 27

  private enum Format: String {
    case png = "PNG", jpeg = "JPEG", gif = "GIF", bmp = "BMP", webp = "WebP"

    init?(_ bytes: [UInt8]) {
      if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
        self = .png
      } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
        self = .jpeg
      } else if bytes.starts(with: Array("GIF8".utf8)) {
        self = .gif
      } else if bytes.starts(with: Array("BM".utf8)) {
        self = .bmp
      } else if bytes.starts(with: Array("RIFF".utf8)), bytes.dropFirst(8).starts(with: Array("WEBP".utf8)) {
        self = .webp
      } else {
        return nil
      }
    }
  }

  /// Decodes a file's bytes into 1 channel (grey, weighed as ITU-R BT.601 does) or 3 (red, green, blue). Transparency
  /// is dropped; a JPEG's orientation mark is not followed.
  /// - Throws: `DatasetError.undecodable`.
  static func decode(_ bytes: [UInt8], path: String, channels: Int) throws(DatasetError) -> Picture {
    precondition(channels == 1 || channels == 3)
    guard !bytes.isEmpty else { throw .undecodable(path: path, reason: "it is empty") }
    guard let format = Format(bytes) else {
      throw .undecodable(path: path, reason: "it is no PNG, JPEG, GIF, BMP or WebP")
    }
    guard bytes.count <= Int32.max else { throw .undecodable(path: path, reason: "it is too large") }
    guard let (width, height) = size(of: format, bytes) else {
      throw .undecodable(path: path, reason: "its \(format.rawValue) header is damaged")
    }
    // Deflate makes at most 1032 bytes of one, so at most 8256 pixels of one bit; JPEG, GIF and BMP stay below that.
    let most = format == .webp ? largest : min(largest, bytes.count * 8256)
    guard width > 0, height > 0, width <= most / height else {
      throw .undecodable(path: path, reason: "its header says \(width) x \(height) pixels")
    }
    if format == .jpeg, !endsProperly(bytes) {
      throw .undecodable(path: path, reason: "the JPEG data ends early")
    }
    _ = silence
    // libgd reads the memory only; its signature forgot the const.
    let picture = bytes.withUnsafeBytes { raw -> gdImagePtr? in
      let start = UnsafeMutableRawPointer(mutating: raw.baseAddress!)
      let count = Int32(raw.count)
      return switch format {
      case .png: gdImageCreateFromPngPtr(count, start)
      case .jpeg: gdImageCreateFromJpegPtr(count, start)
      case .gif: gdImageCreateFromGifPtr(count, start)
      case .bmp: gdImageCreateFromBmpPtr(count, start)
      case .webp: gdImageCreateFromWebpPtr(count, start)
      }
    }
    guard let picture else { throw .undecodable(path: path, reason: "the \(format.rawValue) data is damaged") }
    defer { gdImageDestroy(picture) }
    guard picture.pointee.trueColor != 0 || gdImagePaletteToTrueColor(picture) != 0,
      let rows = picture.pointee.tpixels
    else { throw .undecodable(path: path, reason: "there is no memory for it") }
    return planes(rows, width: Int(picture.pointee.sx), height: Int(picture.pointee.sy), channels: channels)
  }

  private static func planes(
    _ rows: UnsafeMutablePointer<UnsafeMutablePointer<Int32>?>, width: Int, height: Int, channels: Int
  ) -> Picture {
    let plane = width * height
    let bytes = [UInt8](unsafeUninitializedCapacity: channels * plane) { out, count in
      for y in 0..<height {
        let row = rows[y]!
        for x in 0..<width {
          let pixel = UInt32(bitPattern: row[x])
          let (red, green, blue) = (pixel >> 16 & 255, pixel >> 8 & 255, pixel & 255)
          let at = y * width + x
          if channels == 3 {
            out[at] = UInt8(red)
            out[plane + at] = UInt8(green)
            out[2 * plane + at] = UInt8(blue)
          } else {
            // 0.299, 0.587 and 0.114 in units of 2^-16, as Pillow rounds them.
            out[at] = UInt8((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16)
          }
        }
      }
      count = channels * plane
    }
    return Picture(channels: channels, height: height, width: width, bytes: bytes)
  }

  /// Width and height as the header says them, or nil where it is cut off.
  private static func size(of format: Format, _ bytes: [UInt8]) -> (width: Int, height: Int)? {
    func big(_ at: Int, _ count: Int) -> Int { bytes[at..<at + count].reduce(0) { $0 << 8 | Int($1) } }
    func little(_ at: Int, _ count: Int) -> Int { bytes[at..<at + count].reversed().reduce(0) { $0 << 8 | Int($1) } }
    switch format {
    case .png: return bytes.count >= 24 ? (big(16, 4), big(20, 4)) : nil
    case .gif: return bytes.count >= 10 ? (little(6, 2), little(8, 2)) : nil
    case .bmp:
      guard bytes.count >= 26 else { return nil }
      if little(14, 4) == 12 { return (little(18, 2), little(20, 2)) }
      // Rows from the top are marked by a negative height.
      let height = Int(Int32(truncatingIfNeeded: little(22, 4)))
      return (little(18, 4), abs(height))
    case .webp:
      guard bytes.count >= 30 else { return nil }
      switch Array(bytes[12..<16]) {
      case Array("VP8X".utf8): return (little(24, 3) + 1, little(27, 3) + 1)
      case Array("VP8L".utf8): return (little(21, 2) & 0x3FFF + 1, little(22, 3) >> 6 & 0x3FFF + 1)
      default: return (little(26, 2) & 0x3FFF, little(28, 2) & 0x3FFF)
      }
    case .jpeg:
      var at = 2
      while at + 9 <= bytes.count {
        guard bytes[at] == 0xFF else { return nil }
        let marker = bytes[at + 1]
        switch marker {
        case 0xFF: at += 1  // padding
        case 0x01, 0xD0...0xD8: at += 2  // markers without a length
        case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker): return (big(at + 7, 2), big(at + 5, 2))
        default: at += 2 + big(at + 2, 2)
        }
      }
      return nil
    }
  }

  /// Whether an end mark follows the last scan's beginning. libgd fills what a cut-off JPEG lacks with grey, and says
  /// nothing.
  private static func endsProperly(_ bytes: [UInt8]) -> Bool {
    var at = bytes.count - 2
    while at >= 2 {
      // Encoders may leave bytes after the end mark, so the search goes backwards.
      if bytes[at] == 0xFF {
        if bytes[at + 1] == 0xD9 { return true }
        if bytes[at + 1] == 0xDA { return false }
      }
      at -= 1
    }
    return false
  }
}

/// libgd would write its complaints to standard error; each failure is thrown instead.
private let silence: Void = gdSetErrorMethod { _, _, _ in }
