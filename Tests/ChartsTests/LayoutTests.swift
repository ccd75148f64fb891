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

  @Test("a falling curve has its legend at the top right, a rising one at the bottom right")
  func legendCorners() throws {
    let panels = try Layout(Samples.typical(), in: .standard).panels
    for (panel, isHigh) in zip(panels, [true, false]) {
      let legend = try #require(panel.legend)
      #expect(!panel.hasOutsideLegend)
      #expect(panel.plot.contains(legend.box))
      #expect(legend.box.left > (panel.plot.left + panel.plot.right) / 2)
      #expect((legend.box.bottom < (panel.plot.top + panel.plot.bottom) / 2) == isHigh)
    }
  }

  @Test("a legend that would cover curves stands beside the plot")
  func crowdedLegend() throws {
    let zigzag = (0..<200).map { $0.isMultiple(of: 2) ? 0.0 : 1 }
    for marks in [[Mark.line(Series("zigzag", y: zigzag))], Samples.many(12)] {
      let panel = try Layout(Samples.one(marks), in: .standard).panels[0]
      let legend = try #require(panel.legend)
      #expect(panel.hasOutsideLegend)
      #expect(!panel.plot.overlaps(legend.box))
    }
  }
}
