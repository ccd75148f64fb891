import Datasets
import Engine
import MadeImages
import Foundation
import ModelZoo
import Networks
import Tensors
import Testing
import Training

private let engine = Result { try Engine(threads: 2) }

/// What `Goldens/quantization.py` writes.
private struct QuantizationGolden: Decodable {
  struct Step: Decodable {
    /// Before the weights moved.
    var loss: Double
    /// Afterwards; ranges and statistics too.
    var weights: [String: [Double]]
  }
  struct Case: Decodable {
    var name: String
    var isPerChannel, isSymmetric: Bool
    var steps: [Step]
  }
  var delay, freeze: Int
  var decay, momentum, epsilon, rate: Float
  var cases: [Case]
}

@Suite("training in simulated 8 bits", .serialized)
struct QuantizationTrainingTests {
  private func waves(_ shape: Shape, _ k: Int, scale: Double = 1, offset: Double = 0) throws -> Tensor {
    let numbers = (0..<shape.elementCount).map { i in
      let angle = 1.7 * Double(i) + Double(k) + 1
      return Float(offset + scale * sin(angle))
    }
    return try Tensor(numbers, shape: shape)
  }

  private func goldenNetwork(_ golden: QuantizationGolden, _ item: QuantizationGolden.Case) throws -> Network {
    var network = Network("golden", input: [2, 7, 7])
    let norm = Networks.Operation.batchNorm(BatchNorm(epsilon: golden.epsilon, momentum: golden.momentum))
    func quantized(_ node: Network.Node, _ name: String) throws -> Network.Node {
      try network.append(
        .fakeQuantize(FakeQuantize(decay: golden.decay, delay: golden.delay)), to: node, named: "\(name).quantized")
    }
    let weights = WeightQuantization(
      isPerChannel: item.isPerChannel, isSymmetric: item.isSymmetric, isNarrow: item.isSymmetric, delay: golden.delay)
    func convolutionNorm(_ x: Network.Node, _ i: Int, _ window: Networks.Window, groups: Int = 1) throws -> Network.Node
    {
      var convolution = Convolution(to: 8, window, groups: groups)
      convolution.weightQuantization = weights
      return try network.append(
        norm, to: network.append(.convolution(convolution), to: x, named: "conv\(i)"), named: "bn\(i)")
    }
    func relu(_ x: Network.Node, _ i: Int) throws -> Network.Node {
      try quantized(network.append(.clip(.relu6), to: x, named: "relu\(i)"), "relu\(i)")
    }
    let input = try quantized(network.input, "input")
    let first = try relu(convolutionNorm(input, 1, Networks.Window(kernel: 3, padding: 1)), 1)
    let second = try relu(convolutionNorm(first, 2, Networks.Window(kernel: 3, padding: 1), groups: 8), 2)
    let third = try quantized(convolutionNorm(second, 3, Networks.Window(kernel: 1)), "bn3")
    let sum = try quantized(network.append(.add(Add()), to: third, first, named: "add"), "add")
    let pool = try network.append(.globalAveragePool(GlobalAveragePool()), to: sum, named: "pool")
    let flat = try network.append(.flatten(Flatten()), to: quantized(pool, "pool"), named: "flatten")
    var dense = Dense(to: 4)
    dense.weightQuantization = weights
    _ = try quantized(network.append(.dense(dense), to: flat, named: "fc"), "fc")
    return network
  }

