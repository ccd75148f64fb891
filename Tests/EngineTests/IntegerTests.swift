import Engine
import Networks
import Tensors
import Testing

/// A network with quantizers, their ranges from some samples, and those samples.
struct QuantizedCase {
  let network: Network
  let weights: Weights
  let input: Tensor

  init(_ plain: Network, batch: Int, scheme: QuantizationScheme = QuantizationScheme()) throws {
    var random = RandomKey(seed: 5, for: .synthetic).generator()
    var weights = try plain.initialWeights(seed: 1)
    for (name, rule) in plain.parameters {
      weights[name]!.withUnsafeMutableElements { elements in
        for i in elements.indices {
          switch rule.role {
          case .scale, .runningVariance: elements[i] = 0.5 + random.uniform()
          case .shift, .runningMean, .bias: elements[i] = Float(random.normal()) * 0.3
          default: break
          }
        }
      }
    }
    var input = try Tensor(zeros: plain.shape(of: plain.input).batched(batch))
    input.withUnsafeMutableElements { for i in $0.indices { $0[i] = Float(random.normal()) } }
    self.input = input

    let probe = try engine.get().compile(plain, batch: batch, mode: .inference, taps: Set(plain.nodes))
    try probe.load(weights)
    try probe.setInput(input)
    try probe.forward()
    var (network, quantized) = try InsertQuantizers(scheme)(plain, weights)
    for node in network.nodes {
      guard case .fakeQuantize = network[node].operation else { continue }
      let name = network[network[node].inputs[0]].name
      let source = plain.nodes.first { plain[$0].name == name }!
      let elements = source == plain.input ? input.elements : try probe.activation(of: source)!.elements
      quantized["\(network[node].name).min"] = try Tensor([min(elements.min()!, 0)], shape: [1])
      quantized["\(network[node].name).max"] = try Tensor([max(elements.max()!, 0)], shape: [1])
    }
    (self.network, self.weights) = (network, quantized)
  }

  func logits(_ mode: Plan.Mode, threads: Int = 2) throws -> (Tensor, Plan) {
    let plan = try threads == 2 ? engine.get() : Engine(threads: threads)
    let compiled = try plan.compile(network, batch: input.shape[0], mode: mode)
    try compiled.load(weights)
    try compiled.setInput(input)
    try compiled.forward()
    return (try compiled.logitsTensor(), compiled)
  }
}

/// Small networks with all that runs on integers.
enum IntegerSample: String, CaseIterable {
  case plain, depthwise, residual, projected, vgg, oddChannels, wide

