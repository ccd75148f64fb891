import CGD
import CJPEG
import Tensors

/// Decodes picture files: JPEG through libjpeg-turbo; PNG, GIF (its first frame), BMP and WebP through libgd. The first
/// bytes tell which.
enum PictureDecoder {
  /// Pixels; larger pictures are refused before memory is taken for them.
  static let largest = 1 << 27

  /// As `largest`, of a file of so many bytes. All formats can say in a few bytes that a huge picture has one colour, and
  /// a pixel takes up to 12 bytes while it is decoded: 16 million are always allowed, more at one byte for 1024 of them.
  private static func largest(ofBytes count: Int) -> Int { min(largest, max(1 << 24, count * 1024)) }

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

  /// Whether a file that begins so is of a format that is decoded.
  static func recognizes(_ head: [UInt8]) -> Bool { Format(head) != nil }

  /// Decodes a file's bytes and scales what a framing shows of them to `shape`: 1 channel (grey, weighed as ITU-R BT.601
  /// does) or 3 (red, green, blue). Transparency is dropped; a JPEG's orientation mark is not followed.
  /// - Throws: `DatasetError.undecodable`.
  static func decode(_ bytes: [UInt8], path: String, to shape: Shape, framing: Framing) throws(DatasetError) -> Picture {
    let (channels, height, width) = (shape[0], shape[1], shape[2])
    precondition(channels == 1 || channels == 3)
    guard !bytes.isEmpty else { throw .undecodable(path: path, reason: "it is empty") }
    guard let format = Format(bytes) else {
      throw .undecodable(path: path, reason: "it is no PNG, JPEG, GIF, BMP or WebP")
    }
    guard bytes.count <= Int32.max else { throw .undecodable(path: path, reason: "it is too large") }
    guard let size = size(of: format, bytes) else {
      throw .undecodable(path: path, reason: "its \(format.rawValue) header is damaged")
    }
    guard size.width > 0, size.height > 0, size.width <= largest(ofBytes: bytes.count) / size.height else {
      throw .undecodable(
        path: path, reason: "its header says \(size.width) x \(size.height) pixels, the file has \(bytes.count) bytes")
    }
    if format == .jpeg {
      guard endsProperly(bytes) else { throw .undecodable(path: path, reason: "the JPEG data ends early") }
      let part = try jpeg(bytes, path: path, height: height, width: width, framing: framing)
      return part.pixels.resampled(part.window, height: height, width: width, filter: framing.filter)
        .picture(channels: channels)
    }
    let pixels = try pixels(of: format, bytes, path: path)
    return pixels.resampled(
      framing.window(pixels.height, pixels.width), height: height, width: width, filter: framing.filter
    ).picture(channels: channels)
  }

  /// Decodes the part of a JPEG that a framing shows.
  /// - Returns: The part, and the window in pixels of the part.
  private static func jpeg(_ bytes: [UInt8], path: String, height: Int, width: Int, framing: Framing)
    throws(DatasetError) -> (pixels: Pixels, window: Window)
  {
    var message = [CChar](repeating: 0, count: Int(CJPEG_MESSAGE))
    var part: (Pixels, Window)?
    bytes.withUnsafeBufferPointer { bytes in
      guard let decoder = cjpeg_open(bytes.baseAddress, bytes.count, &message) else { return }
      defer { cjpeg_close(decoder) }
      let (wholeHeight, wholeWidth) = (Int(cjpeg_height(decoder)), Int(cjpeg_width(decoder)))
      var window = framing.window(wholeHeight, wholeWidth)
      var reduction = 1
      while framing.allowsReduction, reduction < 8, window.height >= Double(2 * reduction * height),
        window.width >= Double(2 * reduction * width)
      { reduction *= 2 }
      window = Window(
        top: window.top / Double(reduction), left: window.left / Double(reduction),
        height: window.height / Double(reduction), width: window.width / Double(reduction),
        seesBeyond: window.seesBeyond || reduction > 1)

      /// The pixels along an axis that the filter reads.
      func span(_ start: Double, _ length: Double, _ outputs: Int, _ extent: Int) -> Range<Int> {
        let all = (extent + reduction - 1) / reduction
        let margin = window.seesBeyond ? framing.filter.support * max(length / Double(outputs), 1) + 1 : 0
        let first = min(max(0, Int((start - margin).rounded(.down))), all - 1)
        return first..<max(first + 1, min(all, Int((start + length + margin).rounded(.up))))
      }
      let rows = span(window.top, window.height, height, wholeHeight)
      let columns = span(window.left, window.width, width, wholeWidth)
      window.top -= Double(rows.lowerBound)
      window.left -= Double(columns.lowerBound)
      var status: Int32 = 1
      let pixels = [UInt8](unsafeUninitializedCapacity: 4 * rows.count * columns.count) { out, count in
        status = cjpeg_decode(
          decoder, Int32(reduction), Int32(columns.lowerBound), Int32(rows.lowerBound), Int32(columns.count),
          Int32(rows.count), out.baseAddress, &message)
        if status == 0 { count = 4 * rows.count * columns.count }
      }
      if status == 0 { part = (Pixels(height: rows.count, width: columns.count, bytes: pixels), window) }
    }
    guard let part else {
      let text = message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
      throw .undecodable(path: path, reason: String(decoding: text, as: UTF8.self))
    }
    return part
  }

  /// Decodes a whole picture through libgd.
  private static func pixels(of format: Format, _ bytes: [UInt8], path: String) throws(DatasetError) -> Pixels {
    _ = silence
    // libgd reads the memory only; its signature forgot the const.
    let picture = bytes.withUnsafeBytes { raw -> gdImagePtr? in
      let start = UnsafeMutableRawPointer(mutating: raw.baseAddress!)
      let count = Int32(raw.count)
      return switch format {
      case .png: gdImageCreateFromPngPtr(count, start)
      case .jpeg: nil
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
    let (width, height) = (Int(picture.pointee.sx), Int(picture.pointee.sy))
    return Pixels(
      height: height, width: width,
      bytes: [UInt8](unsafeUninitializedCapacity: 4 * height * width) { out, count in
        for y in 0..<height {
          let row = rows[y]!
          for x in 0..<width {
            let pixel = UInt32(bitPattern: row[x])
            let at = 4 * (y * width + x)
            out[at] = UInt8(pixel >> 16 & 255)
            out[at + 1] = UInt8(pixel >> 8 & 255)
            out[at + 2] = UInt8(pixel & 255)
            out[at + 3] = 0
          }
        }
        count = 4 * height * width
      })
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

  /// Whether an end mark follows the last scan's beginning. A cut-off JPEG may lack only what is below the window.
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
