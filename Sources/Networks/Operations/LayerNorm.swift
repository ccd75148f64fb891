public import Tensors

/// `y = γ (x − μ) / √(σ² + ε) + β` per vector; μ and σ² are those of its own features.
///
/// - Shapes: `x` is `F`, or `T F`: each of `T` tokens by itself. So is `y`.
/// - Source: Ba et al. 2016 (arXiv:1607.06450), eq. 3 and 4; PyTorch `LayerNorm`.
public struct LayerNorm: OperationRules {
  public static let title = "layer norm"
  public var epsilon: Float
  public init(epsilon: Float = 1e-5) { self.epsilon = epsilon }

  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try vectors(inputs, of: Self.title) }

  public func parameters(of inputs: [Shape]) -> [ParameterRule] {
    let features: Shape = [inputs[0].features]
    return [ParameterRule("weight", features, .scale), ParameterRule("bias", features, .shift)]
  }

  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let features = inputs[0].shape.features
    return inputs[0].withUnsafeElements { x in
      var (mean, variance) = (0.0, 0.0)
      return .filled(inputs[0].shape) { i in
        let f = i % features
        if f == 0 {
          mean = x[i..<i + features].reduce(0, +) / Double(features)
          variance = x[i..<i + features].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(features)
        }
        let normal = (x[i] - mean) / (variance + Double(epsilon)).squareRoot()
        return parameters[0][flat: f] * normal + parameters[1][flat: f]
      }
    }
  }
}

extension Shape {
  /// The last extent: what a vector holds.
  var features: Int { extents.last ?? 1 }
}

/// A vector of features, or tokens with such a vector each.
func vectors(_ inputs: [Shape], of title: String) throws(ShapeError) -> Shape {
  let shape = try single(inputs, of: title)
  guard shape.rank == 1 || shape.rank == 2 else {
    throw ShapeError("\(title) takes a vector, \(shape) was given; put a flatten before it")
  }
  guard shape.elementCount > 0 else { throw ShapeError("\(title) needs at least one feature, \(shape) was given") }
  return shape
}
