public import Tensors

/// The largest element under each place of a window; NaN where there is one. Padding never wins: it counts as −∞.
///
/// - Gradient: goes to the first largest element in row-major order, or to the first NaN.
/// - Source: PyTorch `MaxPool2d`.
public struct MaxPool: OperationRules {
  public static let title = "max pool"
  public var window: Window
  public init(_ window: Window) { self.window = window }
  public var summary: String { "\(Self.title) \(window.summary)" }
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try pooled(inputs, window, of: Self.title) }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    reduce(inputs[0], window, from: -.infinity, { $0.isNaN || $1 <= $0 ? $0 : $1 }) { largest, _ in largest }
  }
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
  public var summary: String {
    "\(Self.title) \(window.summary)\(window.padding != 0 && !countsPadding ? ", padding not counted" : "")"
  }
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try pooled(inputs, window, of: Self.title) }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    reduce(inputs[0], window, from: 0, +) { sum, onImage in
      sum / Double(countsPadding ? window.kernel.height * window.kernel.width : onImage)
    }
  }
}

/// The mean of each channel: `C H W` to `C 1 1`.
public struct GlobalAveragePool: OperationRules {
  public static let title = "global average pool"
  public init() {}
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    [try singleImage(inputs, of: Self.title)[0], 1, 1]
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let (samples, channels, area) = (inputs[0].shape[0], inputs[0].shape[1], inputs[0].shape[2] * inputs[0].shape[3])
    return inputs[0].withUnsafeElements { x in
      .filled([samples, channels, 1, 1]) { i in
        var sum = 0.0
        for j in 0..<area { sum += x[i * area + j] }
        return sum / Double(area)
      }
    }
  }
}

private func pooled(_ inputs: [Shape], _ window: Window, of title: String) throws(ShapeError) -> Shape {
  let input = try singleImage(inputs, of: title)
  guard window.dilation == 1 else { throw ShapeError("\(title) has no dilation") }
  guard window.padding.top < window.kernel.height, window.padding.bottom < window.kernel.height,
    window.padding.left < window.kernel.width, window.padding.right < window.kernel.width
  else { throw ShapeError("\(title) needs padding smaller than its kernel") }
  let output = try window.output(of: input, for: title)
  return [input[0], output.height, output.width]
}

/// Combines the elements of the image under each place of a window; `finish` also gets their number.
private func reduce(
  _ input: NDArray<Double>, _ window: Window, from start: Double, _ combine: (Double, Double) -> Double,
  finish: (Double, _ onImage: Int) -> Double
) -> NDArray<Double> {
  let image = input.shape.sample
  let (channels, height, width) = (image[0], image[1], image[2])
  guard let output = try? window.output(of: image, for: "") else {
    preconditionFailure("a shape that was not checked")
  }
  return input.withUnsafeElements { elements in
    .images([input.shape[0], channels, output.height, output.width]) { n, c, row, column in
      var result = start
      var onImage = 0
      window.forEachTap(row, column, of: image) { _, _, y, x in
        result = combine(result, elements[((n * channels + c) * height + y) * width + x])
        onImage += 1
      }
      return finish(result, onImage)
    }
  }
}
