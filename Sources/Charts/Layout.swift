/// Where everything of a chart stands: computed from measured text before anything is drawn.
package struct Layout: Sendable {
  /// The height of ordinary text; most distances are multiples of it. Pixels.
  package let textSize: Double
  /// Titles and caption, then the texts of all panels.
  package private(set) var labels: [Label] = []
  package private(set) var panels: [PanelLayout] = []
  /// The panels that show pictures.
  package private(set) var grids: [GridLayout] = []

  package init(_ chart: Chart, in typeface: Typeface) throws(ChartError) {
    let sides = Chart.allowedSides
    guard sides.contains(chart.width), sides.contains(chart.height), chart.width * chart.height <= Chart.allowedArea
    else { throw .size(width: chart.width, height: chart.height) }
    let (width, height) = (Double(chart.width), Double(chart.height))
    let crowded = ChartError.crowded(panels: chart.panels.count, width: chart.width, height: chart.height)
    guard chart.panels.count <= 400 else { throw crowded }

    try chart.check()
    // Cells and pictures have more texts than curves have; a chart of pictures may be as high as it likes.
    let parts = chart.panels.reduce(0.0) { $0 + ($1.grid != nil ? 4 : $1.heatMap != nil ? 2 : 1) }
    let isOfPictures = chart.panels.count == 1 && chart.panels[0].grid != nil
    let size =
      isOfPictures
      ? ImageGrid.textSize(ofChart: width)
      : max(10, min(48, (width * height / max(1, parts)).squareRoot() / 36))
    textSize = size
    let edge = (size * 0.9).rounded()
    var (top, bottom) = (edge, height - edge)

    /// A line from the left edge, below what is there.
    func headline(_ text: String, _ scale: Double, bold: Bool, _ color: Color) -> Label? {
      let fitting = typeface.fit(text, into: width - 2 * edge, size: size * scale, bold: bold)
      guard !fitting.isEmpty else { return nil }
      return Label(
        fitting, at: Position(edge, 0), .start, size: size * scale, bold: bold, color: color, in: typeface)
    }
    for line in [
      headline(chart.title, 1.3, bold: true, Palette.ink),
      headline(chart.subtitle, 0.95, bold: false, Palette.secondaryInk),
    ] {
      guard let line else { continue }
      let placed = line.moved(down: top - line.box.top)
      labels.append(placed)
      top = placed.box.bottom + size * 0.3
    }
    if !labels.isEmpty { top += size * 0.6 }
    let caption = [chart.note, chart.caption].filter { !$0.isEmpty }.joined(separator: "; ")
    if let line = headline(caption, 0.8, bold: false, Palette.secondaryInk) {
      let placed = line.moved(down: bottom - line.box.bottom)
      labels.append(placed)
      bottom = placed.box.top - size * 0.5
    }

    let columns = max(1, min(chart.panels.count, chart.columns ?? Layout.columns(for: chart)))
    let rows = (chart.panels.count + columns - 1) / columns
    let gap = size * 1.3
    let cell = (
      width: (width - 2 * edge - gap * Double(columns - 1)) / Double(columns),
      height: (bottom - top - gap * Double(max(0, rows - 1))) / Double(max(1, rows))
    )
    let styles = Layout.styles(of: chart)
    for (index, panel) in chart.panels.map(\.completed).enumerated() {
      let (row, column) = (index / columns, index % columns)
      let peers = chart.panels[row * columns..<min(chart.panels.count, (row + 1) * columns)]
      let left = edge + Double(column) * (cell.width + gap)
      let start = top + Double(row) * (cell.height + gap)
      let frame = PanelFrame(
        cell: Rectangle(left: left, top: start, right: left + cell.width, bottom: start + cell.height),
        hasTitle: peers.contains { !$0.title.isEmpty }, hasLabel: peers.contains { !$0.x.label.isEmpty }, textSize: size
      )
      if let grid = panel.grid {
        guard let placed = GridLayout(grid, titled: panel.title, in: frame, typeface) else { throw crowded }
        grids.append(placed)
        labels += placed.labels
      } else {
        guard let placed = PanelLayout.best(panel, in: frame, styles: styles[index], typeface) else { throw crowded }
        panels.append(placed)
        labels += placed.labels
      }
    }
  }

  /// The number of columns whose panels come nearest to a comfortable shape, with few empty places.
  private static func columns(for chart: Chart) -> Int {
    func discomfort(_ columns: Int) -> Double {
      let rows = (chart.panels.count + columns - 1) / columns
      let shape = Double(chart.width * rows) / Double(chart.height * columns)
      let ratio = max(shape / 1.4, 1.4 / shape)
      return ratio + Double(columns * rows - chart.panels.count) * 0.3
    }
    return (1...max(1, chart.panels.count)).min { discomfort($0) < discomfort($1) } ?? 1
  }

  /// The style of every mark of every panel. One name has one style in all panels, and names that share a panel differ.
  private static func styles(of chart: Chart) -> [[ResolvedStyle]] {
    let keys = chart.panels.map { panel in
      var unnamed = 0
      return panel.marks.map { mark -> String? in
        guard let identity = mark.identity else { return nil }
        guard identity.name.isEmpty else { return identity.name }
        unnamed += 1
        return "\0\(unnamed)"  // no name of a series looks like this by chance
      }
    }
    var companions: [String: Set<String>] = [:]
    for panel in keys {
      let names = Set(panel.compactMap { $0 })
      for name in names { companions[name, default: []].formUnion(names) }
    }
    var places: [String: Int] = [:]
    for name in keys.joined().compactMap({ $0 }) where places[name] == nil {
      let taken = Set(companions[name, default: []].compactMap { places[$0] })
      places[name] = (0...taken.count).first { !taken.contains($0) }
    }
    return zip(chart.panels, keys).map { panel, keys in
      zip(panel.marks, keys).map { mark, key in
        ResolvedStyle(index: key.flatMap { places[$0] } ?? 0, mark.identity?.style ?? Style())
      }
    }
  }
}

