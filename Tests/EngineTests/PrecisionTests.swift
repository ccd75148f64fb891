import Engine
import Networks
import Tensors
import Testing

/// What oneDNN may use here has instructions for bfloat16.
let computesBF16 = Engine.supports(.bf16)

extension Float {
  /// The nearest number with 8 bits of significand, of two as near the even one.
  var roundedToBF16: Float {
    guard isFinite else { return self }
    let bits = bitPattern
    return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
  }
}

/// The samples that are not rounded to few bits as it is.
private let floatingSamples = samples.filter { sample in
  (try? OperationCase(sample)).map { !$0.network.isQuantized } ?? true
}

@Suite(
  "plans in bf16", .serialized, .enabled(if: computesBF16, "the processor has no AVX512_BF16, or oneDNN may not use it"))
struct PrecisionTests {
  /// The distance of two arrays as a share of the second's length.
  private func distance(_ found: Tensor, _ expected: Tensor) -> Double {
    var (difference, length) = (0.0, 1e-30)
    for (a, b) in zip(found.elements, expected.elements) {
      difference += Double(a - b) * Double(a - b)
      length += Double(b) * Double(b)
    }
    return (difference / length).squareRoot()
  }

  /// Logits, parameters' gradients and the input's, of one step.
  private func step(_ item: OperationCase, _ precision: Precision, inference: Bool = false) throws -> [String: Tensor] {
    let plan = try engine.get().compile(
      item.network, batch: item.sample.batch, mode: inference ? .inference : .training(inputGradient: true),
      precision: precision)
    try plan.load(item.weights)
    try plan.setInput(item.input)
    plan.setRandom(seed: 7, step: 3)
    try plan.forward()
    var all = ["logits": try plan.logitsTensor()]
    if inference { return all }
    var random = RandomKey(seed: 3, for: .synthetic).generator()
    var dy = try Tensor(zeros: item.network.shape(of: item.network.output).batched(item.sample.batch))
    dy.withUnsafeMutableElements { for i in $0.indices { $0[i] = Float(random.normal()) } }
    try plan.setLogitsGradient(dy)
    try plan.backward()
    for (name, gradient) in try plan.gradients() { all[name] = gradient }
    all["input"] = try plan.inputGradient()
    return all
  }

  // Numbers are rounded to 8 bits at most thrice between two that are compared, by 2^-9 of their size; a batch norm may
  // divide what it was given by less than its size.
  private let tolerance = 0.01

  @Test("every operation gives in inference what it gives in float32, but for the rounding", arguments: floatingSamples)
  func inference(_ sample: OperationSample) throws {
    let item = try OperationCase(sample)
    let (found, expected) = (try step(item, .bf16, inference: true), try step(item, .float32, inference: true))
    #expect(distance(found["logits"]!, expected["logits"]!) < tolerance)
  }

