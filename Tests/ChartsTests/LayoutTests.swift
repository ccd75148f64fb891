import Charts
import Testing

@Suite struct LayoutTests {
  @Test("no text leaves the picture or overlaps another", arguments: Samples.odd.map(\.name))
  func labels(_ name: String) throws {
    let chart = try #require(Samples.odd.first { $0.name == name }).chart
    let picture = Rectangle(left: 0, top: 0, right: Double(chart.width), bottom: Double(chart.height))
    for typeface in [Typeface.standard, .builtIn] {
      let labels = try Layout(chart, in: typeface).labels
      for (place, label) in labels.enumerated() {
        #expect(picture.contains(label.box), "'\(label.text)' leaves the picture")
        for other in labels[(place + 1)...] {
          #expect(!label.box.overlaps(other.box), "'\(label.text)' overlaps '\(other.text)'")
        }
      }
    }
  }

  @Test("plots lie in the picture and beside each other, in one line")
  func plots() throws {
    let panels = try Layout(Samples.typical(), in: .standard).panels
    #expect(panels.count == 2)
    #expect(panels[0].plot.right < panels[1].plot.left)
    #expect(panels[0].plot.top == panels[1].plot.top)
    #expect(panels[0].plot.bottom == panels[1].plot.bottom)
  }

  @Test("lines that end apart from each other are named at their ends, in the order in which they end")
  func endLabels() throws {
    let panels = try Layout(Samples.typical(), in: .standard).panels
    for panel in panels {
      #expect(panel.legend == nil && !panel.leaders.isEmpty)
      for label in panel.labels where ["train", "validation"].contains(label.text) {
        #expect(label.box.left > panel.plot.right)
      }
    }
    let names = panels[0].labels.filter { ["train", "validation"].contains($0.text) }
    #expect(names.map(\.text) == ["validation", "train"] && names[0].box.bottom <= names[1].box.top + 1)
  }

