/// A matrix that is drawn as coloured cells, the first row at the top. Its rows and columns are called by the names of
/// its panel's axes.
///
/// Values that are not finite leave their cells blank; so do those that a short row lacks.
public struct HeatMap: Hashable, Sendable, Codable {
  /// Row by row.
  public var values: [[Double]]
  /// What the values are, with their unit; stands by the colour key; empty for none.
  public var label: String
  public var format: Axis.Format
  /// Whether each value is shown as its share of its row's sum.
  public var showsShares: Bool
  /// What the darkest and the brightest colour stand for; `nil` for the smallest and the largest value.
  public var range: ClosedRange<Double>?

  public init(
    _ values: [[Double]], label: String = "", format: Axis.Format = .number, showsShares: Bool = false,
    range: ClosedRange<Double>? = nil
  ) {
    self.values = values
    self.label = label
    self.format = showsShares ? .percent : format
    self.showsShares = showsShares
    self.range = range
  }

  public var rows: Int { values.count }
  public var columns: Int { values.map(\.count).max() ?? 0 }

  /// The values as they are shown: the shares of each row where those are asked for. A row whose sum is 0 has none.
  var shown: [[Double]] {
    guard showsShares else { return values }
    return values.map { row in
      let sum = row.reduce(0) { $0 + ($1.isFinite ? $1 : 0) }
      return row.map { sum > 0 && sum.isFinite ? $0 / sum : .nan }
    }
  }

  /// What the ends of the colour scale stand for: at least a little apart.
  var extremes: (low: Double, high: Double) {
    if let range, !Ticks.areAlike(range.lowerBound, range.upperBound), Mapping.isShown(range.lowerBound, .linear),
      Mapping.isShown(range.upperBound, .linear)
    {
      return (range.lowerBound, range.upperBound)
    }
    let all = shown.joined().filter { Mapping.isShown($0, .linear) }
    // Counts and shares begin at nothing.
    let least = all.min() ?? 0
    let low = least > 0 && (showsShares || all.allSatisfy { $0.rounded() == $0 }) ? 0 : least
    let high = all.max() ?? 1
    return Ticks.areAlike(low, high) ? (low, low + max(1, abs(low))) : (low, high)
  }
}