  @Test(
    "losses, weights, statistics and ranges are PyTorch's after each step, before and after rounding and freezing begin",
    arguments: 0..<3)
  func golden(_ number: Int) throws {
    let golden = TrainingGolden.read(QuantizationGolden.self, "quantization")
    let item = golden.cases[number]
    let network = try goldenNetwork(golden, item)
    var weights: Weights = [:]
    var k = 0
    for (name, rule) in network.parameters {
      switch rule.role {
      case .weight, .bias, .scale, .shift:
        weights[name] = try waves(rule.shape, k, scale: 0.5, offset: rule.role == .scale ? 1 : 0)
        k += 1
      case .runningMean: weights[name] = try Tensor(zeros: rule.shape)
      case .runningVariance: weights[name] = try waves(rule.shape, 3, scale: 0.4, offset: 1)
      case .rangeLow: weights[name] = try Tensor([-0.5], shape: [1])
      case .rangeHigh: weights[name] = try Tensor([1.5], shape: [1])
      }
    }
    let (rows, classes) = (6, 4)
    let plan = try engine.get().compile(network, batch: rows, mode: .training())
    try plan.load(weights)
    try plan.setInput(waves([rows, 2, 7, 7], 20, scale: 1.5))
    for (step, expected) in item.steps.enumerated() {
      plan.setRandom(seed: 1, step: step)
      plan.freezesBatchNorm = step >= golden.freeze
      try plan.forward()
      let logits = try plan.logitsTensor().elements.map(Double.init)
      var (loss, gradient) = (0.0, [Float]())
      for row in 0..<rows {
        let powers = logits[row * classes..<(row + 1) * classes].map { exp($0) }
        let sum = powers.reduce(0, +)
        loss -= log(powers[row % classes] / sum) / Double(rows)
        gradient += powers.indices.map { Float((powers[$0] / sum - ($0 == row % classes ? 1 : 0)) / Double(rows)) }
      }
      try plan.setLogitsGradient(Tensor(gradient, shape: [rows, classes]))
      try plan.backward()
      weights = try plan.weights()
      for (name, gradient) in try plan.gradients() {
        weights[name]!.withUnsafeMutableElements { w in
          for i in w.indices { w[i] -= golden.rate * gradient[flat: i] }
        }
      }
      try plan.load(weights)
      #expect(abs(loss - expected.loss) < 1e-5 * expected.loss, "step \(step)")
      #expect(Set(weights.keys) == Set(expected.weights.keys))
      // Nearly all are within 1e-5. PyTorch multiplies by the reciprocal of the step where we divide, so that of some
      // thousand numbers one is rounded to the level beside, which the dense layer's weights show.
      for (name, found) in weights {
        let difference = worstDifference(found.elements.map(Double.init), expected.weights[name]!)
        #expect(difference < 3e-4, "\(name) after step \(step)")
      }
    }
  }

  // MARK: Whole trainings

  func data() throws -> Dataset {
    try Dataset.synthetic(classes: 4, shape: [1, 8, 8], train: 96, validation: 40, noise: 0.3, seed: 1)
  }

  /// Six steps an epoch: rounding begins in the second, batch norms are frozen within the third.
  func network(perChannel: Bool = true) throws -> (network: Network, weights: Weights) {
    let network = try CIFARResNet(depth: 8).network(input: [1, 8, 8], classes: 4)
    var scheme = QuantizationScheme()
    scheme.weights = WeightQuantization(isPerChannel: perChannel, isSymmetric: perChannel, delay: 8)
    (scheme.decay, scheme.delay) = (0.9, 7)
    return try InsertQuantizers(scheme)(network, network.initialWeights(seed: 2))
  }

  static let ingredients = [
    Ingredient("plain") { _ in },
    Ingredient("in parts") { $0.partSize = 4 },
    Ingredient("stochastic depth, mixing") { ($0.dropPath, $0.mixing) = (0.3, Mixing(mixup: 0.2, cutmix: 1)) },
    Ingredient("distillation, averages", teachers: 1) {
      ($0.distillation, $0.movingAverage, $0.result) = (
        Distillation(weight: 0.5, temperature: 2), MovingAverage(decay: 0.8), .movingAverage
      )
    },
    Ingredient("best snapshots, precise batch norms") {
      ($0.result, $0.preciseBatchNorm) = (.meanOfBest(count: 2, by: .validation), 2)
    },
  ].map { ingredient in
    Ingredient(ingredient.testDescription, teachers: ingredient.teachers) {
      ingredient.change(&$0)
      $0.freezesBatchNormAfter = 2.6
    }
  }

