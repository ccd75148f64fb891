/// What of a chart's data cannot be drawn, and why: counts.
public struct LeftOut: Hashable, Sendable {
  /// Not numbers, or infinite.
  public private(set) var notFinite = 0
  /// Zero or negative, where an axis is logarithmic.
  public private(set) var notPositive = 0
  /// Beyond ±1e250, or, where an axis is logarithmic, positive but below 1e-250.
  public private(set) var outOfRange = 0

  public var count: Int { notFinite + notPositive + outOfRange }

  public init() {}

  /// What a linear axis cannot show of some values.
  public init(of values: some Sequence<Double>) {
    for value in values { add(value, .linear) }
  }

  /// Counts a value that an axis cannot show.
  /// - Returns: Whether it is one.
  @discardableResult
  mutating func add(_ value: Double, _ scale: Axis.Scale) -> Bool {
    if Mapping.isShown(value, scale) { return false }
    if !value.isFinite {
      notFinite += 1
    } else if scale == .log && value <= 0 {
      notPositive += 1
    } else {
      outOfRange += 1
    }
    return true
  }

  /// `3 points are not drawn: 1 not finite, 2 not positive on a logarithmic axis`; empty where nothing is left out.
  /// - Parameter noun: What is left out: "point" unless given.
  public func text(_ noun: String = "point") -> String {
    guard count > 0 else { return "" }
    let reasons = [
      (notFinite, "not finite"), (notPositive, "not positive on a logarithmic axis"),
      (outOfRange, "out of an axis's range"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return "\(count) \(noun)\(count == 1 ? " is" : "s are") not drawn: \(reasons.joined(separator: ", "))"
  }
}

extension Chart {
  /// The points of curves, points and bars that no axis can show, and the intervals at points that are shown.
  public var leftOut: (points: LeftOut, intervals: LeftOut) {
    var (points, intervals) = (LeftOut(), LeftOut())
    for panel in panels.map(\.completed) {
      for series in panel.marks.compactMap(\.series) {
        for (index, (x, y)) in zip(series.x, series.y).enumerated() {
          if points.add(x, panel.x.scale) || points.add(y, panel.y.scale) { continue }
          guard let band = series.band, index < band.low.count, index < band.high.count else { continue }
          if !intervals.add(band.low[index], panel.y.scale) { intervals.add(band.high[index], panel.y.scale) }
        }
      }
    }
    return (points, intervals)
  }

  /// What is left out, in words; empty where all is drawn.
  public var note: String {
    let (points, intervals) = leftOut
    return [points.text(), intervals.text("interval")].filter { !$0.isEmpty }.joined(separator: "; ")
  }
}
