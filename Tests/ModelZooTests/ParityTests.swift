import Engine
import Foundation
import ModelZoo
import Networks
import Tensors
import Testing

private let engine = Result { try Engine(threads: 2, convolutions: .direct) }

/// The engine against PyTorch on the same weights and images.
///
/// Training is held to what PyTorch's own single precision does against its double: a fixed bound on the gradients of
/// networks with batch norms would be wrong, since rounding flips ReLU masks.
@Suite("the zoo computes what torchvision and timm compute", .serialized)
struct ParityTests {
  @Test("evaluation logits are within 1e-5 of PyTorch's in double", arguments: NumericsGolden.models)
  func evaluation(_ model: String) throws {
    let golden = try NumericsGolden(model)
    let network = try golden.network()
    let plan = try engine.get().compile(network, batch: golden.batch, mode: .inference)
    try plan.load(try FormulaWeights.weights(for: network))
    try plan.setInput(try FormulaWeights.batch(golden.batch, of: network.shape(of: network.input)))
    try plan.forward()
    let logits = try plan.logitsTensor().elements.map { Double($0) }
    #expect(relativeDistance(logits, golden.inference) < 1e-5)
  }

  @Test("training logits and gradients err at most twice as much as PyTorch's", arguments: NumericsGolden.models)
  func training(_ model: String) throws {
    let golden = try NumericsGolden(model)
    try expectTraining(golden, .float32) { golden.error($0) }
  }

  @Test(
    "in bf16 logits and gradients err at most twice as much as under PyTorch's autocast",
    .enabled(if: Engine.supports(.bf16), "the processor has no AVX512_BF16, or oneDNN may not use it"),
    arguments: NumericsGolden.models)
  func autocast(_ model: String) throws {
    let (golden, autocast) = (try NumericsGolden(model), try AutocastGolden())
    let network = try golden.network()
    let plan = try engine.get().compile(network, batch: golden.batch, mode: .inference, precision: .bf16)
    try plan.load(try FormulaWeights.weights(for: network))
    try plan.setInput(try FormulaWeights.batch(golden.batch, of: network.shape(of: network.input)))
    try plan.forward()
    let logits = try plan.logitsTensor().elements.map { Double($0) }
    #expect(relativeDistance(logits, golden.inference) < 2 * autocast.error(model, \.inference))
    try expectTraining(golden, .bf16) { autocast.error(model, $0) }
  }

  /// Holds a step's logits and gradients to twice what PyTorch's err in the same precision.
  private func expectTraining(
    _ golden: NumericsGolden, _ precision: Precision, _ error: (KeyPath<NumericsGolden.Errors, Double>) -> Double
  ) throws {
    let network = try golden.network()
    let plan = try engine.get().compile(network, batch: golden.batch, mode: .training(), precision: precision)
    try plan.load(try FormulaWeights.weights(for: network))
    try plan.setInput(try FormulaWeights.batch(golden.batch, of: network.shape(of: network.input)))
    try plan.forward()
    let logits = try plan.logitsTensor().elements.map { Double($0) }
    let logitsError = relativeDistance(logits, golden.training)
    #expect(logitsError < 2 * error(\.training))

    // The gradient of the mean cross-entropy: (softmax − one-hot) / N.
    let labels = FormulaWeights.labels(golden.batch, classes: golden.classes)
    var gradient = [Float](repeating: 0, count: logits.count)
    for row in 0..<golden.batch {
      let z = logits[row * golden.classes..<(row + 1) * golden.classes]
      let highest = z.max() ?? 0
      let total = z.reduce(0) { $0 + exp($1 - highest) }
      for k in 0..<golden.classes {
        let p = exp(z[row * golden.classes + k] - highest) / total
        gradient[row * golden.classes + k] = Float((p - (k == Int(labels[row]) ? 1 : 0)) / Double(golden.batch))
      }
    }
    try plan.setLogitsGradient(try Tensor(gradient, shape: [golden.batch, golden.classes]))
    try plan.backward()
    let gradients = try plan.gradients()
    #expect(gradients.count == golden.gradients.count)
    var errors: [Double] = []
    var (found, expected): ([Double], [Double]) = ([], [])
    for reference in golden.gradients {
      let full = try #require(gradients[reference.name])
      let samples = FormulaWeights.places(of: reference.name, count: full.count).map { Double(full[flat: $0]) }
      errors.append(relativeDistance(samples, reference.samples))
      found += samples
      expected += reference.samples
    }
    let median = errors.sorted()[errors.count / 2]
    let joined = relativeDistance(found, expected)
    print(
      "\(golden.model), \(precision.rawValue): logits \(logitsError) (PyTorch \(error(\.training))), gradients \(joined) "
        + "(\(error(\.gradients))), median \(median) (\(error(\.medianGradient)))")
    #expect(joined < 2 * error(\.gradients))
    #expect(median < 2 * error(\.medianGradient))
  }

  @Test("no layer of the zoo falls back to a reference kernel", arguments: ModelZoo.all.map(\.name))
  func kernels(_ name: String) throws {
    let entry = try #require(ModelZoo.entry(named: name))
    let network = try entry.make(input: entry.input, classes: entry.classes)
    let precisions = Precision.allCases.filter { Engine.supports($0) }
    for (mode, precision) in [Plan.Mode.training(), .inference].flatMap({ mode in precisions.map { (mode, $0) } }) {
      let plan = try engine.get().compile(network, batch: 2, mode: mode, precision: precision)
      // oneDNN calls its concatenation by reorders a reference; each of those reorders is vectorized.
      #expect(plan.labels.filter { $0.kernel.contains("ref") && $0.kind != "concatenation" } == [])
    }
  }
}
