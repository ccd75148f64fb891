/// The panels of a chart, row by row, and what they share: the heights of their plots, the names of their series.
struct PanelArrangement {
  typealias Placed = (panels: [PanelLayout], grids: [GridLayout], labels: [Label])

  private let chart: Chart
  private let panels: [Panel]
  private let styles: [[ResolvedStyle]]
  private let textSize: Double
  private let typeface: Typeface
  private let columns: Int
  /// Below all panels.
  private(set) var legend: Legend?

  init(_ chart: Chart, textSize: Double, styles: [[ResolvedStyle]], _ typeface: Typeface) {
    self.chart = chart
    panels = chart.panels.map(\.completed)
    columns = max(1, min(chart.panels.count, chart.columns ?? PanelArrangement.columns(for: chart)))
    (self.textSize, self.styles, self.typeface) = (textSize, styles, typeface)
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

  /// `nil` if a panel has no room.
  mutating func placed(in area: Rectangle) -> Placed? {
    guard let entries = sharedEntries else { return evened(in: area) { _ in PanelArrangement.own } }
    // One legend is enough: names at the ends of all lines, else a legend in one of the panels, else below all.
    if let placed = evened(in: area, namings: { _ in [.atEnds] }), placed.panels.allSatisfy(\.unplaced.isEmpty) {
      return placed
    }
    for index in panels.indices {
      let placed = evened(in: area) { $0 == index ? [.inside] : [.elsewhere] }
      if let placed, placed.panels.contains(where: { $0.legend != nil }) { return placed }
    }
    if let legend = Legend(flowing: entries, over: area.width, textSize: textSize, in: typeface) {
      var above = area
      above.bottom -= legend.box.height
      if let placed = evened(in: above, namings: { _ in [.elsewhere] }) {
        self.legend = legend.moved(to: Position(area.left, above.bottom))
        return placed
      }
    }
    return evened(in: area) { _ in PanelArrangement.own }
  }

  private static let own: [PanelLayout.Naming] = [.atEnds, .inside, .below, .right]

  /// What every panel's legend would say, if that is the same for several.
  private var sharedEntries: [Legend.Entry]? {
    let all = zip(panels, styles).map { Legend.entries(of: $0, styles: $1) }
    guard all.count > 1, !all[0].isEmpty, all.allSatisfy({ $0 == all[0] }) else { return nil }
    return all[0]
  }

  /// The panels with plots of one height, and of one width in each column, as far as there is room for that.
  private func evened(in area: Rectangle, namings: (Int) -> [PanelLayout.Naming]) -> Placed? {
    var least = Array(repeating: Margins(), count: panels.count)
    var best: Placed?
    // Margins only grow, so they come to rest; a legend may move once for each.
    for _ in 0..<5 {
      guard let placed = place(in: area, least, namings) else { break }
      best = placed
      let even = evenMargins(of: placed.panels)
      if even == least || placed.panels.count < 2 { break }
      least = even
    }
    return best
  }

  /// The largest margins: of all panels above and below, of those in a column beside.
  private func evenMargins(of placed: [PanelLayout]) -> [Margins] {
    let places = panels.indices.filter { panels[$0].grid == nil }
    let (top, bottom) = (placed.map(\.margins.top).max() ?? 0, placed.map(\.margins.bottom).max() ?? 0)
    var even = Array(repeating: Margins(), count: panels.count)
    for place in places {
      let peers = zip(places, placed).filter { $0.0 % columns == place % columns }.map { $0.1 }
      even[place] = Margins(
        left: peers.map(\.margins.left).max() ?? 0, top: top, right: peers.map(\.margins.right).max() ?? 0,
        bottom: bottom)
    }
    return even
  }

  private func place(in area: Rectangle, _ least: [Margins], _ namings: (Int) -> [PanelLayout.Naming]) -> Placed? {
    let rows = (panels.count + columns - 1) / columns
    let gap = textSize * 1.3
    // Whole pixels, so that rounding leaves all plots as high as each other.
    let width = ((area.width - gap * Double(columns - 1)) / Double(columns)).rounded(.down)
    let height = ((area.height - gap * Double(max(0, rows - 1))) / Double(max(1, rows))).rounded(.down)
    var result: Placed = ([], [], [])
    for (index, panel) in panels.enumerated() {
      let left = (area.left + Double(index % columns) * (width + gap)).rounded()
      let top = (area.top + Double(index / columns) * (height + gap)).rounded()
      let frame = PanelFrame(
        cell: Rectangle(left: left, top: top, right: left + width, bottom: top + height),
        hasTitle: panels.contains { !$0.title.isEmpty }, hasLabel: panels.contains { !$0.horizontal.label.isEmpty },
        textSize: textSize, least: least[index])
      if let grid = panel.grid {
        guard let placed = GridLayout(grid, titled: panel.title, in: frame, typeface) else { return nil }
        result.grids.append(placed)
        result.labels += placed.labels
      } else {
        guard
          let placed = PanelLayout.best(
            panel, in: frame, styles: styles[index], namings: namings(index), typeface)
        else { return nil }
        result.panels.append(placed)
        result.labels += placed.labels
      }
    }
    return result
  }
}
