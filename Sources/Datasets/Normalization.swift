import Tensors

/// What turns a byte into the number a network sees: `(byte / 255 - mean) / std`, per channel.
public struct Normalization: Hashable, Sendable {
  /// Per channel; bytes are taken as 0 to 1.
  public var mean, std: [Float]

  /// - Precondition: As many means as deviations, and no std is 0.
  public init(mean: [Float], std: [Float]) {
    precondition(mean.count == std.count && !std.contains(0))
    self.mean = mean
    self.std = std
  }

  /// The 60,000 training images of Fashion-MNIST.
  public static let fashionMNIST = Normalization(mean: [0.2860], std: [0.3530])
  /// The 50,000 training images of CIFAR-10.
  public static let cifar10 = Normalization(mean: [0.4914, 0.4822, 0.4465], std: [0.2470, 0.2435, 0.2616])
  /// ImageNet's, as torchvision and timm use it.
  public static let imageNet = Normalization(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])

  /// Bytes 0 to 255 become -1 to 1.
  public static func centered(channels: Int) -> Normalization {
    Normalization(mean: Array(repeating: 0.5, count: channels), std: Array(repeating: 0.5, count: channels))
  }

  /// Measures mean and std of each channel over all images; a channel that never varies gets the std 1.
  public init(measuring split: Split) throws(DatasetError) {
    let channels = split.imageShape[0]
    // Counts are exact, so the order of the images does not matter.
    var histogram = [Int](repeating: 0, count: 256 * channels)
    for position in 0..<split.count {
      try split.source.withImage(at: split.sourceIndex(at: position)) { image in
        let plane = image.height * image.width
        for (i, byte) in image.bytes.enumerated() { histogram[i / plane * 256 + Int(byte)] += 1 }
      }
    }
    var mean = [Float]()
    var std = [Float]()
    for channel in 0..<channels {
      let counts = histogram[channel * 256..<(channel + 1) * 256].map(Double.init)
      let total = max(counts.reduce(0, +), 1)
      let average = counts.enumerated().reduce(0) { $0 + $1.element * Double($1.offset) / 255 } / total
      let variance =
        counts.enumerated().reduce(0) {
          let distance = Double($1.offset) / 255 - average
          return $0 + $1.element * distance * distance
        } / total
      mean.append(Float(average))
      std.append(variance > 0 ? Float(variance.squareRoot()) : 1)
    }
    self.init(mean: mean, std: std)
  }

  /// The mean as bytes, rounded as Python rounds: what timm fills in where an operation shows what is outside of an image.
  public var fill: [UInt8] {
    // The shortest decimal is the number that was meant: 0.3 as a Float, times 255, is no longer 76.5.
    mean.map { mean in
      let byte = (255 * (Double(mean.description) ?? 0)).rounded(.toNearestOrEven)
      return UInt8(max(0, min(255, byte.isNaN ? 0 : byte)))
    }
  }

  /// The number for each byte, 256 per channel.
  var table: [Float] {
    zip(mean, std).flatMap { mean, std in (0..<256).map { (Float($0) / 255 - mean) / std } }
  }
}
