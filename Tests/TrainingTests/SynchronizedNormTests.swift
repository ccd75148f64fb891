import Engine
import ModelZoo
import Networks
import Tensors
import Testing

private let engine = Result { try Engine(threads: 2) }

@Suite("batch norms that see other processes' samples")
struct SynchronizedNormTests {
  private func network() throws -> Network {
    try #require(ModelZoo.entry(named: "resnet20")).make(input: [3, 16, 16], classes: 4)
  }

  private func run(
    rows: Int, from numbers: [Float], _ reduction: NormReduction?
  ) throws -> (logits: [Float], gradients: Weights, weights: Weights) {
    let network = try network()
    let plan = try engine.get().compile(network, batch: rows, mode: .training(), normReduction: reduction)
    try plan.load(network.initialWeights(seed: 3))
    for i in plan.input.indices { plan.input[i] = numbers[i % numbers.count] }
    try plan.perform { execution in
      execution.forward()
      for i in plan.logitsGradient!.indices { plan.logitsGradient![i] = Float(i % 4 * (i / 4 % 4)) / 8 - 0.5 }
      execution.backward()
    }
    return (Array(plan.logits), try plan.gradients(), try plan.weights())
  }

  private func distance(_ a: [Float], _ b: [Float], factor: Float = 1) -> Float {
    let largest = max(b.map { abs($0) }.max() ?? 0, 1e-3)
    return (zip(a, b).map { abs($0 * factor - $1) }.max() ?? 0) / largest
  }

  @Test("two processes with the same samples give what one gives that has them twice")
  func twice() throws {
    var random = RandomKey(seed: 5, for: .synthetic).generator()
    let numbers = (0..<4 * 3 * 16 * 16).map { _ in Float(random.normal()) + 2 }
    let whole = try run(rows: 8, from: numbers, nil)
    var sums = 0
    let half = try run(
      rows: 4, from: numbers,
      NormReduction(processes: 2) { sum, count in
        sums += 1
        for i in 0..<count { sum[i] *= 2 }
      })
    let norms = try network().nodes.count { node in
      if case .batchNorm = try! network()[node].operation { true } else { false }
    }
    #expect(sums == 2 * norms)
    // Both round in float32, at other places.
    #expect(distance(half.logits, Array(whole.logits.prefix(16))) < 1e-5)
    for (name, gradient) in whole.gradients {
      #expect(distance(half.gradients[name]!.elements, gradient.elements, factor: 2) < 1e-3, "\(name)")
    }
    for (name, numbers) in whole.weights {
      #expect(distance(half.weights[name]!.elements, numbers.elements) < 1e-5, "\(name)")
    }
  }
}
