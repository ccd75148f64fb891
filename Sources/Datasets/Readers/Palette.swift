/// Colours by number. Those that a file does not name are black, as in Pillow.
struct Palette {
  /// Red, green, blue and a byte of no meaning, 256 times.
  private(set) var colors = [UInt8](repeating: 0, count: 4 * 256)

  /// The color of each number is that much grey.
  static let greys: Palette = {
    var palette = Palette()
    for number in 0..<256 { palette.set(number, UInt8(number), UInt8(number), UInt8(number)) }
    return palette
  }()

  mutating func set(_ number: Int, _ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    guard number < 256 else { return }
    (colors[4 * number], colors[4 * number + 1], colors[4 * number + 2]) = (red, green, blue)
  }

  /// - Parameter numbers: a color for each pixel, in rows.
  func pixels(_ numbers: [UInt8], height: Int, width: Int) -> Pixels {
    Pixels(
      height: height, width: width,
      bytes: [UInt8](unsafeUninitializedCapacity: 4 * numbers.count) { out, count in
        colors.withUnsafeBytes { colors in
          for (i, number) in numbers.enumerated() {
            let color = colors.loadUnaligned(fromByteOffset: 4 * Int(number), as: UInt32.self)
            UnsafeMutableRawPointer(out.baseAddress! + 4 * i).storeBytes(of: color, as: UInt32.self)
          }
        }
        count = 4 * numbers.count
      })
  }
}