/// What a series looks like, with nothing left to choose.
package struct ResolvedStyle: Hashable, Sendable {
  let index: Int
  let color: Color
  let dash: Style.Dash
  let marker: Style.Marker
  let isSolid: Bool

  init(index: Int, _ style: Style) {
    let automatic = Style.automatic(index)
    let count = Palette.colors.count
    let color = style.color ?? automatic.color
    self.index = index
    self.color = Palette.colors[(color % count + count) % count]
    dash = style.dash ?? automatic.dash
    marker = style.marker ?? automatic.marker
    isSolid = style.isSolid ?? false
  }
}

/// One line of text in its place.
package struct Label: Hashable, Sendable {
  package enum Anchor: Sendable { case start, middle, end }

  package let text: String
  /// What the text may touch.
  package private(set) var box: Rectangle
  private(set) var baseline: Position
  let size: Double
  let isBold: Bool
  /// Reads from bottom to top.
  let isUpright: Bool
  let color: Color

  /// - Parameter position: On the baseline: its start, middle or end, as `anchor` says.
  init(
    _ text: String, at position: Position, _ anchor: Anchor, size: Double, bold: Bool = false, upright: Bool = false,
    color: Color = Palette.ink, in typeface: Typeface
  ) {
    (self.text, self.size, self.isBold, self.isUpright, self.color) = (text, size, bold, upright, color)
    let width = typeface.width(of: text, size: size, bold: bold)
    let (ascent, descent) = typeface.extent(size: size)
    let before =
      switch anchor {
      case .start: 0.0
      case .middle: width / 2
      case .end: width
      }
    if upright {
      baseline = Position(position.x, position.y + before)
      box = Rectangle(
        left: position.x - ascent, top: baseline.y - width, right: position.x + descent, bottom: baseline.y)
    } else {
      baseline = Position(position.x - before, position.y)
      box = Rectangle(
        left: baseline.x, top: position.y - ascent, right: baseline.x + width, bottom: position.y + descent)
    }
  }

  func moved(right distance: Double) -> Label {
    var label = self
    label.baseline.x += distance
    label.box.left += distance
    label.box.right += distance
    return label
  }

  func moved(down distance: Double) -> Label {
    var label = self
    label.baseline.y += distance
    label.box.top += distance
    label.box.bottom += distance
    return label
  }
}
