/// The bars and dots of a panel in pixels: those of all its series that stand at places.
struct BarLayout: Sendable {
  struct Bar: Sendable {
    /// The bar, or what a dot covers.
    let box: Rectangle
    /// The middle of the bar's end, or of the dot.
    let end: Position
    let style: ResolvedStyle
    let isDot: Bool
    let value: Double
    /// The ends of its whisker.
    let whisker: (low: Position, high: Position)?
  }

  /// How the values stand at their bars.
  enum Writing: Sendable { case level, upright, none }

  private(set) var bars: [Bar] = []
  private(set) var labels: [Label] = []
  let isSideways: Bool
  /// Where bars begin. Pixels along the axis of values.
  let ground: Double

  /// How many bars stand side by side at a place. Dots without whiskers share its line.
  private static func columns(of panel: Panel) -> Int {
    let standing = panel.marks.filter { $0.standing != nil }
    let sharesLine = standing.allSatisfy { mark in
      if case .dots(let series) = mark { series.band == nil } else { false }
    }
    return sharesLine ? min(1, standing.count) : standing.count
  }

  /// The text of each bar, series after series.
  private static func texts(of panel: Panel) -> [String] {
    let values = panel.marks.compactMap(\.standing).flatMap { Array(zip($0.x, $0.y)) }.map { $0.1 }
    return ValueText.texts(values, panel.y.format, digits: panel.y.format == .percent ? 3 : 4)
  }

  private static func textSize(_ size: Double) -> Double { size * 0.82 }

  /// How the values can stand at bars, and the room they need beyond them.
  ///
  /// - Parameter length: How long the axis of places is, about. Pixels.
  static func writing(
    for panel: Panel, length: Double, textSize size: Double, _ typeface: Typeface
  ) -> (writing: Writing, room: Double) {
    let all = panel.marks.compactMap(\.standing)
    let places = panel.x.names?.count ?? Set(all.flatMap(\.x)).count
    let columns = columns(of: panel)
    guard !all.isEmpty, places > 0, places * all.count <= 200, columns == all.count else { return (.none, 0) }
    let slot = length / Double(places)
    let textSize = textSize(size)
    let widest = texts(of: panel).map { typeface.width(of: $0, size: textSize) }.max() ?? 0
    let (ascent, descent) = typeface.extent(size: textSize)
    let bar = columns == 1 ? slot * 0.94 : slot * 0.8 / Double(columns)
    if panel.liesDown { return ascent + descent <= bar ? (.level, widest + size * 0.6) : (.none, 0) }
    if widest <= bar { return (.level, ascent + descent + size * 0.35) }
    // Upright digits want some air at their sides.
    if ascent + descent <= slot * 0.8 / Double(columns) { return (.upright, widest + size * 0.5) }
    return (.none, 0)
  }

