/// A curve in one line of text, a block for each value: `sparkline([1, 2, 3])` is `▁▅█`.
///
/// Values that are not finite are blanks; where all are equal, they are of middle height.
///
/// - Parameter width: The largest number of blocks; more values are averaged in groups.
public func sparkline(_ values: [Double], width: Int = .max) -> String {
  let blocks = Array("▁▂▃▄▅▆▇█")
  let count = min(values.count, max(1, width))
  let groups = (0..<count).map { index -> Double in
    // Products of counts stay far below the range of Int for anything that fits into memory.
    let part = values[values.count * index / count..<values.count * (index + 1) / count].filter(\.isFinite)
    // Divided before they are summed, since sums overflow.
    return part.isEmpty ? .nan : part.reduce(0) { $0 + $1 / Double(part.count) }
  }
  let finite = groups.filter(\.isFinite)
  guard let low = finite.min(), let high = finite.max() else { return String(repeating: " ", count: count) }
  // Halved, since the distance of two finite values may not be finite.
  let range = high / 2 - low / 2
  return String(
    groups.map { value in
      guard value.isFinite else { return " " }
      guard range > 0 else { return blocks[3] }
      return blocks[Int(((value / 2 - low / 2) / range * Double(blocks.count - 1)).rounded())]
    })
}
