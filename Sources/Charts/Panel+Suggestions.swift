extension Axis.Scale {
  /// How values are seen best: by factors where all are positive and range over two decades, or where one of them
  /// stands far above the others; shares of a whole always evenly.
  ///
  /// - Parameter label: What the axis is called; "%" in it tells a share.
  public static func suggested(forValues values: [Double], called label: String) -> Axis.Scale {
    let sorted = values.filter(\.isFinite).sorted()
    guard sorted.count > 2, sorted[0] > 0, !label.contains("%"), !label.contains("share") else { return .linear }
    let (ratio, middle) = (sorted[sorted.count - 1] / sorted[0], sorted[sorted.count / 2])
    return ratio >= 100 || ratio >= 30 && sorted[sorted.count - 1] >= 10 * middle ? .log : .linear
  }

  /// How places are seen best: by factors where they grow by about equal factors, as batch sizes and learning rates do.
  public static func suggested(forPlaces places: [Double]) -> Axis.Scale {
    let sorted = Set(places.filter(\.isFinite)).sorted()
    guard sorted.count > 3, sorted[0] > 0, sorted[sorted.count - 1] >= 8 * sorted[0] else { return .linear }
    /// The largest over the smallest of some steps.
    func unevenness(_ steps: [Double]) -> Double { (steps.max() ?? 1) / max(steps.min() ?? 1, 1e-300) }
    let pairs = zip(sorted.dropFirst(), sorted)
    // Halved, since the distance of two finite numbers may not be finite; a factor less 1 tells equal places apart.
    let (even, growing) = (unevenness(pairs.map { $0 / 2 - $1 / 2 }), unevenness(pairs.map { $0 / $1 - 1 }))
    return growing <= 4 && even > 2 * growing ? .log : .linear
  }
}

extension Panel {
  /// Whether bars from zero would hide how some values differ: all have one sign, and they lie, with their intervals,
  /// within a quarter of the largest.
  public static func areAlike(_ series: [Series]) -> Bool {
    let all = series.flatMap { $0.y + ($0.band?.low ?? []) + ($0.band?.high ?? []) }.filter(\.isFinite)
    guard series.reduce(0, { $0 + $1.y.count }) > 1, let low = all.min(), let high = all.max(), low * high > 0 else {
      return false
    }
    return high / 2 - low / 2 < max(abs(low), abs(high)) / 8
  }

  /// Whether names of places would have to stand upright below a plot of this width, so that the panel reads better on
  /// its side. Pixels.
  public static func isWide(_ names: [String], for width: Int) -> Bool {
    // A letter is about ten pixels wide where a chart is 800; a fifth of the width is beside the plot.
    let letters = 64 / max(1, names.count) * max(1, width / 800)
    return names.contains { name in
      name.count > min(20, 2 * letters) || name.split(separator: " ").contains { $0.count > letters }
    }
  }

  /// The height of a chart of one panel that lies on its side. Pixels.
  ///
  /// - Parameters:
  ///   - rows: How many places there are.
  ///   - bars: How many bars stand beside each other at each.
  ///   - lines: How many lines of text stand above and below the panel.
  public static func height(ofRows rows: Int, bars: Int, lines: Int) -> Int {
    let row = bars < 2 ? 34 : 12 + 22 * bars
    return max(300, min(4000, 90 + 30 * lines + rows * row))
  }
}
