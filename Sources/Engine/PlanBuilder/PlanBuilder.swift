internal import CDNNL
internal import CKernels
internal import Networks
internal import Tensors

/// A place in memory that the plan's steps read and write; what it is, not yet where.
struct BufferID: Hashable { var index: Int }

/// An array that some step makes: where it lies and how.
struct Value {
  var buffer: BufferID
  var layout: Layout
}

/// Lays a network out as a flat list of steps: formats first, then memory, then primitives with their arguments.
struct PlanBuilder {
  enum Home: Hashable {
    /// Needed for some of the steps; shares its place with others.
    case step
    /// Kept between steps.
    case pinned
    case parameter(Int)
    case gradient(Int)
  }
  struct Buffer {
    var byteCount: Int
    var home: Home
  }

  /// Where the addresses of buffers are found once memory is planned.
  struct Addresses {
    let pointers: [UnsafeMutableRawPointer]
    let scratch: UnsafeMutableRawPointer
    let random: UnsafeMutablePointer<rk_random_state>
    let areNormsFrozen: UnsafeMutablePointer<Int32>
    subscript(buffer: BufferID) -> UnsafeMutableRawPointer { pointers[buffer.index] }
    func floats(_ buffer: BufferID) -> UnsafeMutablePointer<Float> {
      pointers[buffer.index].assumingMemoryBound(to: Float.self)
    }
    func halves(_ buffer: BufferID) -> UnsafeMutablePointer<UInt16> {
      pointers[buffer.index].assumingMemoryBound(to: UInt16.self)
    }
    func pointer(to buffer: BufferID?) -> UnsafeMutableRawPointer? { buffer.map { self[$0] } }
    func bytes(_ buffer: BufferID) -> UnsafeMutablePointer<UInt8> {
      pointers[buffer.index].assumingMemoryBound(to: UInt8.self)
    }
    func floats(_ buffer: BufferID?) -> UnsafeMutablePointer<Float>? { buffer.map { floats($0) } }
  }

  struct PendingStep {
    var label: Plan.Label
    var reads: [BufferID]
    var writes: [BufferID]
    /// Pairs of which the first may take the second's place, where that is not needed after this step.
    var inPlace: [(written: BufferID, read: BufferID)] = []
    var scratch = 0
    var make: (Addresses) throws(EngineError) -> Plan.Step
  }

  /// What is planned: for inference, the network with its batch norms folded.
  let network: Network
  /// As it was given.
  let source: Network
  let batch: Int
  let mode: Plan.Mode
  let precision: Precision
  let taps: Set<Network.Node>
  let engine: Engine
  let normReduction: NormReduction?
  let block = Engine.channelBlock
  let fusions: Fusions

  var buffers: [Buffer] = []
  var steps: [PendingStep] = []
  var parameters: [Plan.Parameter] = []
  var values: [Value?]
  /// Of a plan for integers.
  var integers: IntegerState
  /// Of the way back.
  var backward: BackwardState
  /// Of each batch norm, the places of its parameters.
  private var normParameters: [Network.Node: [Int]] = [:]
  var conversions: [BufferID: [Value]] = [:]
  private var activationTaps: [Network.Node: Value] = [:]

  init(
    _ network: Network, source: Network, batch: Int, mode: Plan.Mode, precision: Precision, taps: Set<Network.Node>,
    engine: Engine, normReduction: NormReduction?
  ) throws(EngineError) {
    self.network = network
    self.source = source
    self.batch = batch
    self.mode = mode
    self.precision = precision
    self.taps = taps
    self.engine = engine
    self.normReduction = normReduction
    fusions = Fusions(network, isTraining: mode.isTraining, taps: taps)
    values = Array(repeating: nil, count: network.layers.count)
    integers = IntegerState(network, isWanted: mode == .int8)
    backward = BackwardState(network, mode, taps: taps)
  }

  var isTraining: Bool { mode.isTraining }
  /// What layers that have kernels for it give, and read their weights as.
  var elements: dnnl_data_type_t { precision.elements }
  var propagation: dnnl_prop_kind_t { isTraining ? dnnl_forward_training : dnnl_forward_inference }

  /// The extents of a layer's output with the batch in front.
  func extents(of node: Network.Node) -> [Int] { network.shape(of: node).batched(batch).extents }
  func value(of node: Network.Node) -> Value { values[node.index]! }

  mutating func newBuffer(_ byteCount: Int, _ home: Home = .step) -> BufferID {
    buffers.append(Buffer(byteCount: byteCount, home: home))
    return BufferID(index: buffers.count - 1)
  }
  mutating func newValue(_ layout: Layout, _ home: Home = .step) -> Value {
    Value(buffer: newBuffer(layout.byteCount, home), layout: layout)
  }

