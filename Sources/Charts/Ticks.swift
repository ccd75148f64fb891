import Foundation

/// Where an axis begins and ends, and the round values between.
package struct Ticks: Hashable, Sendable {
  /// The values at both ends of the axis; the first is smaller.
  package var low, high: Double
  /// Rising; they have labels.
  package var major: [Double]
  /// Rising; they have none.
  package var minor: [Double]
  /// The distance of major ticks where it is constant: `mantissa · 10^exponent`.
  package var mantissa = 1
  package var exponent = 0
  package var isEven = true
  /// Whether the major ticks are powers of two.
  package var isBinary = false

  init(
    low: Double, high: Double, major: [Double], minor: [Double], mantissa: Int = 1, exponent: Int = 0,
    isEven: Bool = true, isBinary: Bool = false
  ) {
    (self.low, self.high, self.major, self.minor) = (low, high, major, minor)
    (self.mantissa, self.exponent, self.isEven, self.isBinary) = (mantissa, exponent, isEven, isBinary)
  }

  /// A tick at every `step`th of the places 1 to `count`, with half a place free at both ends.
  init(places count: Int, every step: Int) {
    let step = max(1, step)
    self.init(
      low: 0.5, high: Double(count) + 0.5, major: stride(from: 1, through: count, by: step).map(Double.init), minor: [])
  }

  /// The ticks for values from `low` to `high`.
  ///
  /// Steps are 1, 2 or 5 times a power of ten, at most `limit` ticks, as close as that allows. An axis that ends just
  /// short of a tick is stretched to it, after the wish of Talbot, Lin and Hanrahan ("An Extension of Wilkinson's
  /// Algorithm", 2010) for labels that cover the data.
  ///
  /// Any two numbers will do, in either order: what is too large is brought to ±1e300, and `nan` counts as 0.
  ///
  /// - Parameters:
  ///   - padding: The share of the range that stays free on each side.
  ///   - integers: Whether ticks are at integers only.
  ///   - floor: The axis does not start below this unless the data does; `ceiling` likewise.
  ///   - within: Where ticks may be; the axis is then not stretched to one.
  package static func linear(
    _ low: Double, _ high: Double, atMost limit: Int, integers: Bool = false, padding: Double = 0,
    floor: Double = -.infinity, ceiling: Double = .infinity, within: ClosedRange<Double>? = nil
  ) -> Ticks {
    let ends = [low, high].map { $0.isNaN ? 0 : max(-Ticks.largest, min(Ticks.largest, $0)) }
    var (low, high) = (min(ends[0], ends[1]), max(ends[0], ends[1]))
    if Ticks.areAlike(low, high) {
      let size = max(abs(low), abs(high))
      let reach = integers ? max(1, (size * 1e-9).rounded(.up)) : size <= Ticks.smallest ? 1 : size * 0.1
      (low, high) = (low - reach, high + reach)
      low = low < floor && low + reach >= floor ? floor : low
      high = high > ceiling && high - reach <= ceiling ? ceiling : high
    } else {
      let free = (high - low) * padding
      low = low >= floor ? max(floor, low - free) : low - free
      high = high <= ceiling ? min(ceiling, high + free) : high + free
    }
    var (mantissa, exponent) = step(from: low, to: high, atMost: max(2, limit))
    if integers && exponent < 0 { (mantissa, exponent) = (1, 0) }
    var ticks = Ticks(low: low, high: high, major: [], minor: [], mantissa: mantissa, exponent: exponent)
    let step = ticks.value(of: 1)
    let before = ticks.value(of: (low / step).rounded(.down))
    let after = ticks.value(of: (high / step).rounded(.up))
    let isStretched = padding > 0 && within == nil
    if isStretched && low - before <= step * 0.35 { ticks.low = before }
    if isStretched && after - high <= step * 0.35 && after <= ceiling { ticks.high = after }
    ticks.major = ticks.multiples(of: 1)
    let parts: Double = mantissa != 2 ? 5 : integers && exponent == 0 ? 2 : 4
    if !integers || step > 1 { ticks.minor = ticks.multiples(of: parts) }
    if let within {
      ticks.major.removeAll { !within.contains($0) }
      ticks.minor.removeAll { !within.contains($0) }
    }
    let majors = Set(ticks.major)
    ticks.minor.removeAll { majors.contains($0) }
    return ticks
  }

  /// Lets the axis go on, without ticks, until a share of it lies beyond a value.
  mutating func makeRoom(_ share: Double, beyond value: Double, isLog: Bool = false) {
    guard share > 0, share < 1 else { return }
    if isLog {
      high = max(high, pow(10, log10(value) + (log10(value) - log10(low)) * share / (1 - share)))
    } else {
      high = max(high, value + (value - low) * share / (1 - share))
    }
  }

  /// What an axis can reach to, and the smallest distance on it: beyond, steps and their sums are not exact any more.
  static let largest = 1e300, smallest = 1e-290

  /// Whether values differ by rounding only: by at most 1e-12 of their size.
  static func areAlike(_ low: Double, _ high: Double) -> Bool {
    high - low <= max(max(abs(low), abs(high)) * 1e-12, smallest)
  }

  /// The smallest step that gives at most `limit` ticks.
  private static func step(from low: Double, to high: Double, atMost limit: Int) -> (mantissa: Int, exponent: Int) {
    var exponent = Int(log10((high - low) / Double(limit)).rounded(.down)) - 1
    while true {
      for mantissa in [1, 2, 5] {
        let ticks = Ticks(low: low, high: high, major: [], minor: [], mantissa: mantissa, exponent: exponent)
        if ticks.count() <= Double(limit) { return (mantissa, exponent) }
      }
      exponent += 1
    }
  }

  /// `index` steps, rounded once, so that three steps of 0.1 are 0.3.
  private func value(of index: Double) -> Double {
    let steps = index * Double(mantissa)
    return exponent >= 0 ? steps * pow(10, Double(exponent)) : steps / pow(10, Double(-exponent))
  }

  /// The first and last `parts`th of a step in the axis, with room for rounding at its ends.
  private func indices(_ parts: Double) -> (Double, Double) {
    let step = value(of: 1 / parts)
    return ((low / step - 1e-9).rounded(.up), (high / step + 1e-9).rounded(.down))
  }

  private func count() -> Double {
    let (first, last) = indices(1)
    return last - first + 1
  }

  /// The ends of the `parts`ths of steps within the axis.
  private func multiples(of parts: Double) -> [Double] {
    let (first, last) = indices(parts)
    guard last >= first, last - first < 1000 else { return [] }
    return (0...Int(last - first)).map { value(of: (first + Double($0)) / parts) }
  }

  /// The ticks for positive values from `low` to `high` on a logarithmic axis: powers of ten, or 1, 2 and 5 times them
  /// where there are few, or even steps within less than that.
  package static func logarithmic(_ low: Double, _ high: Double, atMost limit: Int, padding: Double = 0) -> Ticks {
    let ends = [low, high].map { $0.isNaN ? 1 : max(Ticks.smallest, min(Ticks.largest, $0)) }
    var (from, to) = (log10(min(ends[0], ends[1])), log10(max(ends[0], ends[1])))
    if to - from < 1e-9 { (from, to) = (from - 0.5, to + 0.5) }
    let free = (to - from) * padding
    (from, to) = (max(-300, from - free), min(300, to + free))
    if padding > 0 && from - from.rounded(.down) <= 0.1 { from = from.rounded(.down) }
    if padding > 0 && to.rounded(.up) - to <= 0.1 { to = to.rounded(.up) }
    let (low, high) = (pow(10, from), pow(10, to))
    var ticks = Ticks(low: low, high: high, major: [], minor: [], isEven: false)
    func inside(_ value: Double) -> Bool { low * (1 - 1e-9) <= value && value <= high * (1 + 1e-9) }
    let exponents = Int(from.rounded(.down))...Int(to.rounded(.up))
    func values(_ digits: [Int], _ exponents: some Sequence<Int>) -> [Double] {
      exponents.flatMap { exponent in
        digits.map { exponent >= 0 ? Double($0) * pow(10, Double(exponent)) : Double($0) / pow(10, Double(-exponent)) }
      }.filter(inside)
    }
    let decades = values([1], exponents)
    if decades.count >= 3 || decades.count == 2 && limit < 4 {
      let stride = (decades.count + max(2, limit) - 1) / max(2, limit)
      ticks.major = values([1], exponents.filter { $0.isMultiple(of: stride) })
      ticks.minor = stride == 1 ? values(Array(2...9), exponents) : decades
    } else {
      let candidates = [[1, 2, 5], [1, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]].map { values($0, exponents) }
      guard let major = candidates.first(where: { $0.count >= 3 && $0.count <= max(3, limit) }) else {
        return Ticks.linear(low, high, atMost: limit)
      }
      ticks.major = major
      ticks.minor = values(Array(1...9), exponents)
    }
    let majors = Set(ticks.major)
    ticks.minor.removeAll { majors.contains($0) }
    return ticks
  }

  /// The ticks for positive values on a logarithmic axis: powers of two, all of them or every second, third and so on.
  package static func powersOfTwo(_ low: Double, _ high: Double, atMost limit: Int, padding: Double = 0) -> Ticks {
    let ends = [low, high].map { log2(max(Ticks.smallest, min(1e16, $0))) }.sorted()
    let (from, to) = (ends[0], max(ends[1], ends[0] + 1))
    let free = (to - from) * padding
    let first = max(0, Int(from.rounded(.up)))
    let exponents = first...max(first, Int(to.rounded(.down)))
    let step = (exponents.count + max(2, limit) - 1) / max(2, limit)
    return Ticks(
      low: pow(2, from - free), high: pow(2, to + free),
      major: stride(from: exponents.lowerBound, through: exponents.upperBound, by: step).map { pow(2, Double($0)) },
      minor: [], isEven: false, isBinary: true)
  }
}
