import Engine
import Networks
import Tensors
import Testing

@Suite("plans", .serialized)
struct PlanTests {
  /// A block with a residual sum, so that fusion and shared memory are met.
  func block() throws -> Network {
    var network = Network("block", input: [3, 9, 9])
    let stem = try network.append(.convolution(Convolution(to: 24, Window(kernel: 3, padding: 1))), to: network.input)
    let first = try network.append(.relu(ReLU()), to: network.append(.batchNorm(BatchNorm()), to: stem))
    let inner = try network.append(.convolution(Convolution(to: 24, Window(kernel: 3, padding: 1))), to: first)
    let sum = try network.append(.add(Add()), to: network.append(.batchNorm(BatchNorm()), to: inner), first)
    let second = try network.append(.clip(.relu6), to: sum)
    let pooled = try network.append(.globalAveragePool(GlobalAveragePool()), to: second)
    try network.append(.dense(Dense(to: 5)), to: network.append(.flatten(Flatten()), to: pooled))
    return network
  }

  func batch(_ count: Int, of network: Network) throws -> Tensor {
    var random = RandomKey(seed: 4, for: .synthetic).generator()
    var tensor = try Tensor(zeros: network.shape(of: network.input).batched(count))
    tensor.withUnsafeMutableElements { for i in $0.indices { $0[i] = Float(random.normal()) } }
    return tensor
  }

  @Test("denormals are flushed to zero on every compute thread")
  func flushToZero() throws {
    let words = try engine.get().controlWords
    #expect(words.count == 2)
    for word in words { #expect(word & 0x8040 == 0x8040) }
  }

  @Test("a fused block gives what its definition gives, in training and in inference")
  func fused() throws {
    let network = try block()
    let weights = try network.initialWeights(seed: 5)
    let input = try batch(3, of: network)
    for mode in [Plan.Mode.training(), .inference] {
      let plan = try engine.get().compile(network, batch: 3, mode: mode)
      try plan.load(weights)
      try plan.setInput(input)
      try plan.forward()
      let expected = try network.reference(
        input.doubles, weights: weights.mapValues(\.doubles),
        mode: mode == .inference ? .inference : .training(seed: 0, step: 0, lane: 0))
      #expect(worstError(try plan.logitsTensor(), expected) < 2e-5)
    }
  }

  @Test("Winograd's convolutions agree with direct ones, forward and backward, and run only where they may")
  func winograd() throws {
    var network = Network("wide", input: [64, 13, 11])
    var x = network.input
    for _ in 0..<2 {
      x = try network.append(.convolution(Convolution(to: 64, Window(kernel: 3, padding: 1))), to: x)
    }
    let pooled = try network.append(.globalAveragePool(GlobalAveragePool()), to: x)
    try network.append(.dense(Dense(to: 5)), to: network.append(.flatten(Flatten()), to: pooled))
    let weights = try network.initialWeights(seed: 5)
    let input = try batch(4, of: network)
    var gradient = try Tensor(zeros: [4, 5])
    gradient.withUnsafeMutableElements { for i in $0.indices { $0[i] = Float(i % 7) - 3 } }
    var results: [Weights] = []
    for convolutions in [Engine.Convolutions.fastest, .direct] {
      let plan = try Engine(threads: 2, convolutions: convolutions)
        .compile(network, batch: 4, mode: .training(inputGradient: true))
      let isDirect = plan.labels.allSatisfy { !$0.kernel.contains("wino") }
      // Processors without such a kernel compute directly either way.
      if convolutions == .direct { #expect(isDirect) }
      try plan.load(weights)
      try plan.setInput(input)
      try plan.setLogitsGradient(gradient)
      try plan.forward()
      try plan.backward()
      var all = try plan.gradients()
      all["logits"] = try plan.logitsTensor()
      all["input"] = try plan.inputGradient()
      results.append(all)
    }
    for (name, direct) in results[1] {
      #expect(worstError(try #require(results[0][name]), direct.doubles) < 5e-5, "\(name)")
    }
  }

  @Test("the same step gives the same bits, whatever the plan did before")
  func determinism() throws {
    let network = try block()
    let weights = try network.initialWeights(seed: 5)
    let plan = try engine.get().compile(network, batch: 3, mode: .training())
    var results: [Weights] = []
    for _ in 0..<2 {
      try plan.load(weights)
      try plan.setInput(try batch(3, of: network))
      try plan.forward()
      try plan.setLogitsGradient(try Tensor((0..<15).map { Float($0) - 7 }, shape: [3, 5]))
      try plan.backward()
      results.append(try plan.gradients().merging(plan.weights()) { $1 })
    }
    #expect(results[0] == results[1])
  }

  @Test("a tap shows a layer's output and its gradient without changing what the plan computes")
  func taps() throws {
    let network = try block()
    let weights = try network.initialWeights(seed: 5)
    let node = network.nodes[2]
    let input = try batch(3, of: network)
    let gradient = try Tensor((0..<15).map { Float($0) - 7 }, shape: [3, 5])
    let plain = try engine.get().compile(network, batch: 3, mode: .training())
    let tapped = try engine.get().compile(network, batch: 3, mode: .training(), taps: [node])
    for plan in [plain, tapped] {
      try plan.load(weights)
      try plan.setInput(input)
      try plan.forward()
      try plan.setLogitsGradient(gradient)
      try plan.backward()
    }
    let activations = try network.referenceActivations(
      input.doubles, weights: weights.mapValues(\.doubles), mode: .training(seed: 0, step: 0, lane: 0))
    #expect(worstError(try #require(try tapped.activation(of: node)), activations[node.index]) < 2e-5)
    #expect(try tapped.gradient(of: node)?.shape == network.shape(of: node).batched(3))
    for (name, found) in try tapped.gradients() {
      #expect(worstError(found, try #require(try plain.gradients()[name]).doubles) < 1e-4, "\(name)")
    }
  }

  @Test("weights go in and come out unchanged, blocked or not")
  func weightsRoundTrip() throws {
    let network = try block()
    let weights = try network.initialWeights(seed: 6)
    let plan = try engine.get().compile(network, batch: 2, mode: .training())
    try plan.load(weights)
    #expect(try plan.weights() == weights)
  }

  @Test("work that is given to the engine's thread from there is done at once")
  func nested() throws {
    let network = try block()
    let plan = try engine.get().compile(network, batch: 2, mode: .training())
    try plan.load(network.initialWeights(seed: 6))
    try plan.setInput(batch(2, of: network))
    try plan.forward()
    let logits = try plan.logitsTensor()
    let inner = try plan.perform { _ in
      Result {
        let other = try engine.get().compile(network, batch: 2, mode: .training())
        try other.load(plan.weights())
        try other.setInput(batch(2, of: network))
        try other.forward()
        return try other.logitsTensor()
      }
    }
    #expect(try inner.get() == logits)
  }

  @Test("weights and inputs that do not fit are named")
  func misfits() throws {
    let network = try block()
    let plan = try engine.get().compile(network, batch: 2, mode: .inference)
    var weights = try network.initialWeights(seed: 6)
    let name = network.parameters[0].name
    weights[name] = nil
    #expect(throws: EngineError.weights(.missing([name]))) { try plan.load(weights) }
    #expect(throws: EngineError.wrongInput(expected: [2, 3, 9, 9], found: [1, 3, 9, 9])) {
      try plan.setInput(try Tensor(zeros: [1, 3, 9, 9]))
    }
    #expect(throws: EngineError.emptyBatch) { _ = try engine.get().compile(network, batch: 0, mode: .inference) }
  }
}
