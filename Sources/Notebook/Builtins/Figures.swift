internal import Charts
internal import Foundation
internal import Script
internal import Tensors

private let ofParameter = Parameter(
  "of", .string, "Quantity of the values, with its unit.", default: .string(""), labelled: true)

let bars = Builtin(
  "bars",
  "Draws a bar chart of a list, of several lists as grouped bars, or of a record of either; dots on a cut axis in place of bars that would hide small differences. The file contains its data.",
  parameters: [
    Parameter(
      "values", .either([.list(of: .number), .list(of: .list(of: .number)), .record]),
      "Values. The names of a record name its bars, or its groups of bars.")
  ] + figureParameters + [
    Parameter("names", .list(of: .string), "Names of the bars.", optional: true, labelled: true),
    Parameter(
      "x", .list(of: .number), "Positions of the bars, such as batch sizes, in place of names.", optional: true,
      labelled: true),
    Parameter("legend", .list(of: .string), "Names of the lists.", optional: true, labelled: true),
    Parameter(
      "errors", numbersType, "Half-lengths of the error bars: one for each value.", optional: true, labelled: true),
    Parameter(
      "low", numbersType, "Lower ends of the error bars, in place of errors; with high.", optional: true, labelled: true),
    Parameter("high", numbersType, "Upper ends of the error bars.", optional: true, labelled: true),
    ofParameter,
    Parameter("over", .string, "Title of the horizontal axis.", default: .string(""), labelled: true),
    Parameter(
      "dots", .bool,
      "Whether to draw dots on an axis that need not begin at 0. Default: if all values lie within a quarter of the largest, or if the axis is logarithmic.",
      optional: true, labelled: true),
    Parameter(
      "horizontal", .bool, "Whether the bars are horizontal. Default: if the names are long.", optional: true,
      labelled: true),
    Parameter(
      "sort", .bool, "Whether to sort the bars by the values of the first list, the largest first.",
      default: .bool(false), labelled: true),
    Parameter(
      "apart", .bool, "Whether each list has a panel and an axis of its own, titled by the legend: for different units.",
      default: .bool(false), labelled: true),
    logYParameter, logXParameter,
  ], result: .chart,
  examples: [
    Example(
      "bars({ uniform: [64.2, 66.5], agent: [65.3, 67.6] }, names: [\"50 %\", \"60 %\"], of: \"top-1 (%)\", to: \"bars.png\").path",
      gives: "\"bars.png\"")
  ], chapter: "Results"
) { arguments in
  var table = try BarTable(arguments)
  if try arguments.bool("sort") { table.sort() }
  let quantity = try arguments.string("of")
  let isApart = try arguments.bool("apart")
  let width = try arguments.integerIfGiven("width") ?? (isApart && table.rows.count > 1 ? 1280 : 800)
  let isSideways =
    arguments.has("horizontal")
    ? try arguments.bool("horizontal")
    : table.names.map { Panel.isWide($0, for: isApart ? width / 2 : width) } ?? false
  let groups = isApart ? table.rows.indices.map { [$0] } : [Array(table.rows.indices)]
  let isDots = arguments.has("dots") ? try arguments.bool("dots") : nil
  let panels = try groups.map { group in
    let label = isApart && !table.legend.isEmpty ? table.legend[group[0]] : quantity
    let series = group.map { table.series($0, isNamed: !isApart) }
    let values = series.flatMap { $0.y + ($0.band.map { $0.low + $0.high } ?? []) }
    let scale = try arguments.scaleIfGiven("logY") ?? .suggested(forValues: values, called: label)
    let places = try arguments.scaleIfGiven("logX") ?? .suggested(forPlaces: table.places)
    // The place where an axis of factors begins means nothing, and so would the length of a bar.
    let showsDots = isDots ?? (scale == .log || Panel.areAlike(series))
    return Panel(
      x: Axis(try arguments.string("over"), scale: places, names: table.names), y: Axis(label, scale: scale),
      marks: series.map { showsDots ? .dots($0) : .bars($0) }, isSideways: isSideways)
  }
  let beside = isApart || (isDots ?? false) && table.bands == nil ? 1 : table.rows.count
  let height =
    isSideways
    ? Panel.height(ofRows: table.places.count, bars: beside, lines: 3) : 520
  return try arguments.drawn(panels, width: width, height: height * ((groups.count + 1) / 2))
}

