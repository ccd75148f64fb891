import Compression
import Datasets
import Engine
import MadeImages
import ModelZoo
import Networks
import Tensors
import Testing
import Training

private let engine = Result { try Engine(threads: 2) }

@Suite("quantizing a trained network", .serialized) struct QuantizerTests {
  private func quantized(
    _ scheme: QuantizationScheme = QuantizationScheme(), _ settings: CalibrationSettings = CalibrationSettings()
  ) throws -> (network: Network, weights: Weights) {
    let sample = try TrainedSample.shared.get()
    return try PostTrainingQuantizer(engine: engine.get()).quantized(
      sample.network, sample.weights, on: sample.data.train, normalization: sample.data.normalization, scheme, settings)
  }

  @Test(
    "every method keeps the logits of a network near those of float32, with a scale for each channel",
    arguments: CalibrationSettings.Method.allCases)
  func accuracy(_ method: CalibrationSettings.Method) throws {
    // Initial weights: what they give differs from processor to processor by rounding alone.
    let network = try CIFARResNet(depth: 8).network(input: [1, 16, 16], classes: 4)
    let weights = try network.initialWeights(seed: 3)
    let data = try Dataset.synthetic(classes: 4, shape: [1, 16, 16], train: 200, validation: 100, noise: 0.2, seed: 1)
    var settings = CalibrationSettings()
    (settings.method, settings.images) = (method, 200)
    let (quantized, rounded) = try PostTrainingQuantizer(engine: engine.get()).quantized(
      network, weights, on: data.train, normalization: data.normalization, QuantizationScheme(), settings)
    let images = try data.validation.tensor(data.normalization)
    let evaluator = Evaluator(engine: try engine.get())
    let float = try evaluator.predict(network, weights, images).elements.map(Double.init)
    let found = try evaluator.predict(quantized, rounded, images).elements.map(Double.init)
    let error = zip(found, float).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let share = (error / float.reduce(0) { $0 + $1 * $1 }).squareRoot()
    #expect(share < 0.05, "\(method): \(share)")
    // The network that is announced is the one that comes.
    #expect(try PostTrainingQuantizer.network(network, QuantizationScheme(), settings) == quantized)
  }

  @Test("ranges hold what they are meant to hold") func ranges() throws {
    func range(_ method: CalibrationSettings.Method) throws -> [(low: Float, high: Float)] {
      var settings = CalibrationSettings()
      (settings.method, settings.images, settings.percentile) = (method, 200, 99.9)
      let (network, weights) = try quantized(QuantizationScheme(), settings)
      return network.nodes.compactMap { node in
        guard case .fakeQuantize = network[node].operation else { return nil }
        return (weights["\(network[node].name).min"]![flat: 0], weights["\(network[node].name).max"]![flat: 0])
      }
    }
    let all = try range(.minMax)
    #expect(all.count > 20 && all.allSatisfy { $0.low <= 0 && $0.high > 0 })
    for method in CalibrationSettings.Method.allCases where method != .minMax {
      let found = try range(method)
      for (inner, outer) in zip(found, all) {
        #expect(inner.low >= outer.low - 1e-4 && inner.high <= outer.high + 1e-4 && inner.high > 0, "\(method)")
      }
      #expect(zip(found, all).contains { $0.high < $1.high }, "\(method) cuts nothing off")
    }
    // A network with ReLU6 is never above 6.
    #expect(all.dropLast(2).dropFirst().allSatisfy { $0.high <= 6 })
  }

  @Test("a scale for each channel is nearer to the network than one for all, and more bits than fewer") func order()
    throws
  {
    let sample = try TrainedSample.shared.get()
    func loss(_ change: (inout QuantizationScheme) -> Void) throws -> Double {
      var scheme = QuantizationScheme()
      change(&scheme)
      let (network, weights) = try quantized(scheme)
      return abs(try sample.accuracy(network, weights).loss - sample.accuracy(sample.network, sample.weights).loss)
    }
    #expect(try loss { _ in } < loss { $0.weights.isPerChannel = false })
    #expect(try loss { _ in } < loss { ($0.weights.bits, $0.activationBits) = (3, 3) })
  }

  @Test("the same images give the same bits") func determinism() throws {
    #expect(try quantized().weights == quantized().weights)
  }

