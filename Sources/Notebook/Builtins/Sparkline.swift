/// A curve of a few characters, each as high as the mean of an equal share of the values so far.
package struct Sparkline {
  /// The means, from the oldest on; each of `share` values.
  private var means: [Double] = []
  private var share = 1
  /// Of the values that do not make a share yet.
  private var (rest, restCount) = (0.0, 0)
  private let columns: Int

  private static let blocks: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// - Parameter columns: The most characters; at least 4.
  package init(columns: Int) { self.columns = max(4, columns) }

  package mutating func add(_ value: Double) {
    rest += value
    restCount += 1
    guard restCount == share else { return }
    means.append(rest / Double(share))
    (rest, restCount) = (0, 0)
    guard means.count > columns else { return }
    // Two become one; an odd one at the end waits for its partner.
    if means.count % 2 == 1 { (rest, restCount) = (means.removeLast() * Double(share), share) }
    means = stride(from: 0, to: means.count, by: 2).map { (means[$0] + means[$0 + 1]) / 2 }
    share *= 2
  }

  /// From the lowest block to the highest; a dot for what is no number. Empty for fewer than two shares.
  package var text: String {
    guard means.count > 1 else { return "" }
    let finite = means.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return String(repeating: "·", count: means.count) }
    return String(
      means.map { mean in
        guard mean.isFinite else { return "·" }
        // Halved, since the difference of two finite numbers may not be.
        let height = high > low ? (mean / 2 - low / 2) / (high / 2 - low / 2) : 0
        return Self.blocks[min(Int(height * Double(Self.blocks.count)), Self.blocks.count - 1)]
      })
  }
}
