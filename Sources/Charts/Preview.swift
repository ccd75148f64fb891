import CGD

/// The pixels of a picture, to be shown as text in a terminal.
public struct Preview: Hashable, Sendable {
  /// Pixels.
  public let width, height: Int
  /// Red, green and blue of each pixel, row by row.
  public let pixels: [UInt8]

  /// - Precondition: Three bytes for each pixel.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width >= 0 && height >= 0 && pixels.count == 3 * width * height)
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// Reads the pixels of a PNG file, laid over white.
  ///
  /// - Throws: `notPNG` where the file is damaged, `size` where it has more than ``Chart/allowedArea`` pixels.
  public init(png file: [UInt8]) throws(ChartError) {
    // Checks every chunk, so that libgd sees only whole ones.
    _ = try PNG.texts(in: file)
    func number(_ offset: Int) -> Int { file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
    // The first chunk is IHDR, its data begin at byte 16.
    guard file.count >= 33, number(8) == 13, file.count <= Int32.max else { throw .notPNG(offset: 8) }
    let (width, height) = (number(16), number(20))
    guard width > 0, height > 0 else { throw .notPNG(offset: 16) }
    // Deflate makes at most 1032 bytes of one, and a byte holds at most 8 pixels.
    guard width <= Chart.allowedArea / height, width <= file.count * 8256 / height else {
      throw .size(width: width, height: height)
    }
    // libgd would write its complaints to standard error; a failure is thrown instead.
    unsafe gdSetErrorMethod { _, _, _ in }
    // libgd only reads the memory; its signature forgot the const.
    let decoded = unsafe file.withUnsafeBytes { raw in
      unsafe gdImageCreateFromPngPtr(Int32(raw.count), UnsafeMutableRawPointer(mutating: raw.baseAddress!))
    }
    guard let image = unsafe decoded else { throw .notPNG(offset: 33) }
    defer { unsafe gdImageDestroy(image) }
    guard unsafe image.pointee.trueColor != 0 || gdImagePaletteToTrueColor(image) != 0 else {
      throw .drawing(call: "gdImagePaletteToTrueColor")
    }
    guard unsafe Int(image.pointee.sx) == width, unsafe Int(image.pointee.sy) == height else {
      throw .notPNG(offset: 16)
    }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 * width * height)
    for y in 0..<height {
      guard let row = unsafe image.pointee.tpixels[y] else { throw .drawing(call: "gdImageCreateFromPngPtr") }
      for x in 0..<width {
        let pixel = unsafe Int(row[x])
        // gd keeps transparency in 7 bits, 127 for nothing.
        let clear = pixel >> 24 & 0x7F
        for shift in [16, 8, 0] {
          pixels.append(UInt8(((pixel >> shift & 0xFF) * (127 - clear) + 255 * clear + 63) / 127))
        }
      }
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// What a terminal can show.
  public enum Colors: Sendable {
    /// Red, green and blue of 8 bits each.
    case all
    /// The 256 colours of xterm.
    case palette
    /// None: blocks of five densities, more for darker pixels, as on paper.
    case none
  }

  /// The picture in lines of text, each ending in a newline: two pixels in each character, one above the other.
  ///
  /// - Parameters:
  ///   - columns: The characters of a line, at least 1. The height follows from the picture's shape, characters being
  ///     about twice as high as wide.
  ///   - rows: At most so many lines; the picture is narrower then.
  /// - Returns: Empty for a picture without pixels.
  public func text(columns: Int, rows: Int = .max, colors: Colors = .all) -> String {
    guard width > 0, height > 0 else { return "" }
    var columns = max(1, min(columns, 1000))
    let lines = max(1, min(rows, 1000))
    func half(_ columns: Int) -> Int { max(1, Int((Double(columns * height) / Double(width)).rounded())) }
    if half(columns) > 2 * lines {
      columns = max(1, min(columns, Int(Double(2 * lines) * Double(width) / Double(height))))
    }
    let high = min(half(columns), 2 * lines)
    let small = reduced(to: columns, high)
    func pixel(_ x: Int, _ y: Int) -> Color? { y < high ? small[y * columns + x] : nil }
    var text = ""
    for y in stride(from: 0, to: high, by: 2) {
      var last: [String] = ["", ""]
      for x in 0..<columns {
        let (top, bottom) = (pixel(x, y) ?? Palette.paper, pixel(x, y + 1))
        if colors == .none {
          let luminance = (top.luminance + (bottom ?? Palette.paper).luminance) / 2
          // Lightness rises about as a root of luminance.
          text.append(Array("█▓▒░ ")[min(4, Int(luminance.squareRoot() * 5))])
          continue
        }
        let codes = ["38;\(Preview.code(top, colors))", bottom.map { "48;\(Preview.code($0, colors))" } ?? "49"]
        let changes = zip(codes, last).filter { $0.0 != $0.1 }.map { $0.0 }
        if !changes.isEmpty { text += "\u{1B}[\(changes.joined(separator: ";"))m" }
        last = codes
        text += "▀"
      }
      text += colors == .none ? "\n" : "\u{1B}[0m\n"
    }
    return text
  }

  /// The picture in other sizes: each new pixel is the mean of those that it covers, or the one that it lies in.
  private func reduced(to columns: Int, _ rows: Int) -> [Color] {
    func span(_ place: Int, _ shown: Int, _ there: Int) -> Range<Int> {
      let first = place * there / shown
      return first..<max(first + 1, (place + 1) * there / shown)
    }
    return (0..<rows * columns).map { place in
      let (down, across) = (span(place / columns, rows, height), span(place % columns, columns, width))
      var sum = [0, 0, 0]
      for y in down {
        for x in across {
          for channel in 0..<3 { sum[channel] += Int(pixels[3 * (y * width + x) + channel]) }
        }
      }
      let count = down.count * across.count
      let mean = sum.map { UInt32(($0 + count / 2) / count) }
      return Color(mean[0] << 16 | mean[1] << 8 | mean[2])
    }
  }

  private static func code(_ color: Color, _ colors: Colors) -> String {
    guard colors == .palette else { return "2;\(color.red);\(color.green);\(color.blue)" }
    let channels = [color.red, color.green, color.blue].map(Int.init)
    // The cube has 6 levels: 0, then 95 to 255 in steps of 40. Greys 232 to 255 are 8, 18 … 238.
    func level(_ value: Int) -> Int { value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40 }
    func value(_ level: Int) -> Int { level == 0 ? 0 : 55 + 40 * level }
    let levels = channels.map(level)
    let grey = max(0, min(23, (channels.reduce(0, +) / 3 - 3) / 10))
    func distance(_ other: [Int]) -> Int { zip(channels, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
    let isGrey = distance(Array(repeating: 8 + 10 * grey, count: 3)) < distance(levels.map(value))
    return "5;\(isGrey ? 232 + grey : 16 + 36 * levels[0] + 6 * levels[1] + levels[2])"
  }
}
