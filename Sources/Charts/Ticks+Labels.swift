import Foundation

extension Ticks {
  /// The texts of the major ticks, and what all of them leave out: "×10⁻⁹" or "+ 1,000,000", to stand by the axis label.
  package struct Labels: Hashable, Sendable {
    package var texts: [String]
    package var note = ""
  }

  /// The texts of the major ticks, with as many decimals as they need and no more.
  ///
  /// - Parameter superscripts: Whether the typeface has ⁰ to ⁹; without them a power of ten is written 1e-9.
  package func labels(_ format: Axis.Format, superscripts: Bool = true) -> Labels {
    let size = major.map(abs).max() ?? 0
    guard size > 0 else { return Labels(texts: major.map { _ in format == .percent ? "0 %" : "0" }) }
    // Shares that are far apart are powers of ten: their decimals would all be zeros.
    if format == .percent && size < 1e6 && size >= 1e-6 && (isEven || (major.first ?? 0) >= 1e-8) {
      let decimals = isEven ? max(0, -exponent - 2) : nil
      return Labels(texts: major.map { Ticks.fixed($0 * 100, decimals) + " %" })
    }
    let magnitude = Int(log10(size).rounded(.down))
    if isEven {
      if magnitude - exponent >= 8, let first = major.first {
        let rest = Ticks(
          low: low - first, high: high - first, major: major.map { $0 - first }, minor: [], mantissa: mantissa,
          exponent: exponent)
        let labels = rest.labels(.number, superscripts: superscripts)
        // 17 digits name every Double; fewer are wanted, but the note must not lie.
        let offset = first.magnitude < 1e15 ? Ticks.fixed(first, max(0, -exponent)) : String(format: "%.17g", first)
        let sign = first < 0 ? "" : "+ "
        return Labels(
          texts: labels.texts, note: [labels.note, sign + offset].filter { !$0.isEmpty }.joined(separator: " "))
      }
      guard size >= 1e7 || size < 1e-3 else {
        return Labels(texts: major.map { Ticks.fixed($0, max(0, -exponent)) })
      }
      let decimals = max(0, magnitude - exponent)
      let texts = major.map { value in
        Ticks.fixed(magnitude > 0 ? value / pow(10, Double(magnitude)) : value * pow(10, Double(-magnitude)), decimals)
      }
      return Labels(texts: texts, note: Ticks.power(magnitude, times: nil, superscripts))
    }
    if isBinary && size >= 1e6 {
      return Labels(texts: major.map { "2" + Ticks.raised(Int(log2($0).rounded()), superscripts) })
    }
    if isBinary || size < 1e5 && (major.first ?? 0) >= 1e-4 { return Labels(texts: major.map { Ticks.fixed($0, nil) }) }
    return Labels(
      texts: major.map { value in
        let exponent = Int((log10(value) + 1e-9).rounded(.down))
        let digit = Int((value / pow(10, Double(exponent))).rounded())
        return Ticks.power(exponent, times: digit, superscripts)
      })
  }

  /// The number with `decimals` of them, or as many as it needs, thousands set off by commas.
  static func fixed(_ value: Double, _ decimals: Int?) -> String {
    var text: String
    if let decimals {
      text = String(format: "%.\(min(decimals, 17))f", abs(value))
    } else {
      text = String(format: "%.6f", abs(value))
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
    }
    let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
    let point = text.firstIndex(of: ".") ?? text.endIndex
    let whole = Array(text[..<point])
    var grouped = ""
    for (index, digit) in whole.enumerated() {
      if index > 0 && whole.count > 4 && (whole.count - index).isMultiple(of: 3) { grouped.append(",") }
      grouped.append(digit)
    }
    return (value < 0 && !isZero ? "−" : "") + grouped + text[point...]
  }

  /// "×10⁶" without `digit`, "10⁶" for a digit of 1, else "2×10⁶".
  private static func power(_ exponent: Int, times digit: Int?, _ superscripts: Bool) -> String {
    guard superscripts else { return digit.map { "\($0)e\(exponent)" } ?? "×1e\(exponent)" }
    let raised = raised(exponent, superscripts)
    switch digit {
    case nil: return "×10\(raised)"
    case 1: return "10\(raised)"
    case let digit?: return "\(digit)×10\(raised)"
    }
  }

  private static func raised(_ exponent: Int, _ superscripts: Bool) -> String {
    guard superscripts else { return "^\(exponent)" }
    return String(String(exponent).map { $0 == "-" ? "⁻" : Array("⁰¹²³⁴⁵⁶⁷⁸⁹")[$0.wholeNumberValue ?? 0] })
  }
}
