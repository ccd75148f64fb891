import Charts
import Testing

@Suite struct HistogramTests {
  /// Made of integers, so that NumPy has the same bits.
  private static let values = (0..<300).map { index -> Double in
    let root = Double(index * 7919 % 1000) / 1000
    return root * root
  }

  @Test("the rule of Freedman and Diaconis gives NumPy's ranges and counts")
  func automatic() {
    // numpy 2.4.6: numpy.histogram(x, bins="fd"), x = [((i * 7919) % 1000 / 1000) ** 2 for i in range(300)]
    let edges = Histogram.edges(for: [Self.values])
    #expect(edges.count == 8)
    #expect(edges.first == 0 && edges.last == 0.992016)
    #expect(Histogram(of: Self.values, edges: edges).counts == [113, 47, 34, 30, 28, 25, 23])
  }

  @Test("so many ranges as asked for are NumPy's")
  func counted() {
    // numpy 2.4.6: numpy.histogram([((i * 7919) % 1000 / 1000) ** 2 * 10 - 3 for i in range(50)], bins=7)
    let values = Self.values.prefix(50).map { $0 * 10 - 3 }
    let edges = Histogram.edges(for: [values], count: 7)
    let expected = [
      -3, -1.6419642857142858, -0.28392857142857153, 1.0741071428571427, 2.432142857142857, 3.790178571428571,
      5.148214285714285, 6.50625,
    ]
    #expect(edges.count == 8 && zip(edges, expected).allSatisfy { abs($0 - $1) < 1e-14 })
    #expect(Histogram(of: values, edges: edges).counts == [20, 8, 5, 5, 4, 4, 4])
  }

  private static let lists: [[Double]] = [
    [0.1, 0.2, 0.3, 0.1 + 0.2, 0.7, 0.8, 0.9], [-1e250, 1e250], [1, 1.0.nextUp], [5], [0], [-3, -3, -3],
    [0, .leastNonzeroMagnitude], [.leastNormalMagnitude, .leastNonzeroMagnitude, .leastNormalMagnitude / 100], Array(repeating: 1, count: 99) + [1e6], (0..<1000).map { Double($0 % 7) },
  ]

  @Test("every finite value is counted once", arguments: lists, [nil, 1, 3, 10_000] as [Int?])
  func completeness(_ values: [Double], _ count: Int?) {
    let edges = Histogram.edges(for: [values], count: count)
    let counts = Histogram(of: values + [.nan, .infinity], edges: edges).counts
    #expect(counts.reduce(0, +) == Double(values.count))
    #expect(zip(edges.dropFirst(), edges).allSatisfy { $0 > $1 })
    #expect(counts.count <= count ?? 200)
  }

  @Test("integers lie in the middle of their ranges")
  func integerValues() {
    let edges = Histogram.edges(for: [(0..<500).map { Double($0 % 10) }])
    #expect(edges == (0...10).map { Double($0) - 0.5 })
  }

  @Test("nothing gives no ranges", arguments: [[], [[]], [[.nan, .infinity]]] as [[[Double]]])
  func nothing(_ lists: [[Double]]) {
    #expect(Histogram.edges(for: lists).isEmpty)
    #expect(Histogram(of: [1], edges: []).counts.isEmpty)
  }
}
