public import Tensors

/// Brightness, contrast, saturation and hue changed by random factors in random order, as torchvision's `ColorJitter`.
///
/// Drawn, in this order and always all: the order, then a factor for each of the four.
public struct ColorJitter: Hashable, Sendable, Codable {
  /// Factors lie in `max(0, 1 - x)...1 + x`.
  public var brightness, contrast, saturation: Double
  /// Turns of the hue lie in `-hue...hue`; up to 0.5, half a circle.
  public var hue: Double

  public init(brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0) {
    (self.brightness, self.contrast, self.saturation, self.hue) = (brightness, contrast, saturation, hue)
  }

  /// The changes drawn for an image, in their order.
  public func draw(using random: inout Philox) -> [ImageOperation] {
    let order = random.permutation(of: 4)
    func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * random.uniformDouble() }
    func factor(_ width: Double) -> Double { uniform(max(0, 1 - width), 1 + width) }
    let changes: [(Double, ImageOperation)] = [
      (brightness, .brightness(factor(brightness))), (contrast, .contrast(factor(contrast))),
      (saturation, .color(factor(saturation))), (hue, .hue(uniform(-hue, hue))),
    ]
    return order.filter { changes[$0].0 > 0 }.map { changes[$0].1 }
  }
}