  /// Adds a parameter in the layout that its kernel likes best.
  mutating func newParameter(_ node: Network.Node, _ index: Int, extents: [Int], _ layout: Layout) -> Int {
    let (name, rule) = network.parameters(of: node)[index]
    parameters.append(Plan.Parameter(name: name, rule: rule, extents: extents, layout: layout))
    return parameters.count - 1
  }
  /// A batch norm's scale, shift, running mean and running variance, in this order; made where they are first wanted.
  mutating func normParameters(of node: Network.Node) throws(EngineError) -> [Int] {
    if let known = normParameters[node] { return known }
    let channels = network.shape(of: node)[0]
    let plain = try Layout.plain([channels])
    let made = (0..<4).map { i in newParameter(node, i, extents: [channels], plain) }
    normParameters[node] = made
    return made
  }
  mutating func value(ofParameter index: Int) -> Value { newValue(parameters[index].layout, .parameter(index)) }
  mutating func value(ofGradient index: Int) -> Value { newValue(parameters[index].layout, .gradient(index)) }

  // MARK: The whole

  mutating func plan() throws(EngineError) -> Plan {
    let input = newValue(try .plain(extents(of: network.input)), .pinned)
    values[network.input.index] = input
    for node in network.nodes.dropFirst() {
      try buildForward(node)
      if taps.contains(node) { activationTaps[node] = try plainCopy(of: value(of: node), for: node) }
    }
    if taps.contains(network.input) { activationTaps[network.input] = input }

    try buildReals(of: network.output)
    let result = value(of: network.output)
    let logits = newValue(try .plain(extents(of: network.output)), .pinned)
    try reorder(result, into: logits, for: network.output)
    let forwardCount = steps.count

    var logitsGradient: Value?
    var inputGradient: Value?
    if case .training(let wantsInput) = mode {
      let gradient = newValue(logits.layout, .pinned)
      logitsGradient = gradient
      contribute(gradient, to: network.output)
      for layer in backward.layers.reversed() {
        do { try layer(&self) } catch let error as EngineError { throw error } catch { preconditionFailure("\(error)") }
      }
      if wantsInput || taps.contains(network.input), let whole = try self.gradient(of: network.input) {
        inputGradient = try plainCopy(of: whole, for: network.input)
      }
    }

    return try MemoryPlan(buffers: buffers, steps: steps, parameters: parameters, isTraining: isTraining).realize(
      self,
      ends: Plan.Ends(
        input: input, logits: logits, logitsGradient: logitsGradient, inputGradient: inputGradient,
        activations: activationTaps, gradients: backward.taps),
      forwardCount: forwardCount)
  }

  private mutating func buildForward(_ node: Network.Node) throws(EngineError) {
    if mode == .int8, try buildIntegers(node) { return }
    if let fused = fusions.emitted[node] {
      switch fused {
      case .norm(let fusion): try buildNorm(fusion)
      case .convolution(let fusion): try buildConvolution(fusion)
      }
      return
    }
    if fusions.absorbed.contains(node) { return }
    let layer = network[node]
    switch layer.operation {
    case .input: break
    case .convolution: try buildConvolution(Fusions.Convolution(convolution: node))
    case .batchNorm: try buildNorm(Fusions.Norm(norm: node))
    case .relu(let operation): try operation.build(node, in: &self)
    case .clip(let operation): try operation.build(node, in: &self)
    case .sigmoid(let operation): try operation.build(node, in: &self)
    case .tanh(let operation): try operation.build(node, in: &self)
    case .add(let operation): try operation.build(node, in: &self)
    case .concatenation(let operation): try operation.build(node, in: &self)
    case .maxPool(let operation): try operation.build(node, in: &self)
    case .averagePool(let operation): try operation.build(node, in: &self)
    case .globalAveragePool(let operation): try operation.build(node, in: &self)
    case .flatten(let operation): try operation.build(node, in: &self)
    case .dense(let operation): try operation.build(node, in: &self)
    case .dropout(let operation): try operation.build(node, in: &self)
    case .dropPath(let operation): try operation.build(node, in: &self)
    case .layerNorm(let operation): try operation.build(node, in: &self)
    case .gelu(let operation): try operation.build(node, in: &self)
    case .tokens(let operation): try operation.build(node, in: &self)
    case .tokenMean(let operation): try operation.build(node, in: &self)
    case .layerScale(let operation): try operation.build(node, in: &self)
    case .attention(let operation): try operation.build(node, in: &self)
    case .fakeQuantize(let operation): try operation.build(node, in: &self)
    }
  }
}
