import CGD

/// Owns one true-colour image of libgd. All drawing is done here and in `Typeface`: nothing else sees gd.
@safe struct Canvas: ~Copyable {
  let width, height: Int
  private let image: gdImagePtr

  /// A white picture.
  ///
  /// - Precondition: `width` and `height` are within the limits of ``Chart``.
  init(width: Int, height: Int, dotsPerInch: UInt32) throws(ChartError) {
    guard let image = unsafe gdImageCreateTrueColor(Int32(width), Int32(height)) else {
      throw .drawing(call: "gdImageCreateTrueColor")
    }
    (self.width, self.height) = (width, height)
    unsafe self.image = image
    unsafe gdImageFilledRectangle(image, 0, 0, Int32(width - 1), Int32(height - 1), Canvas.value(Palette.paper))
    unsafe gdImageSetResolution(image, dotsPerInch, dotsPerInch)
  }

  deinit { unsafe gdImageDestroy(image) }

  /// How gd writes a colour: 0x00RRGGBB, the top byte being transparency.
  private static func value(_ color: Color) -> Int32 {
    Int32(color.red) << 16 | Int32(color.green) << 8 | Int32(color.blue)
  }

  /// Lays a colour over the pixels of a mask.
  func paint(_ coverage: borrowing Coverage, _ color: Color, opacity: Double = 1) {
    let (firstX, lastX) = (max(0, coverage.left), min(width, coverage.right))
    let rows = coverage.rows.clamped(to: 0..<height)
    guard firstX < lastX else { return }
    for y in rows {
      // In bounds: the row is less than `height`, the columns less than `width`.
      guard let row = unsafe image.pointee.tpixels[y] else { continue }
      for x in firstX..<lastX {
        let amount = Double(coverage[x, y]) / 255 * opacity
        if amount > 0 { unsafe row[x] = Canvas.blend(row[x], color, amount) }
      }
    }
  }

  private static func blend(_ below: Int32, _ color: Color, _ amount: Double) -> Int32 {
    func mix(_ shift: Int32, _ channel: UInt8) -> Int32 {
      let old = Double(below >> shift & 0xFF)
      return Int32(old + (Double(channel) - old) * amount + 0.5) << shift
    }
    return mix(16, color.red) | mix(8, color.green) | mix(0, color.blue)
  }

  /// Fills whole pixels, so that grid lines and axes are sharp.
  func fill(_ rectangle: Rectangle, _ color: Color, opacity: Double = 1) {
    let left = max(0, Int(rectangle.left.rounded()))
    let right = min(width, Int(rectangle.right.rounded()))
    let top = max(0, Int(rectangle.top.rounded()))
    let bottom = min(height, Int(rectangle.bottom.rounded()))
    guard left < right && top < bottom else { return }
    for y in top..<bottom {
      guard let row = unsafe image.pointee.tpixels[y] else { continue }
      for x in left..<right { unsafe row[x] = Canvas.blend(row[x], color, opacity) }
    }
  }

  /// Draws a picture over whole pixels: each of its pixels as a block where it is enlarged, else the mean of those that
  /// fall into one.
  func draw(_ tile: Tile, in box: Rectangle) {
    let (left, top) = (Int(box.left.rounded()), Int(box.top.rounded()))
    let (columns, rows) = (Int(box.width.rounded()), Int(box.height.rounded()))
    guard columns > 0, rows > 0 else { return }
    func span(_ place: Int, _ shown: Int, _ there: Int) -> Range<Int> {
      let first = place * there / shown
      return first..<max(first + 1, (place + 1) * there / shown)
    }
    for row in 0..<rows where (0..<height).contains(top + row) {
      guard let line = unsafe image.pointee.tpixels[top + row] else { continue }
      let sources = span(row, rows, tile.height)
      for column in 0..<columns where (0..<width).contains(left + column) {
        let across = span(column, columns, tile.width)
        var sum = (red: 0, green: 0, blue: 0)
        for y in sources {
          for x in across {
            let color = tile.color(x, y)
            sum = (sum.red + Int(color.red), sum.green + Int(color.green), sum.blue + Int(color.blue))
          }
        }
        let count = sources.count * across.count
        func mean(_ sum: Int) -> Int32 { Int32((sum + count / 2) / count) }
        unsafe line[left + column] = mean(sum.red) << 16 | mean(sum.green) << 8 | mean(sum.blue)
      }
    }
  }

  /// Writes one line of text.
  func draw(_ label: Label, in typeface: Typeface) {
    switch typeface {
    case .freeType(let regular, let bold):
      let baseline = label.baseline
      var bounds: [Int32] = Array(repeating: 0, count: 8)
      // gd only fails here if the font vanished since it was measured: then the text is missing, not the picture.
      _ = unsafe gdImageStringFT(
        image, &bounds, Canvas.value(label.color), label.isBold ? bold : regular, Typeface.points(label.size),
        label.isUpright ? Double.pi / 2 : 0, Int32(baseline.x.rounded()), Int32(baseline.y.rounded()),
        Typeface.escaped(label.text))
    case .builtIn:
      let font = BitmapFont(size: label.size, isBold: label.isBold)
      let baseline = Position(label.baseline.x.rounded(), label.baseline.y.rounded())
      font.forEachPixel(of: label.text) { x, y in
        let scale = Double(font.scale)
        let place =
          label.isUpright
          ? Rectangle(
            left: baseline.x + y, top: baseline.y - x - scale, right: baseline.x + y + scale, bottom: baseline.y - x)
          : Rectangle(
            left: baseline.x + x, top: baseline.y + y, right: baseline.x + x + scale, bottom: baseline.y + y + scale)
        fill(place, label.color)
      }
    }
  }

  /// The picture as a PNG file.
  func png() throws(ChartError) -> [UInt8] {
    var size: Int32 = 0
    guard let bytes = unsafe gdImagePngPtrEx(image, &size, 9) else { throw .drawing(call: "gdImagePngPtrEx") }
    defer { unsafe gdFree(bytes) }
    return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: Int(size)))
  }
}
