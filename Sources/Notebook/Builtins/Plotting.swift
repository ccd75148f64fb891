internal import Charts
internal import Datasets
internal import Networks
internal import Script
internal import Training

let series = Builtin(
  "series", "Makes a named curve from numbers, for plot() and scatter().",
  parameters: [
    Parameter("y", .list(of: .number), "Values."),
    Parameter("x", .list(of: .number), "Positions on the horizontal axis. Default: 1, 2, 3, …", optional: true, labelled: true),
    Parameter("of", .string, "Quantity of the values, with its unit. Curves of the same quantity share a panel.", default: .string(""), labelled: true),
    Parameter("over", .string, "Quantity of the positions, with its unit.", default: .string("epoch"), labelled: true),
    Parameter("name", .string, "Name of the curve in the legend.", default: .string(""), labelled: true),
    Parameter(
      "low", .list(of: .number), "Lower ends of the interval around each value: a band along a curve, error bars at points.",
      optional: true, labelled: true),
    Parameter("high", .list(of: .number), "Upper ends of the intervals.", optional: true, labelled: true),
    Parameter(
      "like", .string, "Name of the series whose colour it takes, as a published value takes that of its method.",
      default: .string(""), labelled: true),
  ], result: .series,
  examples: [Example("series([5.1, 9.8, 18], x: [1, 2, 4], of: \"images/s\", over: \"batch size\").x", gives: "[1, 2, 4]")],
  chapter: "Results"
) { arguments in
  let y = try arguments.numbers("y")
  let x = arguments.has("x") ? try arguments.numbers("x") : y.indices.map { Double($0 + 1) }
  guard x.count == y.count else {
    throw arguments.failure("there are \(y.count) numbers and \(x.count) places", hint: "a place for each number", at: "x")
  }
  guard arguments.has("low") == arguments.has("high") else {
    throw arguments.failure("an interval has two ends", hint: "low: […], high: […]", at: arguments.has("low") ? "low" : "high")
  }
  var ends: [[Double]] = [[], []]
  for (place, label) in ["low", "high"].enumerated() where arguments.has(label) {
    ends[place] = try arguments.numbers(label)
    guard ends[place].count == y.count else {
      throw arguments.failure(
        "there are \(y.count) numbers and \(ends[place].count) ends of intervals", hint: "an end for each number", at: label)
    }
  }
  return .object(
    SeriesValue(
      quantity: try arguments.string("of"), part: "", owner: try arguments.string("name"),
      over: try arguments.string("over"), x: x, y: y, low: ends[0], high: ends[1], like: try arguments.string("like")))
}

/// What everything that draws a file takes, behind what it draws.
private let toParameter = Parameter("to", .string, "The file, below the working directory.", labelled: true)
private let titleParameter = Parameter(
  "title", .string, "Title of the figure.", default: .string(""), labelled: true)
private let subtitleParameter = Parameter(
  "subtitle", .string, "Line below the title. Default: data, number of images and seeds, if runs are drawn.",
  optional: true, labelled: true)
let logYParameter = Parameter(
  "logY", .bool, "Whether the axes of values are logarithmic. Default: those whose values range over two decades.",
  optional: true, labelled: true)
let logXParameter = Parameter(
  "logX", .bool, "Whether the axes of positions are logarithmic. Default: those whose positions grow by equal factors.",
  optional: true, labelled: true)
private let legendParameter = Parameter(
  "legend", .list(of: .string), "Names in the legend: one for each argument.", optional: true, labelled: true)
private let sizeParameters = [
  Parameter("width", .integer, "Pixels.", optional: true, labelled: true, allowed: 160...10_000),
  Parameter("height", .integer, "Pixels.", optional: true, labelled: true, allowed: 160...10_000),
]
let figureParameters = [toParameter, titleParameter, subtitleParameter] + sizeParameters

