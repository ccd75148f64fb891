import Foundation
import Tensors

extension Chart {
  /// The keyword of the text chunk that holds the chart as JSON.
  public static let dataKeyword = "reprise-data"

  /// The chart as JSON, keys sorted. Numbers that are not finite are `"nan"`, `"inf"` and `"-inf"`.
  ///
  /// NUL, which PNG text must not have, is escaped in JSON.
  var json: String { JSONText.of(self) }

  /// The data of every mark: a line for each point, bar, range or cell, with panel, series, x and y between tabs.
  ///
  /// `low` and `high` are the ends of a band or whisker, or of a range of a histogram, whose x is its middle. The series
  /// of a cell is its row, its x the column. Pictures, with their bytes in base 64, are a table of their own.
  public var tabSeparated: String {
    var table = Table(columns: ["panel", "series", "x", "y", "low", "high", "label"], required: 4)
    var pictures = Table(columns: ["panel", "caption", "verdict", "channels", "height", "width", "bytes"], required: 7)
    for (number, panel) in panels.map(\.completed).enumerated() {
      let name = panel.title.isEmpty ? (panel.y.label.isEmpty ? "\(number + 1)" : panel.y.label) : panel.title
      func place(_ value: Double, _ names: [String]?) -> String {
        guard let names, let index = Int(exactly: value), names.indices.contains(index - 1) else { return "\(value)" }
        return names[index - 1]
      }
      for mark in panel.marks {
        switch mark {
        case .line(let series), .points(let series), .bars(let series), .dots(let series):
          for (index, (x, y)) in zip(series.x, series.y).enumerated() {
            func value(_ list: [Double]?) -> String {
              list.flatMap { $0.indices.contains(index) ? "\($0[index])" : nil } ?? ""
            }
            let label = series.labels.flatMap { $0.indices.contains(index) ? $0[index] : nil } ?? ""
            table.add(
              name, series.name, place(x, panel.x.names), "\(y)", value(series.band?.low), value(series.band?.high),
              label)
          }
        case .histogram(let histogram):
          for (index, count) in histogram.counts.enumerated() where index + 1 < histogram.edges.count {
            let (low, high) = (histogram.edges[index], histogram.edges[index + 1])
            table.add(name, histogram.name, "\(low / 2 + high / 2)", "\(count)", "\(low)", "\(high)", "")
          }
        case .heatMap(let map):
          for (row, values) in map.values.enumerated() {
            for (column, value) in values.enumerated() {
              table.add(
                name, place(Double(row + 1), panel.y.names), place(Double(column + 1), panel.x.names), "\(value)", "",
                "", "")
            }
          }
        case .pictures(let grid):
          for tile in grid.pictures {
            pictures.add(
              name, tile.caption, tile.verdict?.rawValue ?? "", "\(tile.channels)", "\(tile.height)", "\(tile.width)",
              Data(tile.bytes).base64EncodedString())
          }
        case .reference: break
        }
      }
    }
    return [pictures.isEmpty || !table.isEmpty ? table.text : nil, pictures.isEmpty ? nil : pictures.text]
      .compactMap { $0 }.joined(separator: "\n")
  }

  /// Lines of fields between tabs. Columns behind the first `required` are left out where all their fields are empty.
  private struct Table {
    let columns: [String]
    let required: Int
    private var rows: [[String]] = []
    var isEmpty: Bool { rows.isEmpty }

    init(columns: [String], required: Int) { (self.columns, self.required) = (columns, required) }

    mutating func add(_ fields: String...) { rows.append(fields) }

    var text: String {
      let shown = columns.indices.filter { column in
        column < required || rows.contains { !$0[column].isEmpty }
      }
      return ([columns] + rows).map { row in
        shown.map { column in
          // What would end a field ends none.
          String(row[column].map { $0 == "\t" || $0.isNewline ? " " : $0 })
        }.joined(separator: "\t") + "\n"
      }.joined()
    }
  }

  /// Reads the chart that a picture carries, to draw it again in another way.
  ///
  /// - Parameter png: A file made by ``render(typeface:text:)``.
  /// - Throws: `notPNG` or `noChart`.
  public init(png: [UInt8]) throws(ChartError) {
    guard let chunk = try PNG.texts(in: png).first(where: { $0.keyword == Chart.dataKeyword }) else { throw .noChart }
    guard let chart = JSONText.read(Chart.self, chunk.text) else { throw .noChart }
    self = chart
  }
}
