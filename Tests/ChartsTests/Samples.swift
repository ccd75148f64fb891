import Charts
import Foundation

/// Curves as a training run of 12 epochs gives them.
enum Samples {
  static let train = [0.902, 0.668, 0.561, 0.497, 0.452, 0.419, 0.388, 0.357, 0.327, 0.298, 0.272, 0.254]
  static let validation = [0.71, 0.55, 0.49, 0.442, 0.421, 0.385, 0.371, 0.349, 0.338, 0.322, 0.317, 0.319]
  static let top1 = [0.82, 0.853, 0.868, 0.884, 0.889, 0.899, 0.903, 0.911, 0.914, 0.921, 0.923, 0.924]

  static func typical(width: Int = 1280, height: Int = 520) -> Chart {
    Chart(
      "ResNet-18 on Fashion-MNIST", subtitle: "12 epochs – seed 1", caption: "desk scale", width: width,
      height: height,
      panels: [
        Panel(
          "Loss", x: Axis("epoch"), y: Axis("loss"),
          marks: [.line(Series("train", y: train)), .line(Series("validation", y: validation))]),
        Panel(
          "Accuracy", x: Axis("epoch"), y: Axis("top-1", format: .percent),
          marks: [.line(Series("validation", y: top1)), .reference(Reference("reported 91 %", at: 0.91))]),
      ])
  }

  static func one(_ marks: [Mark], x: Axis = Axis("x"), y: Axis = Axis("y"), width: Int = 640) -> Chart {
    Chart("one", width: width, height: 400, panels: [Panel("panel", x: x, y: y, marks: marks)])
  }

  /// Bars or dots at named places, three series of them.
  static func standing(
    _ mark: (Series) -> Mark, names: [String], hasWhiskers: Bool = false, isSideways: Bool = false
  ) -> Chart {
    let marks = (0..<3).map { series -> Mark in
      let y = names.indices.map { 80 + Double(($0 * 7 + series * 3) % 11) }
      return mark(
        Series(
          "series \(series)", y: y, band: hasWhiskers ? Band(low: y.map { $0 - 2 }, high: y.map { $0 + 3 }) : nil))
    }
    let panel = Panel("panel", x: Axis("place", names: names), y: Axis("top-1 (%)"), marks: marks, isSideways: isSideways)
    return Chart("standing", subtitle: "Fashion-MNIST, seeds 1, 2, 3", width: 640, height: 400, panels: [panel])
  }

  static func many(_ count: Int) -> [Mark] {
    (0..<count).map { place in
      .line(Series("series number \(place)", y: (0..<30).map { 1 / (1 + exp(-Double($0 - place) / 4)) }))
    }
  }

  static let classes = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  /// A matrix as a classifier gives it: most on the diagonal.
  static func counts(_ size: Int) -> [[Double]] {
    (0..<size).map { row -> [Double] in
      (0..<size).map { column -> Double in
        if row == column { return Double(900 - 7 * row) }
        return Double((row * 31 + column * 17) % 23)
      }
    }
  }

  static func heat(
    _ values: [[Double]], rows: [String]? = nil, columns: [String]? = nil, showsShares: Bool = false, width: Int = 640
  ) -> Chart {
    one(
      [.heatMap(HeatMap(values, label: "pictures", showsShares: showsShares))], x: Axis("answer", names: columns),
      y: Axis("class", names: rows), width: width)
  }

  /// A picture of a slope, so that its corners differ.
  static func tile(
    _ width: Int, _ height: Int, channels: Int = 1, _ caption: String = "", _ verdict: Tile.Verdict? = nil
  ) -> Tile {
    Tile(
      channels: channels, height: height, width: width,
      bytes: (0..<channels * height * width).map { UInt8($0 * 37 % 256) }, caption: caption, verdict: verdict)
  }

  static func pictures(_ tiles: [Tile], columns: Int? = nil, width: Int = 640, height: Int = 400) -> Chart {
    Chart(
      "pictures", width: width, height: height,
      panels: [Panel("panel", marks: [.pictures(ImageGrid(tiles, columns: columns))])])
  }

  /// Whatever a script may ask for, by name.
  static let odd: [(name: String, chart: Chart)] = curves + figures

