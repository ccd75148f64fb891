/// Where everything of a chart stands: computed from measured text before anything is drawn.
package struct Layout: Sendable {
  /// The height of ordinary text; most distances are multiples of it. Pixels.
  package let textSize: Double
  /// Titles and caption, then the texts of all panels.
  package private(set) var labels: [Label] = []
  package private(set) var panels: [PanelLayout] = []
  /// The panels that show pictures.
  package private(set) var grids: [GridLayout] = []
  /// What all panels have in common.
  package private(set) var legend: Legend?

  package init(_ chart: Chart, in typeface: Typeface) throws(ChartError) {
    let sides = Chart.allowedSides
    guard sides.contains(chart.width), sides.contains(chart.height), chart.width * chart.height <= Chart.allowedArea
    else { throw .size(width: chart.width, height: chart.height) }
    let crowded = ChartError.crowded(panels: chart.panels.count, width: chart.width, height: chart.height)
    guard chart.panels.count <= 400 else { throw crowded }
    try chart.check()
    textSize = Layout.textSize(of: chart)
    var area = Rectangle(left: 0, top: 0, right: Double(chart.width), bottom: Double(chart.height))
      .grown(by: -(textSize * 0.9).rounded())
    writeHeadlines(of: chart, in: &area, typeface)

    var arrangement = PanelArrangement(chart, textSize: textSize, styles: ResolvedStyle.all(of: chart), typeface)
    guard let placed = arrangement.placed(in: area) else { throw crowded }
    (panels, grids, legend) = (placed.panels, placed.grids, arrangement.legend)
    labels += placed.labels + (legend?.labels ?? [])
  }

  /// Cells and pictures have more texts than curves have; a chart of pictures may be as high as it likes, and so may one
  /// of many rows.
  private static func textSize(of chart: Chart) -> Double {
    let (width, height) = (Double(chart.width), Double(chart.height))
    if chart.panels.count == 1 && chart.panels[0].grid != nil { return ImageGrid.textSize(ofChart: width) }
    let several = chart.panels.count > 1
    let parts = chart.panels.reduce(0.0) {
      $0 + ($1.grid != nil ? 4 : $1.heatMap != nil ? 2 : $1.liesDown && several ? 0.7 : 1)
    }
    return max(10, min(48, width / 44, (width * height / max(1, parts)).squareRoot() / 36))
  }

  /// Writes title and subtitle at the top, notes and caption at the bottom, and takes their room from `area`.
  private mutating func writeHeadlines(of chart: Chart, in area: inout Rectangle, _ typeface: Typeface) {
    /// A few lines from the left edge, the first at the origin.
    func lines(_ text: String, _ scale: Double, atMost most: Int, bold: Bool = false, _ color: Color) -> [Label] {
      let size = textSize * scale
      let (ascent, descent) = typeface.extent(size: size)
      return typeface.wrapped(text, into: area.width, lines: most, size: size, bold: bold).filter { !$0.isEmpty }
        .enumerated().map { number, line in
          let baseline = ascent + Double(number) * (ascent + descent + size * 0.2)
          return Label(
            line, at: Position(area.left, baseline), .start, size: size, bold: bold, color: color, in: typeface)
        }
    }
    for block in [
      lines(chart.title, 1.3, atMost: 2, bold: true, Palette.ink),
      lines(chart.subtitle, 0.95, atMost: 3, Palette.secondaryInk),
    ] {
      let placed = block.map { $0.moved(down: area.top) }
      labels += placed
      if let last = placed.last { area.top = last.box.bottom + textSize * 0.3 }
    }
    if !labels.isEmpty { area.top += textSize * 0.6 }
    let caption = [chart.note, chart.caption].filter { !$0.isEmpty }.joined(separator: "; ")
    let block = lines(caption, 0.8, atMost: 2, Palette.secondaryInk)
    guard let height = block.last?.box.bottom else { return }
    labels += block.map { $0.moved(down: area.bottom - height) }
    area.bottom -= height + textSize * 0.5
  }
}
