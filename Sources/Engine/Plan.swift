internal import CDNNL
internal import CKernels
internal import Dispatch
public import Networks
public import Tensors

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
  private let engine: Engine
  private let memory: PlanMemory
  private let parameters: [Parameter]
  /// Of each parameter, the last step that writes its gradient.
  private let gradientSteps: [Int]
  private let steps: [Step]
  private let forwardCount: Int
  private let ends: Ends
  private let addresses: PlanBuilder.Addresses
  private let isFolded: Bool
  private let loaders: [(Network, Weights) -> Void]
  private let products: [IntegerProduct]
  /// Whether steps have all that they point to: kernels on integers take their weights in a form of their own.
  private var isReady: Bool
  /// Of each forward step of an inference, the arrays that it reads and those that it writes.
  private let traffic: [StepTraffic]
  /// Whether steps are looked through where the processor noted NaN: until it did so for nothing, as it does for some of
  /// oneDNN's kernels, or always where weights are of the order at which products outgrow floats.
  private var watches: Bool
  private var hasHugeWeights = false
  /// Below, no sum of products of two numbers comes near infinity.
  private static let harmless: Float = 1e15

  init(
    builder: PlanBuilder, memory: PlanMemory, parameters: [Parameter], gradientSteps: [Int], steps: [Step],
    labels: [Label], forwardCount: Int, ends: Ends, addresses: PlanBuilder.Addresses,
    traffic: [StepTraffic]
  ) {
    network = builder.source
    isFolded = builder.network != builder.source
    (loaders, products) = (builder.loaders, builder.products)
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

  // MARK: Running

  /// What can be done within one turn of the engine's thread. Valid only inside `perform`.
  package struct Execution: ~Escapable {
    fileprivate let plan: Plan
    fileprivate var failure: EngineError?

    @_lifetime(immortal)
    fileprivate init(_ plan: Plan) { self.plan = plan }

    /// From the input to the logits.
    ///
    /// In training NaN goes through to the logits. In inference oneDNN's fused activations, and integers, would hide
    /// it, so it is an error: weights are looked through when they are loaded, the input here, and the steps between where
    /// the processor noted NaN and the logits do not show it.
    /// - Parameter seconds: where each step's time is added, one place per label.
    package mutating func forward(timing seconds: UnsafeMutablePointer<Double>? = nil) {
      run(0..<plan.forwardCount, seconds)
      let logits = plan.logits
      guard plan.watches, failure == nil, rk_saw_invalid() != 0,
        rk_all_finite(logits.baseAddress, Int64(logits.count)) != 0
      else { return }
      if let layer = plan.firstNotFinite() { failure = .notFinite(layer: layer) } else { plan.watches = plan.hasHugeWeights }
    }
    /// From the gradient of the logits to every parameter's.
    package mutating func backward(timing seconds: UnsafeMutablePointer<Double>? = nil) {
      run(plan.backwardSteps, seconds)
    }
    /// Some of the steps, for whoever has something to do between them.
    package mutating func run(_ range: Range<Int>) { run(range, nil) }

    private mutating func run(_ range: Range<Int>, _ seconds: UnsafeMutablePointer<Double>?) {
      guard plan.isReady else {
        if failure == nil { failure = .noWeights }
        return
      }
      if range.lowerBound == 0, !plan.mode.isTraining {
        let input = plan.input
        guard rk_all_finite(input.baseAddress, Int64(input.count)) != 0 else {
          if failure == nil { failure = .inputNotFinite }
          return
        }
        if plan.watches { rk_forget_invalid() }
      }
      let stream = plan.engine.device.stream
      for i in range {
        let begun = seconds == nil ? 0 : DispatchTime.now().uptimeNanoseconds
        defer { if let seconds { seconds[i] += Double(DispatchTime.now().uptimeNanoseconds - begun) * 1e-9 } }
        switch plan.steps[i] {
        case .call(let call):
          let status = call.execute(on: stream)
          if status != dnnl_success, failure == nil {
            failure = .library(
              call: "dnnl_primitive_execute", status: String(cString: dnnl_status2str(status)),
              layer: plan.labels[i].layer)
          }
        case .kernel(let kernel): kernel()
        }
      }
    }
  }

  struct StepTraffic {
    var reads, writes: [UnsafeBufferPointer<Float>]
  }

  /// The layer of the first step in which numbers outgrow floats: computes all again. On the engine's thread.
  ///
  /// Where a fused activation hides them, what the step reads tells whether what the processor noted was in places that
  /// mean nothing.
  private func firstNotFinite() -> String? {
    func largest(_ arrays: [UnsafeBufferPointer<Float>]) -> Float {
      arrays.reduce(0) { largest, array in
        let own = rk_largest_magnitude(array.baseAddress, Int64(array.count))
        return own <= largest ? largest : own
      }
    }
    for (i, arrays) in traffic.enumerated() {
      let read = largest(arrays.reads)
      rk_forget_invalid()
      switch steps[i] {
      case .call(let call): _ = call.execute(on: engine.device.stream)
      case .kernel(let kernel): kernel()
      }
      if !largest(arrays.writes).isFinite || rk_saw_invalid() != 0 && read > Self.harmless { return labels[i].layer }
    }
    return nil
  }

  /// Runs work on the engine's thread, where kernels of ours may be called too.
  /// - Throws: `EngineError.library` where a step failed.
  package func perform<Result>(_ work: (inout Execution) -> Result) throws(EngineError) -> Result {
    let (result, failure) = engine.compute.run {
      var execution = Execution(self)
      let result = work(&execution)
      return (result, execution.failure)
    }
    if let failure { throw failure }
    return result
  }

  /// Work for the engine's thread that is done again and again, and takes memory only once.
  package func prepare<Result>(_ work: @escaping (inout Execution) -> Result) -> Prepared<Result> {
    Prepared(self, work)
  }

  /// See `Plan.prepare`.
  package final class Prepared<Result> {
    private let compute: ComputeThread
    private var job: (() -> Void)?
    private var result: Result?
    private var failure: EngineError?

    fileprivate init(_ plan: Plan, _ work: @escaping (inout Execution) -> Result) {
      compute = plan.engine.compute
      job = { [unowned self] in
        var execution = Execution(plan)
        result = work(&execution)
        failure = execution.failure
      }
    }

    /// - Throws: `EngineError.library` where a step of the plan failed.
    package func callAsFunction() throws(EngineError) -> Result {
      compute.perform(job!)
      if let failure { throw failure }
      return result!
    }
  }

  /// Computes the logits of what `input` holds.
  public func forward() throws(EngineError) { try perform { $0.forward() } }
  /// Computes every gradient from that of the logits. `forward` comes first.
  public func backward() throws(EngineError) {
    precondition(mode.isTraining, "an inference plan has no way back")
    try perform { $0.backward() }
  }

  /// What dropout and stochastic depth draw from in the next steps.
  /// - Parameter row: the place of the plan's first sample in its batch, so that a sample's draws are the same in however
  ///   many parts, or by however many processes, a batch is computed.
  public func setRandom(seed: UInt64, step: Int, row: Int = 0) {
    memory.random.pointee = rk_random_state(
      seed: seed, step: UInt32(truncatingIfNeeded: step), row: UInt32(truncatingIfNeeded: row))
  }

  /// Whether batch norms normalize by their running statistics in training too, and leave them as they are.
  public var freezesBatchNorm: Bool {
    get { memory.areNormsFrozen.pointee != 0 }
    set { memory.areNormsFrozen.pointee = newValue ? 1 : 0 }
  }

  /// The steps that take the gradient of the logits back.
  package var backwardSteps: Range<Int> { forwardCount..<steps.count }

  // MARK: Arrays in and out

  private func floats(_ value: Value) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: addresses.floats(value.buffer), count: value.layout.elementCount)
  }

  /// `N C H W`, row-major: written before `forward`.
  package var input: UnsafeMutableBufferPointer<Float> { floats(ends.input) }
  /// `N K`, row-major: read after `forward`.
  package var logits: UnsafeBufferPointer<Float> { UnsafeBufferPointer(floats(ends.logits)) }
  /// `N K`, row-major: written before `backward`; nil in inference.
  package var logitsGradient: UnsafeMutableBufferPointer<Float>? { ends.logitsGradient.map { floats($0) } }

  /// Copies a batch into the input.
  /// - Throws: `EngineError.wrongInput` where the shape is not `batch` samples of the network's input.
  public func setInput(_ samples: Tensor) throws(EngineError) {
    let expected = network.shape(of: network.input).batched(batch)
    guard samples.shape == expected else { throw .wrongInput(expected: expected, found: samples.shape) }
    samples.withUnsafeElements { _ = input.update(fromContentsOf: $0) }
  }

  /// Copies the gradient of the logits, `N K`, to where `backward` starts.
  public func setLogitsGradient(_ gradient: Tensor) throws(EngineError) {
    let expected = network.shape(of: network.output).batched(batch)
    guard gradient.shape == expected, let target = logitsGradient else {
      throw .wrongInput(expected: expected, found: gradient.shape)
    }
    gradient.withUnsafeElements { _ = target.update(fromContentsOf: $0) }
  }

  private func tensor(_ value: Value) throws(EngineError) -> Tensor {
    var result = try zeros(Shape(value.layout.extents))
    result.withUnsafeMutableElements { _ = $0.update(fromContentsOf: floats(value)) }
    return result
  }

  /// The logits of the last `forward`: `N K`.
  public func logitsTensor() throws(EngineError) -> Tensor { try tensor(ends.logits) }
  /// The gradient of the input after `backward`, where the plan was compiled for it.
  public func inputGradient() throws(EngineError) -> Tensor? {
    guard let value = ends.inputGradient else { return nil }
    return try tensor(value)
  }
  /// A tapped layer's output in the last `forward`.
  public func activation(of node: Network.Node) throws(EngineError) -> Tensor? {
    guard let value = ends.activations[node] else { return nil }
    return try tensor(value)
  }
  /// The gradient of a tapped layer's output in the last `backward`.
  public func gradient(of node: Network.Node) throws(EngineError) -> Tensor? {
    if node == network.input { return try inputGradient() }
    guard let value = ends.gradients[node] else { return nil }
    return try tensor(value)
  }

  // MARK: Parameters

  /// Loads weights in canonical layout; inference folds batch norms on the way. Who gives up their own reference to
  /// the weights has each tensor's memory back as soon as it is loaded.
  /// - Throws: `EngineError.weights` naming a missing, extra or wrongly shaped tensor, or one that holds NaN or infinite
  ///   numbers which inference would hide; the plan's weights are as they were then.
  public func load(_ weights: consuming Weights) throws(EngineError) {
    do { weights = try network.checked(weights) } catch { throw .weights(error) }
    for node in hidingLayers {
      for (name, _) in network.parameters(of: node) {
        let isFinite = weights[name]!.withUnsafeElements { elements in
          engine.compute.run { rk_all_finite(elements.baseAddress, Int64(elements.count)) != 0 }
        }
        guard isFinite else { throw .weights(.notFinite(name: name)) }
      }
    }
    var planned = network
    if isFolded {
      do { (planned, weights) = try FoldBatchNorm()(network, weights) } catch { throw .shape(error) }
    }
    for loader in loaders { loader(planned, weights) }
    for product in products { try product.load(planned, weights) }
    if !mode.isTraining, planned.isQuantized {
      let byteCount = weights.values.reduce(0) { $0 + 4 * $1.count }
      do { weights = try planned.roundedWeights(weights) } catch { throw .outOfMemory(byteCount: byteCount) }
    }
    for parameter in parameters { try load(weights.removeValue(forKey: parameter.name)!, into: parameter) }
    isReady = true
    guard mode == .inference else { return }
    let (start, count) = (memory.trainable.floats, Int64(memory.trainable.byteCount / 4))
    hasHugeWeights = engine.compute.run { rk_largest_magnitude(start, count) > Self.harmless }
    watches = true
  }

  /// The layers of which a NaN may not show in the logits: those before an activation of an inference, and those that are
  /// rounded.
  private var hidingLayers: [Network.Node] {
    if mode.isTraining { return [] }
    let consumers = network.consumers
    var hides = [Bool](repeating: mode == .int8, count: network.layers.count)
    for node in network.nodes.reversed() where !hides[node.index] {
      hides[node.index] =
        network.weightQuantization(of: node) != nil
        || consumers[node.index].contains { reader in
          switch network[reader].operation {
          case .relu, .clip: true
          default: hides[reader.index]
          }
        }
    }
    return network.nodes.filter { hides[$0.index] }
  }

  /// Loads freshly drawn weights.
  package func loadInitialWeights(seed: UInt64) throws(EngineError) {
    let weights: Weights
    do { weights = try network.initialWeights(seed: seed) } catch { throw .initialization(error) }
    try load(weights)
  }

  private func load(_ tensor: Tensor, into parameter: Parameter) throws(EngineError) {
    let plain = try Layout.plain(parameter.extents)
    try tensor.withUnsafeElements { (elements) throws(EngineError) in
      // Only read.
      let from = UnsafeMutableRawPointer(mutating: elements.baseAddress!)
      try copy(from, plain, to: address(of: parameter, in: memory.trainable.pointer), parameter.layout)
    }
  }

  private func address(of parameter: Parameter, in trainable: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    address(of: parameter, in: trainable, memory.statistics.pointer)
  }

  private func address(
    of parameter: Parameter, in trainable: UnsafeMutableRawPointer, _ statistics: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    (parameter.rule.isTrainable ? trainable : statistics) + parameter.offset
  }

  private func copy(
    _ from: UnsafeMutableRawPointer, _ fromLayout: Layout, to: UnsafeMutableRawPointer, _ toLayout: Layout
  ) throws(EngineError) {
    if fromLayout == toLayout {
      to.copyMemory(from: from, byteCount: toLayout.byteCount)
      return
    }
    // A reorder is made for as many threads as the one that makes it has: on the engine's.
    try engine.compute.run { () -> Result<Void, EngineError> in
      Result { () throws(EngineError) in try reorder(from, fromLayout, to: to, toLayout) }
    }.get()
  }

  /// On the engine's thread.
  private func reorder(
    _ from: UnsafeMutableRawPointer, _ fromLayout: Layout, to: UnsafeMutableRawPointer, _ toLayout: Layout
  ) throws(EngineError) {
    let device = engine.device
    let descriptor = try device.reorder(from: fromLayout, to: toLayout)
    let scratch = descriptor.scratchpad.descriptor.ndims == 0 ? 0 : descriptor.scratchpad.byteCount
    let space = try buffer(byteCount: scratch)
    var bound = [
      (DNNL_ARG_FROM, try Memory(fromLayout, at: from, on: device)),
      (DNNL_ARG_TO, try Memory(toLayout, at: to, on: device)),
    ]
    if scratch > 0 {
      bound.append((DNNL_ARG_SCRATCHPAD, try Memory(descriptor.scratchpad, at: space.pointer, on: device)))
    }
    let call = Call(try Primitive(descriptor, layer: "parameters"), bound)
    try check(call.execute(on: device.stream), "dnnl_primitive_execute")
    withExtendedLifetime(space.byteCount) {}
  }

  private func export(
    _ trainable: UnsafeMutableRawPointer, _ statistics: UnsafeMutableRawPointer? = nil, trainableOnly: Bool
  ) throws(EngineError) -> Weights {
    let statistics = statistics ?? memory.statistics.pointer
    var weights = Weights()
    for parameter in parameters where parameter.rule.isTrainable || !trainableOnly {
      var tensor = try zeros(parameter.rule.shape)
      try tensor.withUnsafeMutableElements { (elements) throws(EngineError) in
        try copy(
          address(of: parameter, in: trainable, statistics), parameter.layout,
          to: UnsafeMutableRawPointer(elements.baseAddress!),
          .plain(parameter.extents))
      }
      weights[parameter.name] = tensor
    }
    return weights
  }

  /// The weights as they are now, in canonical layout; of a training plan only.
  public func weights() throws(EngineError) -> Weights {
    precondition(mode.isTraining, "an inference plan holds folded weights")
    return try export(memory.trainable.pointer, trainableOnly: false)
  }

  /// The gradient of each trainable parameter after the last `backward`, in canonical layout.
  public func gradients() throws(EngineError) -> Weights {
    precondition(mode.isTraining, "an inference plan has no gradients")
    return try export(memory.gradients.pointer, trainableOnly: true)
  }

  /// An array that lies as the trainable parameters do (an optimizer's state), in canonical layout.
  package func export(arena: UnsafeMutablePointer<Float>) throws(EngineError) -> Weights {
    try export(UnsafeMutableRawPointer(arena), trainableOnly: true)
  }

  /// Arrays that lie as the trainable parameters and the statistics do (an average of weights), in canonical layout.
  package func weights(values: UnsafeMutablePointer<Float>, statistics: UnsafeMutablePointer<Float>)
    throws(EngineError) -> Weights
  { try export(UnsafeMutableRawPointer(values), UnsafeMutableRawPointer(statistics), trainableOnly: false) }

  /// Running means and variances, and quantizers' ranges, in the plan's own layout.
  package var statistics: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: memory.statistics.floats, count: memory.statistics.byteCount / 4)
  }

  /// How each parameter lies in the arenas, in their order: the same on processors whose kernels like the same layouts.
  package var parameterLayouts: [String] { parameters.map { "\($0.name) \($0.layout.form) \($0.offset)" } }

  /// Each running mean's, variance's and range's stretch of `statistics`, in floats.
  package var statisticSegments: [(name: String, rule: ParameterRule, offset: Int, count: Int)] {
    parameters.filter { !$0.rule.isTrainable }.map { ($0.name, $0.rule, $0.elementOffset, $0.elementCount) }
  }

  /// The arenas that optimizers and averages run over.
  package struct Arenas {
    package let values, gradients: UnsafeMutablePointer<Float>
    /// Floats.
    package let count: Int
    /// Each trainable parameter's stretch, and the last step that writes its gradient.
    package let segments: [(name: String, rule: ParameterRule, offset: Int, count: Int, gradientStep: Int)]
  }

  package var arenas: Arenas {
    let trainable = zip(parameters, gradientSteps).filter { $0.0.rule.isTrainable }
    return Arenas(
      values: memory.trainable.floats, gradients: memory.gradients.floats,
      count: trainable.reduce(0) { $0 + $1.0.elementCount },
      segments: trainable.map { ($0.name, $0.rule, $0.elementOffset, $0.elementCount, $1) })
  }
}
