public import Tensors

/// The largest element under each place of a window. Padding never wins: it counts as −∞.
///
/// - Gradient: goes to the first largest element in row-major order.
/// - Source: PyTorch `MaxPool2d`.
public struct MaxPool: OperationRules {
  public static let title = "max pool"
  public var window: Window
  public init(_ window: Window) { self.window = window }
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try pooled(inputs, window, of: Self.title) }
}

/// The mean under each place of a window; padding counts as zeros where `countsPadding`, else not at all.
///
/// - Source: PyTorch `AvgPool2d`, whose `count_include_pad` is true unless asked.
public struct AveragePool: OperationRules {
  public static let title = "average pool"
  public var window: Window
  public var countsPadding: Bool
  public init(_ window: Window, countsPadding: Bool = true) {
    (self.window, self.countsPadding) = (window, countsPadding)
  }
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try pooled(inputs, window, of: Self.title) }
}

/// The mean of each channel: `C H W` to `C 1 1`.
public struct GlobalAveragePool: OperationRules {
  public static let title = "global average pool"
  public init() {}
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    [try singlePicture(inputs, of: Self.title)[0], 1, 1]
  }
}

private func pooled(_ inputs: [Shape], _ window: Window, of title: String) throws(ShapeError) -> Shape {
  let input = try singlePicture(inputs, of: title)
  guard window.dilation == 1 else { throw ShapeError("\(title) has no dilation") }
  guard window.padding.top < window.kernel.height, window.padding.bottom < window.kernel.height,
    window.padding.left < window.kernel.width, window.padding.right < window.kernel.width
  else { throw ShapeError("\(title) needs padding smaller than its kernel") }
  let output = try window.output(of: input, for: title)
  return [input[0], output.height, output.width]
}
