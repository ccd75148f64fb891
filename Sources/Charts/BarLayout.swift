/// The bars of a panel in pixels: those of all its series of bars.
struct BarLayout: Sendable {
  struct Bar: Sendable {
    let box: Rectangle
    let color: Color
    let value: Double
    /// The ends of its whisker. Pixels.
    let whisker: (top: Double, bottom: Double)?
  }

  /// How the values stand at their bars.
  enum Writing: Sendable { case level, upright, none }

  private(set) var bars: [Bar] = []
  private(set) var labels: [Label] = []

  private static func series(of panel: Panel) -> [Series] {
    panel.marks.compactMap { if case .bars(let series) = $0 { series } else { nil } }
  }

  /// The text of each bar, series after series.
  private static func texts(of panel: Panel) -> [String] {
    let values = series(of: panel).flatMap { Array(zip($0.x, $0.y)) }.map { $0.1 }
    return ValueText.texts(values, panel.y.format, digits: panel.y.format == .percent ? 3 : 4)
  }

  private static func textSize(_ size: Double) -> Double { size * 0.82 }

  /// How the values can stand at bars of a plot that is about so wide, and the room they need above. Pixels.
  static func writing(
    for panel: Panel, width: Double, textSize size: Double, _ typeface: Typeface
  ) -> (writing: Writing, room: Double) {
    let all = series(of: panel)
    let places = panel.x.names?.count ?? Set(all.flatMap(\.x)).count
    guard !all.isEmpty, places > 0, places * all.count <= 200 else { return (.none, 0) }
    let slot = width / Double(places)
    let bar = all.count == 1 ? slot * 0.94 : slot * 0.8 / Double(all.count)
    let textSize = textSize(size)
    let widest = texts(of: panel).map { typeface.width(of: $0, size: textSize) }.max() ?? 0
    let (ascent, descent) = typeface.extent(size: textSize)
    if widest <= bar { return (.level, ascent + descent + size * 0.35) }
    // Upright digits want some air at their sides.
    if ascent + descent <= slot * 0.8 / Double(all.count) { return (.upright, widest + size * 0.5) }
    return (.none, 0)
  }

  init(
    _ panel: Panel, styles: [ResolvedStyle], x: Mapping, y: Mapping, plot: Rectangle, writing: Writing,
    textSize size: Double, _ typeface: Typeface
  ) {
    let series = zip(panel.marks, styles).compactMap { mark, style -> (Series, ResolvedStyle)? in
      if case .bars(let series) = mark { (series, style) } else { nil }
    }
    guard !series.isEmpty else { return }
    let places = Set(series.flatMap { $0.0.x }.compactMap { x($0) }).sorted()
    let gaps = zip(places.dropFirst(), places).map { $0 - $1 }
    let pitch = panel.x.names.map { plot.width / Double($0.count) } ?? gaps.min() ?? plot.width * 0.5
    let wide = pitch * 0.8 / Double(series.count)
    let air = series.count > 1 ? min(2, wide * 0.1) : 0
    let ground = max(plot.top, min(plot.bottom, y.scale == .log ? plot.bottom : y(0) ?? plot.bottom))

    var numbers: [Int] = []
    var number = -1
    for (place, (series, style)) in series.enumerated() {
      let count = min(series.x.count, series.y.count)
      for index in 0..<count {
        number += 1
        guard let centre = x(series.x[index]), let end = y(series.y[index]) else { continue }
        let left = centre - pitch * 0.4 + wide * Double(place) + air / 2
        let top = max(plot.top, min(ground, end))
        let bottom = min(plot.bottom, max(ground, end))
        let box = Rectangle(left: left, top: top, right: max(left + 1, left + wide - air), bottom: bottom)
        guard box.right > plot.left, box.left < plot.right else { continue }
        var whisker: (Double, Double)?
        if let band = series.band, index < band.low.count, index < band.high.count, let low = y(band.low[index]),
          let high = y(band.high[index])
        {
          whisker = (max(plot.top, min(low, high)), min(plot.bottom, max(low, high)))
        }
        bars.append(Bar(box: box, color: style.color, value: series.y[index], whisker: whisker))
        numbers.append(number)
      }
    }
    guard writing != .none else { return }
    let texts = BarLayout.texts(of: panel)
    let textSize = BarLayout.textSize(size)
    let limit = writing == .level ? (series.count == 1 ? pitch * 0.98 : wide) : plot.height
    let written = zip(bars, numbers).map { bar, number in
      label(texts[number], at: bar, writing, limit: limit, plot, size: textSize, ground, typeface)
    }
    labels = written.compactMap { $0 }
  }

  private func label(
    _ text: String, at bar: Bar, _ writing: Writing, limit: Double, _ plot: Rectangle, size: Double,
    _ ground: Double, _ typeface: Typeface
  ) -> Label? {
    let width = typeface.width(of: text, size: size)
    let (ascent, descent) = typeface.extent(size: size)
    guard !text.isEmpty, width <= limit else { return nil }
    let isUpright = writing == .upright
    if isUpright && ascent + descent > bar.box.width + 2 { return nil }
    let (long, gap) = (isUpright ? width : ascent + descent, size * 0.3)
    let centre = (bar.box.left + bar.box.right) / 2
    /// The label with its upper edge there.
    func label(_ top: Double, _ color: Color) -> Label {
      let place =
        isUpright
        ? Position(centre + (ascent - descent) / 2, top + width / 2) : Position(centre, top + ascent)
      return Label(text, at: place, .middle, size: size, upright: isUpright, color: color, in: typeface)
    }
    let isNegative = bar.value < 0
    let beyond =
      isNegative
      ? label(max(bar.box.bottom, bar.whisker?.bottom ?? bar.box.bottom) + gap, Palette.ink)
      : label(min(bar.box.top, bar.whisker?.top ?? bar.box.top) - gap - long, Palette.ink)
    if plot.contains(beyond.box) { return beyond }
    guard bar.whisker == nil, bar.box.height >= long + 2 * gap else { return nil }
    let inside = label(isNegative ? bar.box.bottom - gap - long : bar.box.top + gap, bar.color.inkOnTop)
    return plot.contains(inside.box) && inside.box.width <= bar.box.width + 2 ? inside : nil
  }
}
