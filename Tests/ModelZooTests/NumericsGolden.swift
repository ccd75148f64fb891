import Foundation
import ModelZoo
import Networks
import Tensors

/// What PyTorch makes of a network in float64, and how far its own float32 is from that: a file of `Goldens/numerics`.
///
/// The weights, the batch and the labels are those of `FormulaWeights`. All numbers but `inference` are of one step of
/// training, whose loss is the mean cross-entropy.
struct NumericsGolden: Decodable, Sendable {
  static let models = ["resnet20", "resnet18", "resnet50", "resnext50", "resnet50D", "mobilenetV1", "vgg11BN", "vgg16", "beitB16"]

  /// Relative L2 norms of PyTorch's float32 against its float64, in one memory format.
  struct Errors: Decodable, Sendable {
    var inference, training, loss: Double
    /// Of all samples of all gradients taken together.
    var gradients: Double
    /// The median over the parameters of each one's error on its samples.
    var medianGradient: Double
  }

  struct Gradient: Decodable, Sendable {
    var name: String
    var shape: [Int]
    /// The L2 norm of the whole gradient.
    var norm: Double
    /// At `FormulaWeights.places`.
    var samples: [Double]
    /// PyTorch's errors on these samples in its two memory formats.
    var contiguous, channelsLast: Double
  }

  /// A running mean or variance after the step; of the first and of the last batch norm.
  struct Statistic: Decodable, Sendable {
    var name: String
    var norm: Double
    var samples: [Double]
    /// PyTorch's errors on the whole of it.
    var contiguous, channelsLast: Double
  }

  /// PyTorch's, torchvision's, timm's and Python's versions.
  var program: String
  /// The entry of the zoo.
  var model: String
  var input: [Int]
  var batch, classes: Int
  /// Logits, `N F` in row-major order.
  var inference, training: [Double]
  var loss: Double
  /// By memory format: `contiguous`, `channelsLast`.
  var float32: [String: Errors]
  var gradients: [Gradient]
  var statistics: [Statistic]

  init(_ model: String) throws {
    self = try JSONDecoder().decode(Self.self, from: Golden.data("numerics/\(model).json"))
  }

  /// The network, without dropout.
  func network() throws -> Network {
    guard let entry = ModelZoo.entry(named: model) else { throw CocoaError(.coderInvalidValue) }
    let options: [String: ZooValue] = model.hasPrefix("vgg") ? ["dropout": .number(0)] : [:]
    return try entry.make(input: Shape(input), classes: classes, options: options)
  }

  /// The larger of PyTorch's two errors.
  func error(_ quantity: KeyPath<Errors, Double>) -> Double { float32.values.map { $0[keyPath: quantity] }.max() ?? 0 }
}

/// How far PyTorch's autocast to bfloat16 is from its float64, as in `NumericsGolden`: the file `Goldens/numerics/bf16`.
struct AutocastGolden: Decodable, Sendable {
  var program: String
  /// By model and memory format.
  var models: [String: [String: NumericsGolden.Errors]]

  init() throws { self = try JSONDecoder().decode(Self.self, from: Golden.data("numerics/bf16.json")) }

  /// The larger of PyTorch's two errors.
  func error(_ model: String, _ quantity: KeyPath<NumericsGolden.Errors, Double>) -> Double {
    models[model]?.values.map { $0[keyPath: quantity] }.max() ?? 0
  }
}

/// ‖a − b‖ / ‖b‖.
func relativeDistance(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count)
  let difference = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  return (difference / b.reduce(0) { $0 + $1 * $1 }).squareRoot()
}
