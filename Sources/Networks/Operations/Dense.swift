public import Tensors

/// `y = W x + b`.
///
/// - Shapes: `x` is `I`, `w` is `O I`, `y` is `O`.
/// - Source: PyTorch `Linear`.
public struct Dense: OperationRules {
  public static let title = "dense"
  public var outputFeatures: Int
  public var hasBias: Bool
  public init(to outputFeatures: Int, hasBias: Bool = true) {
    (self.outputFeatures, self.hasBias) = (outputFeatures, hasBias)
  }
  public var summary: String { "\(Self.title)\(hasBias ? ", bias" : "")" }

  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    let input = try single(inputs, of: Self.title)
    guard input.rank == 1 else { throw ShapeError("dense takes a vector, \(input) was given; put a flatten before it") }
    guard outputFeatures > 0, input[0] > 0 else { throw ShapeError("dense needs at least one feature in and out") }
    return [outputFeatures]
  }
  public func multiplyAdds(of inputs: [Shape]) -> Int { outputFeatures * inputs[0][0] }
  public func parameters(of inputs: [Shape]) -> [ParameterRule] {
    [ParameterRule("weight", [outputFeatures, inputs[0][0]], .weight)]
      + (hasBias ? [ParameterRule("bias", [outputFeatures], .bias)] : [])
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let (samples, features) = (inputs[0].shape[0], inputs[0].shape[1])
    return inputs[0].withUnsafeElements { x in
      parameters[0].withUnsafeElements { w in
        .filled([samples, outputFeatures]) { i in
          let (n, o) = (i / outputFeatures, i % outputFeatures)
          var sum = hasBias ? parameters[1][flat: o] : 0
          for f in 0..<features { sum += w[o * features + f] * x[n * features + f] }
          return sum
        }
      }
    }
  }
}

/// `C H W` as a vector of `C·H·W`, in row-major order.
public struct Flatten: OperationRules {
  public static let title = "flatten"
  public init() {}
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    [try single(inputs, of: Self.title).elementCount]
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let x = inputs[0]
    return x.withUnsafeElements { elements in
      .filled([x.shape[0], x.shape.sample.elementCount]) { elements[$0] }
    }
  }
}
