/// The smallest and largest values that a panel shows.
struct Extremes {
  private(set) var x: (low: Double, high: Double)?
  private(set) var y: (low: Double, high: Double)?
  /// Whether x counts something.
  private(set) var hasIntegerX = true
  /// Whether no mark has anything to show.
  let isEmpty: Bool

  init(_ panel: Panel) {
    let shownX = panel.x.range.flatMap { Extremes.isUsable($0, panel.x.scale) ? $0 : nil }
    func extend(_ range: inout (low: Double, high: Double)?, _ value: Double) {
      range = range.map { (min($0.low, value), max($0.high, value)) } ?? (value, value)
    }
    for mark in panel.marks {
      switch mark {
      case .reference(let reference):
        if Mapping.isShown(reference.value, panel.y.scale) { extend(&y, reference.value) }
      case .heatMap, .pictures: break  // their axes have names
      case .histogram(let histogram):
        for (index, count) in histogram.counts.enumerated() where index + 1 < histogram.edges.count {
          guard Mapping.isShown(count, panel.y.scale), Mapping.isShown(histogram.edges[index], panel.x.scale),
            Mapping.isShown(histogram.edges[index + 1], panel.x.scale)
          else { continue }
          for edge in histogram.edges[index...index + 1] {
            extend(&x, edge)
            // Ranges around integers count something.
            hasIntegerX = hasIntegerX && (edge - 0.5).rounded() == edge - 0.5 && abs(edge) < 1e15
          }
          extend(&y, count)
          extend(&y, panel.y.scale == .log ? count * 0.5 : 0)
        }
      case .line(let series), .points(let series), .bars(let series):
        let isBars = if case .bars = mark { true } else { false }
        let reach = isBars ? Extremes.halfGap(in: panel) : 0
        for (index, place) in series.x.enumerated() {
          guard Mapping.isShown(place, panel.x.scale), shownX?.contains(place) ?? true else { continue }
          var hasValue = false
          for values in [series.y, series.raw ?? [], series.band?.low ?? [], series.band?.high ?? []] {
            guard index < values.count, Mapping.isShown(values[index], panel.y.scale) else { continue }
            extend(&y, values[index])
            hasValue = true
            // A bar begins at nothing, or where its axis does.
            if isBars { extend(&y, panel.y.scale == .log ? values[index] * 0.5 : 0) }
          }
          if hasValue {
            for end in [place - reach, place, place + reach] where Mapping.isShown(end, panel.x.scale) {
              extend(&x, end)
            }
            hasIntegerX = hasIntegerX && place.rounded() == place && abs(place) < 1e15
          }
        }
      }
    }
    isEmpty = y == nil && !(panel.heatMap?.shown.joined().contains { Mapping.isShown($0, .linear) } ?? false)
  }

  /// Half the distance of the two nearest places that have bars.
  private static func halfGap(in panel: Panel) -> Double {
    let places = panel.marks.flatMap { mark -> [Double] in if case .bars(let series) = mark { series.x } else { [] } }
    let sorted = Set(places.filter { Mapping.isShown($0, .linear) }).sorted()
    return (zip(sorted.dropFirst(), sorted).map { $0 - $1 }.min() ?? 1) / 2
  }

  private static func isUsable(_ range: ClosedRange<Double>, _ scale: Axis.Scale) -> Bool {
    Mapping.isShown(range.lowerBound, scale) && Mapping.isShown(range.upperBound, scale)
      && range.lowerBound < range.upperBound
  }

  /// The ticks of an axis that shows `extremes`, or what the axis asks for.
  ///
  /// - Parameter hasRoom: Whether an axis of shares goes on above 100 %, without ticks, for what is written there.
  static func ticks(
    _ extremes: (low: Double, high: Double)?, _ axis: Axis, atMost limit: Int, padding: Double, integers: Bool = false,
    over hasRoom: Bool = false
  ) -> Ticks {
    var (low, high) = extremes ?? (axis.scale == .log ? (1, 10) : (0, 1))
    var padding = padding
    if let range = axis.range, isUsable(range, axis.scale) {
      (low, high) = (range.lowerBound, range.upperBound)
      padding = 0
    } else if extremes == nil {
      padding = 0
    }
    switch axis.scale {
    case .log: return .logarithmic(low, high, atMost: limit, padding: padding)
    case .linear:
      let isShare = axis.format == .percent && high <= 1
      var ticks = Ticks.linear(
        low, high, atMost: limit, integers: integers && extremes != nil, padding: padding, floor: 0,
        ceiling: isShare ? 1 : .infinity)
      if isShare && hasRoom { ticks.high = max(ticks.high, high + (high - low) * padding) }
      return ticks
    }
  }
}
