/// Something drawn in a panel.
public enum Mark: Hashable, Sendable {
  /// The points of a series joined by a line, with markers where there is room for them.
  case line(Series)
  /// The points of a series, not joined: hollow markers unless the style says that they are solid, with its band as
  /// whiskers.
  case points(Series)
  /// The values of a series as bars from zero, with its band as whiskers. Several such series of a panel stand side by
  /// side at each place.
  case bars(Series)
  /// The values of a series as dots on an axis that need not begin at zero, with its band as whiskers. Several such
  /// series of a panel stand side by side where one has whiskers, else on one line.
  case dots(Series)
  /// How often values fall into each of some ranges.
  case histogram(Histogram)
  /// A matrix of coloured cells.
  case heatMap(HeatMap)
  /// Pictures in rows and columns.
  case pictures(ImageGrid)
  /// A horizontal line with its label.
  case reference(Reference)

  /// The series that is drawn, if it is one.
  public var series: Series? {
    switch self {
    case .line(let series), .points(let series), .bars(let series), .dots(let series): series
    case .histogram, .heatMap, .pictures, .reference: nil
    }
  }

  /// The series that stands at places as bars or dots.
  var standing: Series? {
    switch self {
    case .bars(let series), .dots(let series): series
    case .line, .points, .histogram, .heatMap, .pictures, .reference: nil
    }
  }

  /// Whether its colour fills areas.
  var isArea: Bool {
    switch self {
    case .bars, .dots, .histogram: true
    case .line, .points, .heatMap, .pictures, .reference: false
    }
  }

  /// What the legend calls it, and how it asks to look; `nil` for what a legend does not tell.
  var identity: (name: String, style: Style)? {
    if case .histogram(let histogram) = self { return (histogram.name, histogram.style) }
    return series.map { ($0.name, $0.style) }
  }
}

/// Written as `{"line": {…}}`: one key that says what it is.
extension Mark: Codable {
  private enum CodingKeys: String, CodingKey {
    case line, points, bars, dots, histogram, heatMap, pictures, reference
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self =
      switch container.allKeys.first {
      case .line: .line(try container.decode(Series.self, forKey: .line))
      case .points: .points(try container.decode(Series.self, forKey: .points))
      case .bars: .bars(try container.decode(Series.self, forKey: .bars))
      case .dots: .dots(try container.decode(Series.self, forKey: .dots))
      case .histogram: .histogram(try container.decode(Histogram.self, forKey: .histogram))
      case .heatMap: .heatMap(try container.decode(HeatMap.self, forKey: .heatMap))
      case .pictures: .pictures(try container.decode(ImageGrid.self, forKey: .pictures))
      case .reference, nil: .reference(try container.decode(Reference.self, forKey: .reference))
      }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .line(let series): try container.encode(series, forKey: .line)
    case .points(let series): try container.encode(series, forKey: .points)
    case .bars(let series): try container.encode(series, forKey: .bars)
    case .dots(let series): try container.encode(series, forKey: .dots)
    case .histogram(let histogram): try container.encode(histogram, forKey: .histogram)
    case .heatMap(let matrix): try container.encode(matrix, forKey: .heatMap)
    case .pictures(let pictures): try container.encode(pictures, forKey: .pictures)
    case .reference(let reference): try container.encode(reference, forKey: .reference)
    }
  }
}

/// A value to compare with, drawn as a dashed line across the panel.
public struct Reference: Hashable, Sendable, Codable {
  /// Stands beside the line; empty for none.
  public var label: String
  /// The height of the line, in the unit of the y axis.
  public var value: Double

  public init(_ label: String, at value: Double) {
    self.label = label
    self.value = value
  }
}

/// A curve: points in order, where a value that is not finite makes a gap.
///
/// Points past the end of the shorter of `x` and `y` are not drawn. Nor are values beyond ±1e250, where distances
/// overflow.
public struct Series: Hashable, Sendable, Codable {
  /// What the legend calls it. Series of one name look alike in all panels of a chart. Empty for no entry.
  public var name: String
  public var x, y: [Double]
  /// What the points spread over, for example several seeds: a pale area along a line, whiskers at points, dots and
  /// bars.
  public var band: Band?
  /// The values that `y` smooths, over the same `x`; drawn faint behind it.
  public var raw: [Double]?
  /// What single points are called, in their order; drawn beside them where there is room.
  public var labels: [String]?
  public var style: Style

  public init(
    _ name: String, x: [Double], y: [Double], band: Band? = nil, raw: [Double]? = nil, labels: [String]? = nil,
    style: Style = Style()
  ) {
    self.name = name
    self.x = x
    self.y = y
    self.band = band
    self.raw = raw
    self.labels = labels
    self.style = style
  }

  /// Makes a series of a value per epoch, step or layer, counted from `first`.
  public init(
    _ name: String, y: [Double], from first: Int = 1, band: Band? = nil, raw: [Double]? = nil,
    labels: [String]? = nil, style: Style = Style()
  ) {
    self.init(
      name, x: y.indices.map { Double(first + $0) }, y: y, band: band, raw: raw, labels: labels, style: style)
  }
}

/// The lower and upper edge of an area, over the `x` of its series.
public struct Band: Hashable, Sendable, Codable {
  public var low, high: [Double]

  public init(low: [Double], high: [Double]) {
    self.low = low
    self.high = high
  }
}

/// What tells one series from another. `nil` is chosen by the place of the series among the names of the chart.
public struct Style: Hashable, Sendable, Codable {
  public enum Dash: String, Hashable, Sendable, Codable, CaseIterable {
    case solid, dashed, dashDotted, dotted
  }

  public enum Marker: String, Hashable, Sendable, Codable, CaseIterable {
    case circle, square, triangle, diamond, downTriangle, cross, plus, none
  }

  /// An index into ``Palette/colors``, counted round.
  public var color: Int?
  public var dash: Dash?
  public var marker: Marker?
  /// Whether markers that are not joined are filled; where absent, dots are and points are not.
  public var isSolid: Bool?
  /// The name of the series whose automatic style it takes: a published value that belongs to a method of ours has its
  /// colour and its marker.
  public var like: String?

  public init(
    color: Int? = nil, dash: Dash? = nil, marker: Marker? = nil, isSolid: Bool? = nil, like: String? = nil
  ) {
    self.color = color
    self.dash = dash
    self.marker = marker
    self.isSolid = isSolid
    self.like = like
  }

  /// The style of the `index`th name of a chart. No two of the first 28 are alike in colour, dash and marker, and
  /// neighbours differ in all three.
  ///
  /// - Parameter isFilled: Whether the chart has areas: black is left to lines and text.
  static func automatic(_ index: Int, isFilled: Bool) -> (color: Int, dash: Dash, marker: Marker) {
    let colors = isFilled ? Palette.fills : Array(Palette.colors.indices)
    let markers = Marker.allCases.count - 1
    return (
      colors[index % colors.count], Dash.allCases[index % Dash.allCases.count], Marker.allCases[index % markers]
    )
  }
}
