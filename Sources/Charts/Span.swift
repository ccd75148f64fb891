/// What the data of a panel reach over along one axis.
struct Span: Hashable, Sendable {
  /// With what is drawn around the data: the width of bars, the zero that they begin at.
  private(set) var low, high: Double
  /// Of the data alone.
  private(set) var first, last: Double
  /// Whether all data are integers.
  private(set) var areIntegers = true
  /// Whether all data are 1, 2, 4, 8 and so on.
  private(set) var arePowersOfTwo = true
  /// The data themselves, where they are few.
  private var distinct: Set<Double> = []

  private static let few = 20

  init(_ value: Double) {
    (low, high, first, last) = (value, value, value, value)
    note(value)
  }

  mutating func include(_ value: Double) {
    (first, last) = (min(first, value), max(last, value))
    reach(to: value)
    note(value)
  }

  /// Extends what is shown, not the data.
  mutating func reach(to value: Double) { (low, high) = (min(low, value), max(high, value)) }

  private mutating func note(_ value: Double) {
    areIntegers = areIntegers && value.rounded() == value && abs(value) < 1e15
    arePowersOfTwo = arePowersOfTwo && value >= 1 && value < 1e15 && value.significand == 1
    if distinct.count <= Span.few { distinct.insert(value) }
  }

  /// The data, where they are a few integers at equal distances: 96, 128, 160 and so on.
  var evenPlaces: [Double]? {
    guard areIntegers, last < 1e6, (2...Span.few).contains(distinct.count) else { return nil }
    let sorted = distinct.sorted()
    let steps = Set(zip(sorted.dropFirst(), sorted).map { $0 - $1 })
    return steps.count == 1 ? sorted : nil
  }
}

/// What the places and the values of a panel reach over; `nil` where there are none.
struct Extremes: Sendable {
  private(set) var places, values: Span?
  /// Whether no mark has anything to show.
  let isEmpty: Bool

  init(_ panel: Panel) {
    let shown = panel.x.usableRange
    let reach = Extremes.halfGap(in: panel)
    var (places, values): (Span?, Span?) = (nil, nil)
    func include(_ span: inout Span?, _ value: Double) {
      if span == nil { span = Span(value) } else { span?.include(value) }
    }
    for mark in panel.marks {
      switch mark {
      case .reference(let reference):
        if Mapping.isShown(reference.value, panel.y.scale) { include(&values, reference.value) }
      case .heatMap, .pictures: break  // their axes have names
      case .histogram(let histogram):
        for (index, count) in histogram.counts.enumerated() where index + 1 < histogram.edges.count {
          let (low, high) = (histogram.edges[index], histogram.edges[index + 1])
          guard Mapping.isShown(count, panel.y.scale), Mapping.isShown(low, panel.x.scale),
            Mapping.isShown(high, panel.x.scale)
          else { continue }
          // Ranges around integers count something.
          let isCount = (low - 0.5).rounded() == low - 0.5 && (high - 0.5).rounded() == high - 0.5
          for value in isCount ? [low + 0.5, high - 0.5] : [low, high] { include(&places, value) }
          for edge in [low, high] { places?.reach(to: edge) }
          include(&values, count)
          values?.reach(to: panel.y.scale == .log ? count * 0.5 : 0)
        }
      case .line(let series), .points(let series), .bars(let series), .dots(let series):
        let isBars = if case .bars = mark { true } else { false }
        for (index, place) in series.x.enumerated() {
          guard Mapping.isShown(place, panel.x.scale), shown?.contains(place) ?? true else { continue }
          var hasValue = false
          for list in [series.y, series.raw ?? [], series.band?.low ?? [], series.band?.high ?? []] {
            guard index < list.count, Mapping.isShown(list[index], panel.y.scale) else { continue }
            include(&values, list[index])
            hasValue = true
            // A bar begins at nothing, or where its axis does.
            if isBars { values?.reach(to: panel.y.scale == .log ? list[index] * 0.5 : 0) }
          }
          guard hasValue else { continue }
          include(&places, place)
          guard mark.standing != nil else { continue }
          for end in panel.x.scale == .log ? [place / reach, place * reach] : [place - reach, place + reach]
          where Mapping.isShown(end, panel.x.scale) {
            places?.reach(to: end)
          }
        }
      }
    }
    (self.places, self.values) = (places, values)
    isEmpty = values == nil && !(panel.heatMap?.shown.joined().contains { Mapping.isShown($0, .linear) } ?? false)
  }

  /// Half the distance of the two nearest places that have bars or dots; on a logarithmic axis, the root of the least
  /// factor between two.
  private static func halfGap(in panel: Panel) -> Double {
    let places = Set(panel.marks.compactMap(\.standing).flatMap(\.x).filter { Mapping.isShown($0, panel.x.scale) })
    let pairs = zip(places.sorted().dropFirst(), places.sorted())
    return panel.x.scale == .log
      ? (pairs.map { $0 / $1 }.min() ?? 4).squareRoot() : (pairs.map { $0 - $1 }.min() ?? 1) / 2
  }
}
