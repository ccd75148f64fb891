import Charts
import Testing

@Suite("What a chart leaves out") struct LeftOutTests {
  private func chart(_ series: Series, x: Axis.Scale = .linear, y: Axis.Scale = .linear) -> Chart {
    Chart(width: 640, height: 400, panels: [Panel(x: Axis(scale: x), y: Axis(scale: y), marks: [.line(series)])])
  }

  @Test(
    "a point that no axis can show is counted once, with the reason",
    arguments: [
      (Series("a", y: [1, 2, 3]), Axis.Scale.linear, Axis.Scale.linear, ""),
      (Series("a", y: [1, .nan, .infinity, -.infinity]), .linear, .linear, "3 points are not drawn: 3 not finite"),
      (Series("a", y: [1, 0, -1]), .linear, .log, "2 points are not drawn: 2 not positive on a logarithmic axis"),
      (
        Series("a", x: [0, 1, 2], y: [0, 1, 2]), .log, .log,
        "1 point is not drawn: 1 not positive on a logarithmic axis"
      ),
      (Series("a", y: [1e300, -1e299, 1]), .linear, .linear, "2 points are not drawn: 2 out of an axis's range"),
      (
        Series("a", y: [1e300, .leastNonzeroMagnitude, 0, .nan]), .linear, .log,
        "4 points are not drawn: 1 not finite, 1 not positive on a logarithmic axis, 2 out of an axis's range"
      ),
      (
        Series("a", y: [1, 2], band: Band(low: [0, 1], high: [2, 3])), .linear, .log,
        "1 interval is not drawn: 1 not positive on a logarithmic axis"
      ),
    ])
  func notes(_ series: Series, _ x: Axis.Scale, _ y: Axis.Scale, _ note: String) {
    #expect(chart(series, x: x, y: y).note == note)
  }

  @Test("the figure says so below its panels")
  func inTheFigure() throws {
    let layout = try Layout(chart(Series("a", y: [1, .nan])), in: .builtIn)
    #expect(layout.labels.contains { $0.text.hasPrefix("1 point is not drawn") })
    #expect(try !Layout(chart(Series("a", y: [1, 2])), in: .builtIn).labels.contains { $0.text.contains("not drawn") })
  }
}
