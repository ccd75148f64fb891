import Networks
import Tensors
import Testing

@Suite("folding batch norms") struct FoldBatchNormTests {
  /// A network with every neighbourhood that the pass has to tell apart.
  private func network() throws -> Network {
    func convolution(_ channels: Int, groups: Int = 1, hasBias: Bool = false) -> Networks.Operation {
      .convolution(Convolution(to: channels, Window(kernel: 3, padding: 1), groups: groups, hasBias: hasBias))
    }
    var network = Network("folds", input: [3, 6, 6])
    var x = try network.append(.batchNorm(BatchNorm()), to: network.input, named: "norm of the input")
    x = try network.append(convolution(8), to: x, named: "plain")
    x = try network.append(.batchNorm(BatchNorm()), to: x, named: "plain norm")
    x = try network.append(convolution(8, groups: 8, hasBias: true), to: x, named: "depthwise with bias")
    x = try network.append(.batchNorm(BatchNorm(epsilon: 1e-3)), to: x, named: "depthwise norm")
    x = try network.append(convolution(8), to: x, named: "first of a chain")
    x = try network.append(convolution(8, hasBias: true), to: x, named: "second of a chain")
    x = try network.append(.relu(ReLU()), to: x, named: "relu")
    x = try network.append(.batchNorm(BatchNorm()), to: x, named: "norm after relu")
    let shared = try network.append(convolution(8), to: x, named: "read twice")
    let normed = try network.append(.batchNorm(BatchNorm()), to: shared, named: "norm of a shared")
    x = try network.append(.add(Add()), to: shared, normed, named: "sum")
    x = try network.append(convolution(5), to: x, named: "last")
    x = try network.append(.batchNorm(BatchNorm()), to: x, named: "norm after norm's input")
    try network.append(.batchNorm(BatchNorm()), to: x, named: "norm after norm")
    return network
  }

  private func weights(of network: Network) throws -> Weights {
    var weights = Weights()
    for (i, (name, rule)) in network.parameters.enumerated() {
      let values = try noise(rule.shape, seed: UInt64(i))
      weights[name] = values.map { Float(rule.role == .runningVariance ? 0.5 + $0 * $0 : 0.5 * $0) }
    }
    return weights
  }

  @Test("the folded network computes what the network does") func keepsValues() throws {
    let network = try network()
    let weights = try weights(of: network)
    let (folded, foldedWeights) = try FoldBatchNorm()(network, weights)
    #expect(try folded.checked(foldedWeights) == foldedWeights)

    let batch = try noise([2, 3, 6, 6], seed: 99)
    let before = network.reference(batch, weights: weights.mapValues { $0.map(Double.init) }).elements
    let after = folded.reference(batch, weights: foldedWeights.mapValues { $0.map(Double.init) }).elements
    // Folded weights are rounded to float32 once: 6e-8 of each.
    let largest = before.map(abs).max() ?? 0
    #expect(zip(before, after).allSatisfy { abs($0 - $1) < 1e-6 * largest })
  }

  @Test("only a batch norm that alone reads a convolution goes") func remaining() throws {
    let network = try network()
    let (folded, _) = try FoldBatchNorm()(network, try weights(of: network))
    let gone = Set(network.layers.map(\.name)).subtracting(folded.layers.map(\.name))
    #expect(gone == ["plain norm", "depthwise norm", "norm after norm's input"])
    for layer in folded.layers {
      guard case .convolution(let convolution) = layer.operation else { continue }
      #expect(convolution.hasBias == !["first of a chain", "read twice"].contains(layer.name), "\(layer.name)")
    }
  }

  @Test("a network without batch norms stays as it is") func nothingToFold() throws {
    var network = Network("n", input: [3, 6, 6])
    try network.append(.relu(ReLU()), to: network.input, named: "relu")
    let (folded, weights) = try FoldBatchNorm()(network, [:])
    #expect(folded == network && weights.isEmpty)
  }
}