  @Test("every operation gives in training what it gives in float32, but for the rounding", arguments: floatingSamples)
  func training(_ sample: OperationSample) throws {
    let item = try OperationCase(sample)
    let (found, expected) = (try step(item, .bf16), try step(item, .float32))
    #expect(Set(found.keys) == Set(expected.keys))
    for (name, value) in expected { #expect(distance(found[name]!, value) < tolerance, "\(name)") }
  }

  @Test(
    "layers that only choose between numbers give the same as in float32 on numbers of 8 bits",
    arguments: [
      Operation.relu(ReLU()), .clip(Clip(low: -0.5, high: 1)),
      .maxPool(MaxPool(Window(kernel: 3, stride: 2, padding: 1))),
    ])
  func choices(_ operation: Operation) throws {
    // Twenty channels: a block and a part of one.
    let network = try convolved(operation, input: [20, 9, 7])
    var random = RandomKey(seed: 4, for: .synthetic).generator()
    var input = try Tensor(zeros: [2, 20, 9, 7])
    input.withUnsafeMutableElements { for i in $0.indices { $0[i] = Float(random.normal()).roundedToBF16 } }
    var results: [Tensor] = []
    for precision in Precision.allCases {
      let plan = try engine.get().compile(network, batch: 2, mode: .training(), precision: precision)
      try plan.load(identity(of: network))
      try plan.setInput(input)
      try plan.forward()
      results.append(try plan.logitsTensor())
    }
    #expect(results[0] == results[1])
  }

  /// An operation behind a convolution, which brings its input to the plan's precision.
  private func convolved(_ operation: Operation, input: Shape) throws -> Network {
    var network = Network("convolved", input: input)
    let x = try network.append(.convolution(Convolution(to: input[0], Window(kernel: 1))), to: network.input)
    try network.append(operation, to: x)
    return network
  }

  /// Weights with which the convolution passes its input on.
  private func identity(of network: Network) throws -> Weights {
    var weights = try network.initialWeights(seed: 1)
    let (name, rule) = network.parameters[0]
    let channels = rule.shape[0]
    weights[name]!.withUnsafeMutableElements { elements in
      for i in elements.indices { elements[i] = i % channels == i / channels ? 1 : 0 }
    }
    return weights
  }

  private func block() throws -> Network { try PlanTests().block() }

  @Test("weights go in and come out as they are, in all bits of float32")
  func weightsRoundTrip() throws {
    let network = try block()
    let weights = try network.initialWeights(seed: 6)
    let plan = try engine.get().compile(network, batch: 2, mode: .training(), precision: .bf16)
    try plan.load(weights)
    #expect(try plan.weights() == weights)
  }

  @Test("the same step gives the same bits, whatever the plan did before")
  func determinism() throws {
    let network = try block()
    let weights = try network.initialWeights(seed: 5)
    let plan = try engine.get().compile(network, batch: 3, mode: .training(), precision: .bf16)
    var results: [Weights] = []
    for _ in 0..<2 {
      try plan.load(weights)
      try plan.setInput(try PlanTests().batch(3, of: network))
      try plan.forward()
      try plan.setLogitsGradient(try Tensor((0..<15).map { Float($0) - 7 }, shape: [3, 5]))
      try plan.backward()
      results.append(try plan.gradients().merging(plan.weights()) { $1 })
    }
    #expect(results[0] == results[1])
  }

  @Test("a batch norm's statistics are those of its input in float32")
  func statistics() throws {
    let network = try convolved(.batchNorm(BatchNorm()), input: [16, 8, 8])
    var input = try Tensor(zeros: [4, 16, 8, 8])
    var random = RandomKey(seed: 4, for: .synthetic).generator()
    input.withUnsafeMutableElements { for i in $0.indices { $0[i] = (3 + Float(random.normal())).roundedToBF16 } }
    let plan = try engine.get().compile(network, batch: 4, mode: .training(), precision: .bf16)
    try plan.load(identity(of: network))
    try plan.setInput(input)
    try plan.forward()
    let after = try plan.weights()
    for (name, rule) in network.parameters where rule.role == .runningMean {
      let means = after[name]!.elements
      for channel in 0..<16 {
        var sum = 0.0
        for n in 0..<4 { for i in 0..<64 { sum += Double(input.elements[(n * 16 + channel) * 64 + i]) } }
        // Momentum 0.1 from 0.
        #expect(abs(Double(means[channel]) - 0.1 * sum / 256) < 1e-6)
      }
    }
  }

  @Test("NaN goes through to the logits and to the gradients")
  func notANumber() throws {
    let network = try block()
    let plan = try engine.get().compile(network, batch: 2, mode: .training(), precision: .bf16)
    try plan.load(try network.initialWeights(seed: 6))
    var input = try PlanTests().batch(2, of: network)
    input.withUnsafeMutableElements { $0[40] = .nan }
    try plan.setInput(input)
    try plan.forward()
    #expect(try plan.logitsTensor().elements.contains { $0.isNaN })
  }

  @Test("a fake-quantized network and one on integers are refused")
  func quantized() throws {
    let network = try block()
    #expect(throws: EngineError.quantizedPrecision(.bf16)) {
      _ = try engine.get().compile(network, batch: 1, mode: .int8, precision: .bf16)
    }
  }
}

@Suite("precision")
struct PrecisionRefusalTests {
  @Test("what the processor lacks is refused, never emulated", .enabled(if: !computesBF16, "the processor has it"))
  func refusal() throws {
    let network = try PlanTests().block()
    #expect(throws: EngineError.precision(.bf16, instructionSet: Engine.instructionSet)) {
      _ = try engine.get().compile(network, batch: 1, mode: .inference, precision: .bf16)
    }
  }
}