  private static let figures: [(name: String, chart: Chart)] = [
    (
      "bars",
      one(
        zip(["a", "b"], [1.0, 2]).map { .bars(Series($0, y: [$1, -$1, 3 * $1])) }, x: Axis(names: ["x", "y", "z"]))
    ),
    ("dots", standing(Mark.dots, names: ["50 %", "60 %", "70 %"])),
    ("dots with whiskers", standing(Mark.dots, names: ["50 %", "60 %", "70 %"], hasWhiskers: true)),
    ("dots on their side", standing(Mark.dots, names: classes, isSideways: true)),
    ("bars on their side", standing(Mark.bars, names: classes, hasWhiskers: true, isSideways: true)),
    ("a hundred bars on their side", standing(Mark.bars, names: (0..<100).map { "a long name, \($0)" }, isSideways: true)),
    (
      "bars on their side with long names",
      standing(Mark.bars, names: classes.map { $0 + String(repeating: " and more", count: 50) }, isSideways: true)
    ),
    (
      "all on its side",
      Chart(
        width: 640, height: 400,
        panels: [
          Panel(
            x: Axis("x"), y: Axis("y", scale: .log),
            marks: [
              .line(Series("a", y: [1, 20, 3], band: Band(low: [0.5, 0, 2], high: [2, 30, 4]))),
              .points(Series("b", y: [2, .nan, 5], labels: ["p", "q", "r"])), .dots(Series("c", y: [1, 0, 7])),
              .histogram(Histogram("d", edges: [0.5, 1.5, 2.5], counts: [3, 0])), .reference(Reference("e", at: 9)),
            ], isSideways: true),
          Panel(marks: [.heatMap(HeatMap([[1, 2]]))], isSideways: true), Panel(marks: [], isSideways: true),
        ])
    ),
    (
      "points with whiskers",
      one([.points(Series("a", y: [1, 2, .nan], band: Band(low: [0, .nan, 1], high: [3, 4])))])
    ),
    (
      "dots, log",
      one([.dots(Series("a", x: [1, 2, 4, 0], y: [1, 1e6, 0, 3]))], x: Axis(scale: .log), y: Axis(scale: .log))
    ),
    (
      "styles like others",
      one([
        .points(Series("a", y: [1, 2], style: Style(isSolid: true))),
        .points(Series("b", y: [2, 1], style: Style(like: "a"))), .points(Series("c", y: [3, 1], style: Style(like: "d"))),
      ])
    ),
    ("no bars", one([.bars(Series("a", y: []))])),
    ("no bars but names", one([.bars(Series("a", y: []))], x: Axis(names: []))),
    ("one bar", one([.bars(Series("", y: [5]))])),
    ("bars of nothing", one([.bars(Series("a", y: [0, 0, 0]))], x: Axis(names: ["a", "b", "c"]))),
    (
      "bars that are not finite",
      one([.bars(Series("a", y: [1, .nan, -.infinity], band: Band(low: [.nan], high: [9])))])
    ),
    ("huge bars", one([.bars(Series("a", y: [1e249, -1e-249, 1e300]))])),
    ("bars at odd places", one([.bars(Series("a", x: [-5, 1e9, 1e9, .nan], y: [1, 2, 3, 4]))])),
    ("bars, log", one([.bars(Series("a", y: [0.5, 2000, 0, -1]))], x: Axis(names: ["a"]), y: Axis(scale: .log))),
    (
      "bars, percent",
      one([.bars(Series("a", y: [0.999, 1, 0.2]))], x: Axis(names: ["a", "b", "c"]), y: Axis(format: .percent))
    ),
    (
      "bars and lines",
      one([.bars(Series("a", y: [1, 2])), .line(Series("b", y: [2, 1])), .reference(Reference("c", at: 1.5))])
    ),
    (
      "bars with whiskers",
      one(
        (0..<3).map {
          .bars(Series("series \($0)", y: [3, 4, 5, 6], band: Band(low: [2, 3, 4, 5], high: [4, 5, 6, 7])))
        },
        x: Axis(names: ["50 %", "60 %", "70 %", "80 %"]))
    ),
    (
      "bars with long names",
      one(
        [.bars(Series("", y: [1, 2, 3]))],
        x: Axis(names: classes.map { $0 + String(repeating: " and more", count: 50) }))
    ),
    (
      "three hundred bars",
      one([.bars(Series("", y: (0..<300).map(Double.init)))], x: Axis(names: (0..<300).map { "class \($0)" }))
    ),
    ("bars by the hundred", one((0..<100).map { .bars(Series("\($0)", y: [1, 2])) }, x: Axis(names: ["a", "b"]))),
    (
      "labels",
      one([
        .points(Series("a", x: [1, 1, 2, .nan], y: [1, 1, 2, 3], labels: ["same", "place", "", "gone", "beyond"]))
      ])
    ),
    (
      "crowded labels",
      one([
        .points(
          Series(
            "a", x: (0..<400).map(Double.init), y: (0..<400).map { Double($0 * 7919 % 1000) },
            labels: (0..<400).map { "point \($0)" }))
      ])
    ),
    ("histogram", one([.histogram(Histogram("a", of: [1, 2, 2, 3], edges: Histogram.edges(for: [[1, 2, 2, 3]])))])),
    ("empty histogram", one([.histogram(Histogram("a", edges: [], counts: []))])),
    (
      "uneven histogram",
      one([
        .histogram(Histogram("a", edges: [0, 1], counts: [1, 2, .nan])),
        .histogram(Histogram("b", edges: [3, 2, .nan], counts: [-4, 5])),
      ])
    ),
    (
      "histogram, log",
      one([.histogram(Histogram("a", edges: [0, 1, 2, 3], counts: [1000, 1, 0]))], y: Axis(scale: .log))
    ),
    ("matrix", heat(counts(10), rows: classes, columns: classes, width: 700)),
    ("shares", heat(counts(10), rows: classes, columns: classes, showsShares: true)),
    ("matrix without names", heat([[1, 2, 3], [4]])),
    ("matrix with too many names", heat([[1]], rows: classes, columns: classes)),
    ("empty matrix", heat([])),
    ("matrix of empty rows", heat([[], []], rows: ["a", "b"])),
    ("matrix of one cell", heat([[0.5]], rows: ["row"], columns: ["column"])),
    ("matrix that is not finite", heat([[.nan, .infinity], [-.infinity, .nan]])),
    ("matrix of all sizes", heat([[1e-200, 1e200], [-1e249, 0]])),
    ("matrix of the smallest numbers", heat([[0, .leastNonzeroMagnitude]])),
    ("shares of nothing", heat([[0, 0], [-1, 1]], showsShares: true)),
    (
      "large matrix", heat(counts(200), rows: (0..<200).map { "class \($0)" }, columns: (0..<200).map { "class \($0)" })
    ),
    (
      "matrix with long names",
      heat(
        counts(5), rows: Array(repeating: String(repeating: "long ", count: 90), count: 5),
        columns: Array(repeating: String(repeating: "x", count: 900), count: 5))
    ),
    ("no pictures", pictures([])),
    ("one picture", pictures([tile(1, 1, "one", .right)])),
    (
      "pictures",
      pictures(
        (0..<30).map {
          tile(28, 28, "\(classes[$0 % 10]) → \(classes[$0 * 3 % 10]) 97 %", $0 % 2 == 0 ? .wrong : .right)
        })
    ),
    (
      "pictures of all sizes",
      pictures([tile(3, 50, channels: 3, "high"), tile(900, 20, "wide"), tile(1, 1, ""), tile(40, 40, "α\u{0}\n日本")])
    ),
    ("pictures in too many columns", pictures([tile(2, 2), tile(2, 2)], columns: 99)),
    (
      "pictures with long captions",
      pictures((0..<4).map { _ in tile(8, 8, String(repeating: "caption", count: 300)) }, columns: -1)
    ),
    (
      "pictures and curves",
      Chart(
        width: 640, height: 400,
        panels: [
          Panel(marks: [.pictures(ImageGrid([tile(5, 5, "a")])), .line(Series("b", y: [1]))]),
          Panel(marks: [.line(Series("b", y: [1, 2]))]),
        ])
    ),
  ]

