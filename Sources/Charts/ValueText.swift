import Foundation

/// How values are written at bars and in cells.
enum ValueText {
  /// The texts of values that stand side by side: all with as many decimals as `digits` digits of the largest take, or
  /// fewer where those are all zeros. Values that are not finite have none.
  static func texts(_ values: [Double], _ format: Axis.Format, digits: Int) -> [String] {
    let factor: Double = format == .percent ? 100 : 1
    let unit = format == .percent ? " %" : ""
    // Smaller than what an axis tells from zero is zero.
    let shown = values.map { value in
      Mapping.isShown(value, .linear) ? (abs(value) <= Ticks.smallest ? 0 : value * factor) : .nan
    }
    let sizes = shown.filter { $0.isFinite && $0 != 0 }.map { abs($0) }
    let (least, most) = (sizes.min() ?? 0, sizes.max() ?? 0)
    if most < 1e15 && shown.allSatisfy({ !$0.isFinite || $0.rounded() == $0 }) {
      return shown.map { $0.isFinite ? Ticks.fixed($0, 0) + unit : "" }
    }
    // Far apart, one number of decimals suits none.
    if most > least * 1000 || most >= 1e7 || most < 1e-3 {
      return shown.map { $0.isFinite ? single($0, digits: digits) + unit : "" }
    }
    let decimals = max(0, digits - 1 - Int(log10(most).rounded(.down)))
    var texts = shown.map { $0.isFinite ? Ticks.fixed($0, decimals) : "" }
    for _ in 0..<decimals {
      guard texts.allSatisfy({ $0.isEmpty || $0.hasSuffix("0") }) else { break }
      texts = texts.map { String($0.dropLast()) }
    }
    return texts.map { $0.isEmpty ? "" : ($0.hasSuffix(".") ? String($0.dropLast()) : $0) + unit }
  }

  /// One value by itself: `0.5`, `2000`, `1.38e8`.
  private static func single(_ value: Double, digits: Int) -> String {
    guard value != 0 else { return "0" }
    let magnitude = Int(log10(abs(value)).rounded(.down))
    let isPlain = (-3..<7).contains(magnitude)
    let shown = isPlain ? value : value / pow(10, Double(magnitude))
    let decimals = max(0, digits - 1 - (isPlain ? magnitude : 0))
    var text = Ticks.fixed(shown, decimals)
    if decimals > 0 {
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
    }
    return isPlain ? text : "\(text)e\(magnitude)"
  }
}
