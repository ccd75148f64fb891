import Compression
import Datasets
import Engine
import ModelZoo
import Networks
import Tensors
import Testing
import Training

private let engine = Result { try Engine(threads: 2) }

@Suite("how many channels stay") struct CostModelTests {
  static let networks: [(String, @Sendable () throws -> Network)] = [
    ("resnet20", { try CIFARResNet(depth: 20).network(input: [3, 32, 32], classes: 10) }),
    ("resnet56", { try CIFARResNet(depth: 56).network(input: [3, 32, 32], classes: 10) }),
    ("resnet50", { try ResNet(.resnet50).network(input: [3, 224, 224], classes: 1000) }),
    ("mobilenetV1", { try MobileNetV1().network(input: [3, 224, 224], classes: 1000) }),
    ("mobilenetV1 of a quarter", { try MobileNetV1(width: 0.25).network(input: [3, 64, 64], classes: 10) }),
    ("vgg16", { try VGG(.vgg16, hasBatchNorm: true).network(input: [3, 64, 64], classes: 10) }),
  ]

  @Test(
    "the MACs that are asked for are met within one in a hundred where rounding allows, by shares as equal as it allows",
    arguments: networks.map(\.0), [1, 8])
  func budget(_ name: String, _ multiple: Int) throws {
    let network = try #require(Self.networks.first { $0.0 == name }).1()
    let groups = ChannelGroups(of: network)
    let cost = CostModel(of: network, groups)
    let rounding = ChannelRounding(multiple: multiple)
    let total = Double(cost.macs(cost.channels))
    let least = try #require(cost.counts(for: .channelsKept(0), in: groups.prunable, rounding))
    for removed in stride(from: 0.05, to: 0.95, by: 0.05) {
      let budget = (1 - removed) * total
      guard let counts = cost.counts(for: .macsKept(1 - removed), in: groups.prunable, rounding) else {
        #expect(Double(cost.macs(least)) > budget)
        continue
      }
      let kept = Double(cost.macs(counts))
      #expect(kept <= budget)
      // Near the fewest channels there may be no step left to take.
      let isAtEnd = zip(counts, least).allSatisfy { $0 <= $1 + multiple }
      #expect(isAtEnd || budget - kept <= 0.011 * total, "\(removed): \(kept / total), \(counts)")
      for group in counts.indices {
        #expect(counts[group] == cost.channels[group] || groups.prunable.contains(group) && counts[group] % multiple == 0)
        #expect((ChannelRounding.fewest...cost.channels[group]).contains(counts[group]))
      }
      // No group is more than two steps from the share of another.
      let shares = groups.prunable.map { (Double(counts[$0]) / Double(cost.channels[$0]), 2 * Double(multiple) / Double(cost.channels[$0])) }
      let highest = shares.map { $0.0 - $0.1 }.max() ?? 0
      #expect(shares.allSatisfy { $0.0 + $0.1 >= highest })
    }
    #expect(cost.counts(for: .macsKept(1), in: groups.prunable, rounding) == cost.channels)
  }
}

@Suite("pruning channels", .serialized) struct ChannelPrunerTests {
  func half(_ pruner: ChannelPruner) -> [Int] {
    CostModel(of: pruner.network, pruner.groups).counts(
      for: .channelsKept(0.5), in: pruner.groups.prunable, ChannelRounding(multiple: 1))!
  }

  @Test("nothing changes where all channels stay") func whole() throws {
    let pruner = try TrainedSample.shared.get().pruner()
    let (network, weights, kept) = try pruner.pruned(to: pruner.groups.groups.map(\.channels))
    #expect(kept.isEmpty && network == pruner.network && weights == pruner.weights)
  }

  @Test(
    "each way to choose keeps the number of channels that is asked for, and the same ones twice",
    arguments: PruningSettings.Selection.allCases, PruningSettings.Features.allCases)
  func counts(_ selection: PruningSettings.Selection, _ features: PruningSettings.Features) throws {
    let sample = try TrainedSample.shared.get()
    let pruner = try sample.pruner { ($0.selection, $0.features) = (selection, features) }
    let counts = half(pruner)
    let (network, weights, kept) = try pruner.pruned(to: counts)
    for group in pruner.groups.prunable where counts[group] < pruner.groups.groups[group].channels {
      #expect(kept[group]?.count == counts[group])
    }
    #expect(network.macs == CostModel(of: pruner.network, pruner.groups).macs(counts))
    _ = try network.checked(weights)
    let again = try sample.pruner { ($0.selection, $0.features) = (selection, features) }.pruned(to: counts)
    #expect(again.weights == weights && again.kept == kept)
  }

