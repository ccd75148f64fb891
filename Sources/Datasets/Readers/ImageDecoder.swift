import CJPEG
import CPNG
import Tensors

/// The formats of image files that are read.
enum ImageFormat: String {
  case png = "PNG", jpeg = "JPEG", gif = "GIF", bmp = "BMP", webp = "WebP"

  /// The first bytes tell which, not a file's name.
  init?(_ bytes: [UInt8]) {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.starts(with: Array("GIF87a".utf8)) || bytes.starts(with: Array("GIF89a".utf8)) {
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

/// Decodes image files to the bytes that `Image.open(file).convert("RGB")` of Pillow gives: JPEG through libjpeg-turbo, PNG
/// through libpng, WebP through libwebp, and GIF and BMP here. Of an animation the first frame counts, and transparency is
/// dropped. `docs/images.md` has the kinds, and what differs.
enum ImageDecoder {
  /// Pixels; larger images are refused before memory is taken for them.
  static let largest = 1 << 27

  /// As `largest`, of a file of so many bytes. All formats can say in a few bytes that a huge image has one colour, and
  /// a pixel takes up to 12 bytes while it is decoded: 16 million are always allowed, more at one byte for 1024 of them.
  private static func largest(ofBytes count: Int) -> Int { min(largest, max(1 << 24, count * 1024)) }

  /// Whether a file that begins so is of a format that is decoded.
  static func recognizes(_ head: [UInt8]) -> Bool { ImageFormat(head) != nil }

  /// Decodes a file's bytes and scales what a framing shows of them to `shape`: 1 channel (grey, weighed as ITU-R BT.601
  /// does) or 3 (red, green, blue).
  /// - Parameter isOriented: whether the EXIF orientation is followed.
  /// - Throws: `DatasetError.undecodable`.
  static func decode(
    _ bytes: [UInt8], path: String, to shape: Shape, framing: Framing, isOriented: Bool = false
  ) throws(DatasetError) -> Image {
    let (channels, height, width) = (shape[0], shape[1], shape[2])
    precondition(channels == 1 || channels == 3)
    guard !bytes.isEmpty else { throw .undecodable(path: path, reason: "it is empty") }
    guard let format = ImageFormat(bytes) else {
      throw .undecodable(path: path, reason: "it is no PNG, JPEG, GIF, BMP or WebP")
    }
    guard bytes.count <= Int32.max else { throw .undecodable(path: path, reason: "it is too large") }
    let orientation = isOriented ? Orientation(of: format, bytes) : .upright
    do throws(Undecodable) {
      if format == .jpeg {
        let part = try jpeg(bytes, height: height, width: width, framing: framing, orientation)
        return part.pixels.resampled(part.window, height: height, width: width, filter: framing.filter)
          .image(channels: channels)
      }
      let pixels = try pixels(of: format, bytes).seen(orientation)
      return pixels.resampled(
        framing.window(pixels.height, pixels.width), height: height, width: width, filter: framing.filter
      ).image(channels: channels)
    } catch { throw .undecodable(path: path, reason: error.reason) }
  }

  /// Decodes the part of a JPEG that a framing shows.
  /// - Returns: The part as it is seen, and the window in pixels of the part.
  private static func jpeg(
    _ bytes: [UInt8], height: Int, width: Int, framing: Framing, _ orientation: Orientation
  ) throws(Undecodable) -> (pixels: Pixels, window: Window) {
    guard let size = jpegSize(bytes) else { throw Undecodable(reason: "its JPEG header is damaged") }
    try check(size, ofBytes: bytes.count)
    guard endsProperly(bytes) else { throw Undecodable(reason: "the JPEG data ends early") }
    var message = [CChar](repeating: 0, count: Int(CJPEG_MESSAGE))
    var part: (Pixels, Window)?
    bytes.withUnsafeBufferPointer { bytes in
      guard let decoder = cjpeg_open(bytes.baseAddress, bytes.count, &message) else { return }
      defer { cjpeg_close(decoder) }
      let (storedHeight, storedWidth) = (Int(cjpeg_height(decoder)), Int(cjpeg_width(decoder)))
      let whole = orientation.size(height: storedHeight, width: storedWidth)
      var window = framing.window(whole.height, whole.width)
      var reduction = 1
      while framing.allowsReduction, reduction < 8, window.height >= Double(2 * reduction * height),
        window.width >= Double(2 * reduction * width)
      { reduction *= 2 }
      window = Window(
        top: window.top / Double(reduction), left: window.left / Double(reduction),
        height: window.height / Double(reduction), width: window.width / Double(reduction),
        seesBeyond: window.seesBeyond || reduction > 1)
      let (reducedHeight, reducedWidth) = (
        Double(storedHeight) / Double(reduction), Double(storedWidth) / Double(reduction)
      )
      let stored = orientation.stored(window, height: reducedHeight, width: reducedWidth)
      let outputs = orientation.size(height: height, width: width)

      /// The pixels along an axis that the filter reads.
      func span(_ start: Double, _ length: Double, _ outputs: Int, _ extent: Int) -> Range<Int> {
        let all = (extent + reduction - 1) / reduction
        let margin = window.seesBeyond ? framing.filter.support * max(length / Double(outputs), 1) + 1 : 0
        let first = min(max(0, Int((start - margin).rounded(.down))), all - 1)
        return first..<max(first + 1, min(all, Int((start + length + margin).rounded(.up))))
      }
      let rows = span(stored.top, stored.height, outputs.height, storedHeight)
      let columns = span(stored.left, stored.width, outputs.width, storedWidth)
      // The part's own place, as it is seen.
      let fromTop = orientation.mirrorsRows ? reducedHeight - Double(rows.upperBound) : Double(rows.lowerBound)
      let fromLeft = orientation.mirrorsColumns ? reducedWidth - Double(columns.upperBound) : Double(columns.lowerBound)
      window.top -= orientation.swapsAxes ? fromLeft : fromTop
      window.left -= orientation.swapsAxes ? fromTop : fromLeft
      var status: Int32 = 1
      let pixels = [UInt8](unsafeUninitializedCapacity: 4 * rows.count * columns.count) { out, count in
        status = cjpeg_decode(
          decoder, Int32(reduction), Int32(columns.lowerBound), Int32(rows.lowerBound), Int32(columns.count),
          Int32(rows.count), out.baseAddress, &message)
        if status == 0 { count = 4 * rows.count * columns.count }
      }
      guard status == 0 else { return }
      part = (Pixels(height: rows.count, width: columns.count, bytes: pixels).seen(orientation), window)
    }
    guard let part else { throw Undecodable(message) }
    return part
  }

  /// Decodes a whole image that is no JPEG.
  private static func pixels(of format: ImageFormat, _ bytes: [UInt8]) throws(Undecodable) -> Pixels {
    let most = largest(ofBytes: bytes.count)
    switch format {
    case .png, .jpeg: return try png(bytes)
    case .gif: return try GIF.decode(bytes, most: most)
    case .bmp: return try BMP.decode(bytes, most: most)
    case .webp: return try WebP.decode(bytes, most: most)
    }
  }

  private static func png(_ bytes: [UInt8]) throws(Undecodable) -> Pixels {
    guard bytes.count >= 24 else { throw Undecodable(reason: "its PNG header is damaged") }
    func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    let (width, height) = (number(16), number(20))
    try check((height, width), ofBytes: bytes.count)
    var message = [CChar](repeating: 0, count: Int(CPNG_MESSAGE))
    var status: Int32 = 1
    let pixels = [UInt8](unsafeUninitializedCapacity: 4 * height * width) { out, count in
      status = cpng_decode(bytes, bytes.count, Int32(width), Int32(height), out.baseAddress, &message)
      count = status == 0 ? 4 * height * width : 0
    }
    guard status == 0 else { throw Undecodable(message) }
    return Pixels(height: height, width: width, bytes: pixels)
  }

  private static func check(_ size: (height: Int, width: Int), ofBytes count: Int) throws(Undecodable) {
    guard size.width > 0, size.height > 0, size.width <= largest(ofBytes: count) / size.height else {
      throw Undecodable(height: size.height, width: size.width, ofBytes: count)
    }
  }

  /// Height and width as the header says them, or nil where it is cut off.
  private static func jpegSize(_ bytes: [UInt8]) -> (height: Int, width: Int)? {
    func number(_ at: Int) -> Int { Int(bytes[at]) << 8 | Int(bytes[at + 1]) }
    var at = 2
    while at + 9 <= bytes.count {
      guard bytes[at] == 0xFF else { return nil }
      let marker = bytes[at + 1]
      switch marker {
      case 0xFF: at += 1  // padding
      case 0x01, 0xD0...0xD8: at += 2  // markers without a length
      case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker): return (number(at + 5), number(at + 7))
      default: at += 2 + number(at + 2)
      }
    }
    return nil
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

extension Undecodable {
  /// With a message of C, which ends with a zero.
  fileprivate init(_ message: [CChar]) {
    reason = String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
