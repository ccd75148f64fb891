internal import Foundation

/// How often values fall into each of some neighbouring ranges.
public struct Histogram: Hashable, Sendable, Codable {
  /// What the legend calls it; empty for no entry.
  public var name: String
  /// Where the ranges begin and end, rising: one more than ``counts``.
  public var edges: [Double]
  /// How many values lie in each range. A range holds its lower edge, the last one its upper edge too.
  public var counts: [Double]
  public var style: Style

  public init(_ name: String = "", edges: [Double], counts: [Double], style: Style = Style()) {
    self.name = name
    self.edges = edges
    self.counts = counts
    self.style = style
  }

  /// Counts values in ranges. Those that are not finite, and those outside all ranges, are left out.
  ///
  /// - Parameter edges: Rising, at equal distances, as ``edges(for:count:)`` makes them.
  public init(_ name: String = "", of values: [Double], edges: [Double], style: Style = Style()) {
    self.init(name, edges: edges, counts: Array(repeating: 0, count: max(0, edges.count - 1)), style: style)
    guard let low = edges.first, let high = edges.last, !counts.isEmpty else { return }
    // Halved, since the distance of two finite values may not be finite.
    let width = high / 2 - low / 2
    guard width > 0, width.isFinite else { return }
    for value in values where value >= low && value <= high {
      let share = (value / 2 - low / 2) / width
      var index = min(counts.count - 1, max(0, Int(share * Double(counts.count))))
      // The division may have been rounded across an edge.
      while index > 0 && value < edges[index] { index -= 1 }
      while index < counts.count - 1 && value >= edges[index + 1] { index += 1 }
      counts[index] += 1
    }
  }

  /// The most ranges that are chosen unless a number is asked for.
  static let mostAutomatic = 200
  /// The most ranges that can be asked for.
  public static let mostBins = 10_000

  /// Edges of ranges of one width that cover all finite values of some lists.
  ///
  /// The width is `2 · IQR / ∛n` (Freedman and Diaconis, "On the histogram as a density estimator", 1981), for the list
  /// that asks for the narrowest; where a list's quartiles coincide, there are `log₂ n + 1` ranges (Sturges 1926). Whole
  /// numbers get ranges around integers.
  ///
  /// - Parameter count: How many ranges, from 1 to ``mostBins``; `nil` chooses, at most 200.
  /// - Returns: Empty where no value is finite.
  public static func edges(for lists: [[Double]], count: Int? = nil) -> [Double] {
    let sorted = lists.map { $0.filter { Mapping.isShown($0, .linear) }.sorted() }.filter { !$0.isEmpty }
    guard let low = sorted.map({ $0[0] }).min(), let high = sorted.map({ $0[$0.count - 1] }).max() else { return [] }
    let range = high - low
    guard !Ticks.areAlike(low, high) else {
      let reach = abs(low) <= Ticks.smallest ? 0.5 : abs(low) * 0.5
      return [low - reach, low + reach]
    }
    if let count { return edges(from: low, to: high, count: max(1, min(mostBins, count))) }
    let bins =
      sorted.map { values -> Double in
        let spread = quantile(values, 0.75) - quantile(values, 0.25)
        let width = 2 * spread / cbrt(Double(values.count))
        return width > 0 ? min(Double(mostAutomatic), range / width) : log2(Double(values.count)) + 1
      }.max() ?? 1
    let isWhole = sorted.allSatisfy { $0.allSatisfy { $0.rounded() == $0 && abs($0) < 1e15 } }
    if isWhole {
      let width = max(1, (range / bins).rounded())
      let parts = min(Double(mostAutomatic), ((range + 1) / width).rounded(.up))
      let wider = max(width, ((range + 1) / parts).rounded(.up))
      return edges(from: low - 0.5, to: low - 0.5 + wider * parts, count: Int(parts))
    }
    return edges(from: low, to: high, count: max(1, min(mostAutomatic, Int(bins.rounded(.up)))))
  }

  private static func edges(from low: Double, to high: Double, count: Int) -> [Double] {
    (0...count).map { $0 == count ? high : low + (high - low) * (Double($0) / Double(count)) }
  }

  /// Between neighbours of rising values, in a straight line: the definition that NumPy and R take unless told.
  private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let place = Double(sorted.count - 1) * share
    let below = Int(place)
    let next = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[next] - sorted[below]) * (place - Double(below))
  }
}