let plot = Builtin(
  "plot",
  "Plots curves to a PNG file: series, lists of numbers, or training runs, which plot loss and accuracy. Runs that differ only in their seed are plotted as a mean with a band from the lowest to the highest. Curves of the same quantity share a panel. The file contains its data.",
  parameters: [
    Parameter(
      "curves", .either([.run, .series, .list(of: .number), .list(of: .either([.run, .series]))]), "Curves to plot.",
      variadic: true),
  ] + figureParameters + [
    legendParameter,
    Parameter(
      "only", .list(of: .oneOf(PlottedCurve.ofRuns)), "Which curves of training runs to plot. Default: all.",
      optional: true, labelled: true),
    logYParameter, logXParameter,
  ], result: .chart,
  examples: [Example("plot([0.9, 0.5, 0.3], title: \"A falling curve\", to: \"falling.png\").path", gives: "\"falling.png\"")],
  chapter: "Results"
) { arguments in
  let curves = try arguments.curves(ofRuns: true)
  guard curves.contains(where: { !$0.y.isEmpty }) else {
    throw arguments.failure("there is nothing to draw", hint: "plot(run, to: \"plots/run.png\")")
  }
  let styles = PlottedCurve.styles(of: curves)
  let panels = try arguments.panels(of: curves) { curve, name in
    .line(Series(name, x: curve.x, y: curve.y, band: curve.band, style: styles[curve.group]?[curve.part] ?? Style(like: curve.like)))
  }
  return try arguments.drawn(
    panels, subtitle: PlottedCurve.subtitle(of: curves), width: panels.count == 1 ? 800 : 1280,
    height: 520 * ((panels.count + 1) / 2), runs: curves.flatMap(\.runs))
}

let scatter = Builtin(
  "scatter",
  "Draws a scatter plot of series and, on request, their Pareto front. The file contains its data.",
  parameters: [
    Parameter(
      "points", .either([.series, .list(of: .series)]), "Points to draw. series(…) names both axes.", variadic: true)
  ] + figureParameters + [
    Parameter(
      "labels", .list(of: .string), "Labels of the points, over all series in their order.", optional: true,
      labelled: true),
    Parameter(
      "reported", .list(of: .series),
      "Published points. They are drawn hollow and take no part in the Pareto front. series(…, like: \"agent\") gives them the colour of a method.",
      optional: true, labelled: true),
    Parameter(
      "betterX", .oneOf(["less", "more"]), "Better end of the horizontal axis. Given, it draws the Pareto front.",
      optional: true, labelled: true),
    Parameter(
      "betterY", .oneOf(["less", "more"]), "Better end of the vertical axis.", default: .string("more"),
      labelled: true),
    logYParameter, logXParameter,
  ], result: .chart,
  examples: [
    Example(
      "scatter(series([70.6, 68.4, 63.7], x: [569, 325, 149], of: \"top-1 (%)\", over: \"million MACs\"), betterX: \"less\", to: \"cost.png\").path",
      gives: "\"cost.png\"")
  ], chapter: "Results"
) { arguments in
  let curves = try arguments.curves(ofRuns: false)
  let count = curves.reduce(0) { $0 + $1.y.count }
  guard count > 0 else {
    throw arguments.failure("there is nothing to draw", hint: "scatter(series([1, 2], x: [3, 4]), to: \"points.png\")")
  }
  var labels = arguments.has("labels") ? try arguments.strings("labels")[...] : []
  guard labels.isEmpty || labels.count == count else {
    throw arguments.failure(
      "there are \(count) points and \(labels.count) labels", hint: "a label for each point, \"\" for none", at: "labels")
  }
  var labelled = curves
  for place in curves.indices where !labels.isEmpty {
    labelled[place].labels = Array(labels.prefix(curves[place].y.count))
    labels = labels.dropFirst(curves[place].y.count)
  }
  let reported = try arguments.has("reported") ? PlottedCurve.curves(of: .list(arguments.list("reported")), root: "reported") : []
  labelled += reported.map {
    var curve = $0
    curve.isReported = true
    return curve
  }
  let hasReported = !reported.isEmpty
  var panels = try arguments.panels(of: labelled) { curve, name in
    .points(
      Series(
        name, x: curve.x, y: curve.y, band: curve.band, labels: curve.labels,
        style: Style(isSolid: hasReported && !curve.isReported ? true : nil, like: curve.like)))
  }
  if arguments.has("betterX") {
    let x = try Preference(rawValue: arguments.string("betterX")) ?? .less
    let y = try Preference(rawValue: arguments.string("betterY")) ?? .more
    for place in panels.indices {
      let shown = panels[place].marks.compactMap(\.series).filter { !hasReported || $0.style.isSolid == true }
      let front = Series.front(of: shown, better: x, y)
      // One point that beats all others is no line.
      if front.x.count > 1 { panels[place].marks.append(.line(front)) }
    }
  }
  return try arguments.drawn(
    panels, width: panels.count == 1 ? 800 : 1280, height: 520 * ((panels.count + 1) / 2), runs: curves.flatMap(\.runs))
}

