/// The room of one panel, and which lines it shares with its neighbours.
struct PanelFrame {
  var cell: Rectangle
  var hasTitle, hasLabel: Bool
  var textSize: Double
}

/// Where everything of one panel stands.
package struct PanelLayout: Sendable {
  /// What the axes enclose.
  package let plot: Rectangle
  package let x, y: Mapping
  package let xTicks, yTicks: Ticks
  package private(set) var labels: [Label] = []
  package private(set) var legend: Legend?
  /// Whether the legend stands beside the plot.
  package let hasOutsideLegend: Bool
  let curves: [Curve]
  /// The heights of the reference lines. Pixels.
  let references: [Double]
  /// Which of `labels` stand over the plot, on white.
  private(set) var overlays: Range<Int> = 0..<0
  let textSize: Double

  /// The thickness of curves. Pixels.
  var lineWidth: Double { max(1.4, textSize * 0.135) }

  /// The panel with its legend over the plot where that covers no curve, else beside it; `nil` if there is no room.
  static func best(
    _ panel: Panel, in frame: PanelFrame, styles: [ResolvedStyle], _ typeface: Typeface
  ) -> PanelLayout? {
    guard let inside = PanelLayout(panel, in: frame, styles, nil, typeface) else { return nil }
    if inside.legend != nil || inside.entries.isEmpty { return inside }
    for side in [Legend.Side.below, .right] {
      if let outside = PanelLayout(panel, in: frame, styles, side, typeface) { return outside }
    }
    return inside
  }

  /// What a legend would have to name.
  private var entries: [Legend.Entry] = []

  private init?(
    _ panel: Panel, in frame: PanelFrame, _ styles: [ResolvedStyle], _ side: Legend.Side?, _ typeface: Typeface
  ) {
    let size = frame.textSize
    let tickSize = size * 0.88
    let (tickAscent, tickDescent) = typeface.extent(size: tickSize)
    let (ascent, descent) = typeface.extent(size: size)
    var cell = frame.cell
    textSize = size
    hasOutsideLegend = side != nil
    entries = Legend.entries(of: panel, styles: styles)

    var outside: Legend?
    switch side {
    case nil: break
    case .below:
      guard let legend = Legend(flowing: entries, over: cell.width, textSize: size, in: typeface),
        legend.box.height <= cell.height * 0.25
      else { return nil }
      cell.bottom -= legend.box.height
      outside = legend
    case .right:
      outside = Legend(
        entries, widest: cell.width * 0.36, highest: cell.height, textSize: size, in: typeface)
      guard let outside else { return nil }
      cell.right -= outside.box.width + size * 0.5
    }

    let titleSize = size * 1.02
    let titleExtent = typeface.extent(size: titleSize)
    let top = cell.top + (frame.hasTitle ? titleExtent.ascent + titleExtent.descent + size * 0.5 : tickAscent / 2)
    let axisTitle = frame.hasLabel ? ascent + descent + size * 0.3 : 0
    let bottom = cell.bottom - axisTitle - tickAscent - tickDescent - size * 0.6
    guard bottom - top >= size * 2.5 else { return nil }

    // The heights of labels are known before their widths: first the y axis, then what it leaves for x.
    let extremes = Extremes(panel)
    let yLimit = max(3, min(8, Int((bottom - top) / (size * 2.4))))
    let yTicks = Extremes.ticks(extremes.y, panel.y, atMost: yLimit, padding: 0.05)
    let yLabels = yTicks.labels(panel.y.format, superscripts: typeface.hasSuperscripts)
    let yTexts = yLabels.texts.map { typeface.fit($0, into: cell.width * 0.3, size: tickSize) }
    let yWidth = yTexts.map { typeface.width(of: $0, size: tickSize) }.max() ?? 0
    let yTitle = typeface.fit(
      PanelLayout.title(panel.y.label, yLabels.note), into: bottom - cell.top, size: size)
    let left = (cell.left + (yTitle.isEmpty ? 0 : ascent + descent + size * 0.35) + yWidth + size * 0.6).rounded()

    var right = cell.right - size * 0.3
    var chosen: (ticks: Ticks, texts: [String], note: String)?
    for _ in 0..<2 {
      guard right - left >= size * 3 else { return nil }
      let fitting = PanelLayout.xTicks(panel.x, extremes, from: left, to: right, tickSize, typeface)
      chosen = fitting
      let mapping = Mapping(fitting.ticks, panel.x.scale, from: left, to: right)
      let reach =
        zip(fitting.ticks.major, fitting.texts).map { tick, text in
          (mapping(tick) ?? left) + typeface.width(of: text, size: tickSize) / 2
        }.max() ?? right
      guard reach > cell.right else { break }
      right -= reach - cell.right + 1
    }
    guard let chosen, right - left >= size * 3 else { return nil }
    let plot = Rectangle(left: left, top: top.rounded(), right: right.rounded(), bottom: bottom.rounded())
    let x = Mapping(chosen.ticks, panel.x.scale, from: plot.left, to: plot.right)
    let y = Mapping(yTicks, panel.y.scale, from: plot.bottom, to: plot.top)
    (self.plot, self.x, self.y, self.yTicks, self.xTicks) = (plot, x, y, yTicks, chosen.ticks)

    let title = typeface.fit(panel.title, into: cell.right - plot.left, size: titleSize, bold: true)
    if !title.isEmpty {
      labels.append(
        Label(
          title, at: Position(plot.left, cell.top + titleExtent.ascent), .start, size: titleSize, bold: true,
          in: typeface))
    }
    if !yTitle.isEmpty {
      let width = typeface.width(of: yTitle, size: size)
      let middle = max(cell.top + width / 2, min(plot.bottom - width / 2, (plot.top + plot.bottom) / 2))
      labels.append(
        Label(yTitle, at: Position(cell.left + ascent, middle), .middle, size: size, upright: true, in: typeface))
    }
    for (tick, text) in zip(yTicks.major, yTexts) where !text.isEmpty {
      let place = Position(plot.left - size * 0.5, (y(tick) ?? plot.bottom) + (tickAscent - tickDescent * 0.2) / 2)
      labels.append(Label(text, at: place, .end, size: tickSize, color: Palette.secondaryInk, in: typeface))
    }
    var free = cell.left
    for (tick, text) in zip(chosen.ticks.major, chosen.texts) where !text.isEmpty {
      let place = Position(x(tick) ?? plot.left, plot.bottom + size * 0.6 + tickAscent)
      let label = Label(text, at: place, .middle, size: tickSize, color: Palette.secondaryInk, in: typeface)
      guard label.box.left >= free, label.box.right <= frame.cell.right + size * 0.5 else { continue }
      free = label.box.right + size * 0.4
      labels.append(label)
    }
    let xTitle = typeface.fit(PanelLayout.title(panel.x.label, chosen.note), into: cell.right - cell.left, size: size)
    if !xTitle.isEmpty {
      let width = typeface.width(of: xTitle, size: size)
      let middle = max(cell.left + width / 2, min(cell.right - width / 2, (plot.left + plot.right) / 2))
      labels.append(Label(xTitle, at: Position(middle, cell.bottom - descent), .middle, size: size, in: typeface))
    }

    curves = zip(panel.marks, styles).compactMap { mark, style in
      mark.series.map { series in
        let isLine = if case .line = mark { true } else { false }
        return Curve(series, isLine: isLine, style: style, x: x, y: y, textSize: size)
      }
    }
    let lines: [(label: String, height: Double)] = panel.marks.compactMap { mark in
      guard case .reference(let reference) = mark, let height = y(reference.value),
        plot.grown(by: 0.5).contains(Position(plot.left, height))
      else { return nil }
      return (reference.label, height.rounded())
    }
    references = lines.map(\.height)

    var occupied = occupation()
    let first = labels.count
    var unplaced: [Legend.Entry] = []
    for line in lines where !line.label.isEmpty {
      if let label = referenceLabel(line.label, at: line.height, avoiding: occupied, after: first, typeface) {
        labels.append(label)
        occupied.cover(label.box)
      } else {
        unplaced.append(Legend.Entry(name: line.label, style: nil, isLine: true))
      }
    }
    overlays = first..<labels.count
    if side == nil {
      entries += unplaced
      legend = Legend(
        entries, widest: plot.width * 0.5, highest: plot.height * 0.6, textSize: size, in: typeface, complete: true
      )?.placed(in: plot, avoiding: occupied, textSize: size)
    } else if let outside {
      legend =
        side == .below
        ? outside.moved(to: Position(frame.cell.left, frame.cell.bottom - outside.box.height))
        : outside.moved(to: Position(frame.cell.right - outside.box.width, plot.top))
    }
    labels += legend?.labels ?? []
    if extremes.isEmpty {
      let text = typeface.fit("no data", into: plot.width, size: size)
      let centre = Position((plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2)
      if !text.isEmpty && legend == nil {
        labels.append(Label(text, at: centre, .middle, size: size, color: Palette.secondaryInk, in: typeface))
      }
    }
  }

  private static func title(_ label: String, _ note: String) -> String {
    note.isEmpty ? label : label.isEmpty ? note : "\(label) (\(note))"
  }

  /// As many ticks as their texts leave room for.
  private static func xTicks(
    _ axis: Axis, _ extremes: Extremes, from left: Double, to right: Double, _ tickSize: Double, _ typeface: Typeface
  ) -> (ticks: Ticks, texts: [String], note: String) {
    var limit = max(2, min(10, Int((right - left) / (tickSize * 4))))
    while true {
      let ticks = Extremes.ticks(extremes.x, axis, atMost: limit, padding: 0.03, integers: extremes.hasIntegerX)
      let labels = ticks.labels(axis.format, superscripts: typeface.hasSuperscripts)
      let texts = labels.texts.map { typeface.fit($0, into: (right - left) * 0.45, size: tickSize) }
      let mapping = Mapping(ticks, axis.scale, from: left, to: right)
      let spans = zip(ticks.major, texts).map { tick, text in
        let (middle, width) = (mapping(tick) ?? left, typeface.width(of: text, size: tickSize))
        return (left: middle - width / 2, right: middle + width / 2)
      }
      let fits = zip(spans, spans.dropFirst()).allSatisfy { $0.right + tickSize * 0.9 <= $1.left }
      if fits || limit == 2 { return (ticks, texts, labels.note) }
      limit -= 1
    }
  }

  /// All pixels of the plot that marks touch.
  private func occupation() -> Coverage {
    var mask = Coverage(over: plot)
    for curve in curves {
      for path in curve.paths { mask.stroke(path, width: lineWidth) }
      for path in curve.rawPaths { mask.stroke(path, width: 1) }
      for band in curve.bands { mask.fill(between: band.upper, and: band.lower) }
      for marker in curve.markers { mask.fill(around: marker, radius: lineWidth * 2.4) }
    }
    for height in references {
      mask.stroke([Position(plot.left, height), Position(plot.right, height)], width: 1)
    }
    return mask
  }

  /// The label beside its line, where it covers least; `nil` if every place meets another such label.
  private func referenceLabel(
    _ text: String, at height: Double, avoiding occupied: Coverage, after first: Int, _ typeface: Typeface
  ) -> Label? {
    let size = textSize * 0.85
    let text = typeface.fit(text, into: plot.width * 0.6, size: size)
    let (ascent, descent) = typeface.extent(size: size)
    let width = typeface.width(of: text, size: size)
    let margin = textSize * 0.45
    var best: (label: Label, covered: Int)?
    for share in [1, 0, 0.5, 0.75, 0.25] {
      for baseline in [height - descent - 1.5 - textSize * 0.12, height + ascent + 2.5 + textSize * 0.12] {
        let left = plot.left + margin + share * (plot.width - 2 * margin - width)
        let label = Label(
          text, at: Position(left, baseline), .start, size: size, color: Palette.secondaryInk, in: typeface)
        guard plot.contains(label.box), !labels[first...].contains(where: { $0.box.overlaps(label.box.grown(by: 1)) })
        else { continue }
        // With some air; that the line itself is then counted is the same for all places.
        let covered = occupied.count(in: label.box.grown(by: textSize * 0.25))
        if covered < best?.covered ?? .max { best = (label, covered) }
      }
    }
    return best?.label
  }
}

/// The smallest and largest values that a panel shows.
struct Extremes {
  private(set) var x: (low: Double, high: Double)?
  private(set) var y: (low: Double, high: Double)?
  /// Whether x counts something.
  private(set) var hasIntegerX = true
  /// Whether no mark has anything to show.
  var isEmpty: Bool { y == nil }

  init(_ panel: Panel) {
    let shownX = panel.x.range.flatMap { Extremes.isUsable($0, panel.x.scale) ? $0 : nil }
    func extend(_ range: inout (low: Double, high: Double)?, _ value: Double) {
      range = range.map { (min($0.low, value), max($0.high, value)) } ?? (value, value)
    }
    for mark in panel.marks {
      switch mark {
      case .reference(let reference):
        if Mapping.isShown(reference.value, panel.y.scale) { extend(&y, reference.value) }
      case .line(let series), .points(let series):
        for (index, place) in series.x.enumerated() {
          guard Mapping.isShown(place, panel.x.scale), shownX?.contains(place) ?? true else { continue }
          var hasValue = false
          for values in [series.y, series.raw ?? [], series.band?.low ?? [], series.band?.high ?? []] {
            guard index < values.count, Mapping.isShown(values[index], panel.y.scale) else { continue }
            extend(&y, values[index])
            hasValue = true
          }
          if hasValue {
            extend(&x, place)
            hasIntegerX = hasIntegerX && place.rounded() == place && abs(place) < 1e15
          }
        }
      }
    }
  }

  private static func isUsable(_ range: ClosedRange<Double>, _ scale: Axis.Scale) -> Bool {
    Mapping.isShown(range.lowerBound, scale) && Mapping.isShown(range.upperBound, scale)
      && range.lowerBound < range.upperBound
  }

  /// The ticks of an axis that shows `extremes`, or what the axis asks for.
  static func ticks(
    _ extremes: (low: Double, high: Double)?, _ axis: Axis, atMost limit: Int, padding: Double, integers: Bool = false
  ) -> Ticks {
    var (low, high) = extremes ?? (axis.scale == .log ? (1, 10) : (0, 1))
    var padding = padding
    if let range = axis.range, isUsable(range, axis.scale) {
      (low, high) = (range.lowerBound, range.upperBound)
      padding = 0
    } else if extremes == nil {
      padding = 0
    }
    return switch axis.scale {
    case .linear:
      .linear(
        low, high, atMost: limit, integers: integers && extremes != nil, padding: padding, floor: 0,
        ceiling: axis.format == .percent ? 1 : .infinity)
    case .log: .logarithmic(low, high, atMost: limit, padding: padding)
    }
  }
}
