/// An opaque colour, 8 bits of sRGB a channel.
public struct Color: Hashable, Sendable {
  public var red, green, blue: UInt8

  /// Makes a colour from `0xRRGGBB`.
  public init(_ hex: UInt32) {
    red = UInt8(truncatingIfNeeded: hex >> 16)
    green = UInt8(truncatingIfNeeded: hex >> 8)
    blue = UInt8(truncatingIfNeeded: hex)
  }
}

/// The colours of charts.
public enum Palette {
  /// The colours of series, those with most contrast first.
  ///
  /// Okabe and Ito's set, made for colour-blind readers ("Color Universal Design", 2008; Wong, Nature Methods 8:441,
  /// 2011). Their yellow cannot be seen as a thin line on white, so a brown stands in its place.
  public static let colors = [
    Color(0x0072B2),  // blue
    Color(0xD55E00),  // vermilion
    Color(0x009E73),  // bluish green
    Color(0x000000),  // black
    Color(0xCC79A7),  // reddish purple
    Color(0x56B4E9),  // sky blue
    Color(0xE69F00),  // orange
    Color(0x7A4B00),  // brown
  ]

  static let paper = Color(0xFFFFFF)
  static let ink = Color(0x1F1F1F)
  static let secondaryInk = Color(0x595959)
  static let axis = Color(0x6B6B6B)
  static let grid = Color(0xE4E4E4)
  static let faintGrid = Color(0xF3F3F3)
  static let frame = Color(0xCFCFCF)
}
