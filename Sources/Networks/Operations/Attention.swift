public import Tensors

#if canImport(Glibc)
  import Glibc
#endif

/// Self-attention of several heads, with a bias that follows from where two tokens stand on the image:
///
///     y = softmax((q + b_q) kᵀ / √d + B) (v + b_v)        for each head
///
/// The products with the weights of query, key, value and output are dense layers before and after it.
/// - Shapes: `x` is `1 + H·W 3·D`: query, key and value of each token, the class token first; of each the `D / heads`
///   features of the first head, then of the next. `y` is `1 + H·W D`. The table has a row for each offset between two
///   pixels, from the last row and column to the first, then a row each for the class token looking at a pixel, a pixel
///   looking at it, and it at itself; a column for each head.
/// - Source: Vaswani et al. 2017 (arXiv:1706.03762), eq. 1; BEiT (arXiv:2106.08254), with the table of Swin
///   (arXiv:2103.14030), eq. 4.
public struct Attention: OperationRules {
  public static let title = "attention"
  public var heads: Int
  /// The tokens of the image, without the class token.
  public var grid: Extent
  public init(heads: Int, grid: Extent) { (self.heads, self.grid) = (heads, grid) }

  public var summary: String { "\(Self.title), \(heads) heads" }
  /// Rows of the table.
  public var distances: Int { (2 * grid.height - 1) * (2 * grid.width - 1) + 3 }

  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    let shape = try single(inputs, of: Self.title)
    guard grid.height > 0, grid.width > 0, shape.rank == 2, shape[0] == 1 + grid.height * grid.width else {
      throw ShapeError(
        "\(Self.title) over \(grid.height) x \(grid.width) takes \(1 + grid.height * grid.width) tokens T x F, "
          + "\(shape) was given")
    }
    guard heads > 0, shape[1] > 0, shape[1] % (3 * heads) == 0 else {
      throw ShapeError("\(shape[1]) features do not divide into query, key and value of \(heads) heads")
    }
    return [shape[0], shape[1] / 3]
  }

  /// Those of the two matrix products, as timm's count of a transformer has them.
  public func macs(of inputs: [Shape]) -> Int { 2 * inputs[0][0] * inputs[0][0] * (inputs[0][1] / 3) }

  public func parameters(of inputs: [Shape]) -> [ParameterRule] {
    let features: Shape = [inputs[0][1] / 3]
    return [
      ParameterRule("q_bias", features, .bias), ParameterRule("v_bias", features, .bias),
      ParameterRule("relative_position_bias_table", [distances, heads], .bias),
    ]
  }

  /// The row of the table for a token that looks at another.
  func distance(from token: Int, to other: Int) -> Int {
    switch (token, other) {
    case (0, 0): return distances - 1
    case (0, _): return distances - 3
    case (_, 0): return distances - 2
    default:
      let (a, b) = (token - 1, other - 1)
      let down = a / grid.width - b / grid.width + grid.height - 1
      let across = a % grid.width - b % grid.width + grid.width - 1
      return down * (2 * grid.width - 1) + across
    }
  }

  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let (samples, tokens, all) = (inputs[0].shape[0], inputs[0].shape[1], inputs[0].shape[2] / 3)
    let each = all / heads
    let scale = 1 / Double(each).squareRoot()
    var y = [Double](repeating: 0, count: samples * tokens * all)
    inputs[0].withUnsafeElements { x in
      func query(_ n: Int, _ t: Int, _ f: Int) -> Double { x[(n * tokens + t) * 3 * all + f] + parameters[0][flat: f] }
      func key(_ n: Int, _ t: Int, _ f: Int) -> Double { x[(n * tokens + t) * 3 * all + all + f] }
      func value(_ n: Int, _ t: Int, _ f: Int) -> Double {
        x[(n * tokens + t) * 3 * all + 2 * all + f] + parameters[1][flat: f]
      }
      for n in 0..<samples {
        for h in 0..<heads {
          for t in 0..<tokens {
            var shares = (0..<tokens).map { other in
              var product = 0.0
              for f in h * each..<(h + 1) * each { product += query(n, t, f) * key(n, other, f) }
              return scale * product + parameters[2][flat: distance(from: t, to: other) * heads + h]
            }
            let largest = shares.max() ?? 0
            shares = shares.map { exp($0 - largest) }
            let sum = shares.reduce(0, +)
            for f in h * each..<(h + 1) * each {
              y[(n * tokens + t) * all + f] = (0..<tokens).reduce(0) { $0 + shares[$1] / sum * value(n, $1, f) }
            }
          }
        }
      }
    }
    return .filled([samples, tokens, all]) { y[$0] }
  }
}
