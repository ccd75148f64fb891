internal import Charts
internal import Foundation
internal import Script
internal import Tensors

private let ofParameter = Parameter(
  "of", .string, "Quantity of the values, with its unit.", default: .string(""), labelled: true)

let bars = Builtin(
  "bars",
  "Draws a bar chart of a list, of several lists as grouped bars, or of a record of either. The file contains its data.",
  parameters: [
    Parameter(
      "values", .either([.list(of: .number), .list(of: .list(of: .number)), .record]),
      "Values. The names of a record name its bars, or its groups of bars.")
  ] + figureParameters + [
    Parameter("names", .list(of: .string), "Names of the bars.", optional: true, labelled: true),
    Parameter("legend", .list(of: .string), "Names of the lists.", optional: true, labelled: true),
    Parameter(
      "errors", .either([.list(of: .number), .list(of: .list(of: .number)), .record]),
      "Half-lengths of the error bars: one for each value.", optional: true, labelled: true),
    ofParameter,
    Parameter("over", .string, "Title of the horizontal axis.", default: .string(""), labelled: true),
    Parameter(
      "logY", .bool, "Whether the vertical axis is logarithmic.", default: .bool(false), labelled: true),
  ], result: .chart,
  examples: [
    Example(
      "bars({ uniform: [64.2, 66.5], agent: [65.3, 67.6] }, names: [\"50 %\", \"60 %\"], of: \"top-1 (%)\", to: \"bars.png\").path",
      gives: "\"bars.png\"")
  ], chapter: "Results"
) { arguments in
  let given = try arguments.rows("values")
  let errors = arguments.has("errors") ? try arguments.rows("errors") : nil
  let isWhole = errors.map { $0.rows.map(\.count) == given.rows.map(\.count) } ?? true
  guard isWhole else {
    throw arguments.failure(
      "there is not an error for each value", hint: "errors: of the same form as the values", at: "errors")
  }
  let legend = arguments.has("legend") ? try arguments.strings("legend") : given.rowNames ?? []
  let names = arguments.has("names") ? try arguments.strings("names") : given.columnNames
  let count = given.rows.map(\.count).max() ?? 0
  guard count > 0 else {
    throw arguments.failure("there is nothing to draw", hint: "bars([1, 2, 3], to: \"bars.png\")", at: "values")
  }
  if let names, names.count != count {
    throw arguments.failure(
      "there are \(count) places and \(names.count) names", hint: "a name for each place", at: "names")
  }
  guard legend.isEmpty || legend.count == given.rows.count else {
    throw arguments.failure(
      "there are \(given.rows.count) lists and \(legend.count) names of them", hint: "a name for each list",
      at: "legend")
  }
  let marks = given.rows.enumerated().map { index, row -> Mark in
    let band = errors.map { errors in
      Band(
        low: zip(row, errors.rows[index]).map { $0 - $1 }, high: zip(row, errors.rows[index]).map { $0 + $1 })
    }
    return .bars(Series(legend.isEmpty ? "" : legend[index], y: row, band: band))
  }
  let x = Axis(try arguments.string("over"), names: names)
  let y = Axis(try arguments.string("of"), scale: try arguments.bool("logY") ? .log : .linear)
  return try arguments.drawn([Panel(x: x, y: y, marks: marks)], width: 800, height: 520)
}

let histogram = Builtin(
  "histogram",
  "Draws a histogram of numbers; several lists share their bins. The file contains the counts.",
  parameters: [
    Parameter("values", .either([.list(of: .number), .array]), "Numbers to count.", variadic: true)
  ] + figureParameters + [
    Parameter(
      "bins", .integer, "Number of bins. Default: by the rule of Freedman and Diaconis.", optional: true,
      labelled: true, allowed: 1...Double(Histogram.mostBins)),
    Parameter("legend", .list(of: .string), "Names of the lists.", optional: true, labelled: true),
    ofParameter,
    Parameter(
      "logY", .bool, "Whether the vertical axis is logarithmic.", default: .bool(false), labelled: true),
  ], result: .chart,
  examples: [Example("histogram([1, 2, 2, 3, 3, 3], to: \"counts.png\").path", gives: "\"counts.png\"")],
  chapter: "Results"
) { arguments in
  let lists = arguments.rest.map { $0.plottedNumbers ?? [] }
  guard lists.contains(where: { $0.contains(where: \.isFinite) }) else {
    throw arguments.failure("there is nothing to draw", hint: "histogram([1, 2, 2, 3], to: \"counts.png\")")
  }
  var names = lists.indices.map { lists.count > 1 ? arguments.root(ofRest: $0) : "" }
  if Set(names).count < names.count { names = names.enumerated().map { "\($1) \($0 + 1)" } }
  if arguments.has("legend") {
    names = try arguments.strings("legend")
    guard names.count == lists.count else {
      throw arguments.failure(
        "there are \(lists.count) lists and \(names.count) names of them", hint: "a name for each list", at: "legend")
    }
  }
  let edges = Histogram.edges(for: lists, count: try arguments.integerIfGiven("bins"))
  let marks = zip(lists, names).map { Mark.histogram(Histogram($1, of: $0, edges: edges)) }
  let leftOut = LeftOut(of: lists.joined()).text("value")
  let panel = Panel(
    x: Axis(try arguments.string("of")), y: Axis("how many", scale: try arguments.bool("logY") ? .log : .linear),
    marks: marks)
  return try arguments.drawn([panel], caption: leftOut, width: 800, height: 520)
}

