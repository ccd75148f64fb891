/// A picture of one or more panels: what a plot shows, before anything is drawn.
///
///     let chart = Chart(
///       "ResNet-18 on Fashion-MNIST", subtitle: "12 epochs, seed 1",
///       panels: [
///         Panel("Loss", x: Axis("epoch"), y: Axis("loss"), marks: [
///           .line(Series("train", y: trainLoss)), .line(Series("validation", y: validationLoss)),
///         ]),
///         Panel("Accuracy", x: Axis("epoch"), y: Axis("top-1", format: .percent), marks: [
///           .line(Series("validation", y: top1)), .reference(Reference("reported 91 %", at: 0.91)),
///         ]),
///       ])
///     try chart.write(to: "plots/resnet18.png")
///
/// A chart is a value and travels in its own picture: ``render(typeface:text:)`` stores it as a text chunk,
/// ``init(png:)`` reads it back.
public struct Chart: Hashable, Sendable, Codable {
  /// The bold line at the top; empty for none.
  public var title: String
  /// The grey line below the title; empty for none.
  public var subtitle: String
  /// The small grey line at the bottom, for sources and provenance; empty for none.
  public var caption: String
  /// Pixels. Text and lines grow with the picture.
  public var width, height: Int
  /// How many panels stand side by side; `nil` chooses by the shape of the picture.
  public var columns: Int?
  /// The panels, row by row.
  public var panels: [Panel]

  public init(
    _ title: String = "", subtitle: String = "", caption: String = "", width: Int = 1280, height: Int = 520,
    columns: Int? = nil, panels: [Panel]
  ) {
    self.title = title
    self.subtitle = subtitle
    self.caption = caption
    self.width = width
    self.height = height
    self.columns = columns
    self.panels = panels
  }

  /// The lengths that ``width`` and ``height`` may have. Pixels.
  public static let allowedSides = 160...10_000
  /// The largest area a chart may have. Pixels.
  public static let allowedArea = 50_000_000

  /// What there may be only so many of.
  public enum Content: String, Hashable, Sendable {
    case names = "names of an axis"
    case bars
    case bins = "ranges of a histogram"
    case cells = "cells"
    case pictures
    case pictureBytes = "bytes of pictures"
  }

  /// The most names, bars and cells of a panel.
  public static let mostNames = 5000, mostBars = 20_000, mostCells = 250_000

  /// - Throws: `tooMuch`.
  func check() throws(ChartError) {
    func require(_ content: Content, _ count: Int, atMost limit: Int) throws(ChartError) {
      guard count <= limit else { throw .tooMuch(content, count: count, limit: limit) }
    }
    var (pictures, pictureBytes) = (0, 0)
    for panel in panels {
      var bars = 0
      for mark in panel.marks {
        switch mark {
        case .bars(let series), .dots(let series): bars += series.y.count
        case .histogram(let histogram): try require(.bins, histogram.counts.count, atMost: Histogram.mostBins)
        case .heatMap(let map):
          try require(.names, max(map.rows, map.columns), atMost: Chart.mostNames)
          try require(.cells, map.rows * map.columns, atMost: Chart.mostCells)
        case .pictures(let grid):
          pictures += grid.pictures.count
          for tile in grid.pictures { pictureBytes += tile.bytes.count }
        case .line, .points, .reference: break
        }
      }
      try require(.bars, bars, atMost: Chart.mostBars)
      for axis in [panel.x, panel.y] { try require(.names, axis.names?.count ?? 0, atMost: Chart.mostNames) }
    }
    try require(.pictures, pictures, atMost: ImageGrid.mostPictures)
    try require(.pictureBytes, pictureBytes, atMost: ImageGrid.mostBytes)
  }
}

