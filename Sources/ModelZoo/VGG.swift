public import Networks
public import Tensors

/// The plain deep networks of Simonyan and Zisserman 2014 (arXiv:1409.1556), Table 1.
///
/// The classifier takes the features as the last pool leaves them, 512 x 7 x 7 for 224 pixels, so its size follows the
/// image's. A pool that would leave nothing is left out: of an image of 28 pixels, the last one. Names are
/// torchvision's, whether or not a pool is left out; `ModelZoo.inOurNames` makes them of timm's.
public struct VGG: Hashable, Sendable {
  public enum Depth: Int, Hashable, Sendable, CaseIterable {
    case vgg11 = 11
    case vgg13 = 13
    case vgg16 = 16
    case vgg19 = 19
  }

  struct Stage { var convolutions, channels: Int }

  /// Table 1, columns A, B, D and E: the 3x3 convolutions before each max pool.
  static func stages(of depth: Depth) -> [Stage] {
    let convolutions =
      switch depth {
      case .vgg11: [1, 1, 2, 2, 2]
      case .vgg13: [2, 2, 2, 2, 2]
      case .vgg16: [2, 2, 3, 3, 3]
      case .vgg19: [2, 2, 4, 4, 4]
      }
    return zip(convolutions, [64, 128, 256, 512, 512]).map { Stage(convolutions: $0, channels: $1) }
  }

  public var depth: Depth
  /// Normalizes after each convolution, which the paper does not.
  public var hasBatchNorm: Bool
  /// After each hidden layer of the classifier.
  public var dropout: Float
  /// Of each hidden layer of the classifier; nine tenths of VGG-16's parameters hang on it.
  public var hiddenFeatures: Int

  public init(_ depth: Depth, hasBatchNorm: Bool = false, dropout: Float = 0.5, hiddenFeatures: Int = 4096) {
    (self.depth, self.hasBatchNorm, self.dropout, self.hiddenFeatures) = (depth, hasBatchNorm, dropout, hiddenFeatures)
  }

  /// Builds the network. Weights start as torchvision's: He's distribution in convolutions, N(0, 0.01²) in dense
  /// layers.
  /// - Throws: `ShapeError` where the input is no image, or a size or rate out of range.
  public func network(input: Shape, classes: Int) throws(ShapeError) -> Network {
    var network = try Network(
      image: input, named: "vgg\(depth.rawValue)\(hasBatchNorm ? "BN" : "")",
      initialization: Initialization(
        convolution: .kaimingFanOut, dense: .normal(std: 0.01), biasesAreZero: true))
    var x = network.input
    var place = 0  // in torchvision's list of layers

    for stage in Self.stages(of: depth) {
      for _ in 0..<stage.convolutions {
        let convolution = Convolution(to: stage.channels, Window(kernel: 3, padding: 1), hasBias: true)
        x = try network.append(.convolution(convolution), to: x, named: "features.\(place)")
        place += 1
        if hasBatchNorm {
          x = try network.append(.batchNorm(BatchNorm()), to: x, named: "features.\(place)")
          place += 1
        }
        x = try network.append(.relu(ReLU()), to: x, named: "features.\(place)")
        place += 1
      }
      if min(network.shape(of: x)[1], network.shape(of: x)[2]) > 1 {
        x = try network.append(.maxPool(MaxPool(Window(kernel: 2, stride: 2))), to: x, named: "features.\(place)")
      }
      place += 1
    }

    x = try network.append(.flatten(Flatten()), to: x, named: "flatten")
    for i in [0, 3] {
      x = try network.append(.dense(Dense(to: hiddenFeatures)), to: x, named: "classifier.\(i)")
      x = try network.append(.relu(ReLU()), to: x, named: "classifier.\(i + 1)")
      if dropout != 0 {
        x = try network.append(.dropout(Dropout(rate: dropout)), to: x, named: "classifier.\(i + 2)")
      }
    }
    try network.append(.dense(Dense(to: classes)), to: x, named: "classifier.6")
    return network
  }
}

extension ModelZoo {
  /// Weights in the names and shapes that this zoo gives them, whether torchvision or timm wrote them.
  ///
  /// The two differ in VGG only. There timm has convolutions where torchvision has dense layers:
  ///
  ///     pre_logits.fc1   4096 x 512 x 7 x 7     becomes   classifier.0   4096 x 25088
  ///     pre_logits.fc2   4096 x 4096 x 1 x 1              classifier.3   4096 x 4096
  ///     head.fc                                           classifier.6
  public static func inOurNames(_ weights: Weights) -> Weights {
    let layers = ["pre_logits.fc1.": "classifier.0.", "pre_logits.fc2.": "classifier.3.", "head.fc.": "classifier.6."]
    guard weights.keys.contains(where: { $0.hasPrefix("pre_logits.fc1.") }) else { return weights }
    var renamed = Weights()
    for (name, tensor) in weights {
      guard let (theirs, ours) = layers.first(where: { name.hasPrefix($0.key) }) else {
        renamed[name] = tensor
        continue
      }
      let isMatrix = tensor.shape.rank == 4
      let shape = isMatrix ? [tensor.shape[0], tensor.shape.sample.elementCount] : tensor.shape
      renamed[ours + name.dropFirst(theirs.count)] = (try? tensor.reshaped(to: shape)) ?? tensor
    }
    return renamed
  }
}
