public import Tensors

/// In training, each element is zero with probability `rate`, else scaled by `1 / (1 − rate)`; after it, `y = x`.
///
/// Element `i` of row `n` is dropped where word `i mod 4` of Philox block `i / 4`, of the stream
/// (`dropout`, epoch: step, sample: `n`, lane: layer), gives a uniform number below `rate`.
/// - Source: Srivastava et al. 2014, in PyTorch's inverted form.
public struct Dropout: OperationRules {
  public static let title = "dropout"
  public var rate: Float
  public init(rate: Float) { self.rate = rate }
  public var summary: String { "\(Self.title) \(rate)" }
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    guard rate >= 0, rate < 1 else { throw ShapeError("a dropout rate is at least 0 and below 1, not \(rate)") }
    return try single(inputs, of: Self.title)
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    guard case .training(let seed, let step, let lane) = mode else { return inputs[0] }
    let count = inputs[0].shape.sample.elementCount
    var random = RandomKey(seed: seed, for: .dropout).generator()
    return inputs[0].withUnsafeElements { x in
      .filled(inputs[0].shape) { i in
        if i % count == 0 {
          random = RandomKey(seed: seed, for: .dropout, epoch: step, sample: i / count, lane: lane).generator()
        }
        return x[i] * (random.uniform() < rate ? 0 : 1 / (1 - Double(rate)))
      }
    }
  }
}

/// Stochastic depth: in training, all of a sample's elements are zero with probability `rate`, else scaled by
/// `1 / (1 − rate)`; after it, `y = x`.
///
/// Row `n` is dropped where the first word of the stream (`dropPath`, epoch: step, sample: `n`, lane: layer) gives a
/// uniform number below `rate`.
/// - Source: Huang et al. 2016 (arXiv:1603.09382), in timm's scaled form.
public struct DropPath: OperationRules {
  public static let title = "drop path"
  public var rate: Float
  public init(rate: Float) { self.rate = rate }
  public var summary: String { "\(Self.title) \(rate)" }
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    guard rate >= 0, rate < 1 else { throw ShapeError("a drop path rate is at least 0 and below 1, not \(rate)") }
    return try single(inputs, of: Self.title)
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    guard case .training(let seed, let step, let lane) = mode else { return inputs[0] }
    let count = inputs[0].shape.sample.elementCount
    return inputs[0].withUnsafeElements { x in
      .filled(inputs[0].shape) { i in
        var random = RandomKey(seed: seed, for: .dropPath, epoch: step, sample: i / count, lane: lane).generator()
        return x[i] * (random.uniform() < rate ? 0 : 1 / (1 - Double(rate)))
      }
    }
  }
}
