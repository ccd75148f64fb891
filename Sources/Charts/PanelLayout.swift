/// Where everything of one panel stands.
package struct PanelLayout: Sendable {
  /// What the axes enclose.
  package let plot: Rectangle
  package let x, y: Mapping
  package let xTicks, yTicks: Ticks
  package internal(set) var labels: [Label] = []
  package internal(set) var legend: Legend?
  /// Whether the legend stands beside the plot.
  package let hasOutsideLegend: Bool
  let curves: [Curve]
  let bars: BarLayout
  let bins: [BinLayout]
  let cells: CellLayout?
  let key: ColorKey?
  /// The places of the reference lines along the axis of values. Pixels.
  let references: [Double]
  /// From the ends of curves to the names that stand beside them.
  package let leaders: [EndLabels.Leader]
  /// Which of `labels` stand over the plot, on white.
  private(set) var overlays: Range<Int> = 0..<0
  let textSize: Double
  /// Whether the places of an axis have names, and so no ticks and no lines of a grid.
  let hasNames: (x: Bool, y: Bool)
  let isSideways: Bool
  /// What is free around the plot.
  let margins: Margins
  /// The reference lines whose labels met something: a legend has to name them.
  private(set) var unplaced: [Legend.Entry] = []

  /// The thickness of curves. Pixels.
  var lineWidth: Double { max(1.4, textSize * 0.135) }

  static func titleSize(_ textSize: Double) -> Double { textSize * 1.02 }

  /// Where the names of a panel's series stand.
  enum Naming { case atEnds, inside, below, right, elsewhere }

  /// The panel with the names of its series where they are read best: at the ends of its lines, in a legend over the
  /// plot that covers no curve, below it, beside it. `nil` if there is no room for the panel.
  static func best(
    _ panel: Panel, in frame: PanelFrame, styles: [ResolvedStyle], namings: [Naming] = [.atEnds, .inside, .below, .right],
    _ typeface: Typeface
  ) -> PanelLayout? {
    // Names of the horizontal axis stand level where all fit, else upright.
    for names in panel.horizontal.names == nil ? [PlaceNames.Style.line] : PlaceNames.Style.allCases {
      var (unnamed, unplaced): (PanelLayout?, [Legend.Entry]) = (nil, [])
      for naming in namings {
        guard let placed = PanelLayout(panel, in: frame, styles, naming, names, alsoNaming: unplaced, typeface)
        else { continue }
        if placed.isNamed(by: naming, panel, styles) { return placed }
        unnamed = unnamed ?? placed
        unplaced = placed.unplaced
      }
      if let unnamed { return unnamed }
    }
    return nil
  }

  /// Whether nothing is left that a legend would have to name.
  private func isNamed(by naming: Naming, _ panel: Panel, _ styles: [ResolvedStyle]) -> Bool {
    if legend != nil { return true }
    guard unplaced.isEmpty else { return false }
    return naming == .elsewhere || !leaders.isEmpty || Legend.entries(of: panel, styles: styles).isEmpty
  }

  private init?(
    _ panel: Panel, in frame: PanelFrame, _ styles: [ResolvedStyle], _ naming: Naming, _ nameStyle: PlaceNames.Style,
    alsoNaming more: [Legend.Entry], _ typeface: Typeface
  ) {
    let size = frame.textSize
    let entries = Legend.entries(of: panel, styles: styles) + (naming == .inside ? [] : more)
    guard
      let (cell, outside) = PanelLayout.room(for: naming, entries, panel, in: frame, typeface)
    else { return nil }
    let extremes = Extremes(panel)
    guard let axes = PanelAxes(panel, extremes, in: frame, cell, nameStyle, typeface),
      let axisLabels = axes.labels(titled: panel.title, in: frame, typeface)
    else { return nil }
    (plot, x, y, key) = (axes.plot, axes.x, axes.y, axes.key)
    (xTicks, yTicks) = (axes.horizontal.ticks, axes.vertical.ticks)
    hasNames = (axes.horizontal.isNamed, axes.vertical.isNamed)
    margins = Margins(of: frame.cell, around: axes.plot)
    (textSize, isSideways, hasOutsideLegend) = (size, panel.liesDown, outside != nil)

    let projection = Projection(x: axes.x, y: axes.y, isSideways: panel.liesDown)
    curves = zip(panel.marks, styles).compactMap { mark, style in
      guard let series = mark.series, mark.standing == nil else { return nil }
      let isLine = if case .line = mark { true } else { false }
      return Curve(series, isLine: isLine, style: style, projection, plot: axes.plot, textSize: size)
    }
    bins = zip(panel.marks, styles).compactMap { mark, style in
      guard case .histogram(let histogram) = mark else { return nil }
      return BinLayout(histogram, style: style, projection, plot: axes.plot)
    }
    bars = BarLayout(
      panel, styles: styles, projection, plot: axes.plot, writing: axes.writing, textSize: size, typeface)
    cells = panel.heatMap.map { CellLayout($0, x: axes.x, y: axes.y, textSize: size, typeface) }
    let rules: [(label: String, place: Double)] = panel.marks.compactMap { mark in
      guard case .reference(let reference) = mark, let place = projection.values(reference.value),
        abs(place - projection.values.clamped(place)) <= 0.5
      else { return nil }
      return (reference.label, place.rounded())
    }
    references = rules.map(\.place)
    let ends =
      naming == .atEnds
      ? EndLabels(of: panel, curves, beside: axes.plot, upTo: frame.cell.right, textSize: size, typeface) : nil
    if naming == .atEnds && ends == nil { return nil }
    leaders = ends?.leaders ?? []
    labels = axisLabels + (cells?.labels ?? []) + bars.labels + (ends?.labels ?? [])

    annotate(panel, rules, typeface)
    if naming == .inside || naming == .elsewhere {
      legend = Legend(
        naming == .inside ? entries + unplaced : unplaced, widest: plot.width * 0.5, highest: plot.height * 0.6,
        textSize: size, in: typeface, complete: true
      )?.placed(in: plot, avoiding: occupation(with: labels[overlays]), textSize: size)
    } else if let outside {
      let below = axisLabels.map(\.box.bottom).max() ?? plot.bottom
      legend = outside.moved(
        to: naming == .below
          ? Position(frame.cell.left, below) : Position(frame.cell.right - outside.box.width, plot.top))
    }
    labels += legend?.labels ?? []
    if extremes.isEmpty && legend == nil { sayNothing(typeface) }
  }

  /// What a legend outside of the plot leaves of the cell, and that legend at the origin; `nil` if there is no room.
  private static func room(
    for naming: Naming, _ entries: [Legend.Entry], _ panel: Panel, in frame: PanelFrame, _ typeface: Typeface
  ) -> (cell: Rectangle, legend: Legend?)? {
    var cell = frame.cell
    switch naming {
    case .inside, .elsewhere: return (cell, nil)
    case .atEnds:
      guard let width = EndLabels.width(of: panel, textSize: frame.textSize, typeface), width <= cell.width * 0.3
      else { return nil }
      cell.right -= width
      return (cell, nil)
    case .below:
      guard let legend = Legend(flowing: entries, over: cell.width, textSize: frame.textSize, in: typeface),
        legend.box.height <= cell.height * 0.32
      else { return nil }
      cell.bottom -= legend.box.height
      return (cell, legend)
    case .right:
      guard
        let legend = Legend(
          entries, widest: cell.width * 0.36, highest: cell.height, textSize: frame.textSize, in: typeface)
      else { return nil }
      cell.right -= legend.box.width + frame.textSize * 0.5
      return (cell, legend)
    }
  }

  /// Writes what reference lines and single points are called beside them.
  private mutating func annotate(_ panel: Panel, _ rules: [(label: String, place: Double)], _ typeface: Typeface) {
    let first = labels.count
    var occupied = occupation()
    for rule in rules where !rule.label.isEmpty {
      if let label = referenceLabel(rule.label, at: rule.place, avoiding: occupied, after: first, typeface) {
        labels.append(label)
        occupied.cover(label.box)
      } else {
        unplaced.append(Legend.Entry(name: rule.label, style: nil, sample: .line))
      }
    }
    labels += pointLabels(of: panel, avoiding: occupied, typeface)
    overlays = first..<labels.count
  }

  private mutating func sayNothing(_ typeface: Typeface) {
    let text = typeface.fit("no data", into: plot.width, size: textSize)
    let centre = Position((plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2)
    guard !text.isEmpty else { return }
    labels.append(Label(text, at: centre, .middle, size: textSize, color: Palette.secondaryInk, in: typeface))
  }

  static func title(_ label: String, _ note: String) -> String {
    note.isEmpty ? label : label.isEmpty ? note : "\(label) (\(note))"
  }
}