  @Test("equalized layers compute what they computed, and make one scale for all weights bearable") func equalization()
    throws
  {
    var network = Network("pair", input: [3, 8, 8])
    var x = network.input
    for (i, groups) in [(1, 1), (2, 8), (3, 1)] {
      x = try network.append(
        .convolution(Convolution(to: 8, Window(kernel: 3, padding: 1), groups: groups)), to: x, named: "conv\(i)")
      x = try network.append(.batchNorm(BatchNorm()), to: x, named: "norm\(i)")
      x = try network.append(.relu(ReLU()), to: x, named: "relu\(i)")
    }
    x = try network.append(.globalAveragePool(GlobalAveragePool()), to: x)
    x = try network.append(.flatten(Flatten()), to: x)
    try network.append(.dense(Dense(to: 4)), to: x, named: "fc")
    var weights = try network.initialWeights(seed: 3)
    // Channels of very unlike ranges.
    weights["norm1.weight"]!.withUnsafeMutableElements {
      for c in $0.indices { $0[c] = c.isMultiple(of: 2) ? 40 : 0.02 }
    }
    weights["conv2.weight"]!.withUnsafeMutableElements {
      for i in $0.indices { $0[i] /= (i / 9).isMultiple(of: 2) ? 40 : 0.02 }
    }
    let (equal, scaled) = try EqualizeLayers()(network, weights)
    var input = try Tensor(zeros: [5, 3, 8, 8])
    var random = RandomKey(seed: 1, for: .synthetic).generator()
    input.withUnsafeMutableElements { for i in $0.indices { $0[i] = Float(random.normal()) } }
    let evaluator = Evaluator(engine: try engine.get())
    let before = try evaluator.predict(network, weights, input)
    let after = try evaluator.predict(equal, scaled, input)
    let largest = before.elements.map(abs).max()!
    // Some products more in single precision.
    #expect(zip(before.elements, after.elements).allSatisfy { abs($0 - $1) < 1e-4 * largest })

    func worst(_ network: Network, _ weights: Weights) throws -> Float {
      var scheme = QuantizationScheme()
      scheme.weights.isPerChannel = false
      // Only weights are rounded here.
      let rounded = try InsertQuantizers(scheme)(network, [:]).0.roundedWeights(weights)
      return zip(try evaluator.predict(network, rounded, input).elements, before.elements).map { abs($0 - $1) }.max()!
    }
    let (apart, alike) = (try worst(network, weights), try worst(equal, scaled))
    #expect(alike < apart / 2, "\(largest)")
  }

  @Test("corrected biases bring the mean of a layer's output back") func bias() throws {
    // One convolution, whose means over an image are the logits. Images are bytes 0 to 1, so that inputs have a mean.
    var network = Network("means", input: [3, 8, 8])
    var x = try network.append(
      .convolution(Convolution(to: 8, Window(kernel: 1), hasBias: true)), to: network.input, named: "conv")
    x = try network.append(.globalAveragePool(GlobalAveragePool()), to: x)
    x = try network.append(.flatten(Flatten()), to: x)
    try network.append(.dense(Dense(to: 8)), to: x, named: "fc")
    var weights = try network.initialWeights(seed: 5)
    weights["fc.weight"]!.withUnsafeMutableElements { w in for i in w.indices { w[i] = i / 8 == i % 8 ? 1 : 0 } }
    let normalization = Normalization(mean: [0, 0, 0], std: [1, 1, 1])
    let data = try Dataset.synthetic(classes: 2, shape: [3, 8, 8], train: 200, validation: 2, noise: 0.2, seed: 1)
    let images = try data.train.tensor(normalization)
    let evaluator = Evaluator(engine: try engine.get())
    func means(_ network: Network, _ weights: Weights) throws -> [Double] {
      let logits = try evaluator.predict(network, weights, images).elements
      return (0..<8).map { k in (0..<200).reduce(0.0) { $0 + Double(logits[$1 * 8 + k]) } / 200 }
    }
    let float = try means(network, weights)
    var scheme = QuantizationScheme()
    // Few bits for weights, so that their rounding is what is seen.
    scheme.weights.bits = 3
    func worst(_ corrects: Bool) throws -> Double {
      var settings = CalibrationSettings()
      (settings.correctsBias, settings.images) = (corrects, 200)
      let (quantized, rounded) = try PostTrainingQuantizer(engine: engine.get()).quantized(
        network, weights, on: data.train, normalization: normalization, scheme, settings)
      return zip(try means(quantized, rounded), float).map { abs($0 - $1) }.max()!
    }
    let (bare, corrected) = (try worst(false), try worst(true))
    // What stays is the rounding of activations to 8 bits, and of the mean to the same.
    #expect(corrected < bare / 5, "\(corrected), \(bare) before")
  }