extension Arguments {
  /// The curves of the variadic parameter, under the names that the legend gives them.
  ///
  /// - Parameter ofRuns: Whether the call may draw runs, choose some of their curves and call them by a legend.
  fileprivate func curves(ofRuns: Bool) throws(ScriptError) -> [PlottedCurve] {
    let names = ofRuns && has("legend") ? try strings("legend") : nil
    if let names, names.count != rest.count {
      throw failure(
        "there are \(rest.count) arguments and \(names.count) names of them", hint: "a name for each argument",
        at: "legend")
    }
    let only = ofRuns && has("only") ? try strings("only") : nil
    return PlottedCurve.called(
      rest.enumerated().flatMap { index, value in
        PlottedCurve.curves(of: value, root: names?[index] ?? root(ofRest: index), only: only).map {
          var curve = $0
          if names != nil { curve.owner = "" }
          return curve
        }
      })
  }

  /// The name that an argument of the variadic parameter begins with, or its number.
  func root(ofRest index: Int) -> String {
    let root = String(span(ofRest: index).text.prefix { $0 == "_" || $0.isLetter || $0.isNumber })
    return root.isEmpty ? "curve \(index + 1)" : root
  }

  /// A panel for the curves of each kind, as each is to be drawn.
  fileprivate func panels(
    of curves: [PlottedCurve], _ mark: (PlottedCurve, String) -> Mark
  ) throws(ScriptError) -> [Panel] {
    let (xScale, yScale) = (try scaleIfGiven("logX"), try scaleIfGiven("logY"))
    let names = PlottedCurve.names(of: curves)
    var kinds: [PlottedCurve.Kind] = []
    for curve in curves where !kinds.contains(curve.kind) { kinds.append(curve.kind) }
    return kinds.map { kind in
      let shown = zip(curves, names).filter { $0.0.kind == kind }
      let values = shown.flatMap { $0.0.y + ($0.0.band.map { $0.low + $0.high } ?? []) }
      return Panel(
        x: Axis(kind.over, scale: xScale ?? .suggested(forPlaces: shown.flatMap { $0.0.x })),
        y: Axis(kind.quantity, scale: yScale ?? .suggested(forValues: values, called: kind.quantity)),
        marks: shown.map(mark))
    }
  }

  /// The scale of an axis, where the call says it.
  func scaleIfGiven(_ label: String) throws(ScriptError) -> Axis.Scale? {
    has(label) ? try bool(label) ? .log : .linear : nil
  }

  /// Draws panels into the file that the call names, with what says where they come from.
  ///
  /// - Parameters:
  ///   - width: Pixels, where the call does not say; likewise `height`.
  ///   - runs: What the store calls the runs that the data come from.
  func drawn(
    _ panels: [Panel], subtitle: String = "", caption: String = "", width: Int, height: Int, runs: [String] = []
  ) throws -> Value {
    let chart = try Chart(
      string("title"), subtitle: has("subtitle") ? string("subtitle") : subtitle, caption: caption, width: integerIfGiven("width") ?? width,
      height: integerIfGiven("height") ?? height, panels: panels)
    let path = try figureToWrite("to")
    let notebook = try notebook()
    var different: [String] = []
    for run in runs where !different.contains(run) { different.append(run) }
    let origin = Origin(
      script: context.script.name, text: notebook.entries.isEmpty ? context.script.text : notebook.entries.map(\.text).joined(separator: "\n"), line: context.span.line,
      settings: notebook.settings, runs: different)
    try chart.write(to: path, text: [origin.chunk])
    context.show(picture: try string("to"), at: path)
    notebook.tensorBoard?.add(figure: try string("to"), at: path)
    let result = ChartValue(chart: chart, path: try string("to"))
    context.report("drew \(result.summary)")
    if let problem = Typeface.standardProblem, notebook.isFirstUse(of: problem) { context.report("warning: \(problem)") }
    for note in [chart.note, chart.caption] where !note.isEmpty { context.report("warning: \(note)") }
    return .object(result)
  }
}

