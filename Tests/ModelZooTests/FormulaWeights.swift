import Networks
import Tensors

/// Weights, batches and labels that follow from a formula: the bits that `Goldens/make.py` gives PyTorch, whose opening
/// comment states the formula.
enum FormulaWeights {
  /// Every parameter of a network.
  static func weights(for network: Network) throws -> Weights {
    var weights = Weights()
    for (name, rule) in network.parameters { weights[name] = try parameter(name, rule) }
    return weights
  }

  static func parameter(_ name: String, _ rule: ParameterRule) throws -> Tensor {
    let scale = (6 / Double(rule.shape.sample.elementCount)).squareRoot()
    return try filled(rule.shape, name) { u in
      switch rule.role {
      case .weight: scale * u
      case .scale: 1 + 0.1 * u
      case .bias, .shift, .runningMean: 0.1 * u
      case .runningVariance: 1 + 0.5 * abs(u)
      case .rangeLow: -3 + u
      case .rangeHigh: 3 + u
      }
    }
  }

  /// A batch of samples, `N C H W`.
  static func batch(_ count: Int, of sample: Shape) throws -> Tensor {
    try filled(sample.batched(count), "input") { $0 }
  }

  static func labels(_ count: Int, classes: Int) -> [Int] { (0..<count).map { 7 * $0 % classes } }

  /// The places in row-major order at which an array is recorded: all of 64 or fewer, else 64, some perhaps twice.
  static func places(of name: String, count: Int) -> [Int] {
    guard count > 64 else { return Array(0..<count) }
    var words = SplitMix64(name: name + "#samples")
    return (0..<64).map { _ in Int(words.next() % UInt64(count)) }
  }

  private static func filled(_ shape: Shape, _ name: String, _ value: (_ u: Double) -> Double) throws -> Tensor {
    var tensor = try Tensor(zeros: shape)
    var words = SplitMix64(name: name)
    tensor.withUnsafeMutableElements { elements in
      for i in elements.indices { elements[i] = Float(value(Double(words.next() >> 40) / 0x1p23 - 1)) }
    }
    return tensor
  }
}

/// The generator of Steele et al. 2014, "Fast splittable pseudorandom number generators", with Vigna's constants.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  /// Seeds it with the 64-bit FNV-1a hash of a name.
  init(name: String) {
    state = name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
