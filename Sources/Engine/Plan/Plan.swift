internal import CDNNL
public import Networks
internal import Tensors
/// A network compiled for a batch: a flat list of steps with all memory taken and all arguments prepared.
///
/// Running it allocates nothing. The plan ends at the logits: a loss gives their gradient, and the plan takes that
/// back to every parameter. One thread at a time may use a plan.
public final class Plan: @unchecked Sendable {  // Sendable: all work is done on the engine's one thread
  public enum Mode: Hashable, Sendable {
    /// Batch norms folded, activations and sums fused into convolutions, memory reused.
    case inference
    /// The same on integers, where the network's quantizers say so: activations and weights of 8 bits, sums of 32.
    case int8
    /// Batch statistics, and a way back to all parameters; to the input too where asked for.
    case training(inputGradient: Bool = false)

    var isTraining: Bool {
      if case .training = self { return true }
      return false
    }
  }

  /// What a step is for, to people.
  public struct Label: Hashable, Sendable {
    /// The layer it belongs to.
    public let layer: String
    /// `convolution weight gradient`.
    public let kind: String
    /// The kernel that runs: oneDNN's own name for its choice, or ours.
    public let kernel: String
  }

  enum Step {
    case call(Call)
    case kernel(() -> Void)
  }

  /// A parameter's place in the arenas.
  struct Parameter {
    let name: String
    let rule: ParameterRule
    /// Of the canonical layout; a grouped convolution's has the groups as an axis of their own.
    let extents: [Int]
    let layout: Layout
    /// In bytes, in the arena of trainable parameters or of statistics; from here to the next parameter.
    var offset = 0
    var byteCount = 0
    /// The same in elements. Training's parameters are float32 whatever it computes with.
    var elementOffset: Int { offset / layout.type.byteCount }
    var elementCount: Int { byteCount / layout.type.byteCount }
  }

  /// Where arrays enter and leave.
  struct Ends {
    var input: Value
    var logits: Value
    var logitsGradient: Value?
    var inputGradient: Value?
    var activations: [Network.Node: Value]
    var gradients: [Network.Node: Value]
  }

  /// As it was given; inference runs a folded one.
  public let network: Network
  public let batch: Int
  public let mode: Mode
  public let precision: Precision
  /// What each step is, in order.
  public let labels: [Label]
  /// Bytes taken: parameters, gradients, statistics, activations and scratch.
  public var byteCount: Int { memoryByteCount + products.reduce(0) { $0 + $1.byteCount } }

  private let memoryByteCount: Int
  let engine: Engine
  let memory: PlanMemory
  let parameters: [Parameter]
  /// Of each parameter, the last step that writes its gradient.
  let gradientSteps: [Int]
  let steps: [Step]
  let forwardCount: Int
  let ends: Ends
  let addresses: PlanBuilder.Addresses
  let isFolded: Bool
  let loaders: [(Network, Weights) -> Void]
  let products: [IntegerProduct]
  /// Whether steps have all that they point to: kernels on integers take their weights in a form of their own.
  var isReady: Bool
  /// Of each forward step of an inference, the arrays that it reads and those that it writes.
  let traffic: [StepTraffic]
  /// Whether steps are looked through where the processor noted NaN: until it did so for nothing, as it does for some of
  /// oneDNN's kernels, or always where weights are of the order at which products outgrow floats.
  var watches: Bool
  var hasHugeWeights = false
  /// Asked before each step of the plan, on the engine's thread; once true, the work ends with `EngineError.interrupted`.
  /// Nil for a plan that is only stopped between its runs, as in training.
  package var isInterrupted: (() -> Bool)?
  /// Below, no sum of products of two numbers comes near infinity.
  static let harmless: Float = 1e15

  init(
    builder: PlanBuilder, memory: PlanMemory, parameters: [Parameter], gradientSteps: [Int], steps: [Step],
    labels: [Label], forwardCount: Int, ends: Ends, addresses: PlanBuilder.Addresses,
    traffic: [StepTraffic]
  ) {
    network = builder.source
    isFolded = builder.network != builder.source
    (loaders, products) = (builder.integers.loaders, builder.integers.products)
    isReady = products.isEmpty
    self.traffic = traffic
    watches = builder.mode == .inference
    batch = builder.batch
    mode = builder.mode
    precision = builder.precision
    engine = builder.engine
    self.memory = memory
    self.parameters = parameters
    self.gradientSteps = gradientSteps
    self.steps = steps
    self.labels = labels
    self.forwardCount = forwardCount
    self.ends = ends
    self.addresses = addresses
    memoryByteCount =
      memory.arena.byteCount + memory.scratch.byteCount + memory.trainable.byteCount + memory.gradients.byteCount
      + memory.statistics.byteCount
  }
}
