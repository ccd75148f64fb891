import Foundation

extension Chart {
  /// The keyword of the text chunk that holds the chart as JSON.
  public static let dataKeyword = "reprise-data"

  /// The chart as JSON, keys sorted. Numbers that are not finite are `"nan"`, `"inf"` and `"-inf"`.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    // Numbers and strings can always be written. NUL, which PNG text must not have, is escaped in JSON.
    guard let data = try? encoder.encode(self) else { preconditionFailure("a chart that cannot be written as JSON") }
    return String(decoding: data, as: UTF8.self)
  }

  /// The numbers of every series: a line for each point, with panel, series, x and y between tabs.
  public var tabSeparated: String {
    var lines = ["panel\tseries\tx\ty"]
    for (number, panel) in panels.enumerated() {
      let name = panel.title.isEmpty ? (panel.y.label.isEmpty ? "\(number + 1)" : panel.y.label) : panel.title
      for series in panel.marks.compactMap(\.series) {
        for (x, y) in zip(series.x, series.y) { lines.append("\(name)\t\(series.name)\t\(x)\t\(y)") }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Reads the chart that a picture carries, to draw it again in another way.
  ///
  /// - Parameter png: A file made by ``render(typeface:text:)``.
  /// - Throws: `notPNG` or `noChart`.
  public init(png: [UInt8]) throws(ChartError) {
    guard let chunk = try PNG.texts(in: png).first(where: { $0.keyword == Chart.dataKeyword }) else { throw .noChart }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let chart = try? decoder.decode(Chart.self, from: Data(chunk.text.utf8)) else { throw .noChart }
    self = chart
  }
}
