import Networks
import Tensors
import Testing

@Suite("weights against a network") struct WeightErrorTests {
  private func network() throws -> Network {
    var network = Network("n", input: [4])
    for i in 1...3 { try network.append(.dense(Dense(to: 4)), to: network.output, named: "fc\(i)") }
    return network
  }

  @Test("weights that fit come back without PyTorch's counters") func fitting() throws {
    let network = try network()
    let weights = try network.initialWeights(seed: 1)
    var counted = weights
    counted["bn1.num_batches_tracked"] = try Tensor(zeros: [])
    #expect(try network.checked(counted) == weights)
  }

  @Test("missing weights are named") func missing() throws {
    let network = try network()
    var weights = try network.initialWeights(seed: 1)
    weights["fc2.bias"] = nil
    let error = #expect(throws: WeightError.missing(["fc2.bias"])) { try network.checked(weights) }
    #expect(error?.description == "the file lacks the weights 'fc2.bias'")
    #expect(
      WeightError.missing(["d", "b", "c", "a", "e"]).description == "the file lacks the weights 'a', 'b', 'c' and 2 more")
  }

  @Test("weights without a place are named") func extra() throws {
    let network = try network()
    var weights = try network.initialWeights(seed: 1)
    weights["head.weight"] = try Tensor(zeros: [1])
    let error = #expect(throws: WeightError.extra(["head.weight"])) { try network.checked(weights) }
    #expect(error?.description == "the network has no parameters 'head.weight'")
  }

  @Test("a wrong shape is shown beside the right one") func wrongShape() throws {
    let network = try network()
    var weights = try network.initialWeights(seed: 1)
    weights["fc1.weight"] = try Tensor(zeros: [4, 5])
    let error = #expect(throws: WeightError.self) { try network.checked(weights) }
    #expect(error?.description == "'fc1.weight' has the shape 4 x 5, the network needs 4 x 4")
  }
}