private let numbersType = ValueType.either([.list(of: .number), .list(of: .list(of: .number)), .record])

/// What `bars` draws: rows of numbers at places.
private struct BarTable {
  var rows: [[Double]]
  /// The ends of whiskers.
  var bands: [Band]?
  /// What the rows are called; empty where they have no names.
  let legend: [String]
  /// What the places are called.
  var names: [String]?
  var places: [Double]

  init(_ arguments: Arguments) throws(ScriptError) {
    let given = try arguments.rows("values")
    rows = given.rows
    legend = arguments.has("legend") ? try arguments.strings("legend") : given.rowNames ?? []
    names = arguments.has("names") ? try arguments.strings("names") : given.columnNames
    let count = rows.map(\.count).max() ?? 0
    guard count > 0 else {
      throw arguments.failure("there is nothing to draw", hint: "bars([1, 2, 3], to: \"bars.png\")", at: "values")
    }
    if let names, names.count != count {
      throw arguments.failure(
        "there are \(count) places and \(names.count) names", hint: "a name for each place", at: "names")
    }
    guard legend.isEmpty || legend.count == rows.count else {
      throw arguments.failure(
        "there are \(rows.count) lists and \(legend.count) names of them", hint: "a name for each list", at: "legend")
    }
    places = (1...count).map(Double.init)
    if arguments.has("x") {
      guard names == nil else {
        throw arguments.failure("places have names or numbers, not both", hint: "leave out names: or x:", at: "x")
      }
      places = try arguments.numbers("x")
      guard places.count == count else {
        throw arguments.failure(
          "there are \(count) values and \(places.count) places", hint: "a place for each value", at: "x")
      }
    }
    bands = try BarTable.bands(arguments, around: rows)
  }

  private static func bands(_ arguments: Arguments, around rows: [[Double]]) throws(ScriptError) -> [Band]? {
    let labels = ["errors", "low", "high"].filter { arguments.has($0) }
    guard !labels.isEmpty else { return nil }
    guard labels == ["errors"] || labels == ["low", "high"] else {
      throw arguments.failure(
        "whiskers are given by errors, or by low and high", hint: "errors: […], or low: […], high: […]", at: labels[0])
    }
    var ends: [[[Double]]] = []
    for label in labels {
      let given = try arguments.rows(label).rows
      guard given.map(\.count) == rows.map(\.count) else {
        throw arguments.failure(
          "there is not an error for each value", hint: "\(label): of the same form as the values", at: label)
      }
      ends.append(given)
    }
    return rows.enumerated().map { index, row in
      labels.count == 2
        ? Band(low: ends[0][index], high: ends[1][index])
        : Band(low: zip(row, ends[0][index]).map { $0 - $1 }, high: zip(row, ends[0][index]).map { $0 + $1 })
    }
  }

  /// Puts the largest value of the first row first. What it lacks comes last.
  mutating func sort() {
    let keys = places.indices.map { index in
      let value = rows.first.flatMap { index < $0.count ? $0[index] : nil } ?? .nan
      return value.isNaN ? -Double.infinity : value
    }
    let order = places.indices.sorted { (keys[$1], $0) < (keys[$0], $1) }
    func sorted<Element>(_ list: [Element]) -> [Element] { order.filter { $0 < list.count }.map { list[$0] } }
    // A short row has no values at places that may now be in its middle.
    rows = rows.map { row in order.map { $0 < row.count ? row[$0] : .nan } }
    bands = bands?.map { band in
      Band(
        low: order.map { $0 < band.low.count ? band.low[$0] : .nan },
        high: order.map { $0 < band.high.count ? band.high[$0] : .nan })
    }
    if let names { self.names = sorted(names) }
    if names == nil { places = sorted(places) }
  }

  func series(_ row: Int, isNamed: Bool) -> Series {
    Series(
      isNamed && !legend.isEmpty ? legend[row] : "", x: Array(places.prefix(rows[row].count)), y: rows[row],
      band: bands?[row])
  }
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
    Parameter("logY", .bool, "Whether the vertical axis is logarithmic.", default: .bool(false), labelled: true),
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
