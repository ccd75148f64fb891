public import Tensors

/// `y = s (q − z)`, `q = min(max(round(x / s) + z, 0), 2ᵇ − 1)`: numbers rounded to what `b` bits can hold, as the kernels
/// that compute in integers round them. The range that is spread over the levels is kept: `min` and `max`.
///
/// - Shapes: `x` of any shape; `y` has the same.
/// - Training: the range moves towards the batch's by `1 − decay` before it is used; `dx = dy` within it, else 0.
/// - Source: Jacob et al. 2017 (arXiv:1712.05877), section 3; TensorFlow's `fake_quant_with_min_max_vars`.
public struct FakeQuantize: OperationRules {
  public static let title = "fake quantization"
  /// 2 to 8.
  public var bits: Int
  /// How much of the range stays in a step of training; 1 leaves it as it is.
  public var decay: Float
  /// Steps of training that change the range alone.
  public var delay: Int

  public init(bits: Int = 8, decay: Float = 0.999, delay: Int = 0) {
    (self.bits, self.decay, self.delay) = (bits, decay, delay)
  }

  public var summary: String { "\(Self.title) to \(bits) bits" }
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try single(inputs, of: Self.title) }
  public func parameters(of inputs: [Shape]) -> [ParameterRule] {
    [ParameterRule("min", [1], .rangeLow), ParameterRule("max", [1], .rangeHigh)]
  }

  public func quantizer(low: Float, high: Float) -> Quantizer {
    Quantizer(low: low, high: high, levels: Quantizer.unsigned(bits: bits))
  }

  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    var (low, high) = (Float(parameters[0][flat: 0]), Float(parameters[1][flat: 0]))
    if case .training(_, let step, _) = mode {
      (low, high) = movedRange(low: low, high: high, by: inputs[0])
      if step < delay { return inputs[0] }
    }
    let quantizer = quantizer(low: low, high: high)
    return inputs[0].map { Double(quantizer.rounded(Float($0))) }
  }

  /// The range after a step of training on a batch; the definition, as `reference` is.
  public func movedRange(low: Float, high: Float, by x: NDArray<Double>) -> (low: Float, high: Float) {
    let found = x.withUnsafeElements { $0.rangeWithZero }
    let (lowest, highest) = (Float(found.low), Float(found.high))
    return (low + (1 - decay) * (lowest - low), high + (1 - decay) * (highest - high))
  }
}
