internal import Glibc
internal import Tensors

/// Random erasing: a rectangle of the normalized image becomes 0 or noise.
///
/// Drawn, in this order: whether, how many where there is a choice, then for each rectangle up to ten times its share of
/// the area, its proportions and, where it fits, its place; and its noise.
///
/// Source: Zhong et al. 2017, arXiv:1708.04896, with the draws of timm 1.0.31, `random_erasing.py`.
public struct RandomErasing: Hashable, Sendable, Codable {
  public enum Mode: String, CaseIterable, Hashable, Sendable, Codable {
    /// 0, the dataset's mean.
    case const
    /// One number of the normal distribution for each channel.
    case rand
    /// One for each pixel of each channel.
    case pixel
  }
  public var probability: Double
  /// The share of the image's area; shared among the rectangles where there are several.
  public var area: ClosedRange<Double>
  /// Height to width.
  public var aspect: ClosedRange<Double>
  public var mode: Mode
  /// Rectangles are drawn from 1 to this number.
  public var most: Int

  public init(
    probability: Double = 0.25, area: ClosedRange<Double> = 0.02...(1.0 / 3),
    aspect: ClosedRange<Double> = 0.3...(1 / 0.3), mode: Mode = .pixel, most: Int = 1
  ) {
    (self.probability, self.area, self.aspect, self.mode, self.most) = (probability, area, aspect, mode, most)
  }

  func apply(to numbers: UnsafeMutablePointer<Float>, shape: Shape, using random: inout Philox) {
    guard random.uniformDouble() < probability else { return }
    let (channels, height, width) = (shape[0], shape[1], shape[2])
    let count = most > 1 ? 1 + random.integer(below: most) : 1
    func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * random.uniformDouble() }
    for _ in 0..<count {
      for _ in 0..<10 {
        let size = uniform(area.lowerBound, area.upperBound) * Double(height * width) / Double(count)
        let ratio = exp(uniform(log(aspect.lowerBound), log(aspect.upperBound)))
        let boxHeight = Int((size * ratio).squareRoot().rounded(.toNearestOrEven))
        let boxWidth = Int((size / ratio).squareRoot().rounded(.toNearestOrEven))
        guard boxHeight < height, boxWidth < width else { continue }
        let top = random.integer(below: height - boxHeight + 1)
        let left = random.integer(below: width - boxWidth + 1)
        for channel in 0..<channels {
          let color = mode == .rand ? Float(random.normal()) : 0
          for y in top..<top + boxHeight {
            let line = numbers + (channel * height + y) * width
            for x in left..<left + boxWidth { line[x] = mode == .pixel ? Float(random.normal()) : color }
          }
        }
        break
      }
    }
  }
}

/// The principal components of the colours of ImageNet's training images, red, green and blue from 0 to 1.
///
/// Source: the numbers that fb.resnet.torch and its relatives use for AlexNet's noise.
enum ColorNoise {
  static let eigenvalues = [0.2175, 0.0188, 0.0045]
  /// A row for each channel, a column for each component.
  static let eigenvectors = [
    [-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203],
  ]

  /// What is added to each channel of an image: three numbers are drawn.
  static func shift(std: Double, using random: inout Philox) -> [Double] {
    let weights = eigenvalues.map { $0 * std * random.normal() }
    return eigenvectors.map { row in zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 } }
  }
}
