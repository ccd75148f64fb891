public import Tensors

/// Two numbers of an operation on images: down and across.
public struct Extent: Hashable, Sendable, ExpressibleByIntegerLiteral {
  public var height, width: Int
  public init(height: Int, width: Int) { (self.height, self.width) = (height, width) }
  public init(integerLiteral value: Int) { self.init(value) }
  public init(_ both: Int) { (height, width) = (both, both) }
  /// `2`, or `3x1` where the two differ or the separator asks for both.
  func summary(between separator: String? = nil) -> String {
    separator == nil && height == width ? "\(height)" : "\(height)\(separator ?? "x")\(width)"
  }
}

/// Zeros around an image. PyTorch's padding is the same on both sides; TensorFlow's SAME at stride 2 is not.
public struct Padding: Hashable, Sendable, ExpressibleByIntegerLiteral {
  public var top, left, bottom, right: Int
  public init(top: Int, left: Int, bottom: Int, right: Int) {
    (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
  }
  public init(integerLiteral value: Int) { self.init(value) }
  public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }

  /// TensorFlow's SAME: the output has `ceil(extent / stride)` elements, the odd zero goes to the bottom and right.
  public static func same(_ input: Shape, window: Window) -> Padding {
    func total(_ extent: Int, _ kernel: Int, _ stride: Int, _ dilation: Int) -> Int {
      max(((extent + stride - 1) / stride - 1) * stride + (kernel - 1) * dilation + 1 - extent, 0)
    }
    let down = total(input[1], window.kernel.height, window.stride.height, window.dilation.height)
    let across = total(input[2], window.kernel.width, window.stride.width, window.dilation.width)
    return Padding(top: down / 2, left: across / 2, bottom: down - down / 2, right: across - across / 2)
  }
}

/// The window that a convolution or a pooling moves over an image.
public struct Window: Hashable, Sendable {
  public var kernel: Extent
  public var stride: Extent
  public var padding: Padding
  public var dilation: Extent

  public init(kernel: Extent, stride: Extent = 1, padding: Padding = 0, dilation: Extent = 1) {
    (self.kernel, self.stride, self.padding, self.dilation) = (kernel, stride, padding, dilation)
  }

  /// `3x3, stride 2, padding 1`; what is as usual is left out.
  var summary: String {
    var parts = [kernel.summary(between: "x")]
    if stride != 1 { parts.append("stride \(stride.summary())") }
    if padding != 0 {
      let sides = [padding.top, padding.left, padding.bottom, padding.right]
      let isSame = Set(sides).count == 1
      parts.append("padding \(isSame ? "\(padding.top)" : sides.map(String.init).joined(separator: " "))")
    }
    if dilation != 1 { parts.append("dilation \(dilation.summary())") }
    return parts.joined(separator: ", ")
  }

  /// The height and width that the window makes of an image's, rounding down as PyTorch does.
  func output(of input: Shape, for title: String) throws(ShapeError) -> Extent {
    guard kernel.height > 0, kernel.width > 0, stride.height > 0, stride.width > 0, dilation.height > 0,
      dilation.width > 0, padding.top >= 0, padding.left >= 0, padding.bottom >= 0, padding.right >= 0
    else { throw ShapeError("\(title) needs a positive kernel, stride and dilation, and padding of at least 0") }
    let reachDown = dilation.height * (kernel.height - 1) + 1
    let reachAcross = dilation.width * (kernel.width - 1) + 1
    let height = input[1] + padding.top + padding.bottom
    let width = input[2] + padding.left + padding.right
    guard height >= reachDown, width >= reachAcross else {
      throw ShapeError("\(title) with a kernel of \(reachDown) x \(reachAcross) does not fit an image of \(input)")
    }
    return Extent(height: (height - reachDown) / stride.height + 1, width: (width - reachAcross) / stride.width + 1)
  }

  /// Visits the elements of the kernel that lie on the image, not on its padding, at one place of the output.
  /// - Parameter body: gets the place in the kernel, then the place in the image.
  func forEachTap(
    _ row: Int, _ column: Int, of image: Shape,
    _ body: (_ down: Int, _ across: Int, _ y: Int, _ x: Int) -> Void
  ) {
    for down in 0..<kernel.height {
      let y = row * stride.height - padding.top + down * dilation.height
      guard 0 <= y, y < image[1] else { continue }
      for across in 0..<kernel.width {
        let x = column * stride.width - padding.left + across * dilation.width
        guard 0 <= x, x < image[2] else { continue }
        body(down, across, y, x)
      }
    }
  }
}
