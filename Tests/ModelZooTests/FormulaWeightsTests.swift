import Foundation
import Networks
import Tensors
import Testing

@Suite("formula weights") struct FormulaWeightsTests {
  struct Recorded: Decodable {
    struct Array: Decodable {
      var name: String
      var shape: [Int]
      var first: [Double]
      var last: Double
      var places: [Int]
    }
    var arrays: [Array]
    var input: [Double]
  }

  @Test("the formula gives the bits that Python makes of it") func sameBits() throws {
    let recorded = try JSONDecoder().decode(Recorded.self, from: Golden.data("numerics/formula.json"))
    let roles: [String: ParameterRule.Role] = [
      "bn1.weight": .scale, "bn1.running_mean": .runningMean, "bn1.running_var": .runningVariance, "fc.bias": .bias,
    ]
    for array in recorded.arrays {
      let shape = Shape(array.shape)
      let tensor = try FormulaWeights.parameter(
        array.name, ParameterRule("", shape, roles[array.name] ?? .weight))
      #expect(tensor.elements.prefix(8).map(Double.init) == array.first, "\(array.name)")
      #expect(Double(tensor[flat: tensor.count - 1]) == array.last, "\(array.name)")
      #expect(Array(FormulaWeights.places(of: array.name, count: shape.elementCount).prefix(8)) == array.places)
    }
    #expect(try FormulaWeights.batch(1, of: [8]).elements.map(Double.init) == recorded.input)
  }

  @Test("each golden of numerics fits its network", arguments: NumericsGolden.models)
  func goldensFit(_ model: String) throws {
    let golden = try NumericsGolden(model)
    let network = try golden.network()
    // A transformer's stand in another order in timm.
    let trainable = network.parameters.filter(\.rule.isTrainable).sorted { $0.name < $1.name }
    let gradients = golden.gradients.sorted { $0.name < $1.name }
    #expect(gradients.map(\.name) == trainable.map(\.name))
    #expect(gradients.map(\.shape) == trainable.map(\.rule.shape.extents))
    #expect(golden.training.count == golden.batch * golden.classes)
    #expect(golden.inference.count == golden.batch * golden.classes)
  }

  @Test("the definitions give PyTorch's logits, loss and running statistics for ResNet-20") func resnet20() throws {
    let golden = try NumericsGolden("resnet20")
    let network = try golden.network()
    let weights = try FormulaWeights.weights(for: network).mapValues { $0.map(Double.init) }
    let batch = try FormulaWeights.batch(golden.batch, of: network.shape(of: network.input)).map(Double.init)

    // Both sides are float64 and differ in the order of sums; batch norm's epsilon is kept in float32 here.
    let inference = network.reference(batch, weights: weights)
    #expect(relativeDistance(inference.elements, golden.inference) < 1e-11)

    let outputs = network.referenceActivations(batch, weights: weights, mode: .training(seed: 1, step: 0, lane: 0))
    let training = try #require(outputs.last).elements
    #expect(relativeDistance(training, golden.training) < 1e-11)

    let labels = FormulaWeights.labels(golden.batch, classes: golden.classes)
    let losses = labels.enumerated().map { n, label in
      let logits = training[n * golden.classes..<(n + 1) * golden.classes]
      return log(logits.reduce(0) { $0 + exp($1) }) - logits[logits.startIndex + label]
    }
    #expect(abs(losses.reduce(0, +) / Double(golden.batch) - golden.loss) < 1e-11)

    for node in network.nodes {
      guard case .batchNorm(let norm) = network[node].operation else { continue }
      let name = network[node].name
      let moved = norm.movedStatistics(
        mean: try #require(weights["\(name).running_mean"]), variance: try #require(weights["\(name).running_var"]),
        by: outputs[network[node].inputs[0].index])
      for (kind, values) in [("mean", moved.mean), ("var", moved.variance)] {
        guard let recorded = golden.statistics.first(where: { $0.name == "\(name).running_\(kind)" }) else { continue }
        let places = FormulaWeights.places(of: recorded.name, count: values.count)
        // momentum is float32's 0.1 here, 1.5e-8 from PyTorch's.
        #expect(relativeDistance(places.map { values[flat: $0] }, recorded.samples) < 1e-7, "\(recorded.name)")
      }
    }
  }
}
