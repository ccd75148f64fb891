public import Networks
public import Tensors

/// MobileNet-v1 of Howard et al. 2017 (arXiv:1704.04861): depthwise-separable convolutions with ReLU6.
///
/// Images below 64 pixels start with stride 1 instead of 2. Names are those of timm's `mobilenetv1_100`, so that its
/// weights load.
public struct MobileNetV1: Hashable, Sendable {
  struct Pair { var channels, stride: Int }
  /// Table 1, a row per depthwise and pointwise pair, in groups of one size of image. The last stride is 1 where the
  /// table prints 2: its own feature sizes need 1.
  static let stages: [[Pair]] = [
    [Pair(channels: 64, stride: 1)],
    [Pair(channels: 128, stride: 2), Pair(channels: 128, stride: 1)],
    [Pair(channels: 256, stride: 2), Pair(channels: 256, stride: 1)],
    [
      Pair(channels: 512, stride: 2), Pair(channels: 512, stride: 1), Pair(channels: 512, stride: 1),
      Pair(channels: 512, stride: 1), Pair(channels: 512, stride: 1), Pair(channels: 512, stride: 1),
    ],
    [Pair(channels: 1024, stride: 2), Pair(channels: 1024, stride: 1)],
  ]

  /// The factor on all channels, the paper's α.
  public var width: Double
  /// Before the classifier; TensorFlow's release has 0.001.
  public var dropout: Float

  public init(width: Double = 1, dropout: Float = 0) { (self.width, self.dropout) = (width, dropout) }

  /// Channels times the width, rounded to a multiple of 8 that is at least nine tenths of them, as timm rounds.
  static func scaled(_ channels: Int, by width: Double) -> Int {
    let exact = Double(channels) * width
    let rounded = max(8, Int(exact + 4) / 8 * 8)
    return Double(rounded) < 0.9 * exact ? rounded + 8 : rounded
  }

  /// Builds the network.
  /// - Throws: `ShapeError` where the input is no image, the width not in 0...8, or the rate out of range.
  public func network(input: Shape, classes: Int) throws(ShapeError) -> Network {
    guard width > 0, width <= 8 else { throw ShapeError("a width is above 0 and at most 8, not \(width)") }
    let name = width == 1 ? "mobilenetV1" : "mobilenetV1 at width \(width)"
    var network = try Network(image: input, named: name)
    let isSmall = min(input[1], input[2]) < 64
    var x = try network.convNorm(
      network.input, to: Self.scaled(32, by: width), kernel: 3, stride: isSmall ? 1 : 2, activation: .clip(.relu6),
      named: ("conv_stem", "bn1", "act1"))
    for (i, stage) in Self.stages.enumerated() {
      for (j, pair) in stage.enumerated() {
        let channels = Self.scaled(pair.channels, by: width)
        x = try network.separable(x, to: channels, stride: pair.stride, named: "blocks.\(i).\(j)")
      }
    }
    return try network.classified(x, classes: classes, dropout: dropout, by: "classifier")
  }
}

extension Network {
  /// A depthwise 3x3 and a pointwise 1x1 convolution, each with batch norm and ReLU6: the right half of Figure 3.
  fileprivate mutating func separable(
    _ x: Node, to channels: Int, stride: Int, named name: String
  ) throws(ShapeError) -> Node {
    let inputs = shape(of: x)[0]
    let y = try convNorm(
      x, to: inputs, kernel: 3, stride: stride, groups: inputs, activation: .clip(.relu6),
      named: ("\(name).conv_dw", "\(name).bn1", "\(name).act1"))
    return try convNorm(
      y, to: channels, kernel: 1, activation: .clip(.relu6),
      named: ("\(name).conv_pw", "\(name).bn2", "\(name).act2"))
  }
}
