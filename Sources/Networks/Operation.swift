public import Tensors

/// What an operation keeps between steps: its weights and running statistics.
public struct ParameterRule: Hashable, Sendable {
  public enum Role: Hashable, Sendable {
    case weight, bias
    /// The γ and β of a normalization.
    case scale, shift
    /// Statistics that training gathers and no gradient changes.
    case runningMean, runningVariance
    /// The ends of a quantizer's range, which training and calibration gather.
    case rangeLow, rangeHigh
  }
  /// The last part of its name in a weight file, as PyTorch spells it: `weight`, `running_mean`; or `ownName`.
  public let name: String
  /// The name of a parameter that bears its layer's name alone: `cls_token`.
  public static let ownName = ""
  /// `O I/groups H W` for a convolution, `O I` for a dense layer, else as the operation says, mostly `C`.
  public let shape: Shape
  public let role: Role

  public init(_ name: String, _ shape: Shape, _ role: Role) { (self.name, self.shape, self.role) = (name, shape, role) }

  /// Whether a gradient reaches it; such parameters are what a parameter count counts.
  public var isTrainable: Bool {
    switch role {
    case .weight, .bias, .scale, .shift: true
    case .runningMean, .runningVariance, .rangeLow, .rangeHigh: false
    }
  }
}

/// The rules of one operation. Shapes are those of one sample: `C H W`, `F`, or `T F` for tokens; the batch is no axis
/// of theirs.
public protocol OperationRules: Hashable, Sendable {
  /// The word for it in tables and errors.
  static var title: String { get }
  /// The title with what sets it apart from others of its kind: `convolution 3x3, stride 2, padding 1`.
  var summary: String { get }
  /// The shape of the output.
  /// - Throws: `ShapeError` where the inputs do not fit; it says what was expected.
  func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape
  /// MACs for one sample, of convolutions, dense layers and attention only, as papers count them.
  func macs(of inputs: [Shape]) -> Int
  /// What it keeps, in the order PyTorch lists it.
  func parameters(of inputs: [Shape]) -> [ParameterRule]
  /// The definition, in plain loops; kernels are held to it.
  /// - Parameters:
  ///   - inputs: with the batch axis in front: `N C H W` or `N F`.
  ///   - parameters: in the order of `parameters(of:)`.
  func reference(_ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode) -> NDArray<Double>
}

extension OperationRules {
  public var summary: String { Self.title }
  public func macs(of inputs: [Shape]) -> Int { 0 }
  public func parameters(of inputs: [Shape]) -> [ParameterRule] { [] }
}

/// Every operation a network may hold. A new case is named by the compiler in every switch that lacks it.
public enum Operation: Hashable, Sendable {
  case input(Input)
  case convolution(Convolution)
  case batchNorm(BatchNorm)
  case relu(ReLU)
  case clip(Clip)
  case sigmoid(Sigmoid)
  case tanh(Tanh)
  case add(Add)
  case concatenation(Concatenation)
  case maxPool(MaxPool)
  case averagePool(AveragePool)
  case globalAveragePool(GlobalAveragePool)
  case flatten(Flatten)
  case dense(Dense)
  case dropout(Dropout)
  case dropPath(DropPath)
  case layerNorm(LayerNorm)
  case gelu(GELU)
  case tokens(Tokens)
  case tokenMean(TokenMean)
  case layerScale(LayerScale)
  case attention(Attention)
  case fakeQuantize(FakeQuantize)

  /// The payload, which holds the rules.
  public var rules: any OperationRules {
    switch self {
    case .input(let rules): rules
    case .convolution(let rules): rules
    case .batchNorm(let rules): rules
    case .relu(let rules): rules
    case .clip(let rules): rules
    case .sigmoid(let rules): rules
    case .tanh(let rules): rules
    case .add(let rules): rules
    case .concatenation(let rules): rules
    case .maxPool(let rules): rules
    case .averagePool(let rules): rules
    case .globalAveragePool(let rules): rules
    case .flatten(let rules): rules
    case .dense(let rules): rules
    case .dropout(let rules): rules
    case .dropPath(let rules): rules
    case .layerNorm(let rules): rules
    case .gelu(let rules): rules
    case .tokens(let rules): rules
    case .tokenMean(let rules): rules
    case .layerScale(let rules): rules
    case .attention(let rules): rules
    case .fakeQuantize(let rules): rules
    }
  }

  public var title: String { type(of: rules).title }
}

/// Inputs that do not fit an operation.
public struct ShapeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was expected and what was found, in words.
  public let problem: String
  /// The name of the layer, once known.
  public var layer: String?
  public init(_ problem: String, layer: String? = nil) { (self.problem, self.layer) = (problem, layer) }
  public var description: String { layer.map { "layer '\($0)': \(problem)" } ?? problem }
}

func single(_ inputs: [Shape], of title: String) throws(ShapeError) -> Shape {
  guard inputs.count == 1 else { throw ShapeError("\(title) takes one input, \(inputs.count) were given") }
  return inputs[0]
}

func singleImage(_ inputs: [Shape], of title: String) throws(ShapeError) -> Shape {
  let shape = try single(inputs, of: title)
  guard shape.rank == 3 else { throw ShapeError("\(title) takes an image C x H x W, \(shape) was given") }
  return shape
}
