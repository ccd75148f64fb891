internal import Charts
internal import Networks
internal import Script
internal import Training

let series = Builtin(
  "series", "Makes a curve of numbers, to draw it with its names.",
  parameters: [
    Parameter("y", .list(of: .number), "The numbers."),
    Parameter("x", .list(of: .number), "Their places; 1, 2, 3 and so on where left out.", optional: true, labelled: true),
    Parameter("of", .string, "What is measured, with its unit. Curves of one quantity share a panel.", default: .string(""), labelled: true),
    Parameter("over", .string, "What the places are, with their unit.", default: .string("epoch"), labelled: true),
    Parameter("name", .string, "What tells the curve from others of its panel.", default: .string(""), labelled: true),
  ], result: .series,
  examples: [Example("series([5.1, 9.8, 18], x: [1, 2, 4], of: \"images/s\", over: \"batch\").x", gives: "[1, 2, 4]")],
  chapter: "Results"
) { arguments in
  let y = try arguments.numbers("y")
  let x = arguments.has("x") ? try arguments.numbers("x") : y.indices.map { Double($0 + 1) }
  guard x.count == y.count else {
    throw arguments.failure("there are \(y.count) numbers and \(x.count) places", hint: "a place for each number", at: "x")
  }
  return .object(
    SeriesValue(
      quantity: try arguments.string("of"), part: "", owner: try arguments.string("name"),
      over: try arguments.string("over"), x: x, y: y))
}

let plot = Builtin(
  "plot",
  "Draws curves to a PNG file: series, lists of numbers, or whole trainings, which draw their loss and accuracy. A list of trainings that differ in their seed alone is their mean in a band. Curves of one quantity share a panel. The file carries its data.",
  parameters: [
    Parameter(
      "curves", .either([.run, .series, .list(of: .number), .list(of: .either([.run, .series]))]), "What to draw.",
      variadic: true),
    Parameter("to", .string, "The file, below the working directory.", labelled: true),
    Parameter("title", .string, "The line at the top.", default: .string(""), labelled: true),
    Parameter("logY", .bool, "Whether the vertical axes count in powers of ten.", default: .bool(false), labelled: true),
    Parameter("logX", .bool, "Whether the horizontal axes count in powers of ten.", default: .bool(false), labelled: true),
    Parameter("width", .integer, "Pixels.", optional: true, labelled: true, allowed: 160...10_000),
    Parameter("height", .integer, "Pixels.", optional: true, labelled: true, allowed: 160...10_000),
  ], result: .chart,
  examples: [Example("plot([0.9, 0.5, 0.3], title: \"A falling curve\", to: \"falling.png\").path", gives: "\"falling.png\"")],
  chapter: "Results"
) { arguments in
  try arguments.context.checkInterruption()
  var curves: [PlottedCurve] = []
  for (index, value) in arguments.rest.enumerated() {
    let text = arguments.span(ofRest: index).text
    let root = String(text.prefix { $0 == "_" || $0.isLetter || $0.isNumber })
    curves += PlottedCurve.curves(of: value, root: root.isEmpty ? "curve \(index + 1)" : root)
  }
  guard curves.contains(where: { !$0.y.isEmpty }) else {
    throw arguments.failure("there is nothing to draw", hint: "plot(run, to: \"plots/run.png\")")
  }
  let xScale: Axis.Scale = try arguments.bool("logX") ? .log : .linear
  let yScale: Axis.Scale = try arguments.bool("logY") ? .log : .linear
  let names = PlottedCurve.names(of: curves)
  var kinds: [PlottedCurve.Kind] = []
  for curve in curves where !kinds.contains(curve.kind) { kinds.append(curve.kind) }
  let panels = kinds.map { kind in
    Panel(
      x: Axis(kind.over, scale: xScale), y: Axis(kind.quantity, scale: yScale),
      marks: zip(curves, names).filter { $0.0.kind == kind }.map { curve, name in
        .line(Series(name, x: curve.x, y: curve.y, band: curve.band))
      })
  }
  let rows = (panels.count + 1) / 2
  let chart = try Chart(
    arguments.string("title"), width: arguments.integerIfGiven("width") ?? (panels.count == 1 ? 800 : 1280),
    height: arguments.integerIfGiven("height") ?? 520 * rows, panels: panels)
  let path = try arguments.fileToWrite("to")
  let context = arguments.context
  let notebook = try arguments.notebook()
  var runs: [String] = []
  for run in curves.flatMap(\.runs) where !runs.contains(run) { runs.append(run) }
  let origin = Origin(
    script: context.script.name, text: notebook.transcript ?? context.script.text, line: context.span.line,
    settings: notebook.settings, runs: runs)
  try chart.write(to: path, text: [origin.chunk])
  context.show(picture: try arguments.string("to"), at: path)
  let result = ChartValue(chart: chart, path: try arguments.string("to"))
  arguments.context.report("drew \(result.summary)")
  return .object(result)
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

  static func curves(of value: Value, root: String) -> [PlottedCurve] {
    func curve(_ series: SeriesValue) -> PlottedCurve {
      PlottedCurve(
        kind: Kind(quantity: series.quantity, over: series.over), part: series.part, owner: series.owner, runs: series.run.isEmpty ? [] : [series.run], root: root,
        x: series.x, y: series.y)
    }
    switch value {
    case .object(let run as RunValue):
      return [run.trainLoss, run.validationLoss, run.trainTop1, run.validationTop1].map(curve)
    case .object(let series as SeriesValue): return [curve(series)]
    default:
      guard let elements = value.plottedElements else { return [] }
      let numbers = elements.compactMap { if case .number(let number) = $0 { number } else { nil } }
      if numbers.count == elements.count {
        let x = numbers.indices.map { Double($0 + 1) }
        return [PlottedCurve(kind: Kind(quantity: "", over: ""), part: "", owner: "", root: root, x: x, y: numbers)]
      }
      let runs = elements.compactMap { if case .object(let object) = $0 { object as? RunValue } else { nil } }
      if runs.count == elements.count, runs.count > 1, let band = curves(ofSeeds: runs, root: root) { return band }
      return elements.enumerated().flatMap { curves(of: $1, root: "\(root)[\($0)]") }
    }
  }

  /// One set-up with several seeds: the mean of each curve, in a band from the least to the most. Nil where more than the
  /// seed differs.
  private static func curves(ofSeeds runs: [RunValue], root: String) -> [PlottedCurve]? {
    func setUp(_ run: RunValue) -> TrainingPlan {
      var plan = run.plan
      plan.seed = 0
      return plan
    }
    guard Set(runs.map(setUp)).count == 1, Set(runs.map(\.model.network)).count == 1,
      Set(runs.map(\.epochs.count)).count == 1, runs[0].epochs.count > 0
    else { return nil }
    let all = runs.map { curves(of: .object($0), root: root) }
    return all[0].indices.map { place in
      var curve = all[0][place]
      let values = curve.y.indices.map { point in all.map { $0[place].y[point] } }
      curve.y = values.map { $0.reduce(0, +) / Double($0.count) }
      curve.band = Band(low: values.map { $0.min() ?? .nan }, high: values.map { $0.max() ?? .nan })
      curve.runs = runs.map(\.id)
      return curve
    }
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
  fileprivate var plottedElements: [Value]? {
    switch self {
    case .list(let list): list.elements
    case .range(let range):
      range.count <= 1_000_000 ? (0..<range.count).map { .number(range.lower + Double($0)) } : nil
    case .object(let object): object.elements
    default: nil
    }
  }
}
