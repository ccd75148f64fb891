import Notebook
import Testing

@Suite("A curve of a few characters")
struct SparklineTests {
  private func text(_ values: some Sequence<Double>, columns: Int) -> String {
    var line = Sparkline(columns: columns)
    for value in values { line.add(value) }
    return line.text
  }

  @Test("as many characters as there is room for at most, and at least half of them", arguments: [4, 5, 12], [2, 5, 12, 13, 100, 1000])
  func length(_ columns: Int, _ count: Int) {
    let text = text((0..<count).map(Double.init), columns: columns)
    #expect(text.count <= columns && text.count >= min(count, columns) / 2)
  }

  @Test("a curve that only falls is shown so, from the highest block to the lowest", arguments: [7, 12, 500])
  func falling(_ count: Int) {
    let text = text((0..<count).map { 1 / Double($0 + 1) }, columns: 12)
    #expect(Array(text) == text.sorted(by: >) && text.first == "█" && text.last == "▁")
  }

  @Test("each character is the mean of an equal share")
  func shares() {
    #expect(text([0, 2, 4, 6, 8], columns: 4) == text([1, 5], columns: 4))
    #expect(text([0, 2, 4, 6, 8, 10, 12, 14], columns: 4) == text([1, 5, 9, 13], columns: 4))
  }

  @Test("equal values are low, what is no number is a dot, and large differences are no matter")
  func special() {
    #expect(text([3, 3, 3], columns: 4) == "▁▁▁" && text([1], columns: 4).isEmpty)
    #expect(text([1, .nan, 0], columns: 4) == "█·▁" && text([.nan, .infinity], columns: 4) == "··")
    #expect(text([-.greatestFiniteMagnitude, .greatestFiniteMagnitude], columns: 2) == "▁█")
  }
}
