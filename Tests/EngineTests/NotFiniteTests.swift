import Engine
import Networks
import Tensors
import Testing

/// Networks whose steps are fused, with each activation behind each kind of layer.
private enum FusedSample: String, CaseIterable {
  case normAndReLU, normAndClip, sumAndReLU, sumAndClip, reluOfBias, clipOfBias, pooled, quantized

  func network() throws -> Network {
    var net = Network(rawValue, input: [3, 9, 9])
    func convolution(_ x: Network.Node, hasBias: Bool = false) throws -> Network.Node {
      try net.append(.convolution(Convolution(to: 20, Window(kernel: 3, padding: 1), hasBias: hasBias)), to: x)
    }
    func norm(_ x: Network.Node) throws -> Network.Node { try net.append(.batchNorm(BatchNorm()), to: x) }
    let (relu, clip) = (Networks.Operation.relu(ReLU()), Networks.Operation.clip(.relu6))
    func first() throws -> Network.Node { try norm(convolution(net.input)) }
    func sum() throws -> Network.Node {
      let first = try first()
      return try net.append(.add(Add()), to: norm(convolution(first)), first)
    }
    switch self {
    case .normAndReLU: try net.append(relu, to: first())
    case .normAndClip: try net.append(clip, to: first())
    case .sumAndReLU: try net.append(relu, to: sum())
    case .sumAndClip: try net.append(clip, to: sum())
    case .reluOfBias: try net.append(relu, to: convolution(net.input, hasBias: true))
    case .clipOfBias: try net.append(clip, to: convolution(net.input, hasBias: true))
    case .pooled:
      try net.append(
        .maxPool(MaxPool(Window(kernel: 3, stride: 2, padding: 1))), to: net.append(relu, to: first()))
    case .quantized:
      try net.append(.fakeQuantize(FakeQuantize(decay: 0.9)), to: net.append(relu, to: first()))
    }
    let pooled = try net.append(.globalAveragePool(GlobalAveragePool()), to: net.output)
    try net.append(.dense(Dense(to: 5)), to: net.append(.flatten(Flatten()), to: pooled))
    return net
  }
}

extension Plan {
  /// The places of a parameter in its arena, and the arena.
  fileprivate func stretch(of name: String) -> UnsafeMutableBufferPointer<Float>? {
    if let segment = arenas.segments.first(where: { $0.name == name }) {
      return UnsafeMutableBufferPointer(start: arenas.values + segment.offset, count: segment.count)
    }
    guard let segment = statisticSegments.first(where: { $0.name == name }) else { return nil }
    return UnsafeMutableBufferPointer(rebasing: statistics[segment.offset..<segment.offset + segment.count])
  }
}

private func hasNaN(_ tensor: Tensor) -> Bool { tensor.withUnsafeElements { $0.contains(where: \.isNaN) } }

@Suite("numbers that are not finite", .serialized)
struct NotFiniteTests {
  /// Takes a training plan forward, and back from the gradient of half the sum of squares.
  /// - Returns: the output, and whether any gradient is NaN.
  private func step(_ plan: Plan) throws -> (output: Tensor, isSeenBackward: Bool) {
    plan.setRandom(seed: 7, step: 3)
    try plan.forward()
    let output = try plan.logitsTensor()
    try plan.setLogitsGradient(output)
    try plan.backward()
    var gradients = Array(try plan.gradients().values)
    if let input = try plan.inputGradient() { gradients.append(input) }
    return (output, gradients.contains(where: hasNaN))
  }

  /// Where the definition gives NaN the kernels do; Winograd's algorithm also around it.
  private func expect(
    _ found: Tensor, isNaNWhere expected: NDArray<Double>, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let hidden = zip(found.elements, expected.elements).count { !$0.isNaN && $1.isNaN }
    #expect(hidden == 0, "\(what): \(hidden) of \(found.count) are numbers", sourceLocation: sourceLocation)
  }

