import ModelZoo
import Networks
import Tensors
import Testing

struct PublishedCount: Sendable, CustomStringConvertible {
  var name: String
  var options: [String: ZooValue] = [:]
  var parameters: Int
  /// Nil where only billions to three places are published.
  var macs: Int?
  var billions: Double?
  var description: String { "\(name) \(options)" }
}

/// Parameters: torchvision 0.29.2, `sum(p.numel())`. Billions: its `weights.meta["_ops"]`. The exact MACs of
/// ResNet-50, MobileNet-v1, VGG-16 and BEiT and the widths of MobileNet-v1 are worked out from the papers' tables.
let publishedCounts = [
  PublishedCount(name: "resnet18", parameters: 11_689_512, billions: 1.814),
  PublishedCount(name: "resnet34", parameters: 21_797_672, billions: 3.664),
  PublishedCount(name: "resnet50", parameters: 25_557_032, macs: 4_089_184_256, billions: 4.089),
  PublishedCount(
    name: "resnet50", options: ["version": .choice("v1")], parameters: 25_557_032, macs: 3_857_973_248),
  PublishedCount(name: "resnet101", parameters: 44_549_160, billions: 7.801),
  PublishedCount(name: "resnet152", parameters: 60_192_808, billions: 11.514),
  PublishedCount(name: "resnext50", parameters: 25_028_904, billions: 4.23),
  PublishedCount(name: "resnet50D", parameters: 25_576_264),
  PublishedCount(name: "mobilenetV1", parameters: 4_231_976, macs: 568_740_352),
  PublishedCount(name: "mobilenetV1", options: ["width": .number(0.75)], parameters: 2_585_560, billions: 0.325),
  PublishedCount(name: "mobilenetV1", options: ["width": .number(0.5)], parameters: 1_331_592, billions: 0.149),
  PublishedCount(name: "mobilenetV1", options: ["width": .number(0.25)], parameters: 470_072, billions: 0.041),
  PublishedCount(name: "vgg11", parameters: 132_863_336, billions: 7.609),
  PublishedCount(name: "vgg13", parameters: 133_047_848, billions: 11.308),
  PublishedCount(name: "vgg16", parameters: 138_357_544, macs: 15_470_264_320, billions: 15.47),
  PublishedCount(name: "vgg19", parameters: 143_667_240, billions: 19.632),
  PublishedCount(name: "beitB16", parameters: 86_530_984, macs: 17_563_828_224),
  PublishedCount(name: "vgg11BN", parameters: 132_868_840, billions: 7.609),
  PublishedCount(name: "vgg13BN", parameters: 133_053_736, billions: 11.308),
  PublishedCount(name: "vgg16BN", parameters: 138_365_992, billions: 15.47),
  PublishedCount(name: "vgg19BN", parameters: 143_678_248, billions: 19.632),
]

@Suite("counts") struct CountTests {
  @Test("parameters and MACs are the published ones", arguments: publishedCounts)
  func published(_ count: PublishedCount) throws {
    let entry = try #require(ModelZoo.entry(named: count.name))
    let network = try entry.make(input: entry.input, classes: entry.classes, options: count.options)
    #expect(network.parameterCount == count.parameters)
    if let exact = count.macs { #expect(network.macs == exact) }
    if let billions = count.billions { #expect(abs(Double(network.macs) / 1e9 - billions) < 0.00051) }
  }

  /// torchvision 0.29.2, without the parameters under `downsample`; by section 4.1 a plain network has as many
  /// MACs as the residual one but for those.
  @Test("a plain network has all but the projections", arguments: [(18, 11_515_688), (34, 21_623_848), (50, 22_780_456)])
  func plain(_ depth: Int, _ parameters: Int) throws {
    let depth = try #require(ResNet.Depth(rawValue: depth))
    let plain = try ResNet(depth, shortcut: .none).network(input: [3, 224, 224], classes: 1000)
    #expect(plain.parameterCount == parameters && plain.name == "plain\(depth.rawValue)")
    #expect(!plain.layers.contains { $0.operation == .add(Add()) })
    let small = try CIFARResNet(depth: 20, shortcut: .none).network(input: [3, 32, 32], classes: 10)
    #expect(small.parameterCount == 269_722 && small.name == "plain20")
  }

  @Test("without batch norms a convolution has a bias for the norm's shift, and nothing for its scale")
  func withoutBatchNorm() throws {
    for shortcut in ResNet.Shortcut.allCases {
      let (with, without) = try (
        ResNet(.resnet18, shortcut: shortcut).network(input: [3, 224, 224], classes: 10),
        ResNet(.resnet18, shortcut: shortcut, hasBatchNorm: false).network(input: [3, 224, 224], classes: 10)
      )
      let channels = with.layers.filter { if case .convolution = $0.operation { true } else { false } }
        .reduce(0) { $0 + $1.shape[0] }
      #expect(with.parameterCount - without.parameterCount == channels)
      #expect(without.layers.allSatisfy { if case .batchNorm = $0.operation { false } else { true } })
    }
  }

  @Test("what needs a shortcut or a norm is refused without it")
  func plainRefused() throws {
    #expect(throws: ShapeError.self) {
      try ResNet(.resnet18, shortcut: .none, dropPath: 0.1).network(input: [3, 224, 224], classes: 10)
    }
    #expect(throws: ShapeError.self) {
      try CIFARResNet(depth: 8, shortcut: .none, zeroInitResidual: true).network(input: [3, 32, 32], classes: 10)
    }
    #expect(throws: ShapeError.self) {
      try ResNet(.resnet50, hasBatchNorm: false, zeroInitResidual: true).network(input: [3, 224, 224], classes: 10)
    }
  }

  /// Table 6 of He et al. 2015 prints 0.27 M, 0.46 M and 0.85 M for 20, 32 and 56 layers.
  @Test(
    "the small ResNets have the paper's parameters with padded shortcuts, and 2,752 more with projections",
    arguments: [(20, 269_722), (32, 464_154), (56, 853_018)])
  func small(_ depth: Int, _ parameters: Int) throws {
    let padded = try CIFARResNet(depth: depth).network(input: [3, 32, 32], classes: 10)
    #expect(padded.parameterCount == parameters)
    let projected = try CIFARResNet(depth: depth, shortcut: .projection).network(input: [3, 32, 32], classes: 10)
    #expect(projected.parameterCount == parameters + 2752)
  }

  /// Howard et al. 2017, Table 7. The paper rounds 568.7 and 185.8 up and 290.5 down, so to a million.
  @Test(
    "the MACs of MobileNet-v1 follow the resolution",
    arguments: [(224, 569), (192, 418), (160, 290), (128, 186)])
  func resolution(_ side: Int, _ millions: Int) throws {
    let network = try MobileNetV1().network(input: [3, side, side], classes: 1000)
    #expect(abs(Double(network.macs) / 1e6 - Double(millions)) < 1)
  }

  @Test(
    "widths of MobileNet-v1 cost what the paper says",
    arguments: [(1, 568.74), (0.75, 325.40), (0.5, 149.50), (0.25, 41.03)])
  func width(_ width: Double, _ millions: Double) throws {
    let network = try MobileNetV1(width: width).network(input: [3, 224, 224], classes: 1000)
    #expect(abs(Double(network.macs) / 1e6 - millions) < 0.00501)
  }
}