/// One coordinate system and what is drawn in it. A panel with pictures has no axes and shows nothing else.
public struct Panel: Hashable, Sendable, Codable {
  /// The line above the plot; empty for none.
  public var title: String
  public var x, y: Axis
  /// Drawn in this order, so the last is on top.
  public var marks: [Mark]
  /// Whether the panel lies on its side: places, `x`, run down and values, `y`, to the right, as long names want it.
  /// Absent for an upright one.
  public var isSideways: Bool?

  public init(_ title: String = "", x: Axis = Axis(), y: Axis = Axis(), marks: [Mark], isSideways: Bool = false) {
    self.title = title
    self.x = x
    self.y = y
    self.marks = marks
    self.isSideways = isSideways ? true : nil
  }

  /// Whether it is drawn on its side: cells and pictures are not.
  var liesDown: Bool { isSideways == true && heatMap == nil }
  /// The axis that is drawn below the plot, and the one beside it.
  var horizontal: Axis { liesDown ? y : x }
  var vertical: Axis { liesDown ? x : y }

  /// What is drawn, in one line: `loss over epoch: train, validation`.
  public var summary: String {
    if let grid { return "\(grid.pictures.count) picture\(grid.pictures.count == 1 ? "" : "s")" }
    var names: [String] = []
    for name in marks.compactMap(\.identity?.name) where !name.isEmpty && !names.contains(name) { names.append(name) }
    let what = y.label.isEmpty ? "numbers" : y.label
    if let heatMap {
      let axes = [y.label, x.label].filter { !$0.isEmpty }.joined(separator: " by ")
      return (axes.isEmpty ? "" : axes + ": ") + "\(heatMap.rows) x \(heatMap.columns) cells"
    }
    let over = x.label.isEmpty ? "" : " over \(x.label)"
    return what + over + (names.isEmpty ? "" : ": \(names.joined(separator: ", "))")
  }

  var grid: ImageGrid? {
    marks.lazy.compactMap { if case .pictures(let grid) = $0 { grid } else { nil } }.first
  }

  /// A panel shows one matrix: the first.
  var heatMap: HeatMap? {
    marks.lazy.compactMap { if case .heatMap(let map) = $0 { map } else { nil } }.first
  }

  /// The panel with all names of axes that have some, and nothing that contradicts them.
  var completed: Panel {
    var panel = self
    func complete(_ axis: inout Axis, _ count: Int?) {
      guard axis.names != nil || count != nil else { return }
      let names = axis.names ?? []
      // Columns without a name have their number.
      axis.names = names + (names.count..<max(names.count, count ?? 0, 1)).map { "\($0 + 1)" }
      axis.scale = .linear
      axis.range = nil
    }
    complete(&panel.x, heatMap?.columns)
    complete(&panel.y, heatMap?.rows)
    return panel
  }
}

/// How one direction of a panel is scaled and labelled.
public struct Axis: Hashable, Sendable, Codable {
  public enum Scale: String, Hashable, Sendable, Codable {
    case linear
    /// Equal factors at equal distances: ticks are at powers of ten, or of two where all data are such. Values that are
    /// not positive are left out.
    case log
  }

  public enum Format: String, Hashable, Sendable, Codable {
    case number
    /// Values are shares of one: 0.924 is labelled 92.4 %.
    case percent
  }

  /// What is measured, with its unit; empty for none.
  public var label: String
  public var scale: Scale
  public var format: Format
  /// What is shown, data outside being cut off; `nil` for all of the data. A range that the scale cannot show is ignored.
  public var range: ClosedRange<Double>?
  /// What the places 1, 2, 3 and so on are called, in place of their numbers; on a vertical axis the first is at the
  /// top. An axis with names counts evenly and shows all of them, whatever `scale` and `range` say.
  public var names: [String]?

  public init(
    _ label: String = "", scale: Scale = .linear, format: Format = .number, range: ClosedRange<Double>? = nil,
    names: [String]? = nil
  ) {
    self.label = label
    self.scale = scale
    self.format = format
    self.range = range
    self.names = names
  }
}