  func network() throws -> Network {
    func window(_ kernel: Int, stride: Int = 1) -> Window {
      Window(
        kernel: Extent(height: kernel, width: kernel), stride: Extent(height: stride, width: stride),
        padding: Padding(top: kernel / 2, left: kernel / 2, bottom: kernel / 2, right: kernel / 2))
    }
    var net = Network(rawValue, input: self == .oddChannels ? [3, 13, 11] : [3, 16, 16])
    func block(
      _ x: Network.Node, _ name: String, to channels: Int, _ window: Window, groups: Int = 1,
      activation: Networks.Operation? = .relu(ReLU())
    ) throws -> Network.Node {
      var y = try net.append(
        .convolution(Convolution(to: channels, window, groups: groups)), to: x, named: "\(name).conv")
      y = try net.append(.batchNorm(BatchNorm()), to: y, named: "\(name).bn")
      return try activation.map { try net.append($0, to: y, named: "\(name).act") } ?? y
    }
    func answer(_ x: Network.Node) throws {
      let pooled = try net.append(.globalAveragePool(GlobalAveragePool()), to: x, named: "pool")
      let flat = try net.append(.flatten(Flatten()), to: pooled, named: "flatten")
      try net.append(.dense(Dense(to: 10)), to: flat, named: "fc")
    }
    switch self {
    case .plain:
      var x = try block(net.input, "a", to: 16, window(3))
      x = try block(x, "b", to: 32, window(3, stride: 2))
      try answer(try block(x, "c", to: 24, window(1)))
    case .depthwise:
      var x = try block(net.input, "a", to: 16, window(3, stride: 2), activation: .clip(.relu6))
      x = try block(x, "b", to: 16, window(3), groups: 16, activation: .clip(.relu6))
      x = try block(x, "c", to: 32, window(1), activation: .clip(.relu6))
      x = try block(x, "d", to: 32, window(3, stride: 2), groups: 32, activation: .clip(.relu6))
      try answer(try block(x, "e", to: 64, window(1), activation: .clip(.relu6)))
    case .residual:
      let x = try block(net.input, "a", to: 16, window(3))
      var y = try block(x, "b", to: 16, window(3))
      y = try block(y, "c", to: 16, window(3), activation: nil)
      y = try net.append(.add(Add()), to: y, x, named: "sum")
      try answer(try net.append(.relu(ReLU()), to: y, named: "sum.act"))
    case .projected:
      let x = try block(net.input, "a", to: 16, window(3))
      var y = try block(x, "b", to: 24, window(3, stride: 2))
      y = try block(y, "c", to: 32, window(3), activation: nil)
      let shortcut = try block(x, "down", to: 32, Window(kernel: 1, stride: 2), activation: nil)
      y = try net.append(.add(Add()), to: y, shortcut, named: "sum")
      y = try net.append(.relu(ReLU()), to: y, named: "sum.act")
      // Both inputs of this sum are read by others too.
      let z = try net.append(.add(Add()), to: y, y, named: "twice")
      try answer(try net.append(.relu(ReLU()), to: z, named: "twice.act"))
    case .vgg:
      var x = try net.append(.convolution(Convolution(to: 16, window(3), hasBias: true)), to: net.input, named: "a")
      x = try net.append(.relu(ReLU()), to: x, named: "a.act")
      x = try net.append(.maxPool(MaxPool(Window(kernel: 2, stride: 2))), to: x, named: "a.pool")
      x = try net.append(.convolution(Convolution(to: 32, window(3), hasBias: true)), to: x, named: "b")
      x = try net.append(.relu(ReLU()), to: x, named: "b.act")
      x = try net.append(.maxPool(MaxPool(Window(kernel: 3, stride: 2, padding: 1))), to: x, named: "b.pool")
      x = try net.append(.flatten(Flatten()), to: x, named: "flatten")
      x = try net.append(.dense(Dense(to: 48)), to: x, named: "fc1")
      x = try net.append(.relu(ReLU()), to: x, named: "fc1.act")
      x = try net.append(.dropout(Dropout(rate: 0.5)), to: x, named: "drop")
      try net.append(.dense(Dense(to: 10)), to: x, named: "fc2")
    case .oddChannels:
      var x = try block(net.input, "a", to: 5, window(3))
      x = try block(x, "b", to: 17, window(3, stride: 2))
      x = try block(x, "c", to: 17, window(3), groups: 17)
      try answer(try block(x, "d", to: 9, window(1)))
    case .wide:
      // In batches these are wide enough for Winograd's algorithm.
      let x = try block(net.input, "a", to: 32, window(3, stride: 2))
      var y = try block(x, "b", to: 48, window(3))
      y = try block(y, "c", to: 32, window(3), activation: nil)
      y = try net.append(.add(Add()), to: y, x, named: "sum")
      y = try net.append(.relu(ReLU()), to: y, named: "sum.act")
      let valid = Window(kernel: Extent(height: 3, width: 3), stride: 1, padding: 0)
      try answer(try block(y, "d", to: 40, valid))
    }
    return net
  }
}

@Suite("networks on integers", .serialized)
struct IntegerTests {
  @Test(
    "they answer what the simulation with reals answers, ties aside", arguments: IntegerSample.allCases, [true, false])
  func agreement(_ sample: IntegerSample, perChannel: Bool) throws {
    var scheme = QuantizationScheme()
    scheme.weights.isPerChannel = perChannel
    let item = try QuantizedCase(sample.network(), batch: 8, scheme: scheme)
    let (simulated, _) = try item.logits(.inference)
    let (whole, plan) = try item.logits(.int8)
    let step = item.network.quantizer(of: item.network.output, item.weights)!.scale
    let differences = zip(simulated.elements, whole.elements).map { abs($0 - $1) / step }
    // A tie that is broken otherwise moves one level, and what follows from it few more.
    #expect(differences.max()! < 2.5)
    #expect(differences.filter { $0 > 0.5 }.count <= differences.count / 20)
    #expect(Set(simulated.elements).count > 8)
    for label in plan.labels where !["reorder"].contains(label.kind) {
      #expect(label.kernel.hasPrefix("own int8"), "\(label.layer): \(label.kernel)")
    }
  }

