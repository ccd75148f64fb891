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
}

/// One coordinate system and what is drawn in it.
public struct Panel: Hashable, Sendable, Codable {
  /// The line above the plot; empty for none.
  public var title: String
  public var x, y: Axis
  /// Drawn in this order, so the last is on top.
  public var marks: [Mark]

  public init(_ title: String = "", x: Axis = Axis(), y: Axis = Axis(), marks: [Mark]) {
    self.title = title
    self.x = x
    self.y = y
    self.marks = marks
  }
}

/// How one direction of a panel is scaled and labelled.
public struct Axis: Hashable, Sendable, Codable {
  public enum Scale: String, Hashable, Sendable, Codable {
    case linear
    /// Powers of ten at equal distances. Values that are not positive are left out.
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

  public init(
    _ label: String = "", scale: Scale = .linear, format: Format = .number, range: ClosedRange<Double>? = nil
  ) {
    self.label = label
    self.scale = scale
    self.format = format
    self.range = range
  }
}
