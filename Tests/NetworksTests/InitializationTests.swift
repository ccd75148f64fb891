import Networks
import Tensors
import Testing

@Suite("initial weights") struct InitializationTests {
  private func network(
    _ initialization: Initialization = Initialization(), extraLayer: Bool = false
  ) throws -> Network {
    var network = Network("n", input: [16, 8, 8], initialization: initialization)
    let convolution = Convolution(to: 64, Window(kernel: 3, padding: 1), groups: 4, hasBias: true)
    try network.append(.convolution(convolution), to: network.input, named: "conv")
    try network.append(.batchNorm(BatchNorm()), to: network.output, named: "bn")
    try network.append(.flatten(Flatten()), to: network.output)
    if extraLayer { try network.append(.dense(Dense(to: 4096)), to: network.output, named: "extra") }
    try network.append(.dense(Dense(to: 20)), to: network.output, named: "fc")
    return network
  }

  private func moments(_ tensor: Tensor?) throws -> (mean: Double, std: Double, largest: Double) {
    let x = try #require(tensor).elements.map(Double.init)
    let mean = x.reduce(0, +) / Double(x.count)
    let squares = x.map { ($0 - mean) * ($0 - mean) }
    let variance = squares.reduce(0, +) / Double(x.count)
    return (mean, variance.squareRoot(), x.map(abs).max() ?? 0)
  }

  @Test(
    "a large tensor, which all cores fill, holds one stream of draws",
    arguments: [.normal(std: 1), .glorotUniform] as [Initialization.Distribution])
  func stream(_ distribution: Initialization.Distribution) throws {
    let (fanIn, fanOut) = (16 * 64, 150)
    var network = Network("n", input: [16, 8, 8], initialization: Initialization(dense: distribution))
    try network.append(.flatten(Flatten()), to: network.input)
    try network.append(.dense(Dense(to: fanOut)), to: network.output, named: "fc")
    let found = try #require(try network.initialWeights(seed: 5)["fc.weight"]).elements
    #expect(found.count > 2 << 16)
    var random = RandomKey(seed: 5, for: .initialization, sample: 0).generator()
    let bound = (6 / Double(fanIn + fanOut)).squareRoot()
    let expected = found.map { _ in
      distribution == .glorotUniform ? Float((2 * random.uniformDouble() - 1) * bound) : Float(random.normal())
    }
    #expect(found == expected)
  }

  /// Fan in of the convolution is 4 · 9, fan out 16 · 9; of the dense layer 4096 and 20.
  @Test(
    "distributions have their std",
    arguments: [
      (.kaimingFanOut, (2.0 / 144).squareRoot(), nil), (.kaimingFanIn, (2.0 / 36).squareRoot(), nil),
      (.glorotUniform, (2.0 / 180).squareRoot(), (6.0 / 180).squareRoot()),
      (.uniformFanIn, (1.0 / 36 / 3).squareRoot(), (1.0 / 36).squareRoot()),
      (.normal(std: 0.01), 0.01, nil),
    ] as [(Initialization.Distribution, Double, Double?)])
  func std(_ distribution: Initialization.Distribution, _ std: Double, _ bound: Double?) throws {
    let weights = try network(Initialization(convolution: distribution)).initialWeights(seed: 3)
    let found = try moments(weights["conv.weight"])
    // 2304 numbers: four standard errors of a mean are 8.3 % of a std, of a normal's std 5.9 %.
    #expect(abs(found.mean) < 0.084 * std)
    #expect(abs(found.std / std - 1) < 0.06)
    if let bound { #expect(found.largest <= bound * (1 + 1e-6) && found.largest > 0.98 * bound) }
  }

  @Test("biases are uniform in ±1/√fan in, or zero on request") func biases() throws {
    let found = try moments(try network().initialWeights(seed: 3)["conv.bias"])
    #expect(found.largest <= 1 / 6 && found.std > 0.05)
    let zero = try network(Initialization(biasesAreZero: true)).initialWeights(seed: 3)
    #expect(zero["conv.bias"]?.elements.allSatisfy { $0 == 0 } == true)
  }

  @Test("batch norms start as the identity") func batchNorm() throws {
    let weights = try network().initialWeights(seed: 3)
    for (name, value) in [("weight", Float(1)), ("bias", 0), ("running_mean", 0), ("running_var", 1)] {
      #expect(weights["bn.\(name)"]?.elements.allSatisfy { $0 == value } == true, "\(name)")
    }
  }

  @Test("a seed gives the same weights again, another seed others") func seeds() throws {
    let network = try network()
    #expect(try network.initialWeights(seed: 1) == network.initialWeights(seed: 1))
    #expect(try network.initialWeights(seed: 1)["fc.weight"] != network.initialWeights(seed: 2)["fc.weight"])
  }

  @Test("one more layer moves only those after it") func independence() throws {
    let without = try network().initialWeights(seed: 1)
    let with = try network(extraLayer: true).initialWeights(seed: 1)
    for name in ["conv.weight", "conv.bias"] { #expect(without[name] == with[name]) }
    #expect(without["fc.bias"] != with["fc.bias"])
  }
}