/// A curve on its way into a chart.
private struct PlottedCurve {
  /// What is measured, over what. Curves of one kind share a panel.
  struct Kind: Hashable { var quantity, over: String }
  var kind: Kind
  var part, owner: String
  /// What the store calls the runs it comes from.
  var runs: [String] = []
  /// What several seeds spread over.
  var band: Band?
  /// The name in the script that it came from.
  var root: String
  var x, y: [Double]
  /// What its points are called.
  var labels: [String]?
  /// Whether others published it.
  var isReported = false

  /// Whose colour and marker it has; nil for its own.
  var like: String?
  /// The runs themselves, for what they were trained on.
  var trained: [RunValue] = []

  /// What can be drawn of a training run.
  static let ofRuns = ["train loss", "validation loss", "train top-1", "validation top-1"]

  /// What is told from other groups by its colour: a run, or a list of runs.
  var group: String { [owner, root].joined(separator: "\0") }

  static func curves(of value: Value, root: String, only: [String]? = nil) -> [PlottedCurve] {
    func curve(_ series: SeriesValue) -> PlottedCurve {
      PlottedCurve(
        kind: Kind(quantity: series.quantity, over: series.over), part: series.part, owner: series.owner,
        runs: series.run.isEmpty ? [] : [series.run],
        band: series.low.isEmpty ? nil : Band(low: series.low, high: series.high), root: root, x: series.x, y: series.y,
        like: series.like.isEmpty ? nil : series.like)
    }
    switch value {
    case .object(let run as RunValue):
      return zip(ofRuns, [run.trainLoss, run.validationLoss, run.trainTop1, run.validationTop1])
        .filter { only?.contains($0.0) ?? true }.map {
          var curve = curve($0.1)
          curve.trained = [run]
          return curve
        }
    case .object(let series as SeriesValue): return [curve(series)]
    default:
      guard let elements = value.plottedElements else { return [] }
      let numbers = elements.compactMap { if case .number(let number) = $0 { number } else { nil } }
      if numbers.count == elements.count {
        let x = numbers.indices.map { Double($0 + 1) }
        return [PlottedCurve(kind: Kind(quantity: "", over: ""), part: "", owner: "", root: root, x: x, y: numbers)]
      }
      let runs = elements.compactMap { if case .object(let object) = $0 { object as? RunValue } else { nil } }
      if runs.count == elements.count, runs.count > 1, let band = curves(ofSeeds: runs, root: root, only: only) {
        return band
      }
      return elements.enumerated().flatMap { curves(of: $1, root: "\(root)[\($0)]", only: only) }
    }
  }

  /// One set-up with several seeds: the mean of each curve, in a band from the least to the most. Nil where more than the
  /// seed differs.
  private static func curves(ofSeeds runs: [RunValue], root: String, only: [String]?) -> [PlottedCurve]? {
    func setUp(_ run: RunValue) -> TrainingPlan {
      var plan = run.plan
      plan.seed = 0
      return plan
    }
    guard Set(runs.map(setUp)).count == 1, Set(runs.map(\.model.network)).count == 1,
      Set(runs.map(\.epochs.count)).count == 1, runs[0].epochs.count > 0
    else { return nil }
    let all = runs.map { curves(of: .object($0), root: root, only: only) }
    return all[0].indices.map { place in
      var curve = all[0][place]
      let values = curve.y.indices.map { point in all.map { $0[place].y[point] } }
      curve.y = values.map { $0.reduce(0, +) / Double($0.count) }
      curve.band = Band(low: values.map { $0.min() ?? .nan }, high: values.map { $0.max() ?? .nan })
      (curve.runs, curve.trained) = (runs.map(\.id), runs)
      return curve
    }
  }

