/// A BMP image, as Pillow shows it: 1, 4, 8, 16, 24 or 32 bits a pixel, rows from the bottom or from the top, run lengths,
/// and the bit fields that programs write. Transparency is dropped.
///
/// Source: "Bitmap Storage" of the Windows documentation, and `BmpImagePlugin` of Pillow 13 for what it leaves open: five
/// or six bits become eight as `x * 255 / 31`, rounded down, and colours that the palette lacks are black.
enum BMP {
  private enum Compression: Int { case none, runs8, runs4, fields }

  /// The places of red, green and blue among a pixel's four bytes, by the masks of red, green, blue and alpha.
  private static let places: [[Int]: (Int, Int, Int)] = [
    [0xFF0000, 0xFF00, 0xFF, 0]: (2, 1, 0), [0xFF00_0000, 0xFF0000, 0xFF00, 0]: (3, 2, 1),
    [0xFF00_0000, 0xFF00, 0xFF, 0]: (3, 1, 0), [0xFF00_0000, 0xFF0000, 0xFF00, 0xFF]: (3, 2, 1),
    [0xFF, 0xFF00, 0xFF0000, 0xFF00_0000]: (0, 1, 2), [0xFF0000, 0xFF00, 0xFF, 0xFF00_0000]: (2, 1, 0),
    [0xFF00_0000, 0xFF00, 0xFF, 0xFF0000]: (3, 1, 0), [0, 0, 0, 0]: (2, 1, 0),
  ]

  private struct Header {
    var width, height, bits: Int
    var isFromTop = false
    var compression = Compression.none
    var masks = [0, 0, 0, 0]
    var colors = 0
    /// Bytes of a color.
    var colorSize = 4
    /// Where the rows begin.
    var start = 0
    var palette = Palette()

    init(_ cursor: inout ByteCursor) throws(Undecodable) {
      cursor.place = 10
      start = try cursor.number(4)
      let length = try cursor.number(4)
      guard [12, 40, 52, 56, 64, 108, 124].contains(length) else {
        throw Undecodable(reason: "its header has \(length) bytes")
      }
      let end = 14 + length
      if length == 12 {
        (width, height) = (try cursor.number(2), try cursor.number(2))
        _ = try cursor.take(2)
        bits = try cursor.number(2)
        colorSize = 3
      } else {
        width = try cursor.number(4)
        height = try cursor.number(4)
        isFromTop = height >> 24 == 0xFF
        if isFromTop { height = 1 << 32 - height }
        _ = try cursor.take(2)
        bits = try cursor.number(2)
        let code = try cursor.number(4)
        guard let compression = Compression(rawValue: code) else {
          throw Undecodable(reason: "its compression is number \(code), of those that are read from 0 to 3")
        }
        self.compression = compression
        _ = try cursor.take(12)
        colors = try cursor.number(4)
        _ = try cursor.take(4)
        if compression == .fields {
          // The short header has the masks behind it, without one for alpha.
          let count = length == 40 || length == 52 ? 3 : 4
          for i in 0..<count { masks[i] = try cursor.number(4) }
        }
        cursor.place = max(cursor.place, end)
      }
      if colors == 0 { colors = 1 << min(bits, 16) }
      guard bits <= 8 else { return }
      guard (1...1 << 16).contains(colors) else { throw Undecodable(reason: "its palette has \(colors) colours") }
      let entries = Array(try cursor.take(colorSize * colors))
      let levels = colors == 2 ? [0, 255] : Array(0..<colors)
      var isGrey = bits == 8 && colors > 2
      for (number, level) in levels.enumerated() {
        let (blue, green, red) = (
          entries[colorSize * number], entries[colorSize * number + 1], entries[colorSize * number + 2]
        )
        palette.set(number, red, green, blue)
        isGrey = isGrey && red == level && green == level && blue == level
      }
      if isGrey { palette = .greys }
      // Some programs count the rows from the header's end.
      if start == end { start += colorSize * colors }
      if start == 0 { start = cursor.place }
    }
  }

  /// - Parameter most: pixels; a larger image is refused.
  static func decode(_ bytes: [UInt8], most: Int) throws(Undecodable) -> Pixels {
    var cursor = ByteCursor(bytes)
    let header = try Header(&cursor)
    let (width, height) = (header.width, header.height)
    guard width > 0, height > 0, width <= most / height else {
      throw Undecodable(height: height, width: width, ofBytes: bytes.count)
    }
    cursor.place = header.start > 0 ? header.start : cursor.place
    switch header.compression {
    case .runs8 where header.bits == 8, .runs4 where header.bits == 4:
      let numbers = try runs(header, &cursor)
      var rows: [UInt8] = []
      rows.reserveCapacity(width * height)
      for y in 0..<height {
        let row = header.isFromTop ? y : height - 1 - y
        rows += numbers[row * width..<(row + 1) * width]
      }
      return header.palette.pixels(rows, height: height, width: width)
    case .runs8, .runs4: throw Undecodable(reason: "run lengths of \(header.bits) bits are unknown")
    case .none, .fields: return try rows(header, &cursor)
    }
  }

