internal import Charts
internal import Script

/// A picture that was drawn, in the language.
struct ChartValue: ScriptObject, Equatable {
  let chart: Chart
  /// As the script has it.
  let path: String

  static let type = ObjectType(
    "chart", "A figure in a PNG file. The file contains its data.",
    fields: [
      .init("path", .string, "Path of the file."),
      .init("title", .string, "Title."),
      .init("width", .integer, "Pixels."),
      .init("height", .integer, "Pixels."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  func field(_ name: String) -> Value? {
    switch name {
    case "path": .string(path)
    case "title": .string(chart.title)
    case "width": .count(chart.width)
    case "height": .count(chart.height)
    default: nil
    }
  }

  var summary: String {
    "\(path): \(chart.panels.map(\.summary).joined(separator: "; ")), "
      + "\(chart.width) x \(chart.height) pixels"
  }
}
