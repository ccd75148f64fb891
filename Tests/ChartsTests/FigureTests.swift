import Charts
import Testing

@Suite struct FigureTests {
  private func texts(_ chart: Chart) throws -> [String] { try Layout(chart, in: .standard).labels.map(\.text) }

  @Test("bars have their values written at them where there is room, and none where there is not")
  func barValues() throws {
    let few = Samples.one([.bars(Series("", y: [64.25, -3, 0.5]))], x: Axis(names: ["a", "b", "c"]))
    #expect(try Set(texts(few)).isSuperset(of: ["64.25", "−3.00", "0.50", "a", "b", "c"]))
    let many = Samples.one([.bars(Series("", y: (0..<150).map { 1000 + Double($0) }))])
    #expect(try !texts(many).contains("1149"))
  }

  @Test(
    "names stand level, in two lines or upright, and none is lost",
    arguments: [
      ["a", "b", "c"],
      ["knowledge distillation", "weight averaging", "stochastic depth", "label smoothing", "none at all"],
      Samples.classes + Samples.classes,
    ])
  func names(_ names: [String]) throws {
    let chart = Samples.one([.bars(Series("", y: names.map { _ in 1 }))], x: Axis(names: names))
    let texts = try texts(chart).joined(separator: " ")
    for name in names { #expect(texts.contains(name)) }
  }

  @Test(
    "the front holds what nothing else beats",
    arguments: [
      (Preference.less, Preference.more, [1.0, 2, 4], [1.0, 3, 4]), (.more, .more, [4], [4]), (.less, .less, [1], [1]),
      (.more, .less, [1, 3, 4], [1, 1.5, 4]),
    ])
  func front(_ x: Preference, _ y: Preference, _ frontX: [Double], _ frontY: [Double]) {
    let points = [Series("a", x: [1, 2, 3], y: [1, 3, 1.5]), Series("b", x: [4, 2, .nan], y: [4, 2, 9])]
    let front = Series.front(of: points, better: x, y)
    #expect(front.x == frontX)
    #expect(front.y == frontY)
  }

  @Test("cells hold their values where those fit; of shares nothing is rounded to none or to all")
  func cells() throws {
    let large = try texts(Samples.heat([[9990, 10, 0], [0, 1, 9999], [1, 1, 2]], showsShares: true))
    #expect(Set(large).isSuperset(of: ["<1 %", ">99 %", "·", "25 %", "50 %"]))
    #expect(try texts(Samples.heat([[80.123, 85.2], [81.5, .nan]])).contains("85.2"))
    #expect(try !texts(Samples.heat(Samples.counts(100))).contains("900"))
  }

  @Test("pictures are enlarged by integers, pixel by pixel")
  func enlargement() throws {
    let tile = Tile(channels: 3, height: 1, width: 2, bytes: [255, 0, 10, 20, 30, 40])
    let chart = Samples.pictures([tile])
    let box = try #require(try Layout(chart, in: .builtIn).grids.first?.boxes.first)
    #expect(box.width == 2 * box.height && box.width > 100)
    let preview = try Preview(png: chart.render(typeface: .builtIn))
    func pixel(_ x: Double, _ y: Double) -> [UInt8] {
      let start = 3 * (Int(y) * preview.width + Int(x))
      return Array(preview.pixels[start..<start + 3])
    }
    #expect(pixel(box.left, box.top) == [255, 10, 30])
    #expect(pixel(box.left + box.height - 1, box.bottom - 1) == [255, 10, 30])
    #expect(pixel(box.left + box.height, box.top) == [0, 20, 40])
    #expect(pixel(box.right - 1, box.bottom - 1) == [0, 20, 40])
  }

  @Test("pictures do not overlap and stay in the picture", arguments: [1, 2, 7, 40, 333])
  func grid(_ count: Int) throws {
    let tiles = (0..<count).map { Samples.tile(28, 28, "picture \($0)", .wrong) }
    let height = ImageGrid(tiles).height()
    let chart = Samples.pictures(tiles, width: 1280, height: height)
    let boxes = try #require(try Layout(chart, in: .standard).grids.first).boxes
    #expect(boxes.count == count)
    let picture = Rectangle(left: 0, top: 0, right: 1280, bottom: Double(height))
    for (place, box) in boxes.enumerated() {
      #expect(picture.contains(box) && box.width >= 28)
      #expect(!boxes[(place + 1)...].contains { $0.overlaps(box) })
    }
  }

  @Test("a wrong answer has a frame of another colour than a right one, and a thicker one")
  func frames() throws {
    func colored(_ verdict: Tile.Verdict, _ color: Color) throws -> Int {
      let tile = Tile(channels: 1, height: 2, width: 2, bytes: [0, 0, 0, 0], verdict: verdict)
      let pixels = try Preview(png: Samples.pictures([tile]).render(typeface: .builtIn)).pixels
      return stride(from: 0, to: pixels.count, by: 3).count { place in
        Array(pixels[place..<place + 3]) == [color.red, color.green, color.blue]
      }
    }
    let (right, wrong) = (try colored(.right, Palette.colors[2]), try colored(.wrong, Palette.colors[1]))
    #expect(right > 0 && wrong > right)
    #expect(try colored(.right, Palette.colors[1]) == 0)
  }

  @Test(
    "a chart's data come as a table",
    arguments: [
      (
        Samples.one(
          [.bars(Series("s", y: [1, 2], band: Band(low: [0, 1], high: [2, 3])))], x: Axis(names: ["a\tb", "c"])),
        "panel\tseries\tx\ty\tlow\thigh\npanel\ts\ta b\t1.0\t0.0\t2.0\npanel\ts\tc\t2.0\t1.0\t3.0\n"
      ),
      (Samples.one([.line(Series("s", y: [1]))]), "panel\tseries\tx\ty\npanel\ts\t1.0\t1.0\n"),
      (
        Samples.one([.points(Series("s", y: [1, 2], labels: ["p"]))]),
        "panel\tseries\tx\ty\tlabel\npanel\ts\t1.0\t1.0\tp\npanel\ts\t2.0\t2.0\t\n"
      ),
      (
        Samples.one([.histogram(Histogram("h", edges: [0, 1, 2], counts: [3, 4]))]),
        "panel\tseries\tx\ty\tlow\thigh\npanel\th\t0.5\t3.0\t0.0\t1.0\npanel\th\t1.5\t4.0\t1.0\t2.0\n"
      ),
      (
        Samples.heat([[1, 2]], rows: ["r"], columns: ["p", "q"]),
        "panel\tseries\tx\ty\npanel\tr\tp\t1.0\npanel\tr\tq\t2.0\n"
      ),
      (
        Samples.pictures([Tile(channels: 1, height: 1, width: 3, bytes: [1, 2, 3], caption: "c", verdict: .wrong)]),
        "panel\tcaption\tverdict\tchannels\theight\twidth\tbytes\npanel\tc\twrong\t1\t1\t3\tAQID\n"
      ),
    ])
  func data(_ chart: Chart, _ table: String) {
    #expect(chart.tabSeparated == table)
  }

  @Test("a damaged picture in a chart's data is refused, not drawn")
  func damagedTile() throws {
    let json =
      #"{"caption":"","columns":1,"height":400,"width":640,"subtitle":"","title":"","panels":[{"title":"","x":{"label":"","scale":"linear","format":"number"},"y":{"label":"","scale":"linear","format":"number"},"marks":[{"pictures":{"pictures":[{"bytes":"AQID","caption":"","channels":1,"height":2,"width":2}]}}]}]}"#
    let png = try PNG.adding([TextChunk(Chart.dataKeyword, json)], to: Samples.typical().render())
    #expect(throws: ChartError.noChart) { try Chart(png: png) }
    let whole = try PNG.adding([TextChunk(Chart.dataKeyword, json.replacing("AQID", with: "AQIDBA=="))], to: png)
    #expect(try Chart(png: whole).panels[0].summary == "1 picture")
  }
}
