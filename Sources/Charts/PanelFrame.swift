/// The room of one panel, and what it shares with its neighbours.
struct PanelFrame: Sendable {
  var cell: Rectangle
  var hasTitle, hasLabel: Bool
  var textSize: Double
  /// What stays free around the plot at least, so that all plots of a figure are as high as each other.
  var least = Margins()
}

/// What is left free between a panel's cell and its plot. Pixels.
struct Margins: Hashable, Sendable {
  var left = 0.0, top = 0.0, right = 0.0, bottom = 0.0

  init(left: Double = 0, top: Double = 0, right: Double = 0, bottom: Double = 0) {
    (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
  }

  init(of cell: Rectangle, around plot: Rectangle) {
    self.init(
      left: plot.left - cell.left, top: plot.top - cell.top, right: cell.right - plot.right,
      bottom: cell.bottom - plot.bottom)
  }
}
