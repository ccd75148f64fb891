import Foundation

/// From the values of an axis to pixels.
package struct Mapping: Hashable, Sendable {
  let scale: Axis.Scale
  let low, high: Double
  /// Where `low` and `high` are. Pixels.
  package let start, end: Double

  init(_ ticks: Ticks, _ scale: Axis.Scale, from start: Double, to end: Double) {
    self.scale = scale
    (low, high) = scale == .log ? (log10(ticks.low), log10(ticks.high)) : (ticks.low, ticks.high)
    (self.start, self.end) = (start, end)
  }

  /// Whether an axis can show the value.
  static func isShown(_ value: Double, _ scale: Axis.Scale) -> Bool {
    value.isFinite && abs(value) <= 1e250 && (scale == .linear || value >= 1e-250)
  }

  /// The place of a value, or `nil` for one that cannot be shown. Far outside, places are cut to a million pixels.
  func callAsFunction(_ value: Double) -> Double? {
    guard Mapping.isShown(value, scale) else { return nil }
    let share = ((scale == .log ? log10(value) : value) - low) / (high - low)
    return max(-1e6, min(1e6, start + share * (end - start)))
  }

  /// The place cut off at the ends of the axis.
  func clamped(_ place: Double) -> Double { max(min(start, end), min(max(start, end), place)) }
}
