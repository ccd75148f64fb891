import Compression
import ModelZoo
import Networks
import Tensors
import Testing

/// Weights in which no channel is like another, and none is without effect.
func distinctWeights(_ network: Network, seed: UInt64 = 3) throws -> Weights {
  var weights = try network.initialWeights(seed: seed)
  for (position, parameter) in network.parameters.enumerated() where parameter.rule.role != .weight {
    var random = RandomKey(seed: seed, for: .synthetic, sample: position).generator()
    weights[parameter.name]!.withUnsafeMutableElements { for i in $0.indices { $0[i] = 0.5 + random.uniform() } }
  }
  return weights
}

@Suite("channels that live and die together") struct ChannelGroupsTests {
  func group(_ name: String, in network: Network) -> ChannelGroups.Group? {
    ChannelGroups(of: network).groups.first { $0.name == name }
  }
  func names(_ nodes: [Network.Node], in network: Network) -> [String] { nodes.map { network[$0].name } }

  @Test("a pointwise convolution's channels go through the depthwise one to the next pointwise one")
  func mobileNet() throws {
    let network = try MobileNetV1().network(input: [3, 224, 224], classes: 1000)
    let groups = ChannelGroups(of: network)
    #expect(
      groups.prunable.map { groups.groups[$0].channels } == [
        32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024,
      ])
    let stem = groups.groups[groups.prunable[0]]
    #expect(names(stem.producers, in: network) == ["conv_stem"])
    #expect(names(stem.consumers, in: network) == ["blocks.0.0.conv_pw"])
    let last = groups.groups[groups.prunable[13]]
    #expect(names(last.consumers, in: network) == ["classifier"])
  }

  @Test("additions tie the channels of a stage of residual blocks") func residual() throws {
    let network = try ResNet(.resnet50).network(input: [3, 224, 224], classes: 1000)
    let groups = ChannelGroups(of: network)
    // Two within each of the 16 blocks, the stem's, and one for each of the four stages.
    #expect(groups.prunable.count == 2 * 16 + 1 + 4)
    let stream = try #require(groups.groups.first { $0.producers.count == 4 && $0.channels == 256 })
    #expect(
      Set(names(stream.producers, in: network)) == [
        "layer1.0.conv3", "layer1.0.downsample.0", "layer1.1.conv3", "layer1.2.conv3",
      ])
    #expect(
      Set(names(stream.consumers, in: network)) == [
        "layer1.1.conv1", "layer1.2.conv1", "layer2.0.conv1", "layer2.0.downsample.0",
      ])
  }

  @Test("a dense layer behind a flatten reads several features of a channel") func flattened() throws {
    let network = try VGG(.vgg11, hasBatchNorm: true, hiddenFeatures: 32).network(input: [3, 64, 64], classes: 10)
    let groups = ChannelGroups(of: network)
    let last = try #require(
      groups.prunable.first { names(groups.groups[$0].consumers, in: network).contains("classifier.0") })
    let dense = try #require(groups.groups[last].consumers.first)
    let places = groups.places(of: last, in: network[dense].inputs[0])
    #expect(places.count == 512 && places[1].count > 1 && places[1].first == places[0].count)
  }

  @Test("streams that are padded with zeros, and tokens, are left whole") func pinned() throws {
    let padded = try CIFARResNet(depth: 8).network(input: [3, 16, 16], classes: 10)
    #expect(group("conv1", in: padded)?.isPrunable == false)
    #expect(group("layer1.0.conv1", in: padded)?.isPrunable == true)
    let transformer = try BEiT().network(input: [3, 224, 224], classes: 10)
    #expect(ChannelGroups(of: transformer).prunable.isEmpty)
  }

  @Test(
    "every network of the zoo can be narrowed, and costs what the model of its costs says",
    arguments: ModelZoo.all.map(\.name))
  func zoo(_ name: String) throws {
    let entry = try #require(ModelZoo.entry(named: name))
    let network = try entry.make(input: entry.input, classes: 10)
    let groups = ChannelGroups(of: network)
    let cost = CostModel(of: network, groups)
    #expect(cost.macs(cost.channels) == network.macs)
    #expect(cost.parameters(cost.channels) == network.parameterCount)
    var counts = cost.channels
    for (place, group) in groups.prunable.enumerated() { counts[group] = max(1, counts[group] * (place % 3 + 1) / 4) }
    let kept = Dictionary(uniqueKeysWithValues: groups.prunable.map { ($0, counts[$0]) })
    let narrow = try network.narrowed(to: kept, of: groups)
    #expect(narrow.macs == cost.macs(counts))
    #expect(narrow.parameterCount == cost.parameters(counts))
    #expect(groups.prunable.isEmpty == (narrow.parameterCount == network.parameterCount))
  }

  @Test("AMC's published list of channels costs 293.9 million MACs and has 2.408 million parameters")
  func amc() throws {
    let network = try MobileNetV1().network(input: [3, 224, 224], classes: 1000)
    let groups = ChannelGroups(of: network)
    let list = [24, 48, 96, 80, 192, 200, 328, 352, 368, 360, 328, 400, 736, 752]
    let narrow = try network.narrowed(to: Dictionary(uniqueKeysWithValues: zip(groups.prunable, list)), of: groups)
    #expect(abs(Double(narrow.macs) / 1e6 - 293.9) < 0.05)
    #expect(abs(Double(narrow.parameterCount) / 1e6 - 2.408) < 0.0005)
  }

  /// Two layers' channels one after the other, the first's twice.
  static func concatenated(_ input: Shape) throws -> Network {
    var network = Network("concatenated", input: input)
    let a = try network.append(
      .convolution(Convolution(to: 5, Window(kernel: 3, padding: 1))), to: network.input, named: "a")
    let b = try network.append(.convolution(Convolution(to: 4, Window(kernel: 1))), to: network.input, named: "b")
    let joined = try network.append(.concatenation(Concatenation()), to: [a, b, a], named: "joined")
    let c = try network.append(.convolution(Convolution(to: 6, Window(kernel: 3, stride: 2))), to: joined, named: "c")
    let flat = try network.append(.flatten(Flatten()), to: c, named: "flat")
    try network.append(.dense(Dense(to: 4)), to: flat, named: "d")
    return network
  }

  static let small: [String: @Sendable () throws -> Network] = [
    "padded shortcuts": { try CIFARResNet(depth: 8).network(input: [1, 12, 12], classes: 4) },
    "projections": { try CIFARResNet(depth: 8, shortcut: .projection).network(input: [1, 12, 12], classes: 4) },
    "without batch norms": {
      try CIFARResNet(depth: 8, shortcut: .none, hasBatchNorm: false).network(input: [1, 12, 12], classes: 4)
    },
    "depthwise": { try MobileNetV1(width: 0.05).network(input: [1, 16, 16], classes: 4) },
    "concatenated": { try concatenated([2, 6, 6]) },
  ]

  @Test(
    "a pruned network gives what the whole one gives with zeros for weights, to the bit", arguments: small.keys.sorted()
  )
  func masked(_ name: String) throws {
    let make = try #require(Self.small[name])
    let network = try make()
    let weights = try distinctWeights(network)
    let groups = ChannelGroups(of: network)
    #expect(!groups.prunable.isEmpty)
    var kept: [Int: [Int]] = [:]
    var zeroed = weights
    for (place, group) in groups.prunable.enumerated() {
      let channels = groups.groups[group].channels
      // Another selection for each group, never all.
      let stays = (0..<channels).filter { ($0 + place) % 3 != 0 }
      guard !stays.isEmpty else { continue }
      kept[group] = stays
      for reader in groups.groups[group].consumers {
        let name = network.parameters(of: reader)[0].name
        let columns = groups.places(of: group, in: network[reader].inputs[0])
        let (all, inner) = (zeroed[name]!.shape[1], zeroed[name]!.shape.extents.dropFirst(2).reduce(1, *))
        zeroed[name]!.withUnsafeMutableElements { w in
          for channel in 0..<channels where !stays.contains(channel) {
            for column in columns[channel] {
              for row in 0..<w.count / (all * inner) {
                for i in 0..<inner { w[(row * all + column) * inner + i] = 0 }
              }
            }
          }
        }
      }
    }
    let (small, smallWeights) = try PruneChannels(keeping: kept, of: groups)(network, weights)
    #expect(small.parameterCount < network.parameterCount)
    _ = try small.checked(smallWeights)
    var random = RandomKey(seed: 9, for: .synthetic).generator()
    let shape = network.shape(of: network.input).batched(2)
    let batch = try NDArray<Double>((0..<shape.elementCount).map { _ in random.normal() }, shape: shape)
    let whole = network.reference(batch, weights: zeroed.mapValues { $0.map(Double.init) })
    #expect(small.reference(batch, weights: smallWeights.mapValues { $0.map(Double.init) }) == whole)
  }
}
