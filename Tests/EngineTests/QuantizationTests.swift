import Engine
import Networks
import Tensors
import Testing

private func noise(_ shape: Shape, seed: UInt64, scale: Float = 1) throws -> Tensor {
  var random = RandomKey(seed: seed, for: .synthetic).generator()
  var tensor = try Tensor(zeros: shape)
  tensor.withUnsafeMutableElements { for i in $0.indices { $0[i] = Float(random.normal()) * scale } }
  return tensor
}

/// A layer whose weights are rounded, with what reads it.
struct RoundedLayer: CustomTestStringConvertible {
  var testDescription: String
  var operation: Networks.Operation
  var input: Shape
  var hasNorm = false

  static let all: [RoundedLayer] = {
    let convolutions: [(String, Convolution, Shape)] = [
      ("3x3", Convolution(to: 24, Window(kernel: 3)), [5, 3, 3]),
      ("3x3 of blocks", Convolution(to: 32, Window(kernel: 3)), [16, 3, 3]),
      ("1x1", Convolution(to: 17, Window(kernel: 1), hasBias: true), [32, 1, 1]),
      ("depthwise", Convolution(to: 24, Window(kernel: 3), groups: 24), [24, 3, 3]),
      ("of 3 groups", Convolution(to: 6, Window(kernel: 3), groups: 3), [9, 3, 3]),
    ]
    var all = [RoundedLayer(testDescription: "dense", operation: .dense(Dense(to: 7)), input: [33])]
    for (name, rules, input) in convolutions {
      all.append(RoundedLayer(testDescription: name, operation: .convolution(rules), input: input))
      all.append(
        RoundedLayer(
          testDescription: "\(name) before a batch norm", operation: .convolution(rules), input: input, hasNorm: true))
    }
    return all
  }()

  func network(_ rules: WeightQuantization?) throws -> Network {
    var network = Network("one", input: input)
    var operation = operation
    switch operation {
    case .convolution(var layer):
      layer.weightQuantization = rules
      operation = .convolution(layer)
    case .dense(var layer):
      layer.weightQuantization = rules
      operation = .dense(layer)
    default: break
    }
    try network.append(operation, to: network.input, named: "layer")
    if hasNorm { try network.append(.batchNorm(BatchNorm(epsilon: 1e-3)), to: network.output, named: "norm") }
    return network
  }

  /// Of uneven sizes; with a scale that is 0 and one that is negative.
  func weights(of network: Network) throws -> Weights {
    var weights = try network.initialWeights(seed: 3)
    weights["layer.weight"] = try noise(weights["layer.weight"]!.shape, seed: 4)
    weights["layer.weight"]!.withUnsafeMutableElements { w in
      let count = Float(w.count)
      for i in w.indices { w[i] *= i % 5 == 0 ? Float(0.1) : 1 + Float(i) / count }
    }
    if hasNorm {
      let channels = weights["norm.weight"]!.count
      var scales: [Float] = (0..<channels).map { 0.3 + Float($0) / 7 }
      (scales[2], scales[3]) = (0, -0.7)
      let variances: [Float] = (0..<channels).map { 0.01 + Float($0 % 5) }
      weights["norm.weight"] = try Tensor(scales, shape: [channels])
      weights["norm.running_var"] = try Tensor(variances, shape: [channels])
    }
    return weights
  }
}

