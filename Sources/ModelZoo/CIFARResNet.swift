public import Networks
public import Tensors

/// The residual networks of He et al. 2015 (arXiv:1512.03385), section 4.2, for 32x32 images: 6n + 2 layers.
///
/// Every size of image will do. Names follow torchvision's ResNets; the last layer is `fc`.
public struct CIFARResNet: Hashable, Sendable {
  /// What stands in for `x` where a block changes the shape (section 3.3).
  public enum Shortcut: String, Hashable, Sendable, CaseIterable {
    /// A: every second pixel, and zeros as the added channels. The paper's choice here, and its parameter counts:
    /// 269,722 for 20 layers.
    case identity
    /// B: a 1x1 convolution with batch norm. 2,752 parameters more.
    case projection
    /// Nothing is added, anywhere: a plain network, as in Figure 6.
    case none
  }

  struct Stage { var channels, stride: Int }
  /// The table of section 4.2; output maps of 32x32, 16x16 and 8x8, each of 2n layers.
  static let stages = [
    Stage(channels: 16, stride: 1),
    Stage(channels: 32, stride: 2),
    Stage(channels: 64, stride: 2),
  ]

  /// 8, 14, 20, 26, …
  public var depth: Int
  public var shortcut: Shortcut
  /// Whether a batch norm follows each convolution. Without them the convolutions have biases, which start at zero.
  public var hasBatchNorm: Bool
  /// The rate of the last block; it grows linearly from 0 at the first.
  public var dropPath: Float
  /// Starts the last batch norm of each block at γ = 0.
  public var zeroInitResidual: Bool

  public init(
    depth: Int, shortcut: Shortcut = .identity, hasBatchNorm: Bool = true, dropPath: Float = 0,
    zeroInitResidual: Bool = false
  ) {
    (self.depth, self.shortcut, self.hasBatchNorm) = (depth, shortcut, hasBatchNorm)
    (self.dropPath, self.zeroInitResidual) = (dropPath, zeroInitResidual)
  }

  /// Builds the network.
  /// - Throws: `ShapeError` where the depth is not 6n + 2, the input no image, a rate out of range, or a setting needs
  ///   what the network does not have.
  public func network(input: Shape, classes: Int) throws(ShapeError) -> Network {
    guard depth >= 8, depth <= 1202, depth % 6 == 2 else {
      throw ShapeError("a ResNet for small images has 6n + 2 layers, from 8 to 1202, not \(depth)")
    }
    let style = BlockStyle(
      isPlain: shortcut == .none, hasBatchNorm: hasBatchNorm, dropPath: dropPath, zeroInitResidual: zeroInitResidual)
    var network = try style.network(input, named: "\(shortcut == .none ? "plain" : "resnet")\(depth)")
    let blocks = (depth - 2) / 6
    let last = Self.stages.count * blocks - 1
    var x = try network.convNorm(
      network.input, to: 16, kernel: 3, hasBatchNorm: hasBatchNorm, named: ("conv1", "bn1", "act1"))
    for (i, stage) in Self.stages.enumerated() {
      for j in 0..<blocks {
        let block = Block(
          name: "layer\(i + 1).\(j)", channels: stage.channels, stride: j == 0 ? stage.stride : 1, style: style,
          dropPath: dropPath * Float(i * blocks + j) / Float(last))
        x = try network.smallBlock(x, block, shortcut)
        if zeroInitResidual { network.initialization.zeroScales.insert("\(block.name).bn2") }
      }
    }
    return try network.classified(x, classes: classes, by: "fc")
  }
}

extension Network {
  fileprivate mutating func smallBlock(
    _ x: Node, _ block: Block, _ shortcut: CIFARResNet.Shortcut
  ) throws(ShapeError) -> Node {
    let y = try twoConvolutions(x, block)
    let other: Node? =
      switch shortcut {
      case .none: nil
      case .identity: try paddedIdentity(of: x, block)
      case .projection: try projection(of: x, to: block.channels, block)
      }
    return try joined(y, with: other, block)
  }

  /// Every `stride`-th pixel of `x`, which is an average pool of one pixel, and zeros as the added channels, which are
  /// those of `x` clipped to 0.
  private mutating func paddedIdentity(of x: Node, _ block: Block) throws(ShapeError) -> Node {
    let channels = shape(of: x)[0]
    guard block.stride > 1 || channels != block.channels else { return x }
    let name = "\(block.name).shortcut"
    let picked = try append(
      .averagePool(AveragePool(Window(kernel: 1, stride: Extent(block.stride)))), to: x, named: "\(name).pool")
    let zeros = try append(.clip(Clip(low: 0, high: 0)), to: picked, named: "\(name).zeros")
    let added = [Node](repeating: zeros, count: block.channels / channels - 1)
    return try append(.concatenation(Concatenation()), to: [picked] + added, named: "\(name).concatenation")
  }
}
