public import Tensors

#if canImport(Glibc)
  import Glibc
#endif

/// `y = max(x, 0)`; NaN where `x` is.
///
/// - Gradient: `dx = dy` where `x > 0`, else 0; NaN where `x` is.
public struct ReLU: OperationRules {
  public static let title = "relu"
  public init() {}
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try single(inputs, of: Self.title) }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    inputs[0].map { $0 < 0 ? 0 : $0 }
  }
}

/// `y = min(max(x, low), high)`, element by element, and NaN where `x` is. ReLU6 is `Clip(low: 0, high: 6)`.
///
/// - Gradient: `dx = dy` where `low < x < high`, else 0; so 0 at both corners, and NaN where `x` is.
/// - Source: the activation of MobileNetV2, arXiv:1801.04381.
public struct Clip: OperationRules {
  public static let title = "clip"
  public var low, high: Float
  public init(low: Float, high: Float) { (self.low, self.high) = (low, high) }
  public static let relu6 = Clip(low: 0, high: 6)
  public var summary: String { self == .relu6 ? "relu6" : "\(Self.title) from \(low) to \(high)" }
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try single(inputs, of: Self.title) }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    inputs[0].map { $0 < Double(low) ? Double(low) : $0 > Double(high) ? Double(high) : $0 }
  }
}

/// `y = 1 / (1 + e⁻ˣ)`.
public struct Sigmoid: OperationRules {
  public static let title = "sigmoid"
  public init() {}
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try single(inputs, of: Self.title) }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    inputs[0].map { 1 / (1 + exp(-$0)) }
  }
}

/// `y = x Φ(x)`, Φ the normal distribution's: the exact form, by the error function.
///
/// - Source: Hendrycks and Gimpel 2016 (arXiv:1606.08415); PyTorch `GELU`.
public struct GELU: OperationRules {
  public static let title = "gelu"
  public init() {}
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try single(inputs, of: Self.title) }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    inputs[0].map { $0 * 0.5 * (1 + erf($0 / 2.0.squareRoot())) }
  }
}

/// `y = tanh x`.
public struct Tanh: OperationRules {
  public static let title = "tanh"
  public init() {}
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try single(inputs, of: Self.title) }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    inputs[0].map { Glibc.tanh($0) }
  }
}
