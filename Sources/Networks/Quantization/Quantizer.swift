/// Integers that stand for real ones: `real = scale (stored − zero)`.
///
/// - Source: Jacob et al. 2017 (arXiv:1712.05877), eq. 1.
public struct Quantizer: Hashable, Sendable {
  public let scale: Float
  /// What stands for 0, exactly.
  public let zero: Int
  /// What is stored.
  public let levels: ClosedRange<Int>

  public init(scale: Float, zero: Int, levels: ClosedRange<Int>) {
    (self.scale, self.zero, self.levels) = (scale, zero, levels)
  }

  /// The levels spread over a range, which is widened to hold 0 and moved so that a level falls on it.
  public init(low: Float, high: Float, levels: ClosedRange<Int>) {
    let (low, high) = (Double(min(low, 0)), Double(max(high, 0)))
    let scale = Self.scale((high - low) / Double(levels.upperBound - levels.lowerBound))
    let zero = Double(levels.lowerBound) - low / Double(scale)
    self.init(scale: scale, zero: zero.level(within: levels) ?? levels.lowerBound, levels: levels)
  }

  /// Levels around 0, the outermost at a magnitude.
  public init(magnitude: Float, levels: ClosedRange<Int>) {
    self.init(scale: Self.scale(Double(magnitude) / Double(levels.upperBound)), zero: 0, levels: levels)
  }

  /// Of a range without extent, a small one, so that 0 stays 0 and a bias in its units is still fine; of one that is not
  /// finite none, so that all that is rounded by it is NaN.
  private static func scale(_ step: Double) -> Float {
    let scale = Float(step)
    return scale.isNormal || !scale.isFinite ? scale : 0x1p-16
  }

  /// The level nearest to a number; of two as near, the even one.
  public func stored(_ real: Float) -> Int {
    // What is stored cannot be NaN: that becomes 0.
    let reach = levels.lowerBound - zero...levels.upperBound - zero
    return ((real / scale).level(within: reach) ?? 0) + zero
  }
  public func real(_ stored: Int) -> Float { scale * Float(stored - zero) }
  /// The number that is left of one; NaN of NaN, and of all where the scale is not finite.
  public func rounded(_ real: Float) -> Float { real.isNaN || !scale.isFinite ? .nan : self.real(stored(real)) }

  /// The smallest and the largest number that there is a level for.
  public var range: ClosedRange<Float> { real(levels.lowerBound)...real(levels.upperBound) }

  /// The levels of activations: from 0.
  public static func unsigned(bits: Int) -> ClosedRange<Int> { 0...(1 << bits - 1) }
  /// The levels of weights; narrow ones are as many below 0 as above, so that products with −128 never occur
  /// (arXiv:1712.05877, section 2.3).
  public static func signed(bits: Int, isNarrow: Bool) -> ClosedRange<Int> {
    (isNarrow ? 1 : 0) - 1 << (bits - 1)...1 << (bits - 1) - 1
  }
}

extension Collection where Element: BinaryFloatingPoint {
  /// The smallest and the largest of some numbers and 0; NaN is left out.
  var rangeWithZero: (low: Element, high: Element) {
    reduce(into: (0, 0)) { range, number in
      if number < range.low { range.low = number }
      if number > range.high { range.high = number }
    }
  }
}

extension BinaryFloatingPoint {
  /// The nearest integer in a range, of two as near the even one; nil for what is no number.
  func level(within range: ClosedRange<Int>) -> Int? {
    guard !isNaN else { return nil }
    return Int(min(max(rounded(.toNearestOrEven), Self(range.lowerBound)), Self(range.upperBound)))
  }
}