  @Test("the engine gives for the pruned network what it gives for the masked one") func masked() throws {
    let sample = try TrainedSample.shared.get()
    let pruner = try sample.pruner()
    let counts = half(pruner)
    let (network, small, _) = try pruner.pruned(to: counts)
    let (_, whole) = try pruner.masked(to: counts)
    let images = try sample.data.validation.tensor(sample.data.normalization)
    let evaluator = Evaluator(engine: try engine.get())
    let (a, b) = (
      try evaluator.predict(network, small, images), try evaluator.predict(sample.network, whole, images)
    )
    // The sums are in another order: float32's rounding through 27 layers.
    for (x, y) in zip(a.elements, b.elements) { #expect(abs(x - y) < 1e-4 * max(1, abs(y))) }
  }

  @Test("rows are what the layer's weights meet: they give the layer's outputs") func rows() throws {
    let sample = try TrainedSample.shared.get()
    let images = try sample.data.train.first(40).tensor(sample.data.normalization)
    let network = try CIFARResNet(depth: 8, shortcut: .projection).network(input: [1, 16, 16], classes: 4)
    let weights = try distinctWeights(network)
    let readers = Set(
      ChannelGroups(of: network).groups.flatMap(\.consumers).filter { network[$0].inputs[0] != network.input })
    let sampler = try FeatureSampler(
      network, readers: readers, images: images, points: 5, seed: 1, engine: engine.get())
    try sampler.load(weights)
    try sampler.forEachBatch { first in
      for reader in readers {
        let x = try sampler.inputs(of: reader, firstImage: first)
        let bias = network.parameters(of: reader).first { $0.rule.role == .bias }.map { weights[$0.name]! }
        let y = try sampler.outputs(of: reader, firstImage: first, bias: bias)
        let w = weights[network.parameters(of: reader)[0].name]!.elements.map(Double.init)
        let (columns, outputs) = (sampler.columns(of: reader), network.shape(of: reader)[0])
        let size = y.map(abs).max() ?? 1
        for row in stride(from: 0, to: y.count / outputs, by: 7) {
          for o in 0..<outputs {
            let sum = (0..<columns).reduce(0.0) { $0 + x[row * columns + $1] * w[o * columns + $1] }
            #expect(abs(sum - y[row * outputs + o]) < 1e-4 * size)
          }
        }
      }
    }
  }

  @Test("least squares keeps accuracy that bare masks lose, and does not add up errors") func reconstruction() throws {
    let sample = try TrainedSample.shared.get()
    func correct(_ change: @escaping (inout PruningSettings) -> Void) throws -> (correct: Int, loss: Double) {
      let pruner = try sample.pruner {
        $0.images = 600
        change(&$0)
      }
      let (network, weights, _) = try pruner.pruned(to: half(pruner))
      let evaluation = try sample.accuracy(network, weights)
      return (evaluation.correct, evaluation.loss)
    }
    let bare = try correct { $0.reconstructs = false }
    let shared = try correct { $0.features = .original }
    let pruned = try correct { $0.features = .pruned }
    #expect(shared.loss < bare.loss)
    #expect(pruned.loss < shared.loss)
    #expect(pruned.correct > bare.correct)
  }

  @Test(
    "concatenated channels, read twice by one layer, are chosen and fitted",
    arguments: PruningSettings.Features.allCases)
  func concatenated(_ features: PruningSettings.Features) throws {
    let make = ChannelGroupsTests.concatenated
    let network = try make([2, 8, 8])
    let data = try Dataset.synthetic(classes: 4, shape: [2, 8, 8], train: 60, validation: 8, noise: 0.2, seed: 1)
    var settings = PruningSettings()
    (settings.features, settings.images) = (features, 40)
    let pruner = try ChannelPruner(
      network, try distinctWeights(network), on: data.train, normalization: data.normalization, settings,
      engine: engine.get())
    let counts = CostModel(of: network, pruner.groups).counts(
      for: .channelsKept(0.6), in: pruner.groups.prunable, ChannelRounding(multiple: 1))!
    let (small, own, kept) = try pruner.pruned(to: counts)
    #expect(kept.count == 3 && small.parameterCount < network.parameterCount)
    _ = try small.checked(own)
  }

  @Test("networks with residual streams and with dense hidden layers are pruned too") func others() throws {
    let sample = try TrainedSample.shared.get()
    // At most 128 channels, since least squares cost their cube.
    let networks = try [
      CIFARResNet(depth: 8, shortcut: .projection).network(input: [1, 16, 16], classes: 4),
      ResNet(.resnet50, stem: .small).network(input: [1, 16, 16], classes: 4),
      VGG(.vgg11, hasBatchNorm: true, hiddenFeatures: 64).network(input: [1, 32, 32], classes: 4),
    ].map { network in
      let groups = ChannelGroups(of: network)
      let kept = groups.prunable.map { ($0, Array(0..<min(128, groups.groups[$0].channels))) }
      return try PruneChannels(keeping: Dictionary(uniqueKeysWithValues: kept), of: groups)(network, [:]).0
    }
    let large = try Dataset.synthetic(classes: 4, shape: [1, 32, 32], train: 40, validation: 20, noise: 0.2, seed: 1)
    for network in networks {
      let data = network.shape(of: network.input)[1] == 32 ? large : sample.data
      var settings = PruningSettings()
      (settings.images, settings.features) = (20, .original)
      let pruner = try ChannelPruner(
        network, try distinctWeights(network), on: data.train, normalization: data.normalization, settings,
        engine: engine.get())
      let cost = CostModel(of: network, pruner.groups)
      let counts = try #require(cost.counts(for: .macsKept(0.5), in: pruner.groups.prunable))
      let (small, weights, _) = try pruner.pruned(to: counts)
      #expect(Double(small.macs) <= 0.5 * Double(network.macs))
      let result = try Evaluator(engine: engine.get()).evaluate(
        small, weights, on: data.validation, normalization: data.normalization)
      #expect(result.loss.isFinite)
    }
  }
}
