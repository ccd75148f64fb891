public import Networks
public import Tensors

/// The residual networks of He et al. 2015 (arXiv:1512.03385) for ImageNet, Table 1.
///
/// Names are torchvision's, which are timm's too, so that their weights load. Without shortcuts they are the plain
/// networks of the paper's section 4.1. With groups they are the ResNeXt of Xie et al. 2016 (arXiv:1611.05431), Table 1;
/// as `isD` the ResNet-D of He et al. 2018 (arXiv:1812.01187), Figure 2.
public struct ResNet: Hashable, Sendable {
  public enum Depth: Int, Hashable, Sendable, CaseIterable {
    case resnet18 = 18
    case resnet34 = 34
    case resnet50 = 50
    case resnet101 = 101
    case resnet152 = 152
  }

  /// Where a bottleneck that halves the image does it.
  public enum Version: String, Hashable, Sendable, CaseIterable {
    /// In its first 1x1 convolution, as the paper, Caffe and Keras do.
    case v1
    /// In its 3x3 convolution, as torchvision and timm do; about half a point better for 6 % more work.
    case v15 = "v1.5"
  }

  /// How the network begins.
  public enum Stem: String, Hashable, Sendable, CaseIterable {
    /// A 7x7 convolution of stride 2 and a 3x3 max pool of stride 2, as the paper has it.
    case standard
    /// A 3x3 convolution of stride 1 and no pool, so that a small image is not gone before the first block.
    case small
  }

  /// What is added to a block's last convolution (section 3.3).
  public enum Shortcut: String, Hashable, Sendable, CaseIterable {
    /// The block's input, through a 1x1 convolution where the shape changes: option B.
    case projection
    /// Nothing: a plain network.
    case none
  }

  struct Stage { var blocks, channels: Int }

  /// Table 1: the blocks of conv2_x to conv5_x.
  static func stages(of depth: Depth) -> [Stage] {
    let blocks =
      switch depth {
      case .resnet18: [2, 2, 2, 2]
      case .resnet34: [3, 4, 6, 3]
      case .resnet50: [3, 4, 6, 3]
      case .resnet101: [3, 4, 23, 3]
      case .resnet152: [3, 8, 36, 3]
      }
    return zip(blocks, [64, 128, 256, 512]).map { Stage(blocks: $0, channels: $1) }
  }

  public var depth: Depth
  public var version: Version
  /// Nil chooses by the image: `small` below 64 pixels.
  public var stem: Stem?
  public var shortcut: Shortcut
  /// Whether a batch norm follows each convolution. Without them the convolutions have biases, which start at zero.
  public var hasBatchNorm: Bool
  /// The rate of the last block; it grows linearly from 0 at the first, as in timm.
  public var dropPath: Float
  /// Starts the last batch norm of each block at γ = 0, so that the block starts as its shortcut
  /// (Goyal et al. 2017, arXiv:1706.02677, section 5.1).
  public var zeroInitResidual: Bool
  /// Groups of the 3x3 convolutions of bottlenecks: the cardinality of ResNeXt.
  public var groups = 1
  /// Channels of each of these groups in the first stage; in the others as many times more as the stage has channels.
  public var groupWidth = 64
  /// Whether three 3x3 convolutions take the place of the 7x7 one, and an average pool stands before the projection of a
  /// shortcut, whose stride it takes.
  public var isD = false

  public init(
    _ depth: Depth, version: Version = .v15, stem: Stem? = nil, shortcut: Shortcut = .projection,
    hasBatchNorm: Bool = true, dropPath: Float = 0, zeroInitResidual: Bool = false
  ) {
    (self.depth, self.version, self.stem) = (depth, version, stem)
    (self.shortcut, self.hasBatchNorm) = (shortcut, hasBatchNorm)
    (self.dropPath, self.zeroInitResidual) = (dropPath, zeroInitResidual)
  }

  /// `resnet50`, `resnext50`, `resnet50D`; `plain50` without shortcuts.
  private var name: String {
    let family = shortcut == .none ? "plain" : groups > 1 ? "resnext" : "resnet"
    return "\(family)\(depth.rawValue)\(isD ? "D" : "")"
  }