@Suite("training of networks in few bits", .serialized)
struct QuantizationTests {
  @Test(
    "a quantizer moves its range and rounds as its definition does, and lets a gradient through within it",
    arguments: quantizerSamples)
  func quantizer(_ sample: OperationSample) throws {
    guard case .fakeQuantize(let rules) = sample.operation else { return }
    let input = sample.inputs[0]
    var network = Network("sample", input: input)
    // What a layer gives lies in blocks, where there is one for it.
    let layer: Networks.Operation =
      input.rank == 3
      ? .convolution(Convolution(to: input[0], Window(kernel: 3, padding: 1), hasBias: true))
      : .dense(Dense(to: input[0]))
    let node = try network.append(layer, to: network.input, named: "layer")
    try network.append(sample.operation, to: node, named: "q")
    var weights = try network.initialWeights(seed: 3)
    (weights["q.min"], weights["q.max"]) = (try Tensor([-0.4], shape: [1]), try Tensor([0.9], shape: [1]))
    let plan = try engine.get().compile(network, batch: sample.batch, mode: .training(), taps: [node])
    try plan.load(weights)
    try plan.setInput(noise(input.batched(sample.batch), seed: 5))
    plan.setRandom(seed: 7, step: 3)
    try plan.forward()
    let dy = try noise(input.batched(sample.batch), seed: 6)
    try plan.setLogitsGradient(dy)
    try plan.backward()

    let x = try #require(try plan.activation(of: node))
    let expected = rules.reference(
      [x.doubles], [weights["q.min"]!.doubles, weights["q.max"]!.doubles], .training(seed: 7, step: 3, lane: 0))
    #expect(try plan.logitsTensor().doubles == expected)
    let range = rules.movedRange(low: -0.4, high: 0.9, by: x.doubles)
    let after = try plan.weights()
    #expect(after["q.min"]!.elements == [range.low] && after["q.max"]!.elements == [range.high])
    let passing = rules.quantizer(low: range.low, high: range.high).range
    let dx = zip(x.elements, dy.elements).map { rules.delay > 3 || passing.contains($0) ? $1 : 0 }
    #expect(try plan.gradient(of: node)?.elements == dx)
    if rules.delay <= 3, rules.decay > 0 { #expect(dx.contains(0)) }
  }

  static let schemes: [WeightQuantization] = [
    WeightQuantization(isPerChannel: true), WeightQuantization(isPerChannel: false),
    WeightQuantization(bits: 4, isPerChannel: true, isSymmetric: false, isNarrow: false),
    WeightQuantization(bits: 8, isPerChannel: false, isSymmetric: false, isNarrow: true),
    WeightQuantization(bits: 2, isPerChannel: true),
  ]

  /// The layer's answer to a 1 at each place of its window is a weight, exactly.
  @Test(
    "training multiplies by the weights that inference multiplies by, to the bit", arguments: RoundedLayer.all, schemes)
  func roundedWeights(_ layer: RoundedLayer, _ scheme: WeightQuantization) throws {
    let network = try layer.network(scheme)
    let node = network.nodes[1]
    let weights = try layer.weights(of: network)
    var bare = weights
    if let bias = bare["layer.bias"] { bare["layer.bias"] = bias.map { _ in 0 } }
    let count = layer.input.elementCount
    var ones = try Tensor(zeros: layer.input.batched(count))
    ones.withUnsafeMutableElements { x in for i in 0..<count { x[i * count + i] = 1 } }
    let plan = try engine.get().compile(network, batch: count, mode: .training(inputGradient: true), taps: [node])
    let delayed = {
      var delayed = scheme
      delayed.delay = 4
      return delayed
    }()
    let waiting = try engine.get().compile(layer.network(delayed), batch: count, mode: .training(), taps: [node])
    for (plan, expected) in [(plan, try network.roundedWeights(bare)), (waiting, bare)] {
      plan.setRandom(seed: 1, step: 3)
      try plan.load(bare)
      try plan.setInput(ones)
      try plan.forward()
      let weight = expected["layer.weight"]!
      let y = try #require(try plan.activation(of: node))
      let channels = y.count / count
      let inputs = weight.count / channels  // of each output
      let perGroup = channels * inputs / count
      for i in 0..<count {
        for o in 0..<channels {
          // A convolution of groups sees only its own group's inputs.
          let group = i / inputs
          let isOwn = o / perGroup == group
          let w = isOwn ? weight[flat: o * inputs + i % inputs] : 0
          if y[flat: i * channels + o] != w {
            Issue.record("\(y[flat: i * channels + o]) where \(w) is expected")
            return
          }
        }
      }
    }
    #expect(try plan.weights()["layer.weight"] == bare["layer.weight"])
  }

  @Test(
    "the input's gradient comes through the rounded weights, the weights' as if none were rounded",
    arguments: RoundedLayer.all)
  func straightThrough(_ layer: RoundedLayer) throws {
    // The batch norm would change what flows back.
    var layer = layer
    layer.hasNorm = false
    let scheme = WeightQuantization(bits: 3, isPerChannel: false)
    let network = try layer.network(scheme)
    let weights = try layer.weights(of: network)
    let x = try noise(layer.input.batched(6), seed: 8)
    let dy = try noise(network.shape(of: network.output).batched(6), seed: 9)
    func gradients(_ network: Network, _ weights: Weights) throws -> (input: Tensor, weights: Weights) {
      let plan = try engine.get().compile(network, batch: 6, mode: .training(inputGradient: true))
      try plan.load(weights)
      try plan.setInput(x)
      try plan.forward()
      try plan.setLogitsGradient(dy)
      try plan.backward()
      return (try #require(try plan.inputGradient()), try plan.gradients())
    }
    let found = try gradients(network, weights)
    let plain = try layer.network(nil)
    var rounded = try network.roundedWeights(weights)
    rounded["layer.bias"] = weights["layer.bias"]
    #expect(try found.input == gradients(plain, rounded).input)
    #expect(try found.weights == gradients(plain, weights).weights)
    #expect(try found.input != gradients(plain, weights).input)
  }

  @Test(
    "frozen batch norms give, in training too, what inference gives, keep their statistics, and have its gradient",
    arguments: [false, true])
  func frozen(_ isShared: Bool) throws {
    let network = try PlanTests().block()
    var weights = try network.initialWeights(seed: 5)
    for (name, rule) in network.parameters {
      switch rule.role {
      case .runningMean: weights[name] = try noise(rule.shape, seed: 6, scale: 0.3)
      case .runningVariance: weights[name] = try noise(rule.shape, seed: 7).map { 0.5 + abs($0) }
      default: break
      }
    }
    let input = try PlanTests().batch(3, of: network)
    let plan = try engine.get().compile(
      network, batch: 3, mode: .training(inputGradient: true),
      normReduction: isShared ? NormReduction(processes: 2) { _, _ in Issue.record("nothing is to be summed") } : nil)
    let dy = try noise([3, 5], seed: 8)
    try plan.load(weights)
    plan.freezesBatchNorm = true
    try plan.setInput(input)
    try plan.setLogitsGradient(dy)
    try plan.forward()
    try plan.backward()
    #expect(try plan.weights() == weights)
    let doubles = weights.mapValues(\.doubles)
    #expect(worstError(try plan.logitsTensor(), try network.reference(input.doubles, weights: doubles)) < 2e-5)

    func loss(_ input: NDArray<Double>, _ weights: [String: NDArray<Double>]) -> Double {
      zip(network.reference(input, weights: weights).elements, dy.elements).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
    var random = RandomKey(seed: 9, for: .synthetic).generator()
    var gradients = try plan.gradients()
    gradients["input"] = try plan.inputGradient()
    for (name, found) in gradients.sorted(by: { $0.key < $1.key }) {
      let direction = (0..<found.count).map { _ in random.normal() }
      func ahead(_ step: Double) -> Double {
        var moved = name == "input" ? input.doubles : doubles[name]!
        moved.withUnsafeMutableElements { for i in $0.indices { $0[i] += step * direction[i] } }
        return name == "input" ? loss(moved, doubles) : loss(input.doubles, doubles.merging([name: moved]) { $1 })
      }
      let slope = (ahead(1e-6) - ahead(-1e-6)) / 2e-6
      let terms = zip(found.elements, direction).map { Double($0) * $1 }
      let size = terms.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(abs(terms.reduce(0, +) - slope) < 2e-5 * size + 1e-5 * abs(slope) + 1e-6, "\(name)")
    }

    // And back again.
    if !isShared {
      plan.freezesBatchNorm = false
      try plan.forward()
      #expect(try plan.weights() != weights)
    }
  }

  @Test("threads do not change what quantizers and rounded weights give")
  func threads() throws {
    let (network, weights) = try InsertQuantizers(QuantizationScheme())(
      PlanTests().block(), PlanTests().block().initialWeights(seed: 5))
    let input = try PlanTests().batch(3, of: network)
    var results: [Weights] = []
    for threads in [1, 2, 3] {
      // Sums of oneDNN's may depend on the number of threads, so what is compared is what quantizers see of its results.
      let plan = try Engine(threads: threads).compile(network, batch: 3, mode: .training())
      try plan.load(weights)
      try plan.setInput(input)
      try plan.forward()
      results.append(try plan.weights())
    }
    #expect(results[1] == results[0] && results[2] == results[0])
  }
}