  private static let curves: [(name: String, chart: Chart)] = [
    ("no panels", Chart(panels: [])),
    ("the smallest numbers", one([.line(Series("a", y: [0, .leastNonzeroMagnitude])), .bars(Series("b", y: [.leastNonzeroMagnitude, -Double.leastNonzeroMagnitude]))])),
    ("the smallest numbers, log", one([.line(Series("a", y: [.leastNonzeroMagnitude, .leastNormalMagnitude / 100, 1e-250]))], y: Axis(scale: .log))),
    ("no marks", one([])),
    ("no points", one([.line(Series("a", y: []))])),
    ("one point", one([.line(Series("a", y: [3], band: Band(low: [2], high: [4])))])),
    ("equal values", one([.line(Series("a", y: [0.5, 0.5, 0.5]))])),
    ("zeros", one([.line(Series("a", x: [0, 0], y: [0, 0]))])),
    ("nothing finite", one([.line(Series("a", y: [.nan, .infinity, -.infinity]))])),
    ("gaps", one([.line(Series("a", y: [1, .nan, 2, 3, .infinity, 4], raw: [.nan, 1, 2]))])),
    ("tiny", one([.line(Series("a", y: [1e-12, 2e-12]))])),
    ("wide", one([.line(Series("a", y: [1e-12, 1, 1e12]))])),
    ("wide, log", one([.line(Series("a", y: [1e-12, 1, 1e12]))], y: Axis("y", scale: .log))),
    ("not positive, log", one([.line(Series("a", y: [0, -1]))], y: Axis("y", scale: .log))),
    ("equal, log", one([.line(Series("a", y: [5, 5]))], x: Axis("x", scale: .log), y: Axis("y", scale: .log))),
    ("limits of Double", one([.line(Series("a", y: [-1.7e308, 1.7e308, .leastNonzeroMagnitude, 1e250, -1e250]))])),
    (
      "limits of Double, log",
      one([.line(Series("a", y: [.leastNonzeroMagnitude, 1e-250, 1e250]))], y: Axis(scale: .log))
    ),
    ("large offset", one([.line(Series("a", y: [1e6 + 1e-6, 1e6 + 2e-6, 1e6 + 3e-6]))])),
    ("huge x", one([.line(Series("a", x: [1e15, 1e15 + 1, 1e16], y: [1, 2, 3]))])),
    ("next Double", one([.line(Series("a", y: [1, 1.0.nextUp]))])),
    ("huge percent", one([.line(Series("a", y: [1e9, 1e12]))], y: Axis(format: .percent))),
    ("percent", one([.line(Series("a", y: [1, 1, 1]))], y: Axis(format: .percent))),
    ("uneven lengths", one([.line(Series("a", x: [1, 2], y: [1], band: Band(low: [], high: [1]), raw: [1, 2, 3]))])),
    ("outside its range", one([.line(Series("a", y: [1, 2, 3]))], y: Axis(range: 10...20))),
    ("cut by its range", one([.line(Series("a", y: [1, 1e200, 3]))], y: Axis(range: 0...2))),
    ("useless range", one([.line(Series("a", y: [1, 2]))], y: Axis(range: -1...1e251))),
    ("one-sided range", one([.line(Series("a", y: [1, 2]))], y: Axis(range: 1...1))),
    ("empty names", one([.line(Series("", y: [1, 2])), .line(Series("", y: [2, 1]))], x: Axis(), y: Axis())),
    ("thirty series", one(many(30))),
    (
      "long names",
      one(
        [.line(Series(String(repeating: "a long name ", count: 2000), y: [1, 2]))],
        x: Axis(String(repeating: "x", count: 5000)), y: Axis(String(repeating: "µ × ", count: 5000)))
    ),
    ("strange text", one([.line(Series("α < β & &lt; \u{0}\n\t日本 🎉 é", y: [1, 2]))])),
    ("many references", one((0..<30).map { .reference(Reference("reference \($0)", at: 1 + Double($0) * 1e-3)) })),
    ("style out of range", one([.line(Series("a", y: [1, 2], style: Style(color: .min, marker: Style.Marker.none)))])),
    ("hollow marks", one(Style.Marker.allCases.map { .points(Series("\($0)", y: [1, 2], style: Style(marker: $0))) })),
    (
      "long titles",
      Chart(
        String(repeating: "a long title ", count: 90), subtitle: String(repeating: "of data and seeds, ", count: 90),
        caption: String(repeating: "a source ", count: 200), width: 640, height: 400,
        panels: [Panel(marks: [.line(Series("a", y: [1, 2]))])])
    ),
    ("powers of two", one([.line(Series("a", x: [1, 2, 4, 1_048_576], y: [1, 2, 3, 4]))], x: Axis(scale: .log))),
    ("no columns", Chart(columns: -3, panels: [Panel(marks: [])])),
    ("small", typical(width: 640, height: 400)),
  ]
}
