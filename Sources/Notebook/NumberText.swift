internal import Foundation

/// How numbers of results are written: the same in tables, verdicts and images.
enum NumberText {
  /// With a fixed number of places behind the point, or with six digits where the number is very large.
  static func fixed(_ number: Double, _ places: Int) -> String {
    if number.isFinite, abs(number) >= 1e15 { return String(format: "%.6g", number) }
    return number.isFinite ? String(format: "%.\(places)f", number) : number.isNaN ? "nan" : number < 0 ? "-inf" : "inf"
  }

  /// As short as it can be: integers with separators between thousands, others to four places or digits.
  static func short(_ number: Double) -> String {
    guard number.isFinite else { return fixed(number, 0) }
    if number.rounded() == number, abs(number) < 1e15 { return grouped(Int(number)) }
    if abs(number) >= 1e6 || abs(number) < 1e-3 { return String(format: "%.4g", number) }
    var text = fixed(number, 4)
    while text.hasSuffix("0") { text.removeLast() }
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  /// How many places behind the point a number is written with: 2 for 80.37, 0 for 76.
  static func places(of number: Double) -> Int {
    // `1.5e-05` has six.
    let parts = "\(number)".split(separator: "e")
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let fraction = parts.first?.split(separator: ".").dropFirst().first.map(String.init) ?? "0"
    return max(0, (fraction == "0" ? 0 : fraction.count) - exponent)
  }

  /// How many places show a difference of such a size in three digits.
  static func places(for width: Double) -> Int {
    guard width.isFinite, width > 0 else { return 2 }
    return Int(min(max(2 - log10(width).rounded(.down), 0), 8))
  }

  /// An interval with both ends: `90.73 to 91.84`.
  static func interval(_ interval: ClosedRange<Double>) -> String {
    let places = places(for: interval.upperBound - interval.lowerBound)
    return "\(fixed(interval.lowerBound, places)) to \(fixed(interval.upperBound, places))"
  }

  /// With separators between thousands: `25,557,032`.
  static func grouped(_ number: Int) -> String {
    var text = ""
    for (place, digit) in String(number.magnitude).reversed().enumerated() {
      if place > 0, place % 3 == 0 { text = "," + text }
      text = "\(digit)" + text
    }
    return number < 0 ? "-" + text : text
  }

  /// A time for people: `42 s`, `3 min 5 s`, `2 h 10 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    if seconds < 10 { return "\(fixed(seconds, 1)) s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