  @Test(
    "names that would meet are moved apart, no further than they must, and stay in their range",
    arguments: [
      ([0.0, 10, 20], [0.0, 10, 20]), ([5, 5, 5], [4, 5, 6]), ([0, 0.5, 10], [0, 1, 10]), ([9, 20, 20.5], [9, 19, 20]),
      ([], []),
    ])
  func spread(_ places: [Double], _ expected: [Double]) {
    let spread = EndLabels.spread(places, apart: 1, within: -0.5...20.5)
    #expect(zip(spread, expected).allSatisfy { abs($0 - $1) <= 0.25 } && spread.count == expected.count)
    for (a, b) in zip(spread, spread.dropFirst()) { #expect(b - a >= 1 - 1e-9) }
    #expect(spread.allSatisfy { (0...20).contains($0) })
  }

  @Test("falling points have their legend at the top right, rising ones at the bottom right")
  func legendCorners() throws {
    for (values, isHigh) in [(Samples.train, true), (Samples.top1, false)] {
      let panel = try Layout(Samples.one([.points(Series("a", y: values))]), in: .standard).panels[0]
      let legend = try #require(panel.legend)
      #expect(!panel.hasOutsideLegend)
      #expect(panel.plot.contains(legend.box))
      #expect(legend.box.left > (panel.plot.left + panel.plot.right) / 2)
      #expect((legend.box.bottom < (panel.plot.top + panel.plot.bottom) / 2) == isHigh)
    }
  }

  private static let zigzag = (0..<200).map { $0.isMultiple(of: 2) ? 0.0 : 1 }

  @Test("a legend that would cover curves stands beside the plot")
  func crowdedLegend() throws {
    for marks in [[.line(Series("zigzag", y: Self.zigzag)), .points(Series("b", y: [0.5]))], Samples.many(12)] {
      let panel = try Layout(Samples.one(marks), in: .standard).panels[0]
      let legend = try #require(panel.legend)
      #expect(panel.hasOutsideLegend)
      #expect(!panel.plot.overlaps(legend.box))
    }
  }

  /// Panels that need other rooms: legends inside, below and beside, names level and upright, titles or none.
  private static let kinds: [Panel] = [
    Panel("curves", x: Axis("epoch"), y: Axis("loss"), marks: [.line(Series("train", y: Samples.train))]),
    Panel(x: Axis(), y: Axis("y"), marks: [.line(Series("zigzag", y: zigzag)), .points(Series("b", y: [0.5]))]),
    Panel(x: Axis("series"), y: Axis(), marks: Samples.many(12)),
    Panel(
      "bars", x: Axis(names: Samples.classes), y: Axis("right (%)"),
      marks: [.bars(Series("first", y: (0..<10).map(Double.init))), .bars(Series("second", y: (0..<10).map { 2 * Double($0) }))]),
    Panel(
      x: Axis("class", names: Samples.classes), y: Axis("right (%)"),
      marks: [.dots(Series("", y: (0..<10).map { 1000 + Double($0) }))], isSideways: true),
    Panel(marks: [.heatMap(HeatMap(Samples.counts(10)))]), Panel(marks: []),
  ]

  @Test("all plots of a figure are as high as each other, whatever their legends and names", arguments: [2, 3, 4, 7])
  func equalHeights(_ count: Int) throws {
    for typeface in [Typeface.standard, .builtIn] {
      for shift in kinds.indices {
        let panels = (0..<count).map { Self.kinds[($0 + shift) % Self.kinds.count] }
        let layout = try Layout(
          Chart("figure", subtitle: "data", width: 1600, height: 1200, panels: panels), in: typeface)
        #expect(Set(layout.panels.map(\.plot.height)).count == 1, "\(layout.panels.map(\.plot.height))")
      }
    }
  }

  private var kinds: [Panel] { Self.kinds }

  @Test("plots of one column are as wide as each other")
  func equalWidths() throws {
    let panels = [1.0, 1e6, 12, 0.001].map { Panel(y: Axis("y"), marks: [.line(Series("a name", y: [$0, 2 * $0]))]) }
    let plots = try Layout(Chart(width: 1280, height: 1040, columns: 2, panels: panels), in: .standard).panels.map(\.plot)
    #expect(plots[0].left == plots[2].left && plots[0].right == plots[2].right)
    #expect(plots[1].left == plots[3].left && plots[1].right == plots[3].right)
  }

  @Test("panels that show the same series have one legend", arguments: [2, 4])
  func sharedLegend(_ count: Int) throws {
    func legends(_ marks: [Mark]) throws -> Int {
      let chart = Chart(width: 1280, height: 1040, panels: Array(repeating: Panel(marks: marks), count: count))
      let layout = try Layout(chart, in: .standard)
      return layout.panels.count { $0.legend != nil } + (layout.legend == nil ? 0 : 1)
    }
    #expect(try legends([.points(Series("a", y: [1, 2])), .points(Series("b", y: [2, 1]))]) == 1)
    #expect(try legends([.line(Series("zigzag", y: Self.zigzag)), .points(Series("b", y: [0.5]))]) == 1)
    #expect(try legends([.line(Series("a", y: [1, 2]))]) == 0)
  }

  @Test("a legend names nothing that is not drawn")
  func onlyWhatIsDrawn() throws {
    func names(_ points: [Double]) throws -> [String] {
      let series = Series("a", x: [1, 2], y: points, style: Style(isSolid: true))
      let chart = Samples.one([.points(series), .line(Series.front(of: [series], better: .less, .more))])
      return try Layout(chart, in: .standard).labels.map(\.text)
    }
    #expect(try names([1, 2]).contains("Pareto front"))
    #expect(try !names([2, 1]).contains("Pareto front"))
  }

  @Test("a panel on its side has its names beside it, the first at the top, and its values along the bottom")
  func sideways() throws {
    for mark in [Mark.bars, Mark.dots] {
      let names = ["the first of some long names", "the second of them", "and the last"]
      let layout = try Layout(Samples.standing(mark, names: names, isSideways: true), in: .standard)
      let labels = names.map { name in layout.labels.filter { $0.text == name } }
      #expect(labels.allSatisfy { $0.count == 1 && $0[0].box.right < layout.panels[0].plot.left })
      #expect(labels.map { $0[0].box.top } == labels.map { $0[0].box.top }.sorted())
      #expect(layout.labels.contains { $0.text == "top-1 (%)" && $0.box.top > layout.panels[0].plot.bottom })
    }
  }

  @Test("bars begin at zero; dots need not, so that small differences are seen")
  func ground() throws {
    func low(_ mark: (Series) -> Mark) throws -> Double {
      try Layout(Samples.standing(mark, names: ["a", "b", "c"], hasWhiskers: true), in: .standard).panels[0].yTicks.low
    }
    #expect(try low(Mark.bars) == 0)
    #expect(try low(Mark.dots) > 60)
  }

  @Test("long titles take some lines before they are cut")
  func longTitles() throws {
    let subtitle = "MobileNet-v1 at a quarter of its width on Fashion-MNIST, 10,000 training and 10,000 test images; seeds 1, 2, 3"
    let chart = Chart("title", subtitle: subtitle, width: 640, height: 400, panels: [Panel(marks: [])])
    let texts = try Layout(chart, in: .standard).labels.map(\.text)
    #expect(texts.joined(separator: " ").contains(subtitle))
  }
}