let heatmap = Builtin(
  "heatmap",
  "Draws a heat map of a table of numbers or of a confusion matrix. The file contains its data.",
  parameters: [
    Parameter("values", .either([.confusion, .list(of: .list(of: .number))]), "Rows of numbers, the first at the top, or what confusionMatrix() returns.")
  ] + figureParameters + [
    Parameter("rows", .list(of: .string), "Names of the rows.", optional: true, labelled: true),
    Parameter("columns", .list(of: .string), "Names of the columns.", optional: true, labelled: true),
    Parameter(
      "shares", .bool, "Whether to show each number as a share of its row.", default: .bool(false), labelled: true),
    ofParameter,
    Parameter("over", .string, "Title of the horizontal axis.", default: .string(""), labelled: true),
    Parameter("by", .string, "Title of the vertical axis.", default: .string(""), labelled: true),
  ], result: .chart,
  examples: [
    Example(
      "heatmap([[88.1, 90.2], [87.5, 91.0]], rows: [\"sgd\", \"adam\"], columns: [\"lr 0.1\", \"lr 0.01\"], of: \"top-1 (%)\", to: \"rates.png\").path",
      gives: "\"rates.png\"")
  ], chapter: "Results"
) { arguments in
  let isShare = try arguments.bool("shares")
  var (rows, columns): ([String]?, [String]?)
  var (of, over, by) = (try arguments.string("of"), try arguments.string("over"), try arguments.string("by"))
  var (values, subtitle): ([[Double]], String) = ([], "")
  if case .object(let object) = arguments.value("values"), let confusion = object as? ConfusionValue {
    values = confusion.counts.map { $0.map(Double.init) }
    (rows, columns, subtitle) = (confusion.classes, confusion.classes, confusion.summary)
    if of.isEmpty { of = isShare ? "share of the class" : "pictures" }
    if over.isEmpty { over = "answer" }
    if by.isEmpty { by = "class" }
  } else {
    values = try arguments.rows("values").rows
  }
  guard values.contains(where: { !$0.isEmpty }) else {
    throw arguments.failure(
      "there is nothing to draw", hint: "heatmap([[1, 2], [3, 4]], to: \"cells.png\")", at: "values")
  }
  let width = values.map(\.count).max() ?? 0
  for (label, count) in [("rows", values.count), ("columns", width)] where arguments.has(label) {
    let names = try arguments.strings(label)
    guard names.count == count else {
      throw arguments.failure(
        "there are \(count) \(label) and \(names.count) names", hint: "a name for each", at: label)
    }
    if label == "rows" { rows = names } else { columns = names }
  }
  let map = HeatMap(values, label: of, showsShares: isShare)
  func side(_ count: Int) -> Int { max(480, min(1500, 260 + 64 * count)) }
  return try arguments.drawn(
    [Panel(x: Axis(over, names: columns), y: Axis(by, names: rows), marks: [.heatMap(map)])], subtitle: subtitle,
    width: side(width) + 60, height: side(values.count))
}

extension Arguments {
  /// Numbers in rows: a list of numbers is one row, a record of numbers one whose columns have names, and a record of
  /// lists has rows with names.
  fileprivate func rows(
    _ label: String
  ) throws(ScriptError) -> (rows: [[Double]], rowNames: [String]?, columnNames: [String]?) {
    var elements: [Value] = []
    var names: [String]?
    if case .record(let record) = value(label) {
      (elements, names) = (record.values, record.names)
    } else {
      elements = try list(label)
    }
    let numbers = elements.compactMap { if case .number(let number) = $0 { number } else { nil } }
    if numbers.count == elements.count { return ([numbers], nil, names) }
    let rows = elements.compactMap { element -> [Double]? in
      if case .number = element { nil } else { element.plottedNumbers }
    }
    guard rows.count == elements.count else {
      throw failure("these are not all numbers, or all lists of numbers", hint: "[[1, 2], [3, 4]]", at: label)
    }
    return (rows, names, nil)
  }
}

extension Value {
  /// The numbers of a list, or all those of an array; nil where there is something else.
  fileprivate var plottedNumbers: [Double]? {
    if case .object(let array as ArrayValue) = self { return array.array.elements.map(Double.init) }
    guard let elements = plottedElements else { return nil }
    let numbers = elements.compactMap { if case .number(let number) = $0 { number } else { nil } }
    return numbers.count == elements.count ? numbers : nil
  }
}

let preview = Builtin(
  "preview", "Prints a figure in the terminal as blocks of characters, in colour if the terminal has colours.",
  parameters: [
    Parameter("picture", .either([.chart, .string]), "A chart, or the path of a PNG file."),
    Parameter(
      "width", .integer, "Characters per line. Default: the width of the terminal, at most 100.",
      optional: true, labelled: true, allowed: 1...1000),
  ], result: .none,
  examples: [Example("preview(plot([3, 1, 2], to: \"a.png\"), width: 40)")], chapter: "Results"
) { arguments in
  let context = arguments.context
  let name: String
  if case .object(let object) = arguments.value("picture"), let chart = object as? ChartValue {
    name = chart.path
  } else {
    name = try arguments.string("picture")
  }
  let path = context.pathToRead(name)
  guard FileManager.default.fileExists(atPath: path) else {
    throw arguments.missing("'\(name)' does not exist", hint: "draw it first: plot(…, to: \"\(name)\")", at: "picture")
  }
  let colors: Preview.Colors = context.colorBits == 24 ? .all : context.colorBits == 8 ? .palette : .none
  let text = try Preview(png: readFile(path, limit: 1 << 28)).text(
    columns: try arguments.integerIfGiven("width") ?? min(100, context.lineWidth ?? 80), colors: colors)
  context.print(String(text.dropLast()))
  return .none
}