  init(
    _ panel: Panel, styles: [ResolvedStyle], _ projection: Projection, plot: Rectangle, writing: Writing,
    textSize size: Double, _ typeface: Typeface
  ) {
    isSideways = projection.isSideways
    let values = projection.values
    ground = values.clamped(values.scale == .log ? values.start : values(0) ?? values.start)
    let standing = zip(panel.marks, styles).filter { $0.0.standing != nil }
    guard !standing.isEmpty else { return }
    let length = isSideways ? plot.height : plot.width
    let places = Set(standing.flatMap { $0.0.standing?.x ?? [] }.compactMap { projection.places($0) }).sorted()
    let gaps = zip(places.dropFirst(), places).map { $0 - $1 }
    let pitch = panel.x.names.map { length / Double($0.count) } ?? gaps.min() ?? length * 0.5
    let columns = BarLayout.columns(of: panel)
    // Few bars that lie are no slabs.
    let wide = min(pitch * 0.8 / Double(columns), isSideways ? size * 1.8 : .infinity)
    let air = columns > 1 ? min(2, wide * 0.1) : 0
    let radius = max(2, min(size * 0.32, wide * 0.45))

    var numbers: [Int] = []
    var number = -1
    for (column, (mark, style)) in standing.enumerated() {
      guard let series = mark.standing else { continue }
      let isDot = if case .dots = mark { true } else { false }
      for index in 0..<min(series.x.count, series.y.count) {
        number += 1
        guard let place = projection.places(series.x[index]), let end = values(series.y[index]) else { continue }
        let centre = place + (columns > 1 ? (Double(column) - Double(columns - 1) / 2) * wide : 0)
        let half = max(0.5, (wide - air) / 2)
        let tip = projection.position(centre, values.clamped(end))
        let box =
          isDot
          ? Rectangle(left: tip.x, top: tip.y, right: tip.x, bottom: tip.y).grown(by: radius)
          : projection.rectangle(places: (centre - half, centre + half), values: (ground, values.clamped(end)))
        guard isDot ? plot.grown(by: 0.5).contains(projection.position(centre, end)) : box.touches(plot) else {
          continue
        }
        var whisker: (Position, Position)?
        if let band = series.band, index < band.low.count, index < band.high.count,
          let low = values(band.low[index]), let high = values(band.high[index])
        {
          whisker = (
            projection.position(centre, values.clamped(low)), projection.position(centre, values.clamped(high))
          )
        }
        bars.append(
          Bar(box: box, end: tip, style: style, isDot: isDot, value: series.y[index], whisker: whisker))
        numbers.append(number)
      }
    }
    guard writing != .none else { return }
    let texts = BarLayout.texts(of: panel)
    let textSize = BarLayout.textSize(size)
    let limit = isSideways ? plot.width : writing == .upright ? plot.height : columns == 1 ? pitch * 0.98 : wide
    labels = zip(bars, numbers).compactMap { bar, number in
      label(texts[number], at: bar, isUpright: writing == .upright, limit: limit, plot, size: textSize, typeface)
    }
  }

  private func label(
    _ text: String, at bar: Bar, isUpright: Bool, limit: Double, _ plot: Rectangle, size: Double, _ typeface: Typeface
  ) -> Label? {
    let width = typeface.width(of: text, size: size)
    let (ascent, descent) = typeface.extent(size: size)
    guard !text.isEmpty, width <= limit else { return nil }
    if isUpright && ascent + descent > bar.box.width + 2 && !bar.isDot { return nil }
    let (long, gap) = (isSideways || isUpright ? width : ascent + descent, size * 0.3)
    let centre = isSideways ? bar.end.y : bar.end.x
    /// The label that begins there along the axis of values: its left edge in a panel on its side, else its upper one.
    func label(_ start: Double, _ color: Color) -> Label {
      if isSideways {
        let place = Position(start, centre + (ascent - descent) / 2)
        return Label(text, at: place, .start, size: size, color: color, in: typeface)
      }
      let place =
        isUpright
        ? Position(centre + (ascent - descent) / 2, start + width / 2) : Position(centre, start + ascent)
      return Label(text, at: place, .middle, size: size, upright: isUpright, color: color, in: typeface)
    }
    // Larger values are to the right, or above, where pixels count down.
    let ends = [bar.whisker?.low, bar.whisker?.high].compactMap { $0 }.map { isSideways ? $0.x : $0.y }
    let least = (ends + [isSideways ? bar.box.left : bar.box.top]).min() ?? 0
    let most = (ends + [isSideways ? bar.box.right : bar.box.bottom]).max() ?? 0
    let goesUp = (bar.value < 0 && !bar.isDot) == isSideways
    let beyond = label(goesUp ? least - gap - long : most + gap, Palette.ink)
    if plot.contains(beyond.box) { return beyond }
    guard !bar.isDot, bar.whisker == nil, (isSideways ? bar.box.width : bar.box.height) >= long + 2 * gap else {
      return nil
    }
    let inside = label(goesUp ? least + gap : most - gap - long, bar.style.color.inkOnTop)
    return plot.contains(inside.box) && (isSideways || inside.box.width <= bar.box.width + 2) ? inside : nil
  }
}
