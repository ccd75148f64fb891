import Charts
import Foundation
import Tensors
import Testing

@Suite struct ChartTests {
  @Test("the same chart gives the same bytes", arguments: [Typeface.standard, .builtIn])
  func determinism(_ typeface: Typeface) throws {
    #expect(try Samples.typical().render(typeface: typeface) == Samples.typical().render(typeface: typeface))
  }

  @Test("a picture has the size and the resolution that were asked for")
  func size() throws {
    let png = try Samples.typical().render(typeface: .builtIn)
    // The IHDR chunk always comes first: width and height are its bytes 0 to 7.
    #expect(Array(png[16..<24]) == [0, 0, 5, 0, 0, 0, 2, 8])
    #expect(png.firstRange(of: Array("pHYs".utf8)) != nil)
  }

  @Test("no chart is too odd to be drawn", arguments: Samples.odd.map(\.name))
  func robustness(_ name: String) throws {
    let chart = try #require(Samples.odd.first { $0.name == name }).chart
    for typeface in [Typeface.standard, .builtIn] {
      #expect(try chart.render(typeface: typeface).count > 100)
    }
  }

  @Test(
    "a picture that is too small or too large is refused",
    arguments: [(0, 0), (-1, 400), (640, .min), (100_000, 100_000), (.max, .max), (10_000, 10_000), (159, 400)])
  func refusedSize(_ width: Int, _ height: Int) {
    #expect(throws: ChartError.size(width: width, height: height)) {
      try Samples.typical(width: width, height: height).render()
    }
  }

  @Test("panels without room are refused")
  func crowded() {
    let chart = Chart(width: 160, height: 160, panels: Array(repeating: Panel(marks: []), count: 50))
    #expect(throws: ChartError.crowded(panels: 50, width: 160, height: 160)) { try chart.render() }
  }

  @Test("100,000 points are drawn as few")
  func manyPoints() throws {
    let values = (0..<100_000).map { Double(($0 * 7919) % 1000) }
    let start = ContinuousClock.now
    _ = try Samples.one([.line(Series("a", y: values))]).render(typeface: .builtIn)
    // A second without load, in a release build; the limit tells it from drawing every point.
    #expect(ContinuousClock.now - start < .seconds(30))
  }

  @Test("a picture gives its chart back")
  func redraw() throws {
    let chart = Samples.one([
      .line(Series("é", y: [1, .infinity, -.infinity, 0.1], band: Band(low: [0], high: [2]), raw: [1, 2])),
      .points(Series("b", y: [1])), .reference(Reference("c", at: 1)),
    ])
    #expect(try Chart(png: try chart.render()) == chart)
  }

  @Test(
    "a picture of every kind gives its chart back, and the same bytes twice",
    arguments: [
      "bars with whiskers", "labels", "histogram", "matrix", "shares", "pictures", "pictures and curves",
    ])
  func redrawing(_ name: String) throws {
    var chart = try #require(Samples.odd.first { $0.name == name }).chart
    // What is not a number equals nothing, not even itself.
    if name == "labels" { chart.panels[0].marks = [.points(Series("a", y: [1, 2], labels: ["é", "b"]))] }
    let png = try chart.render()
    let again = try Chart(png: png)
    #expect(again == chart)
    #expect(try again.render() == png)
  }

  @Test("more than a picture can carry is refused, and the error names the limit")
  func tooMuch() {
    func refusal(_ marks: [Mark], x: Axis = Axis()) -> ChartError? {
      do throws(ChartError) {
        _ = try Samples.one(marks, x: x).render(typeface: .builtIn)
        return nil
      } catch {
        return error
      }
    }
    let large = Tile(channels: 1, height: 4096, width: 4096, bytes: Array(repeating: 0, count: 1 << 24))
    #expect(
      refusal([.pictures(ImageGrid([large, Samples.tile(1, 1)]))])
        == .tooMuch(.pictureBytes, count: 1 << 24 | 1, limit: 1 << 24))
    #expect(
      refusal([.pictures(ImageGrid(Array(repeating: Samples.tile(1, 1), count: 2001)))])
        == .tooMuch(.pictures, count: 2001, limit: 2000))
    #expect(
      refusal([.heatMap(HeatMap(Array(repeating: Array(repeating: 1, count: 501), count: 500)))])
        == .tooMuch(.cells, count: 250_500, limit: 250_000))
    #expect(
      refusal([.bars(Series("a", y: Array(repeating: 1, count: 20_001)))])
        == .tooMuch(.bars, count: 20_001, limit: 20_000))
    #expect(
      refusal([], x: Axis(names: Array(repeating: "a", count: 5001))) == .tooMuch(.names, count: 5001, limit: 5000))
    #expect(
      refusal([.histogram(Histogram("a", edges: [], counts: Array(repeating: 1, count: 10_001)))])?.description
        .contains("10000") == true)
  }

  @Test("a picture without data says so")
  func noData() throws {
    let png = try PNG.adding([TextChunk(Chart.dataKeyword, "{}")], to: Samples.typical().render())
    #expect(throws: ChartError.noChart) { try Chart(png: png) }
    #expect(throws: ChartError.notPNG(offset: 0)) { try Chart(png: []) }
  }

  @Test("writing replaces the file, and leaves nothing else behind")
  func writing() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "charts-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "figure.png").path
    try Samples.typical().write(to: path, typeface: .builtIn)
    try Samples.one([]).write(to: path, typeface: .builtIn)
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == Samples.one([]).render(typeface: .builtIn))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["figure.png"])
    let missing = folder.appending(path: "none/figure.png").path
    #expect(throws: ChartError.unwritable(.file(path: missing, reason: "No such file or directory"))) { try Samples.one([]).write(to: missing) }
  }
}