  /// Whether its blocks are the right half of Figure 5.
  public var hasBottlenecks: Bool { depth.rawValue >= 50 }

  /// Builds the network.
  /// - Throws: `ShapeError` where the input is no image, a rate is out of range, or a setting needs what the network
  ///   does not have.
  public func network(input: Shape, classes: Int) throws(ShapeError) -> Network {
    guard groups == 1 || hasBottlenecks else { throw ShapeError("\(name) has no bottlenecks, so no groups") }
    let style = BlockStyle(
      isPlain: shortcut == .none, hasBatchNorm: hasBatchNorm, dropPath: dropPath, zeroInitResidual: zeroInitResidual,
      groups: groups, groupWidth: groupWidth, poolsShortcut: isD)
    var network = try style.network(input, named: name)
    let stem = stem ?? (min(input[1], input[2]) < 64 ? .small : .standard)

    var x = network.input
    let stride = stem == .small ? 1 : 2
    if isD {
      x = try network.convNorm(
        x, to: 32, kernel: 3, stride: stride, hasBatchNorm: hasBatchNorm, named: ("conv1.0", "conv1.1", "conv1.2"))
      x = try network.convNorm(
        x, to: 32, kernel: 3, hasBatchNorm: hasBatchNorm, named: ("conv1.3", "conv1.4", "conv1.5"))
      x = try network.convNorm(x, to: 64, kernel: 3, hasBatchNorm: hasBatchNorm, named: ("conv1.6", "bn1", "act1"))
    } else {
      x = try network.convNorm(
        x, to: 64, kernel: stem == .small ? 3 : 7, stride: stride, hasBatchNorm: hasBatchNorm,
        named: ("conv1", "bn1", "act1"))
    }
    if stem == .standard {
      x = try network.append(.maxPool(MaxPool(Window(kernel: 3, stride: 2, padding: 1))), to: x, named: "maxpool")
    }

    let stages = Self.stages(of: depth)
    let last = stages.reduce(0) { $0 + $1.blocks } - 1
    var built = 0
    for (i, stage) in stages.enumerated() {
      for j in 0..<stage.blocks {
        let block = Block(
          name: "layer\(i + 1).\(j)", channels: stage.channels, stride: i > 0 && j == 0 ? 2 : 1, style: style,
          dropPath: dropPath * Float(built) / Float(last))
        x =
          try hasBottlenecks
          ? network.bottleneck(x, block, strideInFirst: version == .v1) : network.basicBlock(x, block)
        if zeroInitResidual { network.initialization.zeroScales.insert("\(block.name).\(hasBottlenecks ? "bn3" : "bn2")") }
        built += 1
      }
    }
    return try network.classified(x, classes: classes, by: "fc")
  }
}

/// What the blocks of a network have in common.
struct BlockStyle {
  /// Without shortcuts.
  var isPlain: Bool
  var hasBatchNorm: Bool
  /// Of the last block.
  var dropPath: Float
  var zeroInitResidual: Bool
  var groups = 1
  var groupWidth = 64
  /// Whether an average pool takes the stride of a shortcut's projection.
  var poolsShortcut = false

  /// A network of such blocks, still empty.
  /// - Throws: `ShapeError` where it would be constant: a plain block that is dropped, or starts at zero, is all there is.
  func network(_ input: Shape, named name: String) throws(ShapeError) -> Network {
    if isPlain && (dropPath != 0 || zeroInitResidual) {
      throw ShapeError("\(name) has no shortcuts, so no block of it can be left out (dropPath) or start at zero (zeroInitResidual)")
    }
    if !hasBatchNorm && zeroInitResidual {
      throw ShapeError("\(name) without batch norms has no last scale to start at zero (zeroInitResidual)")
    }
    return try Network(
      image: input, named: hasBatchNorm ? name : "\(name)-unnormalized",
      initialization: Initialization(biasesAreZero: !hasBatchNorm))
  }
}

/// A residual block.
struct Block {
  var name: String
  /// Of its 3x3 convolutions, but where they are grouped.
  var channels: Int
  var stride: Int
  var style: BlockStyle
  var dropPath: Float = 0
}

