public import Tensors

/// `y = W x + b`.
///
/// - Shapes: `x` is `I`, `w` is `O I`, `y` is `O`; of tokens `T I` each by itself, to `T O`.
/// - Source: PyTorch `Linear`.
public struct Dense: OperationRules {
  public static let title = "dense"
  public var outputFeatures: Int
  public var hasBias: Bool
  /// How the weights are rounded; nil where they stay as they are.
  public var weightQuantization: WeightQuantization?
  public init(to outputFeatures: Int, hasBias: Bool = true) {
    (self.outputFeatures, self.hasBias) = (outputFeatures, hasBias)
  }
  public var summary: String {
    "\(Self.title)\(hasBias ? ", bias" : "")\(weightQuantization.map { ", \($0.summary)" } ?? "")"
  }

  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    let input = try vectors(inputs, of: Self.title)
    guard outputFeatures > 0 else { throw ShapeError("dense needs at least one feature in and out") }
    return Shape(input.extents.dropLast() + [outputFeatures])
  }
  public func macs(of inputs: [Shape]) -> Int { outputFeatures * inputs[0].elementCount }
  public func parameters(of inputs: [Shape]) -> [ParameterRule] {
    [ParameterRule("weight", [outputFeatures, inputs[0].features], .weight)]
      + (hasBias ? [ParameterRule("bias", [outputFeatures], .bias)] : [])
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let features = inputs[0].shape.features
    let shape = Shape(inputs[0].shape.extents.dropLast() + [outputFeatures])
    return inputs[0].withUnsafeElements { x in
      parameters[0].withUnsafeElements { w in
        .filled(shape) { i in
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
