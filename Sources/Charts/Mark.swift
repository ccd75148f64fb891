/// Something drawn in a panel.
public enum Mark: Hashable, Sendable {
  /// The points of a series joined by a line, with markers where there is room for them.
  case line(Series)
  /// The points of a series as hollow markers, not joined.
  case points(Series)
  /// A horizontal line with its label.
  case reference(Reference)

  /// The series that is drawn, if it is one.
  public var series: Series? {
    switch self {
    case .line(let series), .points(let series): series
    case .reference: nil
    }
  }
}

/// Written as `{"line": {…}}`: one key that says what it is.
extension Mark: Codable {
  private enum CodingKeys: String, CodingKey { case line, points, reference }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if let series = try container.decodeIfPresent(Series.self, forKey: .line) {
      self = .line(series)
    } else if let series = try container.decodeIfPresent(Series.self, forKey: .points) {
      self = .points(series)
    } else {
      self = .reference(try container.decode(Reference.self, forKey: .reference))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .line(let series): try container.encode(series, forKey: .line)
    case .points(let series): try container.encode(series, forKey: .points)
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
  /// What the points spread over, for example several seeds; drawn as a pale area.
  public var band: Band?
  /// The values that `y` smooths, over the same `x`; drawn faint behind it.
  public var raw: [Double]?
  public var style: Style

  public init(
    _ name: String, x: [Double], y: [Double], band: Band? = nil, raw: [Double]? = nil, style: Style = Style()
  ) {
    self.name = name
    self.x = x
    self.y = y
    self.band = band
    self.raw = raw
    self.style = style
  }

  /// Makes a series of a value per epoch, step or layer, counted from `first`.
  public init(
    _ name: String, y: [Double], from first: Int = 1, band: Band? = nil, raw: [Double]? = nil, style: Style = Style()
  ) {
    self.init(name, x: y.indices.map { Double(first + $0) }, y: y, band: band, raw: raw, style: style)
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

  public init(color: Int? = nil, dash: Dash? = nil, marker: Marker? = nil) {
    self.color = color
    self.dash = dash
    self.marker = marker
  }

  /// The style of the `index`th name of a chart. No two of the first 28 are alike in colour, dash and marker, and
  /// neighbours differ in all three.
  static func automatic(_ index: Int) -> (color: Int, dash: Dash, marker: Marker) {
    let markers = Marker.allCases.count - 1
    return (
      index % Palette.colors.count, Dash.allCases[index % Dash.allCases.count],
      Marker.allCases[index % markers]
    )
  }
}