extension Network {
  /// `relu(second(first(x)) + shortcut(x))`, the left half of Figure 5.
  fileprivate mutating func basicBlock(_ x: Node, _ block: Block) throws(ShapeError) -> Node {
    let y = try twoConvolutions(x, block)
    return try joined(y, with: block.style.isPlain ? nil : projection(of: x, to: block.channels, block), block)
  }

  /// `second(first(x))`: two 3x3 convolutions with a ReLU between.
  mutating func twoConvolutions(_ x: Node, _ block: Block) throws(ShapeError) -> Node {
    let (name, hasBatchNorm) = (block.name, block.style.hasBatchNorm)
    let y = try convNorm(
      x, to: block.channels, kernel: 3, stride: block.stride, hasBatchNorm: hasBatchNorm,
      named: ("\(name).conv1", "\(name).bn1", "\(name).act1"))
    return try convNorm(
      y, to: block.channels, kernel: 3, hasBatchNorm: hasBatchNorm, named: ("\(name).conv2", "\(name).bn2", nil))
  }

  /// `relu(expand(conv(reduce(x))) + shortcut(x))`, the right half of Figure 5: the last 1x1 has four times the
  /// channels. With groups the two before have `groups * groupWidth` for each 64 channels.
  fileprivate mutating func bottleneck(
    _ x: Node, _ block: Block, strideInFirst: Bool
  ) throws(ShapeError) -> Node {
    let (name, hasBatchNorm) = (block.name, block.style.hasBatchNorm)
    let (first, second) = strideInFirst ? (block.stride, 1) : (1, block.stride)
    let channels = block.channels * block.style.groupWidth / 64 * block.style.groups
    var y = try convNorm(
      x, to: channels, kernel: 1, stride: first, hasBatchNorm: hasBatchNorm,
      named: ("\(name).conv1", "\(name).bn1", "\(name).act1"))
    y = try convNorm(
      y, to: channels, kernel: 3, stride: second, groups: block.style.groups, hasBatchNorm: hasBatchNorm,
      named: ("\(name).conv2", "\(name).bn2", "\(name).act2"))
    y = try convNorm(
      y, to: 4 * block.channels, kernel: 1, hasBatchNorm: hasBatchNorm, named: ("\(name).conv3", "\(name).bn3", nil))
    return try joined(y, with: block.style.isPlain ? nil : projection(of: x, to: 4 * block.channels, block), block)
  }

  /// `relu(dropPath(y) + shortcut)`; without a rate there is no drop path, and without a shortcut `relu(y)`.
  mutating func joined(_ y: Node, with shortcut: Node?, _ block: Block) throws(ShapeError) -> Node {
    guard let shortcut else { return try append(.relu(ReLU()), to: y, named: "\(block.name).act") }
    var y = y
    if block.dropPath != 0 {
      y = try append(.dropPath(DropPath(rate: block.dropPath)), to: y, named: "\(block.name).drop_path")
    }
    let sum = try append(.add(Add()), to: y, shortcut, named: "\(block.name).add")
    return try append(.relu(ReLU()), to: sum, named: "\(block.name).act")
  }

  /// The shortcut: `x` itself where the shape stays, else a 1x1 convolution of it (option B of section 3.3), behind an
  /// average pool in a ResNet-D. The pool takes what is left of odd images, as timm's does.
  mutating func projection(of x: Node, to channels: Int, _ block: Block) throws(ShapeError) -> Node {
    if block.stride == 1 && shape(of: x)[0] == channels { return x }
    let name = "\(block.name).downsample"
    guard block.style.poolsShortcut else {
      return try convNorm(
        x, to: channels, kernel: 1, stride: block.stride, hasBatchNorm: block.style.hasBatchNorm,
        named: ("\(name).0", "\(name).1", nil))
    }
    var y = x
    if block.stride > 1 {
      let rest = Padding(top: 0, left: 0, bottom: shape(of: x)[1] % 2, right: shape(of: x)[2] % 2)
      let window = Window(kernel: 2, stride: Extent(block.stride), padding: rest)
      y = try append(.averagePool(AveragePool(window, countsPadding: false)), to: x, named: "\(name).0")
    }
    return try convNorm(
      y, to: channels, kernel: 1, hasBatchNorm: block.style.hasBatchNorm, named: ("\(name).1", "\(name).2", nil))
  }
}