  @Test("one thread gives the bytes that two give", arguments: IntegerSample.allCases)
  func threads(_ sample: IntegerSample) throws {
    let item = try QuantizedCase(sample.network(), batch: 3)
    #expect(try item.logits(.int8, threads: 1).0 == item.logits(.int8).0)
  }

  @Test("an image gets the answer that it gets among others", arguments: IntegerSample.allCases)
  func alone(_ sample: IntegerSample) throws {
    let item = try QuantizedCase(sample.network(), batch: 5)
    let together = try item.logits(.int8).0
    let one = try engine.get().compile(item.network, batch: 1, mode: .int8)
    try one.load(item.weights)
    let (pixels, classes) = (item.input.count / 5, together.count / 5)
    for i in 0..<5 {
      for k in 0..<pixels { one.input[k] = item.input.elements[i * pixels + k] }
      try one.forward()
      #expect(Array(try one.logitsTensor().elements) == Array(together.elements[i * classes..<(i + 1) * classes]))
    }
  }

  @Test("layers that stay in float32 compute with reals between the others", arguments: IntegerSample.allCases)
  func mixed(_ sample: IntegerSample) throws {
    let network = try sample.network()
    for name in network.quantizableLayers.map(\.name) {
      var scheme = QuantizationScheme()
      scheme.kept = [name]
      let item = try QuantizedCase(network, batch: 2, scheme: scheme)
      let (simulated, whole) = (try item.logits(.inference).0, try item.logits(.int8).0)
      let step = item.network.quantizer(of: item.network.output, item.weights)?.scale ?? 0.05
      let worst = zip(simulated.elements, whole.elements).map { abs($0 - $1) / step }.max()!
      #expect(worst < 2.5, "without \(name)")
    }
  }

  @Test("a layer whose sums need not fit into 32 bits is refused, and named")
  func sums() throws {
    var network = Network("wide", input: [70_000, 1, 1])
    let flat = try network.append(.flatten(Flatten()), to: network.input, named: "flatten")
    try network.append(.dense(Dense(to: 2)), to: flat, named: "fc")
    let (quantized, initial) = try InsertQuantizers(QuantizationScheme())(network, network.initialWeights(seed: 1))
    let plan = try engine.get().compile(quantized, batch: 1, mode: .int8)
    var weights = initial
    for node in quantized.nodes {
      guard case .fakeQuantize = quantized[node].operation else { continue }
      weights["\(quantized[node].name).min"] = try Tensor([0], shape: [1])
      weights["\(quantized[node].name).max"] = try Tensor([1], shape: [1])
    }
    for weight: Float in [1, -1] {
      weights["fc.weight"]!.withUnsafeMutableElements { for i in $0.indices { $0[i] = weight } }
      #expect(throws: EngineError.sumsTooLarge(layer: "fc")) { try plan.load(weights) }
    }
    // As many weights, half of them of each sign, and smaller ones.
    weights["fc.weight"]!.withUnsafeMutableElements { for i in $0.indices { $0[i] = i % 2 == 0 ? 1 : -1 } }
    try plan.load(weights)
  }

  @Test("a network without quantizers runs as in inference")
  func float() throws {
    let network = try IntegerSample.residual.network()
    let plan = try engine.get().compile(network, batch: 2, mode: .int8)
    let other = try engine.get().compile(network, batch: 2, mode: .inference)
    for plan in [plan, other] {
      try plan.load(try network.initialWeights(seed: 1))
      plan.input.indices.forEach { plan.input[$0] = Float($0 % 7) - 3 }
      try plan.forward()
    }
    #expect(try plan.logitsTensor() == other.logitsTensor())
  }

  @Test("weights of few bits and without narrow levels stay on their levels", arguments: [2, 4, 8])
  func bits(_ bits: Int) throws {
    var scheme = QuantizationScheme()
    scheme.weights.bits = bits
    scheme.activationBits = bits
    let item = try QuantizedCase(IntegerSample.depthwise.network(), batch: 4, scheme: scheme)
    let (simulated, whole) = (try item.logits(.inference).0, try item.logits(.int8).0)
    let step = item.network.quantizer(of: item.network.output, item.weights)!.scale
    let close = zip(simulated.elements, whole.elements).filter { abs($0 - $1) / step < 0.5 }.count
    #expect(close >= simulated.count * 9 / 10)
    #expect(Set(whole.elements).count <= 1 << bits)
  }
}
