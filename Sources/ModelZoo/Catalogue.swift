import Networks
import Tensors

extension ModelZoo {
  private static let residual = "He et al. 2015, Deep Residual Learning for Image Recognition, arXiv:1512.03385"

  private static let dropPath = ZooOption(
    "dropPath", "The stochastic depth of the last block; grows linearly from 0 at the first.", .number(0...0.99),
    standard: .number(0))
  private static let zeroInitResidual = ZooOption(
    "zeroInitResidual", "Starts each block as its shortcut: the last batch norm's scale is 0.", .flag,
    standard: .flag(false))

  private static let batchNorm = ZooOption(
    "batchNorm", "Whether a batch norm follows each convolution; else they have biases.", .flag, standard: .flag(true))

  static let resnets = ResNet.Depth.allCases.map { depth in
    ZooEntry(
      "resnet\(depth.rawValue)",
      "A residual network of \(depth.rawValue) layers for images of ImageNet's size.",
      source: "\(residual), Table 1",
      options: [
        ZooOption(
          "version", "Where a bottleneck halves the image: in its 3x3 (v1.5) or its first 1x1 convolution (v1).",
          .choice(ResNet.Version.allCases.map(\.rawValue)), standard: .choice("v1.5")),
        ZooOption(
          "stem", "The beginning: 7x7 and pool (standard), 3x3 alone (small), or small below 64 pixels (automatic).",
          .choice(["automatic"] + ResNet.Stem.allCases.map(\.rawValue)), standard: .choice("automatic")),
        ZooOption(
          "shortcut", "What a block adds to its last convolution: its input (projection), or nothing, a plain network (none).",
          .choice(ResNet.Shortcut.allCases.map(\.rawValue)), standard: .choice("projection")),
        batchNorm, dropPath, zeroInitResidual,
      ], input: [3, 224, 224], classes: 1000
    ) { options, input, classes throws(ShapeError) in
      try ResNet(
        depth, version: ResNet.Version(rawValue: options.choice("version")) ?? .v15,
        stem: ResNet.Stem(rawValue: options.choice("stem")),
        shortcut: ResNet.Shortcut(rawValue: options.choice("shortcut")) ?? .projection,
        hasBatchNorm: options.flag("batchNorm"), dropPath: Float(options.number("dropPath")),
        zeroInitResidual: options.flag("zeroInitResidual")
      ).network(input: input, classes: classes)
    }
  }

  static let smallResNets = [8, 20, 32, 44, 56].map { depth in
    ZooEntry(
      "resnet\(depth)", "A residual network of \(depth) layers for images of CIFAR's size.",
      source: "\(residual), section 4.2",
      options: [
        ZooOption(
          "shortcut", "Where the shape changes: padded with zeros (identity) or a 1x1 convolution (projection); none is a plain network.",
          .choice(CIFARResNet.Shortcut.allCases.map(\.rawValue)), standard: .choice("identity")),
        batchNorm, dropPath, zeroInitResidual,
      ], input: [3, 32, 32], classes: 10
    ) { options, input, classes throws(ShapeError) in
      try CIFARResNet(
        depth: depth, shortcut: CIFARResNet.Shortcut(rawValue: options.choice("shortcut")) ?? .identity,
        hasBatchNorm: options.flag("batchNorm"), dropPath: Float(options.number("dropPath")),
        zeroInitResidual: options.flag("zeroInitResidual")
      ).network(input: input, classes: classes)
    }
  }

  static let mobileNetV1 = ZooEntry(
    "mobilenetV1", "A network of depthwise-separable convolutions, made for telephones.",
    source: "Howard et al. 2017, MobileNets, arXiv:1704.04861, Table 1",
    options: [
      ZooOption("width", "The factor on all channels.", .number(0.01...8), standard: .number(1)),
      ZooOption("dropout", "The dropout before the classifier.", .number(0...0.99), standard: .number(0)),
    ], input: [3, 224, 224], classes: 1000
  ) { options, input, classes throws(ShapeError) in
    try MobileNetV1(width: options.number("width"), dropout: Float(options.number("dropout")))
      .network(input: input, classes: classes)
  }

  static let vggs = [false, true].flatMap { hasBatchNorm in
    VGG.Depth.allCases.map { depth in
      ZooEntry(
        "vgg\(depth.rawValue)\(hasBatchNorm ? "BN" : "")",
        "A plain network of \(depth.rawValue) layers with weights\(hasBatchNorm ? ", and batch norm" : "").",
        source: "Simonyan and Zisserman 2014, Very Deep Convolutional Networks, arXiv:1409.1556, Table 1",
        options: [
          ZooOption(
            "dropout", "The dropout after each hidden layer of the classifier.", .number(0...0.99),
            standard: .number(0.5)),
          ZooOption(
            "hiddenFeatures", "The features of each hidden layer of the classifier.", .count(1...65_536),
            standard: .number(4096)),
        ], input: [3, 224, 224], classes: 1000
      ) { options, input, classes throws(ShapeError) in
        try VGG(
          depth, hasBatchNorm: hasBatchNorm, dropout: Float(options.number("dropout")),
          hiddenFeatures: Int(options.number("hiddenFeatures"))
        ).network(input: input, classes: classes)
      }
    }
  }

  static let beitB16 = ZooEntry(
    "beitB16", "A vision transformer of 12 blocks over patches of 16 pixels, a teacher of others.",
    source: "Bao et al. 2021, BEiT: BERT Pre-Training of Image Transformers, arXiv:2106.08254",
    options: [], input: [3, 224, 224], classes: 1000
  ) { _, input, classes throws(ShapeError) in try BEiT().network(input: input, classes: classes) }
}