  @Test(
    "a NaN in the input or in a parameter shows in what every operation gives in training, and in a gradient",
    arguments: samples + quantizerSamples)
  func training(_ sample: OperationSample) throws {
    let item = try OperationCase(sample)
    let plan = try engine.get().compile(item.network, batch: sample.batch, mode: .training(inputGradient: true))
    let count = item.input.count
    var isSeen = false
    for place in Set([0, 1, count / 2, count - 1]).sorted() where place < count {
      try plan.load(item.weights)
      var input = item.input
      input[flat: place] = .nan
      try plan.setInput(input)
      let (output, isSeenBackward) = try step(plan)
      let expected = try item.network.reference(
        input.doubles, weights: item.weights.mapValues(\.doubles), mode: .training(seed: 7, step: 3, lane: 0))
      expect(output, isNaNWhere: expected, "input at \(place)")
      #expect(isSeenBackward == hasNaN(output), "input at \(place)")
      if hasNaN(output) { isSeen = true }
    }
    #expect(isSeen)

    try plan.setInput(item.input)
    for (name, rule) in item.network.parameters {
      var isSeen = !rule.isTrainable
      for isLast in [false, true] {
        try plan.load(item.weights)
        let stretch = try #require(plan.stretch(of: name))
        // Past the end of a parameter its block is filled with zeros.
        let places = stretch.indices.filter { stretch[$0] != 0 }
        stretch[try #require(isLast ? places.last : places.first)] = .nan
        let weights = try plan.weights()
        #expect(hasNaN(try #require(weights[name])))
        let (output, isSeenBackward) = try step(plan)
        let expected = try item.network.reference(
          item.input.doubles, weights: weights.mapValues(\.doubles), mode: .training(seed: 7, step: 3, lane: 0))
        expect(output, isNaNWhere: expected, name)
        #expect(isSeenBackward == hasNaN(output), "\(name)")
        if hasNaN(output) { isSeen = true }
      }
      #expect(isSeen, "\(name)")
    }
  }

  @Test("a NaN goes through fused steps to the logits in training, and back", arguments: FusedSample.allCases)
  fileprivate func fused(_ sample: FusedSample) throws {
    let network = try sample.network()
    let weights = try network.initialWeights(seed: 5)
    let plan = try engine.get().compile(network, batch: 2, mode: .training())
    var random = RandomKey(seed: 4, for: .synthetic).generator()
    var input = try Tensor(zeros: [2, 3, 9, 9])
    input.withUnsafeMutableElements { for i in $0.indices { $0[i] = Float(random.normal()) } }
    for place in [0, 100, input.count - 1] {
      var broken = input
      broken[flat: place] = .nan
      try plan.load(weights)
      try plan.setInput(broken)
      let (output, isSeenBackward) = try step(plan)
      #expect(hasNaN(output) && isSeenBackward)
    }
    try plan.setInput(input)
    for (name, rule) in network.parameters where rule.isTrainable {
      try plan.load(weights)
      let stretch = try #require(plan.stretch(of: name))
      stretch[0] = .nan
      let (output, isSeenBackward) = try step(plan)
      #expect(hasNaN(output) && isSeenBackward, "\(name)")
    }
  }

  @Test("activations keep the place of each NaN, whatever vectors it falls into", arguments: [
    Networks.Operation.relu(ReLU()), .clip(.relu6), .clip(Clip(low: -1, high: 0.5)), .clip(Clip(low: 1, high: 2)),
  ])
  func activations(_ operation: Networks.Operation) throws {
    for shape: Shape in [[5], [33], [17, 3, 5]] {
      var network = Network("one", input: shape)
      try network.append(operation, to: network.input)
      for mode in [Plan.Mode.training(inputGradient: true), .inference] {
        let plan = try engine.get().compile(network, batch: 1, mode: mode)
        for place in 0..<shape.elementCount {
          var input = try Tensor(zeros: shape.batched(1))
          input[flat: place] = .nan
          try plan.setInput(input)
          guard mode != .inference else {
            #expect(throws: EngineError.inputNotFinite) { try plan.forward() }
            continue
          }
          try plan.forward()
          let found = try plan.logitsTensor()
          #expect(found.elements.indices.filter { found[flat: $0].isNaN } == [place])
          try plan.setLogitsGradient(Tensor(Array(repeating: 1, count: found.count), shape: found.shape))
          try plan.backward()
          let gradient = try #require(try plan.inputGradient())
          #expect(gradient.elements.indices.filter { gradient[flat: $0].isNaN } == [place])
        }
      }
    }
  }

  /// - Returns: the answer; nil where the parameter that is not finite is named.
  private func answer(_ plan: Plan, _ weights: Weights, broken name: String) throws -> Tensor? {
    do { try plan.load(weights) } catch {
      #expect(error == .weights(.notFinite(name: name)))
      return nil
    }
    try plan.forward()
    return try plan.logitsTensor()
  }

  @Test(
    "in inference a parameter that is not finite shows as it does in the definition, or is named; such an input is refused",
    arguments: samples + quantizerSamples)
  func inference(_ sample: OperationSample) throws {
    let item = try OperationCase(sample)
    let plan = try engine.get().compile(item.network, batch: sample.batch, mode: .inference)
    try plan.load(item.weights)
    try plan.setInput(item.input)
    try plan.forward()
    let before = try plan.logitsTensor()
    for number in [Float.nan, .infinity, -.infinity] {
      var input = item.input
      input[flat: input.count - 1] = number
      try plan.setInput(input)
      #expect(throws: EngineError.inputNotFinite) { try plan.forward() }
      try plan.setInput(item.input)
      for (name, _) in item.network.parameters {
        var weights = item.weights
        let last = try #require(weights[name]).count - 1
        weights[name]?[flat: last] = number
        guard let found = try answer(plan, weights, broken: name) else { continue }
        let expected = try item.network.reference(
          item.input.doubles, weights: weights.mapValues(\.doubles), mode: .inference)
        expect(found, isNaNWhere: expected, name)
      }
    }
    try plan.load(item.weights)
    try plan.forward()
    #expect(try plan.logitsTensor() == before)
  }

  @Test("in inference of fused steps a parameter that is NaN shows in the logits or is named", arguments: FusedSample.allCases)
  fileprivate func fusedInference(_ sample: FusedSample) throws {
    let network = try sample.network()
    let weights = try network.initialWeights(seed: 5)
    let plan = try engine.get().compile(network, batch: 2, mode: .inference)
    for (name, _) in network.parameters {
      var broken = weights
      broken[name]?[flat: 0] = .nan
      if let found = try answer(plan, broken, broken: name) { #expect(hasNaN(found), "\(name)") }
    }
  }

  @Test(
    "where numbers outgrow floats inference shows it in the logits, or names the layer where an activation hides it",
    arguments: [Networks.Operation.relu(ReLU()), .clip(.relu6)], [1, 16, 64])
  func overflow(_ activation: Networks.Operation, channels: Int) throws {
    var network = Network("overflow", input: [channels, 16, 16])
    var x = network.input
    for name in ["a", "b"] {
      let convolution = Convolution(to: 64, Window(kernel: 3, padding: 1))
      x = try network.append(.convolution(convolution), to: x, named: name)
      if name == "b" { x = try network.append(activation, to: x, named: "b.act") }
    }
    let pooled = try network.append(.globalAveragePool(GlobalAveragePool()), to: x)
    try network.append(.dense(Dense(to: 5)), to: network.append(.flatten(Flatten()), to: pooled))
    var weights = try network.initialWeights(seed: 5)
    var input = try Tensor(zeros: [2, channels, 16, 16])
    input.withUnsafeMutableElements { for i in $0.indices { $0[i] = i % 3 == 0 ? -1 : 1 } }
    let plan = try engine.get().compile(network, batch: 2, mode: .inference)
    try plan.load(weights)
    try plan.setInput(input)
    try plan.forward()
    // Sums of `b` are infinite or differences of infinities, as the kernel adds; the activation turns some into numbers.
    weights["a.weight"] = weights["a.weight"]!.map { $0 * 1e30 }
    weights["b.weight"] = weights["b.weight"]!.map { $0 * 1e30 }
    try plan.load(weights)
    do {
      try plan.forward()
      #expect(try !plan.logitsTensor().elements.allSatisfy(\.isFinite))
    } catch { #expect(error as? EngineError == .notFinite(layer: "b")) }
  }

  @Test("so does inference on integers, which could not show it", arguments: IntegerSample.allCases)
  func integers(_ sample: IntegerSample) throws {
    let item = try QuantizedCase(sample.network(), batch: 2)
    let plan = try engine.get().compile(item.network, batch: 2, mode: .int8)
    try plan.setInput(item.input)
    #expect(throws: EngineError.noWeights) { try plan.forward() }
    for (name, _) in item.network.parameters {
      var weights = item.weights
      weights[name]?[flat: 0] = .nan
      #expect(throws: EngineError.weights(.notFinite(name: name))) { try plan.load(weights) }
    }
    #expect(throws: EngineError.noWeights) { try plan.forward() }
    try plan.load(item.weights)
    var input = item.input
    input[flat: 0] = .nan
    try plan.setInput(input)
    #expect(throws: EngineError.inputNotFinite) { try plan.forward() }
    try plan.setInput(item.input)
    try plan.forward()
  }

  @Test("a quantizer whose range is not finite gives NaN, and a NaN in what it sees moves no range")
  func quantizers() throws {
    let levels = Quantizer.unsigned(bits: 8)
    for (low, high): (Float, Float) in [(.nan, 1), (-1, .nan), (-.infinity, 1), (0, .infinity)] {
      #expect(Quantizer(low: low, high: high, levels: levels).rounded(0.5).isNaN)
    }
    #expect(Quantizer(low: -1, high: 1, levels: levels).rounded(.nan).isNaN)
    let rules = FakeQuantize(decay: 0.5)
    for numbers in [[.nan, -3, 2], [-3, .nan, 2], [-3, 2, .nan]] as [[Double]] {
      let range = rules.movedRange(low: -1, high: 1, by: try NDArray(numbers, shape: [3]))
      #expect(range == (-2, 1.5))
    }
  }
}
