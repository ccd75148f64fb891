import ModelZoo
import Networks
import Tensors
import Testing

@Suite("the zoo") struct ZooTests {
  @Test("every network prints as its file says", arguments: ModelZoo.all.map(\.name))
  func table(_ name: String) throws {
    let entry = try #require(ModelZoo.entry(named: name))
    let network = try entry.make(input: entry.input, classes: entry.classes)
    try Golden.expect("\(network)\n\n\(network.table)", equals: "tables/\(name).txt")
  }

  @Test("names in the catalogue are unique, and every entry is documented") func catalogue() {
    #expect(Set(ModelZoo.all.map(\.name)).count == ModelZoo.all.count)
    for entry in ModelZoo.all {
      #expect(entry.documentation.hasSuffix(".") && !entry.source.isEmpty)
      for option in entry.options { #expect(option.documentation.hasSuffix(".") && option.allows(option.standard)) }
    }
  }

  /// torchvision 0.29.2 and timm 1.0.31; names and shapes in the order of `state_dict()`, without the counters.
  @Test(
    "parameters have the names, shapes and order of torchvision and timm",
    arguments: [
      ("resnet18", "resnet18"), ("resnet34", "resnet34"), ("resnet50", "resnet50"), ("resnet101", "resnet101"),
      ("resnet152", "resnet152"), ("resnext50", "resnext50"), ("resnet50D", "resnet50D"), ("resnet20", "resnet20"), ("mobilenetV1", "mobilenetv1_100"), ("vgg11", "vgg11"),
      ("vgg13", "vgg13"), ("vgg16", "vgg16"), ("vgg19", "vgg19"), ("vgg11BN", "vgg11_bn"), ("vgg13BN", "vgg13_bn"),
      ("vgg16BN", "vgg16_bn"), ("vgg19BN", "vgg19_bn"),
    ])
  func keys(_ name: String, _ file: String) throws {
    let entry = try #require(ModelZoo.entry(named: name))
    try expectKeys(of: try entry.make(input: entry.input, classes: entry.classes), file)
  }

  @Test("the vision transformer has timm's names and shapes, and what timm works out from the shape is passed over")
  func transformerKeys() throws {
    var weights = Weights()
    for line in try keyLines("beit_base_patch16_224") {
      let words = line.split(separator: " ")
      weights[String(words[0])] = try Tensor(zeros: Shape(words.dropFirst().compactMap { Int($0) }))
    }
    weights["blocks.0.attn.relative_position_index"] = try Tensor(zeros: [197, 197])
    let network = try BEiT().network(input: [3, 224, 224], classes: 1000)
    #expect(try network.checked(weights).count == network.parameters.count)
  }

  @Test("MobileNet-v1 at half width rounds its channels as timm does") func roundedKeys() throws {
    try expectKeys(of: try MobileNetV1(width: 0.5).network(input: [3, 224, 224], classes: 1000), "mobilenetv1_050")
  }

  @Test("timm's VGG weights fit after renaming") func timmVGG() throws {
    var weights = Weights()
    for line in try keyLines("timm-vgg11_bn") {
      let words = line.split(separator: " ")
      let shape = Shape(words.dropFirst().compactMap { Int($0) })
      weights[String(words[0])] = try Tensor(zeros: shape)
    }
    weights["pre_logits.fc1.weight"]?[flat: 25_088 + 7] = 3
    let network = try VGG(.vgg11, hasBatchNorm: true).network(input: [3, 224, 224], classes: 1000)
    let renamed = try network.checked(ModelZoo.inOurNames(weights))
    #expect(renamed["classifier.0.weight"]?[flat: 25_088 + 7] == 3)
    #expect(throws: WeightError.self) { try network.checked(weights) }
  }

  @Test("torchvision's names stay as they are") func torchvisionNames() throws {
    let weights = ["fc.weight": try Tensor(zeros: [2, 3])]
    #expect(ModelZoo.inOurNames(weights) == weights)
  }

  @Test(
    "every network takes images of 28 pixels, in one channel, for any number of classes, unless it cuts patches",
    arguments: ModelZoo.all.map(\.name).filter { $0 != "beitB16" })
  func smallImages(_ name: String) throws {
    let entry = try #require(ModelZoo.entry(named: name))
    let network = try entry.make(input: [1, 28, 28], classes: 7)
    #expect(network.shape(of: network.output) == [7])
  }

  @Test("the features of images of 28 pixels") func smallFeatures() throws {
    func features(_ network: Network, before name: String) throws -> Shape {
      network.inputShapes(of: try #require(network.nodes.first { network[$0].name == name }))[0]
    }
    #expect(
      try features(ResNet(.resnet18).network(input: [1, 28, 28], classes: 10), before: "avgpool") == [512, 4, 4])
    #expect(try features(MobileNetV1().network(input: [1, 28, 28], classes: 10), before: "avgpool") == [1024, 2, 2])
    #expect(try features(VGG(.vgg16).network(input: [1, 28, 28], classes: 10), before: "flatten") == [512, 1, 1])
    #expect(try features(VGG(.vgg16).network(input: [1, 32, 32], classes: 10), before: "flatten") == [512, 1, 1])
  }

  @Test("a ResNet-D halves small images in its shortcuts by pools, and leaves the stem's stride out") func smallD() throws {
    let network = try #require(ModelZoo.entry(named: "resnet50D")).make(input: [3, 28, 30], classes: 10)
    func shape(_ name: String) -> Shape? { network.layers.first { $0.name == name }?.shape }
    #expect(shape("act1") == [64, 28, 30] && shape("layer2.0.downsample.0") == [256, 14, 15])
    #expect(shape("layer3.0.downsample.0") == [512, 7, 8] && shape("layer4.0.downsample.0") == [1024, 4, 4])
    var grouped = ResNet(.resnet18)
    grouped.groups = 2
    #expect(throws: ShapeError("resnext18 has no bottlenecks, so no groups")) {
      try grouped.network(input: [3, 32, 32], classes: 10)
    }
  }

