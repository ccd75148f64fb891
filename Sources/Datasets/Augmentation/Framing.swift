public import Tensors

/// A rectangle of an image, in pixels of the whole image.
public struct Window: Hashable, Sendable {
  public var top, left, height, width: Double
  /// Whether pixels around the window take part where the filter reaches over its edge, as when an image is scaled
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

/// How an image of any size becomes one of the wanted size: which part of it is seen, and through which filter.
public struct Framing: Sendable {
  /// Filters that widen as the image shrinks (antialiased), as Pillow's and torchvision's.
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
  /// Of an image of this height and width.
  public var window: @Sendable (_ height: Int, _ width: Int) -> Window

  public init(
    filter: Filter = .bilinear, allowsReduction: Bool = false,
    window: @escaping @Sendable (_ height: Int, _ width: Int) -> Window
  ) {
    (self.filter, self.allowsReduction, self.window) = (filter, allowsReduction, window)
  }
}

/// An image's size after it was scaled so that its shorter side has some length.
///
/// The longer side is cut to whole pixels, as torchvision's `Resize` cuts it, so the two axes scale a little differently.
struct ScaledSize: Hashable, Sendable {
  let height, width: Int
  private let sourceHeight, sourceWidth: Int

  /// - Parameter shape: what must fit into it, `C x H x W`; a side that would be too short is made long enough.
  init(ofHeight sourceHeight: Int, width sourceWidth: Int, shortSide: Int, for shape: Shape) {
    (self.sourceHeight, self.sourceWidth) = (sourceHeight, sourceWidth)
    let short = min(sourceHeight, sourceWidth)
    func size(_ side: Int) -> (Int, Int) {
      // Division of doubles, as Python divides.
      let long = Int(Double(side * max(sourceHeight, sourceWidth)) / Double(short))
      return sourceHeight <= sourceWidth ? (side, long) : (long, side)
    }
    var (height, width) = size(shortSide)
    if height < shape[1] || width < shape[2] { (height, width) = size(max(shortSide, shape[1], shape[2])) }
    (self.height, self.width) = (height, width)
  }

  /// Where a part of the scaled image lies in the image.
  func window(top: Int, left: Int, height: Int, width: Int) -> Window {
    let vertical = Double(sourceHeight) / Double(self.height)
    let horizontal = Double(sourceWidth) / Double(self.width)
    return Window(
      top: Double(top) * vertical, left: Double(left) * horizontal, height: Double(height) * vertical,
      width: Double(width) * horizontal, seesBeyond: true)
  }
}

/// How images are shown to a network that is measured: scaled so that the shorter side has some length, then the
/// middle cut out, as timm and torchvision do.
public struct TestTransform: Hashable, Sendable, Codable {
  /// The side of the part in the middle to the shorter side, above 0 and at most 1: 0.875 is 224 of 256.
  public var crop: Double
  public var filter: Framing.Filter

  public init(crop: Double = 0.875, filter: Framing.Filter = .bilinear) { (self.crop, self.filter) = (crop, filter) }

  /// The shorter side before the cut: `floor(size / crop)`, as timm computes it.
  public func edge(for size: Int) -> Int { Int((Double(size) / crop).rounded(.down)) }

  /// - Parameter shape: of the result, `C x H x W`.
  public func framing(for shape: Shape) -> Framing {
    let edge = edge(for: min(shape[1], shape[2]))
    return Framing(filter: filter) { height, width in
      let scaled = ScaledSize(ofHeight: height, width: width, shortSide: edge, for: shape)
      func middle(_ outer: Int, _ inner: Int) -> Int { Int((Double(outer - inner) / 2).rounded(.toNearestOrEven)) }
      return scaled.window(
        top: middle(scaled.height, shape[1]), left: middle(scaled.width, shape[2]), height: shape[1], width: shape[2])
    }
  }
}
