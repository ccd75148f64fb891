/// The axis beside a plot: ticks, their texts, and the title that reads from bottom to top.
struct VerticalAxis: Sendable {
  let ticks: Ticks
  let isNamed: Bool
  private let texts: [String]
  private let title: String
  /// Of the texts at ticks.
  private let size: Double
  private let textSize: Double
  /// From the edge of the cell to the plot. Pixels.
  let width: Double

  /// - Parameters:
  ///   - height: Of the plot. Pixels.
  ///   - room: The share of the axis that bars need beyond them for what is written there.
  init(
    _ panel: Panel, _ extremes: Extremes, height: Double, in cell: Rectangle, room: Double, textSize: Double,
    _ typeface: Typeface
  ) {
    self.textSize = textSize
    let axis = panel.vertical
    let slot = height / Double(axis.names?.count ?? 1)
    let size = axis.names == nil ? textSize * 0.88 : max(9, min(textSize * 0.88, slot * 0.8))
    var note = ""
    if let names = axis.names {
      let (ascent, descent) = typeface.extent(size: size)
      let ticks = Ticks(places: names.count, every: Int(((ascent + descent) * 1.02 / slot).rounded(.up)))
      let limit = cell.width * (panel.liesDown ? 0.45 : 0.3)
      texts = ticks.major.map { typeface.fit(names[Int($0) - 1], into: limit, size: size) }
      self.ticks = ticks
    } else {
      let ticks = axis.ticks(
        over: panel.liesDown ? extremes.places : extremes.values,
        atMost: max(3, min(8, Int(height / (textSize * 2.4)))), padding: 0.05, ofPlaces: panel.liesDown, room: room)
      let written = ticks.labels(axis.format, superscripts: typeface.hasSuperscripts)
      note = written.note
      texts = written.texts.map { typeface.fit($0, into: cell.width * 0.3, size: size) }
      self.ticks = ticks
    }
    let widest = texts.map { typeface.width(of: $0, size: size) }.max() ?? 0
    isNamed = axis.names != nil
    self.size = size
    title = typeface.fit(PanelLayout.title(axis.label, note), into: cell.height, size: textSize)
    let (ascent, descent) = typeface.extent(size: textSize)
    width = (title.isEmpty ? 0 : ascent + descent + textSize * 0.35) + widest + textSize * 0.6
  }

  func labels(_ y: Mapping, beside plot: Rectangle, in cell: Rectangle, _ typeface: Typeface) -> [Label] {
    var labels: [Label] = []
    if !title.isEmpty {
      let width = typeface.width(of: title, size: textSize)
      let middle = max(cell.top + width / 2, min(plot.bottom - width / 2, (plot.top + plot.bottom) / 2))
      let place = Position(cell.left + typeface.extent(size: textSize).ascent, middle)
      labels.append(Label(title, at: place, .middle, size: textSize, upright: true, in: typeface))
    }
    let (ascent, descent) = typeface.extent(size: size)
    for (tick, text) in zip(ticks.major, texts) where !text.isEmpty {
      let place = Position(plot.left - textSize * 0.5, (y(tick) ?? plot.bottom) + (ascent - descent * 0.2) / 2)
      labels.append(Label(text, at: place, .end, size: size, color: Palette.secondaryInk, in: typeface))
    }
    return labels
  }
}
