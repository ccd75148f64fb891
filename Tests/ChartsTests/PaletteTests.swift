import Charts
import Foundation
import Testing

@Suite struct PaletteTests {
  /// The intensities of red, green and blue, 0 to 1 (IEC 61966-2-1).
  private func linear(_ color: Color) -> [Double] {
    [color.red, color.green, color.blue].map { channel in
      let value = Double(channel) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
  }

  private func product(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
    matrix.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  /// Lightness and two axes of colour in which equal distances look equal (Ottosson, "Oklab", 2020).
  private func oklab(_ linear: [Double]) -> [Double] {
    let cones = product(
      [
        [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
      ], linear.map { max(0, $0) })
    return product(
      [
        [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
      ], cones.map(cbrt))
  }

  /// Contrast on white as WCAG 2 defines it; 3 is what it asks of lines.
  private func contrast(_ color: Color) -> Double {
    let luminance = zip([0.2126, 0.7152, 0.0722], linear(color)).reduce(0) { $0 + $1.0 * $1.1 }
    return 1.05 / (luminance + 0.05)
  }

  @Test("every colour is seen on white, the first five well")
  func contrasts() {
    #expect(Palette.colors.count == 8)
    #expect(Palette.colors.allSatisfy { contrast($0) > 2.2 })
    #expect(Palette.colors.prefix(5).allSatisfy { contrast($0) >= 3 })
  }

  /// Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009,
  /// severity 1.
  private static let deuteranopia = [
    [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
  ]

  @Test("any two colours differ, for deuteranopes too")
  func differences() {
    for (place, first) in Palette.colors.enumerated() {
      for second in Palette.colors[(place + 1)...] {
        let seen = [first, second].map { oklab(product(PaletteTests.deuteranopia, linear($0))) }
        let distance = zip(seen[0], seen[1]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
        // About 0.02 is just noticeable between areas; thin lines need a few times that.
        #expect(distance > 0.07, "\(first) and \(second)")
      }
    }
  }

  @Test(
    "the colour scale is viridis",
    arguments: [
      // Rows 0, 10, 25, 128 and 255 of the 256 that were published (van der Walt and Smith, option D).
      (0, [0.267004, 0.004874, 0.329415]), (10, [0.278791, 0.062145, 0.386592]), (25, [0.282623, 0.140926, 0.457517]),
      (128, [0.127568, 0.566949, 0.550556]), (255, [0.993248, 0.906157, 0.143936]),
    ])
  func viridis(_ row: Int, _ published: [Double]) {
    let color = ColorScale.color(Double(row) / 255)
    for (channel, value) in zip([color.red, color.green, color.blue], published) {
      // Between tabulated rows the scale is straight, the published one bent.
      #expect(abs(Double(channel) - value * 255) <= 2)
    }
  }

  @Test("the colour scale brightens in even steps, for deuteranopes too", arguments: [false, true])
  func steps(_ isDeuteranope: Bool) {
    let lightness = (0...20).map { step in
      let color = linear(ColorScale.color(Double(step) / 20))
      return oklab(isDeuteranope ? product(PaletteTests.deuteranopia, color) : color)[0]
    }
    let steps = zip(lightness.dropFirst(), lightness).map { $0 - $1 }
    #expect(steps.allSatisfy { $0 > 0 })
    #expect(steps.max()! < 2.5 * steps.min()!)
    #expect(ColorScale.color(-1) == ColorScale.color(0) && ColorScale.color(2) == ColorScale.color(1))
  }

  @Test("text in a cell has a contrast of at least 4, whatever the cell's colour", arguments: 0...40)
  func ink(_ step: Int) {
    let color = ColorScale.color(Double(step) / 40)
    let (ink, ground) = (color.inkOnTop.luminance, color.luminance)
    #expect((max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) >= 4)
    #expect(abs(contrast(color) - 1.05 / (ground + 0.05)) < 1e-9)
  }

  private func isBlack(_ style: ResolvedStyle) -> Bool { style.color == Color(0x000000) }

  @Test("black fills nothing: not by itself, nor where it is asked for")
  func fills() {
    let series = (0..<8).map { Series("\($0)", y: [1, 2]) }
    let histograms = (0..<8).map { Mark.histogram(Histogram("\($0)", edges: [0, 1], counts: [2])) }
    let bands = series.map { series in
      var series = series
      series.band = Band(low: [0, 1], high: [2, 3])
      return Mark.line(series)
    }
    for marks in [series.map(Mark.bars), series.map(Mark.dots), histograms, bands] {
      #expect(!ResolvedStyle.all(of: Samples.one(marks))[0].contains(where: isBlack))
    }
    let asked = Mark.bars(Series("", y: [1], style: Style(color: 3)))
    #expect(!isBlack(ResolvedStyle.all(of: Samples.one([asked]))[0][0]))
    #expect(ResolvedStyle.all(of: Samples.one(series.map(Mark.line)))[0].contains(where: isBlack))
  }

  @Test("a published value is hollow, in the colour and with the marker of the method it belongs to")
  func likeAnother() {
    let styles = ResolvedStyle.all(
      of: Samples.one([
        .points(Series("uniform", y: [1], style: Style(isSolid: true))),
        .points(Series("agent", y: [2], style: Style(isSolid: true))),
        .points(Series("agent, published", y: [3], style: Style(like: "agent"))),
        .points(Series("other", y: [4])), .points(Series("agent, published elsewhere", y: [5], style: Style(like: "agent"))),
      ]))[0]
    #expect(styles[2].color == styles[1].color && styles[2].marker == styles[1].marker)
    #expect(styles[1].isSolid && !styles[2].isSolid)
    #expect(styles[4].color == styles[1].color && styles[4].marker != styles[1].marker && !styles[4].isSolid)
    #expect(Set([styles[0], styles[1], styles[3]].map(\.color)).count == 3)
  }
}
