public import Tensors

/// A rectangle of a picture, in pixels of the whole picture.
public struct Window: Hashable, Sendable {
  public var top, left, height, width: Double
  /// Whether pixels around the window take part where the filter reaches over its edge, as when a picture is scaled
  /// first and cut afterwards. Otherwise the window is cut out first; its numbers are then whole.
  public var seesBeyond: Bool

  public init(top: Double, left: Double, height: Double, width: Double, seesBeyond: Bool) {
    (self.top, self.left, self.height, self.width, self.seesBeyond) = (top, left, height, width, seesBeyond)
  }

  /// The largest part of the wanted proportions in the middle.
  public static func middle(ofHeight height: Int, width: Int, for shape: Shape) -> Window {
    let scale = min(Double(height) / Double(shape[1]), Double(width) / Double(shape[2]))
    let (boxHeight, boxWidth) = (Double(shape[1]) * scale, Double(shape[2]) * scale)
    return Window(
      top: (Double(height) - boxHeight) / 2, left: (Double(width) - boxWidth) / 2, height: boxHeight, width: boxWidth,
      seesBeyond: true)
  }
}

/// How a picture of any size becomes one of the wanted size: which part of it is seen, and through which filter.
public struct Framing: Sendable {
  /// Filters that widen as the picture shrinks (antialiased), as Pillow's and torchvision's.
  public enum Filter: String, CaseIterable, Hashable, Sendable, Codable {
    /// A triangle of one pixel to each side.
    case bilinear
    /// Keys' cubic with a = -0.5, two pixels to each side.
    case bicubic

    var support: Double { self == .bilinear ? 1 : 2 }

    func callAsFunction(_ distance: Double) -> Double {
      let x = abs(distance)
      switch self {
      case .bilinear: return max(0, 1 - x)
      case .bicubic:
        if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
        return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
      }
    }
  }

  public var filter: Filter
  /// Whether a JPEG may be decoded at a half, a quarter or an eighth of its size where the window is still large enough.
  /// That is faster, and moves bytes by one or two.
  public var allowsReduction: Bool
  /// Of a picture of this height and width.
  public var window: @Sendable (_ height: Int, _ width: Int) -> Window

  public init(
    filter: Filter = .bilinear, allowsReduction: Bool = false,
    window: @escaping @Sendable (_ height: Int, _ width: Int) -> Window
  ) {
    (self.filter, self.allowsReduction, self.window) = (filter, allowsReduction, window)
  }
}
