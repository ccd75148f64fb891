public import Tensors

/// The pixels of an image as tokens, in row-major order, after a token of its own: the class token.
///
/// - Shapes: `x` is `C H W`, `y` is `1 + H·W C`. The parameter is `1 1 C` and bears the layer's name.
/// - Source: Dosovitskiy et al. 2020 (arXiv:2010.11929), eq. 1, without positions.
public struct Tokens: OperationRules {
  public static let title = "tokens"
  public init() {}

  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    let image = try singleImage(inputs, of: Self.title)
    return [1 + image[1] * image[2], image[0]]
  }
  public func parameters(of inputs: [Shape]) -> [ParameterRule] {
    [ParameterRule(ParameterRule.ownName, [1, 1, inputs[0][0]], .shift)]
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let (samples, channels) = (inputs[0].shape[0], inputs[0].shape[1])
    let area = inputs[0].shape[2] * inputs[0].shape[3]
    return inputs[0].withUnsafeElements { x in
      .filled([samples, 1 + area, channels]) { i in
        let (n, t, c) = (i / channels / (1 + area), i / channels % (1 + area), i % channels)
        return t == 0 ? parameters[0][flat: c] : x[(n * channels + c) * area + t - 1]
      }
    }
  }
}

/// The mean of the tokens of an image; the class token is left out.
///
/// - Shapes: `x` is `T F` with the class token first, `y` is `F`.
/// - Source: the mean pooling of BEiT, arXiv:2106.08254, section 2.6.
public struct TokenMean: OperationRules {
  public static let title = "token mean"
  public init() {}

  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    let shape = try single(inputs, of: Self.title)
    guard shape.rank == 2, shape[0] > 1 else {
      throw ShapeError("\(Self.title) takes a class token and others, T x F, \(shape) was given")
    }
    return [shape[1]]
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let (samples, tokens, features) = (inputs[0].shape[0], inputs[0].shape[1], inputs[0].shape[2])
    return inputs[0].withUnsafeElements { x in
      .filled([samples, features]) { i in
        let (n, f) = (i / features, i % features)
        return (1..<tokens).reduce(0) { $0 + x[(n * tokens + $1) * features + f] } / Double(tokens - 1)
      }
    }
  }
}

/// `y = γ x`, feature by feature: a residual branch that starts as a small part of itself.
///
/// - Shapes: `x` is `F` or `T F`, as is `y`. The parameter is `F` and bears the layer's name.
/// - Source: Touvron et al. 2021 (arXiv:2103.17239), eq. 4.
public struct LayerScale: OperationRules {
  public static let title = "layer scale"
  /// What γ starts with.
  public var start: Float
  public init(start: Float = 0.1) { self.start = start }

  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { try vectors(inputs, of: Self.title) }
  public func parameters(of inputs: [Shape]) -> [ParameterRule] {
    [ParameterRule(ParameterRule.ownName, [inputs[0].features], .scale)]
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let features = inputs[0].shape.features
    return inputs[0].withUnsafeElements { x in
      .filled(inputs[0].shape) { x[$0] * parameters[0][flat: $0 % features] }
    }
  }
}
