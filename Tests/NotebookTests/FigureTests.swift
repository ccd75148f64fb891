import Charts
import Foundation
import Script
import Tensors
import Testing

@Suite("Figures of a script")
struct FigureTests {
  private func chart(_ workshop: Workshop, _ name: String) throws -> Chart {
    try Chart(png: [UInt8](Data(contentsOf: URL(filePath: workshop.folder + "/" + name))))
  }

  private func tiles(_ workshop: Workshop, _ call: String) throws -> [Tile] {
    try workshop.value(call.replacing("TO", with: "to: \"grid.png\""))
    guard case .pictures(let grid) = try #require(try chart(workshop, "grid.png").panels.first?.marks.first) else {
      throw UnexpectedValue()
    }
    return grid.pictures
  }

  @Test(
    "bars take a list, a record of numbers, lists side by side and a record of lists",
    arguments: [
      ("[1, 2, 3]", [""], nil, [[1.0, 2, 3]]), ("{ a: 1, b: 2 }", [""], ["a", "b"], [[1, 2]]),
      ("[[1, 2], [3, 4]], legend: [\"x\", \"y\"]", ["x", "y"], nil, [[1, 2], [3, 4]]),
      ("{ x: [1, 2], y: [3] }, names: [\"a\", \"b\"]", ["x", "y"], ["a", "b"], [[1, 2], [3]]),
    ])
  func bars(_ values: String, _ series: [String], _ names: [String]?, _ numbers: [[Double]]) throws {
    let workshop = try Workshop()
    try workshop.value("bars(\(values), to: \"bars.png\")")
    let panel = try chart(workshop, "bars.png").panels[0]
    #expect(panel.marks.compactMap(\.series?.name) == series)
    #expect(panel.marks.compactMap(\.series?.y) == numbers)
    #expect(panel.x.names == names)
  }

  @Test("a figure replaces a figure of ours and no other file")
  func replaces() throws {
    let workshop = try Workshop()
    let file = URL(filePath: workshop.folder + "/keep.txt")
    // A PNG of somebody else: one grey pixel.
    let foreign = Data(base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")!
    for contents in [Data("kept".utf8), foreign] {
      try contents.write(to: file)
      let error = try #require(workshop.error("plot([1, 2], to: \"keep.txt\")"))
      #expect(error.message.contains("is not replaced"), "\(error.message)")
      #expect(try Data(contentsOf: file) == contents)
    }
    for numbers in ["[1, 2]", "[3, 4]"] { try workshop.value("plot(\(numbers), to: \"a.png\")") }
    #expect(try chart(workshop, "a.png").panels[0].marks.first?.series?.y == [3, 4])
  }

  @Test("whiskers reach as far as errors say to both sides")
  func whiskers() throws {
    let workshop = try Workshop()
    try workshop.value("bars({ a: 10, b: 20 }, errors: [1, 2], to: \"bars.png\")")
    #expect(try chart(workshop, "bars.png").panels[0].marks[0].series?.band == Band(low: [9, 18], high: [11, 22]))
  }

  private func isDots(_ mark: Mark) -> Bool { if case .dots = mark { true } else { false } }

  @Test("bars become dots where bars from zero would hide how values differ, and on request")
  func dots() throws {
    let workshop = try Workshop()
    for (call, expected) in [
      ("[88.6, 88.9, 88.3]", true), ("[88.6, 88.9, 88.3], dots: false", false), ("[1, 2, 3]", false),
      ("[1, 2, 3], dots: true", true), ("[1, 20, 3000], of: \"MACs\"", true),
    ] {
      try workshop.value("bars(\(call), to: \"bars.png\")")
      #expect(try isDots(chart(workshop, "bars.png").panels[0].marks[0]) == expected, "\(call)")
    }
    #expect(try chart(workshop, "bars.png").panels[0].y.scale == .log)
  }

  @Test("whiskers have two ends of their own, and are sorted with their bars and names")
  func sorting() throws {
    let workshop = try Workshop()
    try workshop.value(
      "bars([10, 30, 20], low: [9, 28, 17], high: [12, 33, 26], names: [\"a\", \"b\", \"c\"], sort: true, to: \"bars.png\")")
    let panel = try chart(workshop, "bars.png").panels[0]
    #expect(panel.marks[0].series?.y == [30, 20, 10] && panel.x.names == ["b", "c", "a"])
    #expect(panel.marks[0].series?.band == Band(low: [28, 17, 9], high: [33, 26, 12]))
  }

  @Test("long names lie beside their bars, short ones stand below them, unless the call says otherwise")
  func sideways() throws {
    let workshop = try Workshop()
    let long = "names: [\"PTQ, per-channel, asymmetric\", \"float32\"]"
    for (names, expected) in [
      (long, true as Bool?), ("names: [\"a\", \"b\"]", nil), ("names: [\"a\", \"b\"], horizontal: true", true),
      (long + ", horizontal: false", nil),
    ] {
      try workshop.value("bars([1, 2], \(names), to: \"bars.png\")")
      #expect(try chart(workshop, "bars.png").panels[0].isSideways == expected, "\(names)")
    }
  }

  @Test("values of several units stand in panels of their own")
  func apart() throws {
    let workshop = try Workshop()
    try workshop.value("bars({ bytes: [100, 30], \"top-1 (%)\": [85.6, 85.8] }, names: [\"a\", \"b\"], apart: true, to: \"bars.png\")")
    let panels = try chart(workshop, "bars.png").panels
    #expect(panels.map(\.y.label) == ["bytes", "top-1 (%)"] && panels.map { isDots($0.marks[0]) } == [false, true])
  }

  @Test("places that grow by equal factors are shown by factors, for bars too")
  func batches() throws {
    let workshop = try Workshop()
    try workshop.value("bars([7, 9, 10, 12], x: [1, 2, 4, 8], to: \"bars.png\")")
    #expect(try chart(workshop, "bars.png").panels[0].x.scale == .log)
    try workshop.value("plot(series([7, 9, 10, 12], x: [1, 2, 4, 8], over: \"batch size\"), logX: false, to: \"plot.png\")")
    #expect(try chart(workshop, "plot.png").panels[0].x.scale == .linear)
  }

  @Test("a published point has the style of the method that it belongs to, and intervals travel with series")
  func published() throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      ours = series([1, 2], x: [1, 2], low: [0, 1], high: [2, 4], of: "top-1", over: "MACs", name: "agent")
      theirs = series([3], x: [3], of: "top-1", over: "MACs", name: "agent, published", like: "agent")
      scatter(ours, reported: [theirs], to: "points.png")
      """)
    let series = try chart(workshop, "points.png").panels[0].marks.compactMap(\.series)
    #expect(series[0].band == Band(low: [0, 1], high: [2, 4]) && series[0].style.isSolid == true)
    #expect(series[1].style.like == "agent" && series[1].style.isSolid == nil)
  }

  @Test("one point that beats all others makes no front")
  func noFront() throws {
    let workshop = try Workshop()
    try workshop.value("scatter(series([2, 1], x: [1, 2], name: \"a\"), betterX: \"less\", to: \"points.png\")")
    #expect(try chart(workshop, "points.png").panels[0].marks.count == 1)
  }

  @Test("a figure of runs says data, n and seeds below its title, and calls its curves as it is told")
  func runs() throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      data = synthetic(3, shape: [3, 8, 8], train: 30, validation: 12)
      a = seeds(1...2, s => train(resnet(8, data), data, epochs: 1, batch: 10, lr: 0.01, seed: s))
      b = seeds(1...2, s => train(resnet(8, data), data, epochs: 1, batch: 10, lr: 0.1, seed: s))
      plot(a, b, legend: ["baseline", "RSB"], to: "all.png")
      plot(a, b, legend: ["baseline", "RSB"], only: ["validation top-1"], subtitle: "mine", to: "one.png")
      """)
    let all = try chart(workshop, "all.png")
    #expect(all.subtitle.contains("30 training and 12 validation images; seeds 1, 2: mean and range"))
    let marks = all.panels[0].marks.compactMap(\.series)
    #expect(marks.map(\.name) == ["baseline train", "baseline validation", "RSB train", "RSB validation"])
    #expect(marks[0].style.color == marks[1].style.color && marks[0].style.dash != marks[1].style.dash)
    let one = try chart(workshop, "one.png")
    #expect(one.subtitle == "mine" && one.panels.map(\.y.label) == ["validation top-1 (%)"])
    #expect(one.panels[0].marks.compactMap(\.series?.name) == ["baseline", "RSB"])
  }

  @Test("points keep their labels through several series, and the front comes on request")
  func scatter() throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      a = series([1, 3], x: [1, 2], of: "top-1", over: "MACs", name: "a")
      b = series([2], x: [3], of: "top-1", over: "MACs", name: "b")
      scatter(a, b, labels: ["p", "q", "r"], betterX: "less", to: "points.png")
      """)
    let panel = try chart(workshop, "points.png").panels[0]
    #expect(panel.marks.compactMap(\.series?.labels) == [["p", "q"], ["r"]])
    #expect(panel.marks.last?.series?.x == [1, 2] && panel.summary == "top-1 over MACs: a, b, Pareto front")
  }

  @Test("histograms share their ranges, take arrays, and say what they leave out")
  func histogram() throws {
    let workshop = try Workshop()
    try workshop.value(
      "low = [1, 2, nan]\nhistogram(low, array([3, 5, 4, 4], shape: [2, 2]), bins: 4, to: \"h.png\")")
    let chart = try chart(workshop, "h.png")
    let histograms = chart.panels[0].marks.compactMap { if case .histogram(let one) = $0 { one } else { nil } }
    #expect(histograms.map(\.counts) == [[1, 1, 0, 0], [0, 0, 1, 3]])
    #expect(histograms.map(\.name) == ["low", "array"] && chart.caption.contains("1 "))
  }

  @Test("a confusion is drawn with the names of its classes, and its counts are those of the table")
  func confusionMatrix() throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      data = synthetic(4, shape: [1, 8, 8], train: 16, validation: 24)
      mixed = confusionMatrix(initialize(resnet(8, data)), data)
      heatmap(mixed, shares: true, to: "mixed.png")
      """)
    let panel = try chart(workshop, "mixed.png").panels[0]
    guard case .heatMap(let map) = panel.marks[0] else { throw UnexpectedValue() }
    #expect(panel.x.names?.count == 4 && panel.x.names == panel.y.names && map.showsShares)
    let text = "[\(map.values.map { "[\($0.map { "\(Int($0))" }.joined(separator: ", "))]" }.joined(separator: ", "))]"
    #expect(try workshop.value("mixed.counts == \(text)") == .bool(true))
  }

  private static let data = "data = synthetic(3, shape: [3, 8, 8], train: 30, validation: 12)"

  @Test("a grid's bytes are those of the data: what the network sees, without the normalization")
  func bytes() throws {
    let workshop = try Workshop()
    try workshop.value(Self.data)
    let tiles = try tiles(workshop, "grid(data, 0..<12, TO)")
    guard case .list(let seen)? = try workshop.value("images(data, 12).values"),
      case .list(let mean)? = try workshop.value("data.mean"),
      case .list(let std)? = try workshop.value("data.std")
    else { throw UnexpectedValue() }
    func numbers(_ list: List) -> [Double] {
      list.elements.compactMap { if case .number(let n) = $0 { n } else { nil } }
    }
    let (values, means, deviations) = (numbers(seen), numbers(mean), numbers(std))
    for (index, byte) in tiles.flatMap(\.bytes).enumerated() {
      let channel = index / 64 % 3
      #expect(abs((values[index] * deviations[channel] + means[channel]) * 255 - Double(byte)) < 1e-3)
    }
  }

  @Test("an epoch's grid shows the images in the order that a training run takes them, mirrored as it mirrors them")
  func training() throws {
    let workshop = try Workshop()
    try workshop.value(Self.data)
    for epoch in 0..<2 {
      var random = RandomKey(seed: 7, for: .shuffle, epoch: epoch).generator()
      let order = random.permutation(of: 30).prefix(20)
      let plain = try tiles(workshop, "grid(data, \(Array(order)), on: \"train\", TO)")
      #expect(try tiles(workshop, "grid(data, epoch: \(epoch + 1), seed: 7, count: 20, TO)") == plain)
      let mirrored = zip(order, plain).map { sample, tile in
        // The lane of the first horizontal flip.
        var random = RandomKey(seed: 7, for: .augmentation, epoch: epoch, sample: sample, lane: 2 << 8).generator()
        guard random.uniform() < 0.5 else { return tile.bytes }
        return stride(from: 0, to: tile.bytes.count, by: 8).flatMap { Array(tile.bytes[$0..<$0 + 8].reversed()) }
      }
      let drawn = try tiles(workshop, "grid(data, epoch: \(epoch + 1), seed: 7, count: 20, augment: [\"flip\"], TO)")
      #expect(drawn.map(\.bytes) == mirrored)
      #expect(drawn.map(\.bytes) != plain.map(\.bytes))
    }
  }

  @Test("without a list a grid shows as many of each class, class by class")
  func classes() throws {
    let workshop = try Workshop()
    try workshop.value(Self.data)
    let captions = try tiles(workshop, "grid(data, count: 6, TO)").map(\.caption)
    #expect(captions.count == 6 && captions[0] == captions[1] && captions[1] != captions[2] && Set(captions).count == 3)
  }

  @Test("the worst images say class, answer and confidence, and are framed as wrong or right")
  func worst() throws {
    let workshop = try Workshop()
    try workshop.value(Self.data)
    let tiles = try tiles(
      workshop,
      "grid(data, [{ index: 3, label: \"a\", answer: \"b\", confidence: 0.974 }, { index: 0, label: \"a\", answer: \"a\" }, 5], TO)"
    )
    #expect(tiles.map(\.caption).prefix(2) == ["a → b 97\u{A0}%", "a → a"])
    #expect(tiles.map(\.verdict) == [.wrong, .right, nil])
    try workshop.value("grid(data, topLosses(initialize(resnet(8, data)), data, 12), to: \"worst.png\")")
    try workshop.value("grid(synthetic(2, shape: [4, 8, 8], train: 4, validation: 4), to: \"four.png\")")
  }

  @Test(
    "what cannot be drawn is told with what could be",
    arguments: [
      ("bars([], to: \"a.png\")", "bars([1, 2, 3]"), ("bars([1, [2]], to: \"a.png\")", "a list of numbers"),
      ("bars([1, 2], names: [\"a\"], to: \"a.png\")", "2 places and 1 names"),
      ("bars([1, 2], errors: [1], to: \"a.png\")", "same form"),
      ("bars([1, 2], low: [1, 2], to: \"a.png\")", "low and high"),
      ("bars([1, 2], x: [1], to: \"a.png\")", "2 values and 1 places"),
      ("bars([1, 2], x: [1, 2], names: [\"a\", \"b\"], to: \"a.png\")", "not both"),
      ("plot([1, 2], legend: [], to: \"a.png\")", "1 arguments and 0 names"),
      ("series([1], low: [0])", "two ends"), ("series([1], low: [0], high: [1, 2])", "2 ends"),
      ("bars({ a: \"b\" }, to: \"a.png\")", "not all numbers"),
      ("scatter(to: \"a.png\")", "scatter(series"),
      ("scatter(series([1, 2]), labels: [\"a\"], to: \"a.png\")", "2 points and 1 labels"),
      ("histogram([nan], to: \"a.png\")", "nothing to draw"), ("histogram(to: \"a.png\")", "nothing to draw"),
      ("heatmap([], to: \"a.png\")", "nothing to draw"),
      ("heatmap([[1]], rows: [], to: \"a.png\")", "1 rows and 0 names"),
      ("grid(synthetic(2, train: 4, validation: 4), [4], to: \"a.png\")", "from 0 to 3"),
      ("grid(synthetic(2, train: 4, validation: 4), [], to: \"a.png\")", "the list is empty"),
      ("grid(synthetic(2, train: 4, validation: 4), [1], epoch: 1, to: \"a.png\")", "exclude"),
      ("grid(synthetic(2, train: 4, validation: 4), [{ a: 1 }], to: \"a.png\")", "topLosses"),
      ("grid(synthetic(2, shape: [3, 1024, 1024], train: 8, validation: 2), to: \"a.png\")", "16777216"),
      ("grid(synthetic(2, train: 4, validation: 4), to: \"../a.png\")", "directory"),
    ])
  func refusals(_ code: String, _ expected: String) throws {
    let error = try #require(try Workshop().error(code))
    #expect(error.category == .runtime)
    #expect(error.message.contains(expected), "\(error.message)")
  }
}