  @Test("a stem can be asked for whatever the size of the image") func stem() throws {
    let small = try ResNet(.resnet18, stem: .small).network(input: [3, 224, 224], classes: 10)
    #expect(small.parameters[0].rule.shape == [64, 3, 3, 3])
    let standard = try ResNet(.resnet18, stem: .standard).network(input: [3, 32, 32], classes: 10)
    #expect(standard.parameters[0].rule.shape == [64, 3, 7, 7])
  }

  @Test("a network to which stochastic depth is added is the one that was built with it")
  func dropPath() throws {
    for (built, plain) in [
      (
        try ResNet(.resnet50, dropPath: 0.15).network(input: [3, 64, 64], classes: 10),
        try ResNet(.resnet50).network(input: [3, 64, 64], classes: 10)
      ),
      (
        try CIFARResNet(depth: 20, shortcut: .projection, dropPath: 0.5).network(input: [3, 32, 32], classes: 10),
        try CIFARResNet(depth: 20, shortcut: .projection).network(input: [3, 32, 32], classes: 10)
      ),
    ] {
      #expect(try plain.withDropPath(#require(built.layers.compactMap(\.dropPathRate).last)) == built)
      #expect(try plain.withDropPath(0) == plain)
      #expect(throws: ShapeError.self) { try built.withDropPath(0.1) }
    }
    let vgg = try VGG(.vgg11).network(input: [3, 32, 32], classes: 10)
    #expect(throws: ShapeError.self) { try vgg.withDropPath(0.1) }
  }

  @Test("drop path grows linearly from nothing at the first block to its rate at the last") func dropPathRates() throws {
    let network = try ResNet(.resnet50, dropPath: 0.15).network(input: [3, 224, 224], classes: 10)
    let rates = network.layers.compactMap { layer in
      if case .dropPath(let dropPath) = layer.operation { dropPath.rate } else { nil }
    }
    #expect(rates.count == 15)  // 16 blocks, and none in the first
    #expect(abs(rates[0] - 0.01) < 1e-7 && rates.last == 0.15)
    #expect(network.parameterCount == 23_528_522)
  }

  @Test("the last scale of each block can start at zero") func zeroInitResidual() throws {
    let network = try ResNet(.resnet18, zeroInitResidual: true).network(input: [3, 32, 32], classes: 10)
    let weights = try network.initialWeights(seed: 1)
    #expect(weights["layer3.1.bn2.weight"]?.elements.allSatisfy { $0 == 0 } == true)
    #expect(weights["layer3.1.bn1.weight"]?.elements.allSatisfy { $0 == 1 } == true)
    #expect(network.initialization.zeroScales.count == 8)
  }

  @Test(
    "what a network cannot be is answered in words",
    arguments: [
      (
        "resnet50", ["depth": .number(3)],
        "resnet50 has no option 'depth'; it has version, stem, shortcut, batchNorm, dropPath, zeroInitResidual"
      ),
      ("beitB16", ["depth": .number(3)], "beitB16 has no option 'depth'; it has none"),
      ("resnet50", ["version": .choice("v2")], "'version' takes \"v1\" or \"v1.5\", not \"v2\""),
      ("resnet50", ["dropPath": .number(1)], "'dropPath' takes a number from 0.0 to 0.99, not 1.0"),
      ("resnet50", ["dropPath": .number(.nan)], "'dropPath' takes a number from 0.0 to 0.99, not nan"),
      ("vgg16", ["hiddenFeatures": .number(2.5)], "'hiddenFeatures' takes an integer from 1 to 65536, not 2.5"),
      ("vgg16", ["dropout": .flag(true)], "'dropout' takes a number from 0.0 to 0.99, not true"),
    ] as [(String, [String: ZooValue], String)])
  func refused(_ name: String, _ options: [String: ZooValue], _ words: String) throws {
    let entry = try #require(ModelZoo.entry(named: name))
    let error = #expect(throws: ShapeError.self) {
      try entry.make(input: entry.input, classes: entry.classes, options: options)
    }
    #expect(error?.description == words)
  }

  @Test("inputs that are no images, no classes and odd depths are refused") func wrongSizes() throws {
    let entry = try #require(ModelZoo.entry(named: "resnet18"))
    #expect(throws: ShapeError("resnet18 takes images C x H x W, 784 was given")) {
      try entry.make(input: [784], classes: 10)
    }
    #expect(throws: ShapeError("resnet18 needs at least one class, not 0")) {
      try entry.make(input: [3, 32, 32], classes: 0)
    }
    #expect(
      throws: ShapeError(
        "beitB16 takes images whose sides are multiples of 16 pixels, 1 x 28 x 28 was given")
    ) { try BEiT().network(input: [1, 28, 28], classes: 10) }
    #expect(throws: ShapeError("a ResNet for small images has 6n + 2 layers, from 8 to 1202, not 21")) {
      try CIFARResNet(depth: 21).network(input: [3, 32, 32], classes: 10)
    }
  }

  private func keyLines(_ file: String) throws -> [String] {
    try Golden.text("keys/\(file).txt").split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
  }

  private func expectKeys(of network: Network, _ file: String) throws {
    let found = network.parameters.map { name, rule in
      ([name] + rule.shape.extents.map(String.init)).joined(separator: " ")
    }
    #expect(found == (try keyLines(file)))
  }
}

extension Network.Layer {
  fileprivate var dropPathRate: Float? { if case .dropPath(let rules) = operation { rules.rate } else { nil } }
}
