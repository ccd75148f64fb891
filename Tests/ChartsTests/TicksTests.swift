import Charts
import Testing

@Suite struct TicksTests {
  @Test(
    "even ticks are few, round and cover the data",
    arguments: [
      (0.0, 1.0, 6, [0, 0.2, 0.4, 0.6, 0.8, 1], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
      (1, 12, 10, [2, 4, 6, 8, 10, 12], ["2", "4", "6", "8", "10", "12"]),
      (-1, 1, 5, [-1, -0.5, 0, 0.5, 1], ["−1.0", "−0.5", "0.0", "0.5", "1.0"]),
      (0, 60_000, 5, [0, 20_000, 40_000, 60_000], ["0", "20,000", "40,000", "60,000"]),
      (1e-12, 3e-12, 5, [1e-12, 1.5e-12, 2e-12, 2.5e-12, 3e-12], ["1.0", "1.5", "2.0", "2.5", "3.0"]),
      (0, 3e12, 4, [0, 1e12, 2e12, 3e12], ["0", "1", "2", "3"]),
    ])
  func linear(_ low: Double, _ high: Double, _ limit: Int, _ values: [Double], _ texts: [String]) {
    let ticks = Ticks.linear(low, high, atMost: limit)
    #expect(ticks.major == values)
    #expect(ticks.labels(.number).texts == texts)
  }

  @Test(
    "logarithmic ticks are decades, or 1, 2 and 5 times them where there are few",
    arguments: [
      (1e-3, 1.0, 6, [1e-3, 1e-2, 1e-1, 1], ["0.001", "0.01", "0.1", "1"]),
      (
        1e-12, 1e12, 7, [1e-12, 1e-8, 1e-4, 1, 1e4, 1e8, 1e12], ["10⁻¹²", "10⁻⁸", "10⁻⁴", "10⁰", "10⁴", "10⁸", "10¹²"]
      ),
      (0.2, 2, 6, [0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"]),
    ])
  func logarithmic(_ low: Double, _ high: Double, _ limit: Int, _ values: [Double], _ texts: [String]) {
    let ticks = Ticks.logarithmic(low, high, atMost: limit)
    #expect(ticks.major == values)
    #expect(ticks.labels(.number).texts == texts)
  }

  @Test("what all labels leave out stands in the note")
  func notes() {
    #expect(Ticks.linear(0, 3e-9, atMost: 4).labels(.number).note == "×10⁻⁹")
    #expect(Ticks.linear(0, 3e-9, atMost: 4).labels(.number, superscripts: false).note == "×1e-9")
    #expect(Ticks.linear(1e9, 1e9 + 3, atMost: 4).labels(.number).note == "+ 1,000,000,000")
  }

  @Test("shares are labelled in per cent, with the decimals they need")
  func percent() {
    #expect(Ticks.linear(0.9, 0.92, atMost: 3).labels(.percent).texts == ["90 %", "91 %", "92 %"])
    #expect(Ticks.linear(0.9, 0.91, atMost: 3).labels(.percent).texts == ["90.0 %", "90.5 %", "91.0 %"])
  }

  @Test("counts have no ticks between them")
  func integers() {
    let ticks = Ticks.linear(1, 3, atMost: 10, integers: true)
    #expect(ticks.major == [1, 2, 3])
    #expect(ticks.minor.isEmpty)
  }

  /// Numbers of every size, their neighbours, and what is none.
  static let ends: [Double] = {
    let sizes = [
      .leastNonzeroMagnitude, .leastNormalMagnitude / 100, .leastNormalMagnitude, 1e-290, 1e-250, 1e-12, 1e-3, 0.1, 1, 7, 1e6, 123_456_789, 1e15,
      9_007_199_254_740_993, 1e100, 1e250, 1e299, 1e300, 1.7976931348623157e308,
    ]
    let near = sizes.flatMap { [$0, $0.nextUp, $0 * (1 + 1e-11), $0 * (1 + 1e-6)] }
    return [0, -0.0, .nan, .infinity, -.infinity] + near + near.map { -$0 }
  }()

  @Test("any two numbers make an axis: finite, rising, with few ticks in it whose texts differ")
  func anyEnds() {
    for low in Self.ends {
      for high in Self.ends {
        for (limit, padding, integers) in [(2, 0.0, false), (8, 0.05, false), (10, 0.03, true)] {
          let linear = Ticks.linear(low, high, atMost: limit, integers: integers, padding: padding)
          check(linear, of: low, high, atMost: limit)
          let logarithmic = Ticks.logarithmic(abs(low), abs(high), atMost: limit, padding: padding)
          check(logarithmic, of: abs(low), abs(high), atMost: max(3, limit))
        }
      }
    }
  }

  private func check(_ ticks: Ticks, of low: Double, _ high: Double, atMost limit: Int) {
    let what = "\(low) to \(high): \(ticks.low) to \(ticks.high), \(ticks.major)"
    #expect(ticks.low.isFinite && ticks.high.isFinite && ticks.low < ticks.high, "\(what)")
    for value in [low, high] where abs(value) <= 1e250 && abs(value) >= 1e-250 {
      let slack = 1e-9 * abs(value)
      #expect(ticks.low - slack <= value && value <= ticks.high + slack, "\(what)")
    }
    #expect(ticks.major.count <= limit + 1 && ticks.minor.count < 1000, "\(what)")
    #expect(ticks.major == ticks.major.sorted() && ticks.major.allSatisfy(\.isFinite), "\(what)")
    for format in [Axis.Format.number, .percent] {
      let texts = ticks.labels(format).texts
      #expect(texts.count == ticks.major.count && !texts.contains(""), "\(what): \(texts)")
      #expect(Set(texts).count == texts.count, "\(what): \(texts)")
    }
  }

  @Test("padding does not cross zero")
  func floor() {
    #expect(Ticks.linear(0.01, 2, atMost: 6, padding: 0.05, floor: 0).low == 0)
    #expect(Ticks.linear(0.5, 0.99, atMost: 6, padding: 0.05, floor: 0, ceiling: 1).high == 1)
  }

  private func ticks(_ marks: [Mark], x: Axis = Axis("x"), y: Axis = Axis("y"), isSideways: Bool = false) throws -> PanelLayout {
    let panel = Panel(x: x, y: y, marks: marks, isSideways: isSideways)
    return try Layout(Chart(width: 800, height: 520, panels: [panel]), in: .standard).panels[0]
  }

  @Test("an axis of counts has ticks at counts that are there, and nowhere else", arguments: [1, 2, 3, 7, 13, 20, 21, 90, 150, 1234])
  func counts(_ count: Int) throws {
    for first in [0, 1, 17] {
      let series = Series("", y: (0..<count).map { Double($0 % 5) }, from: first)
      for mark in [Mark.line(series), .points(series), .bars(series), .dots(series)] {
        let ticks = try ticks([mark]).xTicks
        let all = ticks.major + ticks.minor
        #expect(!ticks.major.isEmpty && all.allSatisfy { $0.rounded() == $0 })
        #expect(all.allSatisfy { Double(first) <= $0 && $0 <= Double(first + count - 1) }, "\(all)")
        if count <= 13 { #expect(ticks.major == (first..<first + count).map(Double.init)) }
      }
    }
  }

  @Test("few places at equal distances have a tick each")
  func evenPlaces() throws {
    let sizes = stride(from: 96.0, through: 320, by: 32).map { $0 }
    #expect(try ticks([.line(Series("", x: sizes, y: sizes))]).xTicks.major == sizes)
  }

  @Test("powers of two have ticks at powers of two, on an axis that counts by factors")
  func powersOfTwo() throws {
    let batches = (0...6).map { Double(1 << $0) }
    #expect(try ticks([.line(Series("", x: batches, y: batches))], x: Axis(scale: .log)).xTicks.major == batches)
    let wide = Ticks.powersOfTwo(1, 0x1p40, atMost: 6)
    #expect(wide.major.count <= 6 && wide.major.allSatisfy { $0.significand == 1 })
    #expect(wide.labels(.number).texts.last == "2³⁵" && Set(wide.labels(.number, superscripts: false).texts).count == wide.major.count)
    for low in [0.3, 1, 3, 1e15] {
      let ticks = Ticks.powersOfTwo(low, low * 5, atMost: 4, padding: 0.05)
      #expect(ticks.low <= low && ticks.high >= low * 5 && ticks.major.count <= 4)
    }
  }

  @Test("shares of a whole have no ticks above all of it", arguments: [false, true])
  func shares(_ isSideways: Bool) throws {
    for (axis, most) in [(Axis("top-1 (%)"), 100.0), (Axis("top-1", format: .percent), 1)] {
      for mark in [Mark.line(Series("a", y: [0.2, 0.99, 1].map { $0 * most })), .bars(Series("", y: [0.97 * most, most]))] {
        let panel = try ticks([mark], y: axis, isSideways: isSideways)
        let ticks = isSideways ? panel.xTicks : panel.yTicks
        #expect((ticks.major + ticks.minor).max()! <= most && ticks.high > most)
      }
    }
    #expect(try ticks([.line(Series("a", y: [90, 150]))], y: Axis("of before (%)")).yTicks.major.max()! > 100)
  }
}
