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

  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try singlePicture(inputs, of: Self.title) }

  public func parameters(of inputs: [Shape]) -> [ParameterRule] {
    let channels: Shape = [inputs[0][0]]
    return [
      ParameterRule("weight", channels, .scale), ParameterRule("bias", channels, .shift),
      ParameterRule("running_mean", channels, .runningMean), ParameterRule("running_var", channels, .runningVariance),
    ]
  }
}