  @Test(
    "a training run that was stopped before rounding and freezing begin goes on to the same bits", arguments: ingredients,
    [4, 10, 17])
  func resumes(_ ingredient: Ingredient, _ steps: Int) throws {
    let trainer = Trainer(engine: try engine.get())
    let (network, weights) = try network()
    let float = try CIFARResNet(depth: 8).network(input: [1, 8, 8], classes: 4)
    let teachers = try (0..<ingredient.teachers).map { _ in Teacher(float, try float.initialWeights(seed: 9)) }
    let data = try data()
    let whole = try trainer.train(network, from: weights, on: data, ingredient.plan, teachers: teachers)
    var asked = 0
    let first = try trainer.train(
      network, from: weights, on: data, ingredient.plan, teachers: teachers,
      isInterrupted: {
        asked += 1
        return asked > steps
      })
    let second = try trainer.train(
      network, from: weights, on: data, ingredient.plan, teachers: teachers, resuming: #require(first.checkpoint))
    #expect(second.weights == whole.weights)
    #expect(second.final == whole.final)
    let again = try Trainer(engine: Engine(threads: 2)).train(
      network, from: weights, on: data, ingredient.plan, teachers: teachers)
    #expect(again.weights == whole.weights)
    #expect(whole.weights.values.allSatisfy { $0.elements.allSatisfy(\.isFinite) })
    for (name, rule) in network.parameters where rule.role == .rangeHigh || rule.role == .rangeLow {
      #expect(whole.weights[name] != weights[name], "\(name)")
    }
  }

  @Test("frozen from the start, a training leaves all running statistics as they are; later, until then only")
  func freezing() throws {
    let trainer = Trainer(engine: try engine.get())
    let (network, weights) = try network()
    func trained(_ epochs: Int, _ after: Double?) throws -> Weights {
      var plan = TrainingPlan()
      (plan.epochs, plan.batchSize, plan.learningRate, plan.schedule) = (epochs, 16, 0.01, .constant)
      plan.freezesBatchNormAfter = after
      return try trainer.train(network, from: weights, on: data(), plan).weights
    }
    let (frozen, one, later, free) = try (trained(2, 0), trained(1, nil), trained(2, 1), trained(2, nil))
    for (name, rule) in network.parameters where rule.role == .runningMean || rule.role == .runningVariance {
      #expect(frozen[name] == weights[name] && later[name] == one[name] && free[name] != one[name], "\(name)")
    }
    #expect(frozen["fc.weight"] != weights["fc.weight"] && later["fc.weight"] != one["fc.weight"])
  }

  @Test("precise batch norms leave ranges and the weights' levels alone", arguments: [false, true])
  func precise(_ perChannel: Bool) throws {
    let trainer = Trainer(engine: try engine.get())
    let (network, weights) = try network(perChannel: perChannel)
    var plan = TrainingPlan()
    (plan.epochs, plan.batchSize, plan.learningRate) = (3, 16, 0.02)
    let before = try trainer.train(network, from: weights, on: data(), plan).weights
    plan.preciseBatchNorm = 6
    let after = try trainer.train(network, from: weights, on: data(), plan).weights
    // The first batch norm sees what the first convolution makes of rounded images: computed here by itself.
    let norm = try #require(network.nodes.first { if case .batchNorm = network[$0].operation { true } else { false } })
    let normName = network[norm].name
    for (name, rule) in network.parameters {
      let isNorms = rule.role == .runningMean || rule.role == .runningVariance
      #expect((before[name] == after[name]) == !isNorms, "\(name)")
    }
    let rounded = try network.roundedWeights(before)
    let convolution = network[norm].inputs[0]
    let layer = network[convolution]
    var (sums, squares, count) = ([Double](), [Double](), 0.0)
    let data = try data()
    let quantizer = try #require(network.quantizer(of: layer.inputs[0], before))
    try Loader(data.train, batchSize: 96, normalization: data.normalization).forEachBatch(epoch: 0) { batch in
      let x = try NDArray(batch.images.map { Double(quantizer.rounded($0)) }, shape: [96, 1, 8, 8])
      let y = layer.operation.rules.reference([x], [rounded["\(layer.name).weight"]!.map { Double($0) }], .inference)
      let channels = y.shape[1]
      (sums, squares) = (Array(repeating: 0, count: channels), Array(repeating: 0, count: channels))
      for (i, y) in y.elements.enumerated() {
        sums[i / 64 % channels] += y
        squares[i / 64 % channels] += y * y
      }
      count += 96 * 64
    }
    let mean = sums.map { $0 / count }
    let variance = zip(squares, mean).map { $0 / count - $1 * $1 }
    // Quantizers move a little within each batch that is measured.
    #expect(worstDifference(after["\(normName).running_mean"]!.elements.map(Double.init), mean) < 1e-2)
    #expect(worstDifference(after["\(normName).running_var"]!.elements.map(Double.init), variance) < 1e-2)
  }

  @Test("one layer in 4 bits learns classes that a plane separates")
  func learns() throws {
    var float = Network("one layer", input: [1, 16, 16])
    try float.append(.flatten(Flatten()), to: float.output)
    try float.append(.dense(Dense(to: 4)), to: float.output, named: "fc")
    var plan = TrainingPlan()
    (plan.epochs, plan.batchSize, plan.learningRate) = (4, 32, 0.002)
    var scheme = QuantizationScheme()
    (scheme.decay, scheme.weights.bits, scheme.activationBits) = (0.9, 4, 4)
    let (network, weights) = try InsertQuantizers(scheme)(float, float.initialWeights(seed: 1))
    let outcome = try Trainer(engine: engine.get()).train(
      network, from: weights, on: StripedImages.dataset(train: 512, validation: 130), plan)
    #expect(outcome.epochs[3].trainLoss < 0.7 * outcome.epochs[0].trainLoss)
    #expect(outcome.epochs[3].validation.correct == 130)
  }
}
