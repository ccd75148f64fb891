internal import Charts
internal import Script

/// A curve in the language: numbers over steps or epochs.
struct SeriesValue: ScriptObject, Equatable {
  /// What is measured, which is what its axis is called: curves of one quantity share a panel.
  let quantity: String
  /// What it was measured on: `train`, `validation`; empty for neither.
  let part: String
  /// What it belongs to: the name of the network.
  let owner: String
  /// What runs along the horizontal axis.
  var over = "epoch"
  /// The run it belongs to; empty for none.
  var run = ""
  let x, y: [Double]
  /// Where the interval around each number ends; empty where there is none.
  var low: [Double] = []
  var high: [Double] = []
  /// The name of the series whose colour and marker it has in a figure; empty for its own.
  var like = ""

  static let type = ObjectType(
    "series", "A curve: values over epochs or another quantity. It also works as the list of its values.",
    fields: [
      .init("name", .string, "Name."),
      .init("x", .list(of: .number), "Positions: epochs, counted from 1, or what series(x:) gave."),
      .init("y", .list(of: .number), "Values."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  func field(_ name: String) -> Value? {
    switch name {
    case "name": .string(self.name)
    case "x": .list(x)
    case "y": .list(y)
    default: nil
    }
  }

  var name: String { [owner, part, quantity].filter { !$0.isEmpty }.joined(separator: " ") }
  var elements: [Value]? { y.map(Value.number) }

  var summary: String {
    guard let first = y.first, let last = y.last else { return "\(name): empty" }
    return "\(name): \(sparkline(y, width: 40)) \(NumberText.short(first)) to \(NumberText.short(last))"
  }
}
