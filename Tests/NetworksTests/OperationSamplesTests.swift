import Networks
import Tensors
import Testing

@Suite("operation samples") struct OperationSamplesTests {
  @Test("every operation's definition has the shape that its rule promises", arguments: operationSamples)
  func shape(_ sample: OperationSample) throws {
    let rules = sample.operation.rules
    let expected = try rules.outputShape(of: sample.inputs).batched(sample.batch)
    let inputs = try sample.inputs.enumerated().map { try noise($1.batched(sample.batch), seed: UInt64($0)) }
    let parameters = try rules.parameters(of: sample.inputs).enumerated().map { i, rule in
      let values = try noise(rule.shape, seed: UInt64(100 + i))
      return rule.role == .runningVariance ? values.map { 1 + abs($0) } : values
    }
    for mode in [ReferenceMode.inference, .training(seed: 7, step: 3, lane: 2)] {
      let y = rules.reference(inputs, parameters, mode)
      #expect(y.shape == expected)
      #expect(y.elements.allSatisfy { $0.isFinite })
    }
  }

  @Test("every operation has several samples, and each its own name") func coverage() {
    let titles = Dictionary(grouping: operationSamples, by: \.operation.title)
    for (title, samples) in titles where title != "input" { #expect(samples.count >= 2, "\(title)") }
    #expect(titles.count == 22)
    #expect(Set(operationSamples.map(\.name)).count == operationSamples.count)
  }
}

/// Numbers from a normal distribution.
func noise(_ shape: Shape, seed: UInt64) throws -> NDArray<Double> {
  var random = RandomKey(seed: seed, for: .synthetic).generator()
  return try NDArray((0..<shape.elementCount).map { _ in random.normal() }, shape: shape)
}
