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
  let bars: BarLayout
  let bins: [BinLayout]
  let cells: CellLayout?
  let key: ColorKey?
  /// The heights of the reference lines. Pixels.
  let references: [Double]
  /// Which of `labels` stand over the plot, on white.
  private(set) var overlays: Range<Int> = 0..<0
  let textSize: Double
  /// Whether the places of an axis have names, and so no ticks and no lines of a grid.
  let hasNames: (x: Bool, y: Bool)

  /// The thickness of curves. Pixels.
  var lineWidth: Double { max(1.4, textSize * 0.135) }

  /// How the names of the horizontal axis stand below it.
  private enum NameStyle { case line, twoLines, upright }

  /// The panel with its legend over the plot where that covers no curve, else beside it; `nil` if there is no room.
  /// Names of the horizontal axis stand level where all fit, else upright.
  static func best(
    _ panel: Panel, in frame: PanelFrame, styles: [ResolvedStyle], _ typeface: Typeface
  ) -> PanelLayout? {
    for names in panel.x.names == nil ? [NameStyle.line] : [.line, .twoLines, .upright] {
      guard let inside = PanelLayout(panel, in: frame, styles, nil, names, typeface) else { continue }
      if inside.legend != nil || inside.entries.isEmpty { return inside }
      for side in [Legend.Side.below, .right] {
        if let outside = PanelLayout(panel, in: frame, styles, side, names, typeface) { return outside }
      }
      return inside
    }
    return nil
  }

  /// What a legend would have to name.
  private var entries: [Legend.Entry] = []

  private init?(
    _ panel: Panel, in frame: PanelFrame, _ styles: [ResolvedStyle], _ side: Legend.Side?,
    _ nameStyle: NameStyle, _ typeface: Typeface
  ) {
    let size = frame.textSize
    let tickSize = size * 0.88
    let (tickAscent, tickDescent) = typeface.extent(size: tickSize)
    let (ascent, descent) = typeface.extent(size: size)
    var cell = frame.cell
    textSize = size
    hasOutsideLegend = side != nil
    hasNames = (panel.x.names != nil, panel.y.names != nil)
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
    let names = PanelLayout.names(panel, over: cell, tickSize: tickSize, nameStyle, typeface)
    let bottom = cell.bottom - axisTitle - (names?.height ?? tickAscent + tickDescent) - size * 0.6
    guard bottom - top >= size * 2.5 else { return nil }

    // The heights of labels are known before their widths: first the y axis, then what it leaves for x.
    let extremes = Extremes(panel)
    let yLimit = max(3, min(8, Int((bottom - top) / (size * 2.4))))
    let writing = BarLayout.writing(for: panel, width: cell.width * 0.88, textSize: size, typeface)
    // The room is a share of what there is with it.
    let room = min(0.3, writing.room / (bottom - top))
    var yTicks = Extremes.ticks(
      extremes.y, panel.y, atMost: yLimit, padding: max(0.05, room / (1 - 2 * room)), over: writing.room > 0)
    var yLabels = yTicks.labels(panel.y.format, superscripts: typeface.hasSuperscripts)
    var yNameSize = tickSize
    if let names = panel.y.names {
      let slot = (bottom - top) / Double(names.count)
      yNameSize = max(9, min(tickSize, slot * 0.8))
      let (nameAscent, nameDescent) = typeface.extent(size: yNameSize)
      yTicks = Ticks(places: names.count, every: Int(((nameAscent + nameDescent) * 1.02 / slot).rounded(.up)))
      yLabels = Ticks.Labels(texts: yTicks.major.map { names[Int($0) - 1] })
    }
    let yTexts = yLabels.texts.map { typeface.fit($0, into: cell.width * 0.3, size: yNameSize) }
    let yWidth = yTexts.map { typeface.width(of: $0, size: yNameSize) }.max() ?? 0
    let yTitle = typeface.fit(
      PanelLayout.title(panel.y.label, yLabels.note), into: bottom - cell.top, size: size)
    let left = (cell.left + (yTitle.isEmpty ? 0 : ascent + descent + size * 0.35) + yWidth + size * 0.6).rounded()

    let key = panel.heatMap.map { map in
      ColorKey(map, height: bottom - top, textSize: size, limit: cell.width, typeface)
    }
    if let key { cell.right -= key.width }
    var right = cell.right - size * 0.3
    var chosen: (ticks: Ticks, texts: [String], note: String)?
    for _ in 0..<2 {
      guard right - left >= size * 3 else { return nil }
      if let names {
        let slot = (right - left) / Double(names.texts.count)
        let (nameAscent, nameDescent) = typeface.extent(size: names.size)
        // Names that stand level are all there; of upright ones, as many as do not touch.
        let every = nameStyle == .upright ? Int(((nameAscent + nameDescent) * 1.02 / slot).rounded(.up)) : 1
        chosen = (Ticks(places: names.texts.count, every: every), [], "")
        break
      }
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
    // Names are read from the top.
    let ends = panel.y.names == nil ? (plot.bottom, plot.top) : (plot.top, plot.bottom)
    let y = Mapping(yTicks, panel.y.scale, from: ends.0, to: ends.1)
    (self.plot, self.x, self.y, self.yTicks, self.xTicks) = (plot, x, y, yTicks, chosen.ticks)
    self.key = key?.placed(beside: plot, typeface)

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
      let (nameAscent, nameDescent) = typeface.extent(size: yNameSize)
      let place = Position(plot.left - size * 0.5, (y(tick) ?? plot.bottom) + (nameAscent - nameDescent * 0.2) / 2)
      labels.append(Label(text, at: place, .end, size: yNameSize, color: Palette.secondaryInk, in: typeface))
    }
    if let names {
      guard let written = names.labels(at: chosen.ticks.major, x, plot, nameStyle, typeface) else { return nil }
      labels += written
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
      if case .bars = mark { return nil }
      return mark.series.map { series in
        let isLine = if case .line = mark { true } else { false }
        return Curve(series, isLine: isLine, style: style, x: x, y: y, textSize: size)
      }
    }
    bins = zip(panel.marks, styles).compactMap { mark, style in
      if case .histogram(let histogram) = mark {
        BinLayout(histogram, style: style, x: x, y: y, plot: plot)
      } else {
        nil
      }
    }
    bars = BarLayout(
      panel, styles: styles, x: x, y: y, plot: plot, writing: writing.writing, textSize: size, typeface)
    cells = panel.heatMap.map { CellLayout($0, x: x, y: y, textSize: size, typeface) }
    labels += cells?.labels ?? []
    labels += bars.labels
    labels += self.key?.labels ?? []
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
        unplaced.append(Legend.Entry(name: line.label, style: nil, sample: .line))
      }
    }
    for label in pointLabels(of: panel, avoiding: occupied, typeface) {
      labels.append(label)
      occupied.cover(label.box)
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

  static func title(_ label: String, _ note: String) -> String {
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
    for bar in bars.bars {
      mask.cover(bar.box)
      if let whisker = bar.whisker {
        let centre = (bar.box.left + bar.box.right) / 2
        mask.stroke([Position(centre, whisker.top), Position(centre, whisker.bottom)], width: textSize * 0.4)
      }
    }
    for label in bars.labels { mask.cover(label.box) }
    for histogram in bins {
      for box in histogram.boxes { mask.cover(box) }
    }
    for height in references {
      mask.stroke([Position(plot.left, height), Position(plot.right, height)], width: 1)
    }
    return mask
  }

  /// What single points are called, beside them; left out where that would cover something.
  private func pointLabels(of panel: Panel, avoiding occupied: Coverage, _ typeface: Typeface) -> [Label] {
    let size = textSize * 0.82
    let (ascent, descent) = typeface.extent(size: size)
    let reach = lineWidth * 2.2 + textSize * 0.25
    var taken = labels.map(\.box)
    var result: [Label] = []
    for series in panel.marks.compactMap(\.series) {
      for (index, text) in (series.labels ?? []).prefix(300).enumerated() {
        guard index < min(series.x.count, series.y.count), let column = x(series.x[index]),
          let row = y(series.y[index]), plot.grown(by: 0.5).contains(Position(column, row))
        else { continue }
        let text = typeface.fit(text, into: plot.width * 0.4, size: size)
        let drop = (ascent - descent) / 2
        let places: [(Position, Label.Anchor)] = [
          (Position(column + reach, row + drop), .start), (Position(column, row - reach - descent), .middle),
          (Position(column, row + reach + ascent), .middle), (Position(column - reach, row + drop), .end),
          (Position(column + reach * 0.7, row - reach * 0.7 - descent), .start),
          (Position(column + reach * 0.7, row + reach * 0.7 + ascent), .start),
          (Position(column - reach * 0.7, row - reach * 0.7 - descent), .end),
          (Position(column - reach * 0.7, row + reach * 0.7 + ascent), .end),
        ]
        // Measured once, then moved about.
        let centred = Label(
          text, at: Position(column, row), .middle, size: size, color: Palette.secondaryInk, in: typeface)
        let half = centred.box.width / 2
        var best: (label: Label, covered: Int)?
        for (place, anchor) in places where !text.isEmpty {
          let aside = anchor == .start ? half : anchor == .end ? -half : 0
          let label = centred.moved(right: place.x - column + aside).moved(down: place.y - row)
          guard plot.contains(label.box), !taken.contains(where: { $0.overlaps(label.box.grown(by: 1)) })
          else { continue }
          let covered = occupied.count(in: label.box)
          if covered < best?.covered ?? .max { best = (label, covered) }
        }
        guard let best, best.covered < Int(best.label.box.width * best.label.box.height * 0.3) else { continue }
        result.append(best.label)
        taken.append(best.label.box)
      }
    }
    return result
  }

  /// The names of a horizontal axis, cut to the room they may take.
  private struct Names {
    let texts: [String]
    let size: Double
    let height: Double

    /// The names below their places; `nil` if one that stands level does not fit whole.
    func labels(
      at ticks: [Double], _ x: Mapping, _ plot: Rectangle, _ style: NameStyle, _ typeface: Typeface
    ) -> [Label]? {
      let (ascent, descent) = typeface.extent(size: size)
      let top = plot.bottom + size * 0.55
      let slot = plot.width / Double(texts.count) - size * 0.5
      var labels: [Label] = []
      for tick in ticks {
        let column = x(tick) ?? plot.left
        let name = texts[Int(tick) - 1]
        if style == .upright {
          guard !name.isEmpty else { continue }
          let width = typeface.width(of: name, size: size)
          let place = Position(column + (ascent - descent) / 2, top + width / 2)
          labels.append(
            Label(name, at: place, .middle, size: size, upright: true, color: Palette.secondaryInk, in: typeface))
          continue
        }
        let lines = typeface.wrapped(name, into: slot, lines: style == .line ? 1 : 2, size: size)
        guard lines.joined(separator: " ") == name else { return nil }
        for (number, text) in lines.enumerated() where !text.isEmpty {
          let baseline = top + ascent + Double(number) * (ascent + descent)
          labels.append(
            Label(
              text, at: Position(column, baseline), .middle, size: size, color: Palette.secondaryInk, in: typeface))
        }
      }
      return labels
    }
  }

  /// The names of the horizontal axis in the size that they can have; `nil` if it has none.
  private static func names(
    _ panel: Panel, over cell: Rectangle, tickSize: Double, _ style: NameStyle, _ typeface: Typeface
  ) -> Names? {
    guard let names = panel.x.names else { return nil }
    // What a column of the plot will have, about.
    let slot = cell.width * 0.75 / Double(names.count)
    let size = style == .upright ? max(9, min(tickSize, slot * 0.8)) : tickSize
    let limit = style == .upright ? cell.height * 0.35 : cell.width
    let texts = names.map { typeface.fit($0, into: limit, size: size) }
    let (ascent, descent) = typeface.extent(size: size)
    let height =
      switch style {
      case .line: ascent + descent
      case .twoLines: 2 * (ascent + descent)
      case .upright: texts.map { typeface.width(of: $0, size: size) }.max() ?? 0
      }
    return Names(texts: texts, size: size, height: height)
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
