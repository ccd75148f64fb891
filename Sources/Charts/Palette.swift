import Foundation

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

  /// The places in ``colors`` of those that may fill areas: all but black.
  package static let fills = colors.indices.filter { colors[$0] != Color(0x000000) }
  /// What fills an area that asks for black.
  static let greyFill = Color(0x8C8C8C)

  package static let paper = Color(0xFFFFFF)
  package static let ink = Color(0x1F1F1F)
  static let secondaryInk = Color(0x595959)
  static let axis = Color(0x6B6B6B)
  static let grid = Color(0xE4E4E4)
  static let faintGrid = Color(0xF3F3F3)
  static let frame = Color(0xCFCFCF)
  /// Frames of pictures.
  static let right = colors[2]
  static let wrong = colors[1]
}

extension Color {
  /// How bright it is, from 0 for black to 1 for white (WCAG 2.2, relative luminance).
  package var luminance: Double {
    func linear(_ channel: UInt8) -> Double {
      let value = Double(channel) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
  }

  /// The ink that stands out more on it.
  package var inkOnTop: Color {
    // Contrast is (brighter + 0.05) / (darker + 0.05).
    let onWhite = 1.05 / (luminance + 0.05)
    let onInk = (luminance + 0.05) / (Palette.ink.luminance + 0.05)
    return onWhite > onInk ? Palette.paper : Palette.ink
  }
}