  /// Three layers on striped images, of which the second has one output channel that is thousands of times as large as the
  /// others and that nothing reads: float32 does not notice, while one scale for all weights rounds the others to zero.
  private func hardToQuantize() throws -> (network: Network, weights: Weights, data: Dataset) {
    let data = StripedImages.dataset(train: 600, validation: 200)
    var network = Network("hard to quantize", input: [1, 16, 16])
    var x = network.input
    for (name, window) in [("easy", Window(kernel: 3, stride: 2, padding: 1)), ("hard", Window(kernel: 1))] {
      x = try network.append(.convolution(Convolution(to: 8, window, hasBias: true)), to: x, named: name)
      x = try network.append(.clip(.relu6), to: x, named: name + ".act")
    }
    x = try network.append(.flatten(Flatten()), to: x)
    try network.append(.dense(Dense(to: 4)), to: x, named: "fc")
    var plan = TrainingPlan()
    (plan.epochs, plan.batchSize, plan.learningRate) = (4, 32, 0.01)
    var weights = try Trainer(engine: engine.get()).train(network, on: data, plan).weights
    weights["hard.weight"]!.withUnsafeMutableElements { w in for i in 0..<8 { w[i] = 5000 } }
    // What the last layer reads lies channel by channel.
    weights["fc.weight"]!.withUnsafeMutableElements { w in for i in w.indices where i % 512 < 64 { w[i] = 0 } }
    return (network, weights, data)
  }

  @Test("the ladder names the layer whose rounding destroys the network, and keeping it brings the accuracy back")
  func layerSensitivity() throws {
    let sample = try hardToQuantize()
    var scheme = QuantizationScheme()
    scheme.weights.isPerChannel = false
    let file = TemporaryFile()
    func layerSensitivity(stoppedAfter most: Int = .max) throws -> LayerSensitivity {
      var layers = 0
      let quantizer = PostTrainingQuantizer(engine: try engine.get(), isInterrupted: { layers >= most })
      return try quantizer.layerSensitivity(
        sample.network, sample.weights, on: sample.data.train, judgedOn: sample.data.validation,
        normalization: sample.data.normalization, scheme, CalibrationSettings(), ledger: LayerSensitivityLedger(at: file.path)
      ) { _, _ in layers += 1 }
    }
    #expect(throws: EngineError.self) { try layerSensitivity(stoppedAfter: 2) }
    #expect(try file.lines.count == 6, "32 bits, all layers, and two layers alone and left out")
    let result = try layerSensitivity()
    let lines = try file.lines
    #expect(try layerSensitivity() == result)
    #expect(try file.lines == lines)
    #expect(result.layers.map(\.layer) == sample.network.quantizableLayers.map(\.name))
    #expect(result.quantized.top1 < result.float.top1 - 0.2)
    let worst = try #require(result.worst.first)
    #expect(worst == "hard")
    #expect(worst == result.byGain.first?.layer)
    #expect(result.layers.min { $0.only.correct < $1.only.correct }?.layer == worst)
    #expect(
      Double(result.mixed.correct - result.quantized.correct) >= 0.9 * Double(result.float.correct - result.quantized.correct))
  }

  @Test("weights and images that are no numbers are refused by name") func numbers() throws {
    let sample = try TrainedSample.shared.get()
    for (name, value) in [
      ("classifier.bias", Float.nan), ("conv_stem.weight", .infinity),
    ] {
      var weights = sample.weights
      weights[name]!.withUnsafeMutableElements { $0[0] = value }
      #expect(throws: WeightError.self) {
        try PostTrainingQuantizer(engine: engine.get()).quantized(
          sample.network, weights, on: sample.data.train, normalization: sample.data.normalization,
          QuantizationScheme(),
          CalibrationSettings())
      }
    }
    // As are ranges, which a file may hold.
    let network: Network
    var weights: Weights
    (network, weights) = try quantized()
    let name = "input.quantized.min"
    weights[name] = try Tensor([.nan], shape: [1])
    for mode in [Plan.Mode.inference, .int8] {
      #expect {
        try Evaluator(engine: engine.get(), mode: mode).evaluate(
          network, weights, on: sample.data.validation, normalization: sample.data.normalization)
      } throws: { error in
        guard case TrainingError.engine(.weights(.notFinite(name: name))) = error else { return false }
        return true
      }
    }
  }
}
