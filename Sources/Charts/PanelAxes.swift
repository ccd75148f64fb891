/// The axes of a panel, and the plot that they leave for its marks.
struct PanelAxes: Sendable {
  let plot: Rectangle
  let x, y: Mapping
  let horizontal: HorizontalAxis
  let vertical: VerticalAxis
  let writing: BarLayout.Writing
  let key: ColorKey?
  private let cell: Rectangle

  /// `nil` if there is no room.
  ///
  /// - Parameter cell: What a legend beside or below leaves of the frame's cell.
  init?(
    _ panel: Panel, _ extremes: Extremes, in frame: PanelFrame, _ cell: Rectangle, _ nameStyle: PlaceNames.Style,
    _ typeface: Typeface
  ) {
    let size = frame.textSize
    var cell = cell
    let names = PlaceNames(panel.horizontal, in: cell, nameStyle, textSize: size, typeface)
    let title = typeface.extent(size: PanelLayout.titleSize(size))
    let above = frame.hasTitle ? title.ascent + title.descent + size * 0.5 : typeface.extent(size: size * 0.88).ascent / 2
    let (ascent, descent) = typeface.extent(size: size)
    let below =
      HorizontalAxis.height(names, textSize: size, typeface) + (frame.hasLabel ? ascent + descent + size * 0.3 : 0)
    let top = max(cell.top + above, frame.cell.top + frame.least.top).rounded()
    let bottom = min(cell.bottom - below, frame.cell.bottom - frame.least.bottom).rounded()
    guard bottom - top >= size * 2.5 else { return nil }

    // The heights of labels are known before their widths: first the vertical axis, then what it leaves.
    let writing = BarLayout.writing(
      for: panel, length: panel.liesDown ? bottom - top : cell.width * 0.88, textSize: size, typeface)
    self.writing = writing.writing
    vertical = VerticalAxis(
      panel, extremes, height: bottom - top, in: Rectangle(left: cell.left, top: cell.top, right: cell.right, bottom: bottom),
      room: panel.liesDown ? 0 : min(0.3, writing.room / (bottom - top)), textSize: size, typeface)
    let left = max(cell.left + vertical.width, frame.cell.left + frame.least.left).rounded()
    let key = panel.heatMap.map { ColorKey($0, height: bottom - top, textSize: size, limit: cell.width, typeface) }
    if let key { cell.right -= key.width }
    guard
      let horizontal = HorizontalAxis(
        panel, extremes, names, in: Rectangle(left: left, top: top, right: cell.right, bottom: bottom),
        rightmost: frame.cell.right - frame.least.right, textSize: size, typeface)
    else { return nil }
    self.horizontal = horizontal
    plot = Rectangle(left: left, top: top, right: horizontal.right.rounded(), bottom: bottom)
    x = Mapping(horizontal.ticks, panel.horizontal.scale, from: plot.left, to: plot.right)
    // Names are read from the top.
    let ends = vertical.isNamed ? (plot.top, plot.bottom) : (plot.bottom, plot.top)
    y = Mapping(vertical.ticks, panel.vertical.scale, from: ends.0, to: ends.1)
    self.key = key?.placed(beside: plot, typeface)
    self.cell = cell
  }

  /// Titles and the texts at ticks; `nil` if a name that stands level does not fit whole.
  func labels(titled title: String, in frame: PanelFrame, _ typeface: Typeface) -> [Label]? {
    let size = PanelLayout.titleSize(frame.textSize)
    var labels: [Label] = []
    let title = typeface.fit(title, into: cell.right - plot.left, size: size, bold: true)
    if !title.isEmpty {
      let place = Position(plot.left, cell.top + typeface.extent(size: size).ascent)
      labels.append(Label(title, at: place, .start, size: size, bold: true, in: typeface))
    }
    labels += vertical.labels(y, beside: plot, in: cell, typeface)
    guard let below = horizontal.labels(x, below: plot, in: cell, typeface) else { return nil }
    return labels + below + (key?.labels ?? [])
  }
}