  /// Rows without compression, each of a multiple of four bytes.
  private static func rows(_ header: Header, _ cursor: inout ByteCursor) throws(Undecodable) -> Pixels {
    let (width, height, bits) = (header.width, header.height, header.bits)
    let hasFields = header.compression == .fields
    let colors = Array(header.masks.prefix(3))
    var places = (2, 1, 0)
    var isSix = false
    switch (bits, hasFields) {
    case (1, false), (4, false), (8, false), (16, false), (24, false), (32, false): break
    case (16, true) where colors == [0x7C00, 0x3E0, 0x1F]: break
    case (16, true) where colors == [0xF800, 0x7E0, 0x1F]: isSix = true
    case (24, true) where colors == [0xFF0000, 0xFF00, 0xFF]: break
    case (32, true):
      guard let known = Self.places[header.masks] else { throw Undecodable(reason: "its bit fields are unknown") }
      places = known
    case (_, true): throw Undecodable(reason: "its bit fields are unknown")
    default: throw Undecodable(reason: "it has \(bits) bits a pixel")
    }
    let used = (width * bits + 7) / 8
    let stride = (width * bits + 31) / 32 * 4
    // The last row may lack what fills it up.
    let data = Array(try cursor.take(stride * (height - 1) + used))
    let palette = header.palette.colors
    return Pixels(
      height: height, width: width,
      bytes: [UInt8](unsafeUninitializedCapacity: 4 * width * height) { out, count in
        data.withUnsafeBufferPointer { data in
          for y in 0..<height {
            let line = UnsafeBufferPointer(rebasing: data[stride * y..<stride * y + used])
            let row = out.baseAddress! + 4 * width * (header.isFromTop ? y : height - 1 - y)
            for x in 0..<width {
              let pixel = row + 4 * x
              switch bits {
              case 16:
                let value = Int(line[2 * x]) | Int(line[2 * x + 1]) << 8
                pixel[0] = UInt8((value >> (isSix ? 11 : 10) & 31) * 255 / 31)
                pixel[1] = isSix ? UInt8((value >> 5 & 63) * 255 / 63) : UInt8((value >> 5 & 31) * 255 / 31)
                pixel[2] = UInt8((value & 31) * 255 / 31)
              case 24, 32:
                let start = x * bits / 8
                pixel[0] = line[start + places.0]
                pixel[1] = line[start + places.1]
                pixel[2] = line[start + places.2]
              default:
                let first = x * bits
                let number = Int(line[first / 8]) >> (8 - bits - first % 8) & (1 << bits - 1)
                for channel in 0..<3 { pixel[channel] = palette[4 * number + channel] }
              }
              pixel[3] = 0
            }
          }
        }
        count = 4 * width * height
      })
  }

  /// A number for each pixel, of rows of runs, in the order of the file.
  private static func runs(_ header: Header, _ cursor: inout ByteCursor) throws(Undecodable) -> [UInt8] {
    let (width, count) = (header.width, header.width * header.height)
    let isFour = header.compression == .runs4
    var numbers: [UInt8] = []
    numbers.reserveCapacity(count)
    func fill(_ number: Int) { numbers += repeatElement(0, count: number) }
    func split(_ byte: UInt8) -> [UInt8] { isFour ? [byte >> 4, byte & 15] : [byte] }
    var x = 0
    while numbers.count < count {
      let (length, byte) = (try cursor.byte(), UInt8(try cursor.byte()))
      switch (length, byte) {
      case (1..., _):
        let pair = split(byte)
        for i in 0..<max(0, min(length, width - x)) { numbers.append(pair[i % pair.count]) }
        x += min(length, max(0, width - x))
      case (_, 0):
        fill((width - numbers.count % width) % width)
        x = 0
      case (_, 1): throw .endsEarly
      case (_, 2):
        let (right, up) = (try cursor.byte(), try cursor.byte())
        fill(min(count - numbers.count, right + up * width))
        x = numbers.count % width
      default:
        let own = min(count - numbers.count, Int(byte))
        let packed = try cursor.take(isFour ? (own + 1) / 2 : own)
        numbers += packed.lazy.flatMap(split).prefix(own)
        x += Int(byte)
        // Runs begin at even places.
        if cursor.place % 2 != 0 { cursor.place += 1 }
      }
    }
    return numbers
  }
}
