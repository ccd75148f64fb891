public import Tensors

/// Some operations drawn for each image, each with a random level around one magnitude, as timm draws them.
///
/// For each layer are drawn, in this order and always all of them: the operation, out of 15 with replacement; whether it
/// is applied; its level, of the normal distribution around the magnitude, cut to 0...10; the sign of its argument; and
/// the filter, used where the operation moves pixels. What comes in from outside has the mean
/// of the dataset's normalization, as in timm.
///
/// Source: Cubuk et al. 2020, arXiv:1909.13719, with the scale, the levels and the two lists of timm 1.0.31,
/// `auto_augment.py` (`rand-m7-mstd0.5` is `RandAugment(magnitude: 7, std: 0.5)`, with `-inc1` increasing). The
/// distribution is timm's, the draws are not.
public struct RandAugment: Hashable, Sendable, Codable {
  /// 0 to 10.
  public var magnitude: Double
  /// Of the levels around the magnitude.
  public var std: Double
  /// Operations drawn for an image.
  public var layers: Int
  /// With which each of them is applied.
  public var probability: Double
  /// Whether every operation changes an image more the higher its level is. In the plain list a higher level keeps more
  /// bits when posterizing, solarizes less, and enhances from too little (0.1) to too much (1.9).
  public var isIncreasing: Bool
  public var filter: Interpolation

  public init(
    magnitude: Double = 9, std: Double = 0.5, layers: Int = 2, probability: Double = 0.5,
    isIncreasing: Bool = false, filter: Interpolation = .random
  ) {
    (self.magnitude, self.std, self.layers) = (magnitude, std, layers)
    (self.probability, self.isIncreasing, self.filter) = (probability, isIncreasing, filter)
  }

  /// The operations, in timm's order.
  public enum Kind: String, CaseIterable, Sendable {
    case autoContrast, equalize, invert, rotate, posterize, solarize, solarizeAdd, color, contrast, brightness
    case sharpness, shearX, shearY, translateX, translateY
  }

  /// The operation of a kind at a level from 0 to 10.
  /// - Parameter isNegative: the sign, for those that have one.
  public func operation(_ kind: Kind, level: Double, isNegative: Bool) -> ImageOperation {
    let share = level / 10
    func signed(_ x: Double) -> Double { isNegative ? -x : x }
    var factor: Double { isIncreasing ? max(0.1, 1 + signed(share * 0.9)) : share * 1.8 + 0.1 }
    switch kind {
    case .autoContrast: return .autoContrast
    case .equalize: return .equalize
    case .invert: return .invert
    case .rotate: return .rotate(degrees: signed(share * 30))
    case .posterize: return .posterize(bits: isIncreasing ? 4 - Int(share * 4) : Int(share * 4))
    case .solarize:
      let threshold = min(256, Int(share * 256))
      return .solarize(threshold: isIncreasing ? 256 - threshold : threshold)
    case .solarizeAdd: return .solarizeAdd(min(128, Int(share * 110)))
    case .color: return .color(factor)
    case .contrast: return .contrast(factor)
    case .brightness: return .brightness(factor)
    case .sharpness: return .sharpness(factor)
    case .shearX: return .shearX(signed(share * 0.3))
    case .shearY: return .shearY(signed(share * 0.3))
    case .translateX: return .translateX(signed(share * 0.45))
    case .translateY: return .translateY(signed(share * 0.45))
    }
  }

  /// What one layer draws.
  public struct Draw: Sendable {
    public let kind: Kind
    public let isApplied: Bool
    /// 0 to 10.
    public let level: Double
    public let isNegative: Bool
    public let filter: Framing.Filter
  }

  /// Draws one layer.
  public func draw(using random: inout Philox) -> Draw {
    let kind = Kind.allCases[random.integer(below: Kind.allCases.count)]
    let isApplied = random.uniformDouble() < probability
    let level = max(0, min(10, magnitude + std * random.normal()))
    let isNegative = random.uniformDouble() < 0.5
    return Draw(
      kind: kind, isApplied: isApplied, level: level, isNegative: isNegative, filter: filter.drawn(using: &random))
  }

  func apply(to canvas: inout Canvas, using random: inout Philox) {
    for _ in 0..<layers {
      let draw = draw(using: &random)
      guard draw.isApplied else { continue }
      canvas.change(
        operation(draw.kind, level: draw.level, isNegative: draw.isNegative), filter: draw.filter)
    }
  }
}
