import Networks
import Tensors

extension ModelZoo {
  private static let residual = "He et al. 2015, Deep Residual Learning for Image Recognition, arXiv:1512.03385"

  private static let dropPath = ZooOption(
    "dropPath", "Drop path rate (stochastic depth) of the last block; it grows linearly from 0 at the first block.", .number(0...0.99),
    standard: .number(0))
  private static let zeroInitResidual = ZooOption(
    "zeroInitResidual", "Whether the last batch norm of each block starts with scale 0, so that the block starts as its shortcut (zero_init_residual).", .flag,
    standard: .flag(false))

  private static let batchNorm = ZooOption(
    "batchNorm", "Whether batch norm follows each convolution. Without it, convolutions have biases.", .flag, standard: .flag(true))

  static let resnets = ResNet.Depth.allCases.map { depth in
    ZooEntry(
      "resnet\(depth.rawValue)",
      "Builds ResNet-\(depth.rawValue) as for ImageNet.",
      source: "\(residual), Table 1",
      options: [
        ZooOption(
          "version", "Position of the stride in a bottleneck: the 3x3 convolution (v1.5, as in torchvision) or the first 1x1 (v1, as in the paper).",
          .choice(ResNet.Version.allCases.map(\.rawValue)), standard: .choice("v1.5")),
        ZooOption(
          "stem", "Stem: 7x7 convolution and max pooling (standard), one 3x3 convolution (small), or small for images below 64 pixels (automatic).",
          .choice(["automatic"] + ResNet.Stem.allCases.map(\.rawValue)), standard: .choice("automatic")),
        ZooOption(
          "shortcut", "Shortcut of a block: its input, projected where the shape changes (projection), or none, which makes a plain network.",
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

  /// The variants of ResNet-50 that ResNet strikes back (Wightman et al. 2021, arXiv:2110.00476) trains beside it.
  static let resnet50Variants = [
    variant(
      "resnext50", "Builds ResNeXt-50 32x4d: ResNet-50 whose 3x3 convolutions have 32 groups of 4 channels and more.",
      source: "Xie et al. 2016, Aggregated Residual Transformations for Deep Neural Networks, arXiv:1611.05431, Table 1"
    ) { ($0.groups, $0.groupWidth) = (32, 4) },
    variant(
      "resnet50D", "Builds ResNet-50-D: three 3x3 convolutions as the stem, and average pooling in the shortcuts.",
      source: "He et al. 2018, Bag of Tricks for Image Classification, arXiv:1812.01187, Figure 2"
    ) { $0.isD = true },
  ]

  private static func variant(
    _ name: String, _ documentation: String, source: String, change: @escaping @Sendable (inout ResNet) -> Void
  ) -> ZooEntry {
    ZooEntry(
      name, documentation, source: source, options: [dropPath, zeroInitResidual], input: [3, 224, 224], classes: 1000
    ) { options, input, classes throws(ShapeError) in
      var resnet = ResNet(
        .resnet50, dropPath: Float(options.number("dropPath")), zeroInitResidual: options.flag("zeroInitResidual"))
      change(&resnet)
      return try resnet.network(input: input, classes: classes)
    }
  }

  static let smallResNets = [8, 20, 32, 44, 56].map { depth in
    ZooEntry(
      "resnet\(depth)", "Builds ResNet-\(depth) as for CIFAR-10.",
      source: "\(residual), section 4.2",
      options: [
        ZooOption(
          "shortcut", "Shortcut where the shape changes: zero padding (identity) or a 1x1 convolution (projection). none makes a plain network without shortcuts.",
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
    "mobilenetV1", "Builds MobileNet-v1, a network of depthwise-separable convolutions.",
    source: "Howard et al. 2017, MobileNets, arXiv:1704.04861, Table 1",
    options: [
      ZooOption("width", "Width multiplier of all channels.", .number(0.01...8), standard: .number(1)),
      ZooOption("dropout", "Dropout rate before the classifier.", .number(0...0.99), standard: .number(0)),
    ], input: [3, 224, 224], classes: 1000
  ) { options, input, classes throws(ShapeError) in
    try MobileNetV1(width: options.number("width"), dropout: Float(options.number("dropout")))
      .network(input: input, classes: classes)
  }

  static let vggs = [false, true].flatMap { hasBatchNorm in
    VGG.Depth.allCases.map { depth in
      ZooEntry(
        "vgg\(depth.rawValue)\(hasBatchNorm ? "BN" : "")",
        "Builds VGG-\(depth.rawValue)\(hasBatchNorm ? " with batch norm" : "").",
        source: "Simonyan and Zisserman 2014, Very Deep Convolutional Networks, arXiv:1409.1556, Table 1",
        options: [
          ZooOption(
            "dropout", "Dropout rate after each hidden layer of the classifier.", .number(0...0.99),
            standard: .number(0.5)),
          ZooOption(
            "hiddenFeatures", "Features of each hidden layer of the classifier.", .count(1...65_536),
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
    "beitB16", "Builds BEiT-B/16, a vision transformer of 12 blocks with patches of 16 pixels.",
    source: "Bao et al. 2021, BEiT: BERT Pre-Training of Image Transformers, arXiv:2106.08254",
    options: [], input: [3, 224, 224], classes: 1000
  ) { _, input, classes throws(ShapeError) in try BEiT().network(input: input, classes: classes) }
}
