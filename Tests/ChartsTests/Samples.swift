import Charts
import Foundation

/// Curves as a training of 12 epochs gives them.
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

  static func many(_ count: Int) -> [Mark] {
    (0..<count).map { place in
      .line(Series("series number \(place)", y: (0..<30).map { 1 / (1 + exp(-Double($0 - place) / 4)) }))
    }
  }

  /// Whatever a script may ask for, by name.
  static let odd: [(name: String, chart: Chart)] = [
    ("no panels", Chart(panels: [])),
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
    ("no columns", Chart(columns: -3, panels: [Panel(marks: [])])),
    ("small", typical(width: 640, height: 400)),
  ]
}