  /// The curves, where all of a panel are of one part with that part as the panel's: "validation top-1 (%)".
  static func called(_ curves: [PlottedCurve]) -> [PlottedCurve] {
    let parts = Dictionary(grouping: curves, by: \.kind).mapValues { Set($0.map(\.part)) }
    return curves.map {
      var curve = $0
      guard !curve.part.isEmpty, !curve.trained.isEmpty, parts[curve.kind]?.count == 1 else { return curve }
      curve.kind.quantity = "\(curve.part == "train" ? "training" : curve.part) \(curve.kind.quantity)"
      curve.part = ""
      return curve
    }
  }

  /// The styles of several runs: a colour for each, dashed on the training set, solid on the validation set. Nil where
  /// colours alone can tell all curves apart.
  static func styles(of curves: [PlottedCurve]) -> [String: [String: Style]] {
    var groups: [String] = []
    for curve in curves where !groups.contains(curve.group) { groups.append(curve.group) }
    let parts = Set(curves.map(\.part))
    guard groups.count > 1, parts == ["train", "validation"], curves.allSatisfy({ !$0.trained.isEmpty }) else { return [:] }
    let markers = Style.Marker.allCases.filter { $0 != Style.Marker.none }
    func color(_ index: Int) -> Int { Palette.fills[index % Palette.fills.count] }
    return Dictionary(
      uniqueKeysWithValues: groups.enumerated().map { index, group in
        (
          group,
          [
            "train": Style(color: color(index), dash: .dashed, marker: Style.Marker.none),
            "validation": Style(color: color(index), dash: .solid, marker: markers[index % markers.count]),
          ]
        )
      })
  }

  /// Data, n and seeds of the runs that curves come from; empty where they differ in their data.
  static func subtitle(of curves: [PlottedCurve]) -> String {
    let runs = curves.flatMap(\.trained)
    let data = Set(
      runs.map {
        let (train, validation) = ($0.dataset.train.count, $0.dataset.validation.count)
        return "\($0.dataset.name), \(NumberText.grouped(train)) training and \(NumberText.grouped(validation)) validation images"
      })
    guard let data = data.count == 1 ? data.first : nil else { return "" }
    let seeds = Set(runs.map(\.plan.seed)).sorted()
    let text = seeds.count == 1 ? "seed" : "seeds"
    let list = seeds.count > 6 ? "\(seeds[0]) to \(seeds[seeds.count - 1])" : seeds.map { "\($0)" }.joined(separator: ", ")
    let band = curves.contains { $0.band != nil } ? ": mean and range" : ""
    return "\(data); \(text) \(list)\(band)"
  }

  /// What the legend calls each curve: as short as it can be without two curves of one panel being called alike.
  static func names(of curves: [PlottedCurve]) -> [String] {
    func joined(_ words: String...) -> String { words.filter { !$0.isEmpty }.joined(separator: " ") }
    let candidates: [(PlottedCurve) -> String] = [
      { $0.part }, { joined($0.owner, $0.part) }, { joined($0.root, $0.part) }, { joined($0.root, $0.owner, $0.part) },
    ]
    // One curve alone in its panel is told by its axis.
    let isAlone = Dictionary(grouping: curves, by: \.kind).allSatisfy { $1.count == 1 }
    for candidate in candidates {
      let names = curves.map(candidate)
      let keys = zip(curves, names).map { [$0.kind.quantity, $0.kind.over, $1] }
      if Set(keys).count == keys.count, isAlone || !names.contains("") { return names }
    }
    return curves.enumerated().map { joined($1.root, $1.part, "\($0 + 1)") }
  }
}

extension Value {
  /// What a list, a range or an object with elements runs through, as far as a picture can show it.
  var plottedElements: [Value]? {
    switch self {
    case .list(let list): list.elements
    case .range(let range):
      range.count <= 1_000_000 ? (0..<range.count).map { .number(range.lower + Double($0)) } : nil
    case .object(let object): object.elements
    default: nil
    }
  }
}
