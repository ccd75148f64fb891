import Charts
import Testing

@Suite("What a chart suggests by itself") struct SuggestionTests {
  @Test(
    "values over two decades are shown by factors, shares and what is not positive never",
    arguments: [
      ([0.01, 0.5, 1.2], "loss", Axis.Scale.log), ([0.5, 0.7, 2.3], "loss", .linear), ([0.6, 0.7, 0.8, 0.9, 47], "loss", .log),
      ([0.5, 50, 99], "top-1 (%)", .linear), ([0.001, 0.5, 1], "share of zeros", .linear), ([0, 1, 1000], "loss", .linear),
      ([.nan, .infinity], "loss", .linear), ([], "loss", .linear), ([1, 1000], "loss", .linear),
    ])
  func values(_ values: [Double], _ label: String, _ scale: Axis.Scale) {
    #expect(Axis.Scale.suggested(forValues: values, called: label) == scale)
  }

  @Test(
    "places that grow by equal factors are shown by factors",
    arguments: [
      ([1, 2, 4, 8, 16, 32, 64], Axis.Scale.log), ([0.001, 0.003, 0.01, 0.03], .log), ([1, 2, 5, 10, 20, 50], .log),
      ((1...150).map(Double.init), .linear), ([96, 128, 160, 192, 224], .linear), ([10, 20, 30, 40, 80], .linear),
      ([0, 1, 10, 100], .linear), ([1, 10], .linear), ([], .linear), ([.nan, 1, 1, 1], .linear),
    ] as [([Double], Axis.Scale)])
  func places(_ places: [Double], _ scale: Axis.Scale) {
    #expect(Axis.Scale.suggested(forPlaces: places) == scale)
  }

  @Test(
    "values that bars from zero would hide are dots",
    arguments: [
      ([88.6, 88.9, 88.3], true), ([85, 19], false), ([1, 2, 3], false), ([-90, -91], true), ([-1, 1], false), ([5], false),
      ([], false),
    ])
  func alike(_ values: [Double], _ areAlike: Bool) {
    #expect(Panel.areAlike([Series("", y: values)]) == areAlike)
    // A wide interval is a difference, too.
    let wide = Series("", y: values, band: Band(low: values.map { _ in 0 }, high: values))
    #expect(!Panel.areAlike([wide]))
  }

  @Test("names that stand level stand; longer ones, or more of them, lie")
  func wide() {
    #expect(!Panel.isWide(["50 %", "60 %", "70 %", "80 %"], for: 800))
    #expect(Panel.isWide(["PTQ, per-channel, asymmetric", "QAT, per-channel", "float32", "float32, fine-tuned"], for: 800))
    #expect(Panel.isWide((0..<30).map { "blocks.\($0).conv" }, for: 1280))
    #expect(!Panel.isWide([], for: 800))
  }
}
