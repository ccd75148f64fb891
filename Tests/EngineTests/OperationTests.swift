import Engine
import Networks
import Tensors
import Testing

/// An operation as a network of its own. Inputs after the first are made from the network's input by a convolution or
/// a dense layer, since a network has one input.
struct OperationCase: CustomStringConvertible {
  let sample: OperationSample
  let network: Network
  let weights: Weights
  let input: Tensor
  var description: String { sample.description }

  init(_ sample: OperationSample) throws {
    var network = Network("sample", input: sample.inputs[0])
    var inputs = [network.input]
    for shape in sample.inputs.dropFirst() {
      let bridge: Operation =
        shape.rank == 3
        ? .convolution(Convolution(to: shape[0], Window(kernel: 1), hasBias: true)) : .dense(Dense(to: shape[0]))
      inputs.append(try network.append(bridge, to: network.input))
    }
    try network.append(sample.operation, to: inputs)
    self.sample = sample
    self.network = network
    var weights = try network.initialWeights(seed: 1)
    var random = RandomKey(seed: 2, for: .synthetic).generator()
    for (name, rule) in network.parameters {
      weights[name]!.withUnsafeMutableElements { elements in
        for i in elements.indices {
          switch rule.role {
          case .scale, .runningVariance: elements[i] = 0.5 + random.uniform()
          default: elements[i] = Float(random.normal()) * 0.5
          }
        }
      }
    }
    self.weights = weights
    var input = try Tensor(zeros: sample.inputs[0].batched(sample.batch))
    input.withUnsafeMutableElements { for i in $0.indices { $0[i] = Float(random.normal()) } }
    self.input = input
  }
}

/// The largest difference as a share of the largest element.
func worstError(_ found: Tensor, _ expected: NDArray<Double>) -> Double {
  precondition(found.shape == expected.shape, "\(found.shape) against \(expected.shape)")
  var (worst, largest) = (0.0, 1e-30)
  for (a, b) in zip(found.elements, expected.elements) {
    worst = max(worst, abs(Double(a) - b))
    largest = max(largest, abs(b))
  }
  return worst / largest
}

extension NDArray where Element == Float {
  var doubles: NDArray<Double> { map { Double($0) } }
}

/// The samples that compute something.
let samples = operationSamples.filter { if case .input = $0.operation { false } else { true } }

let engine = Result { try Engine(threads: 2) }

@Suite("kernels are held to the definitions", .serialized)
struct OperationTests {
  @Test("every operation gives in training what its definition gives", arguments: samples)
  func trainingForward(_ sample: OperationSample) throws {
    let item = try OperationCase(sample)
    let plan = try engine.get().compile(item.network, batch: sample.batch, mode: .training())
    try plan.load(item.weights)
    try plan.setInput(item.input)
    plan.setRandom(seed: 7, step: 3)
    try plan.forward()
    let expected = try item.network.reference(
      item.input.doubles, weights: item.weights.mapValues(\.doubles), mode: .training(seed: 7, step: 3, lane: 0))
    // Sums of some thousands of products in single precision.
    #expect(worstError(try plan.logitsTensor(), expected) < 2e-5)
  }

  @Test("every operation gives in inference what its definition gives", arguments: samples)
  func inferenceForward(_ sample: OperationSample) throws {
    let item = try OperationCase(sample)
    let plan = try engine.get().compile(item.network, batch: sample.batch, mode: .inference)
    try plan.load(item.weights)
    try plan.setInput(item.input)
    try plan.forward()
    let expected = try item.network.reference(
      item.input.doubles, weights: item.weights.mapValues(\.doubles), mode: .inference)
    #expect(worstError(try plan.logitsTensor(), expected) < 2e-5)
  }

  /// The gradient of `Σ dy · y` along directions, against central differences of the definition in Double. A
  /// direction moves every element by its own random amount, so a wrong element shows in all of them.
  @Test("every gradient is the slope of the definition", arguments: samples)
  func gradients(_ sample: OperationSample) throws {
    let item = try OperationCase(sample)
    let plan = try engine.get().compile(item.network, batch: sample.batch, mode: .training(inputGradient: true))
    try plan.load(item.weights)
    try plan.setInput(item.input)
    plan.setRandom(seed: 7, step: 3)
    var random = RandomKey(seed: 3, for: .synthetic).generator()
    var dy = try Tensor(zeros: item.network.shape(of: item.network.output).batched(sample.batch))
    dy.withUnsafeMutableElements { for i in $0.indices { $0[i] = Float(random.normal()) } }
    try plan.forward()
    try plan.setLogitsGradient(dy)
    try plan.backward()

    let weights = item.weights.mapValues(\.doubles)
    func loss(_ input: NDArray<Double>, _ weights: [String: NDArray<Double>]) throws -> Double {
      let y = try item.network.reference(input, weights: weights, mode: .training(seed: 7, step: 3, lane: 0))
      return zip(y.elements, dy.elements).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
    func moved(_ array: NDArray<Double>, _ direction: [Double], by step: Double) -> NDArray<Double> {
      var result = array
      result.withUnsafeMutableElements { for i in $0.indices { $0[i] += step * direction[i] } }
      return result
    }
    let step = 1e-6
    var checked: [(name: String, found: Tensor, at: NDArray<Double>, loss: (NDArray<Double>) throws -> Double)] = []
    let inputGradient = try #require(try plan.inputGradient())
    checked.append(("input", inputGradient, item.input.doubles, { try loss($0, weights) }))
    for (name, gradient) in try plan.gradients() {
      checked.append(
        (name, gradient, weights[name]!, { try loss(item.input.doubles, weights.merging([name: $0]) { $1 }) }))
    }
    for (name, found, at, loss) in checked {
      #expect(found.shape == at.shape)
      for _ in 0..<3 {
        let direction = (0..<found.count).map { _ in random.normal() }
        let ahead = try loss(moved(at, direction, by: step))
        let behind = try loss(moved(at, direction, by: -step))
        let slope = (ahead - behind) / (2 * step)
        let terms = zip(found.elements, direction).map { Double($0) * $1 }
        let size = terms.reduce(0) { $0 + $1 * $1 }.squareRoot()
        // Rounding of each element in single precision, and what central differences leave.
        #expect(
          abs(terms.reduce(0, +) - slope) < 2e-5 * size + 1e-5 * abs(slope) + 1e-6,
          "\(name): \(terms.reduce(0, +)) against \(slope)")
      }
    }
  }
}
