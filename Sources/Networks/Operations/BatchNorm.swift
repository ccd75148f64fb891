public import Tensors

/// `y = γ (x − μ) / √(σ² + ε) + β` per channel; μ and σ² are the batch's in training, the running ones after it.
///
/// The running statistics move by `momentum` towards the batch's: `r ← (1 − m) r + m·batch`, with the unbiased
/// variance, as PyTorch does. The normalization itself uses the biased one.
/// - Shapes: `x` is `C H W`, as is `y`.
/// - Source: Ioffe and Szegedy 2015 (arXiv:1502.03167), Algorithm 1; PyTorch `BatchNorm2d`.
public struct BatchNorm: OperationRules {
  public static let title = "batch norm"
  public var epsilon: Float
  /// The weight of the new value: 0.1 where TensorFlow writes 0.9.
  public var momentum: Float
  public init(epsilon: Float = 1e-5, momentum: Float = 0.1) { (self.epsilon, self.momentum) = (epsilon, momentum) }

  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try singleImage(inputs, of: Self.title) }

  public func parameters(of inputs: [Shape]) -> [ParameterRule] {
    let channels: Shape = [inputs[0][0]]
    return [
      ParameterRule("weight", channels, .scale), ParameterRule("bias", channels, .shift),
      ParameterRule("running_mean", channels, .runningMean), ParameterRule("running_var", channels, .runningVariance),
    ]
  }

  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let x = inputs[0]
    let (scale, shift) = (parameters[0].elements, parameters[1].elements)
    var (mean, variance) = (parameters[2].elements, parameters[3].elements)
    if case .training = mode { (mean, variance) = Self.statistics(of: x) }
    let (count, channels) = (x.shape[2] * x.shape[3], x.shape[1])
    return x.withUnsafeElements { x in
      .filled(inputs[0].shape) { i in
        let c = i / count % channels
        return scale[c] * (x[i] - mean[c]) / (variance[c] + Double(epsilon)).squareRoot() + shift[c]
      }
    }
  }

  /// The running statistics after a step of training on a batch; the definition, as `reference` is.
  public func movedStatistics(
    mean: NDArray<Double>, variance: NDArray<Double>, by x: NDArray<Double>
  ) -> (mean: NDArray<Double>, variance: NDArray<Double>) {
    let batch = Self.statistics(of: x)
    let count = Double(x.shape[0] * x.shape[2] * x.shape[3])
    let (rate, unbiased) = (Double(momentum), count / max(count - 1, 1))
    return (
      .filled(mean.shape) { (1 - rate) * mean[flat: $0] + rate * batch.mean[$0] },
      .filled(variance.shape) { (1 - rate) * variance[flat: $0] + rate * unbiased * batch.variance[$0] }
    )
  }

  /// The mean and the biased variance of each channel.
  private static func statistics(of x: NDArray<Double>) -> (mean: [Double], variance: [Double]) {
    let (samples, channels, area) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
    let count = Double(samples * area)
    var mean = [Double](repeating: 0, count: channels)
    var variance = mean
    x.withUnsafeElements { x in
      for c in 0..<channels {
        for n in 0..<samples { for i in 0..<area { mean[c] += x[(n * channels + c) * area + i] / count } }
        for n in 0..<samples {
          for i in 0..<area {
            let distance = x[(n * channels + c) * area + i] - mean[c]
            variance[c] += distance * distance / count
          }
        }
      }
    }
    return (mean, variance)
  }
}
