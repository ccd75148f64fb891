import Charts
import Testing

@Test(
  "a sparkline has a block for each value",
  arguments: [
    ([], ""), ([1, 2, 3], "▁▅█"), ([0, 0], "▄▄"), ([1, .nan, 0], "█ ▁"), ([.nan, .infinity], "  "),
    ([-1.7e308, 1.7e308], "▁█"),
  ] as [([Double], String)])
func blocks(_ values: [Double], _ line: String) {
  #expect(sparkline(values) == line)
}

@Test("a sparkline of limited width averages its values")
func averages() {
  #expect(sparkline([0, 0, 1, 1, 2, 2], width: 3) == "▁▅█")
}
