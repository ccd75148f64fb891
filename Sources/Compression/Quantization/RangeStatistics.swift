internal import Foundation
package import Tensors

/// What is known of a layer's numbers, gathered over some batches: ends, and how often each stretch between them occurs.
package struct RangeStatistics: Sendable {
  package static let binCount = 2048

  private(set) var low: Float = 0
  private(set) var high: Float = 0
  private(set) var averageLow: Float = 0
  private(set) var averageHigh: Float = 0
  private var batches = 0
  private var bins = [Double](repeating: 0, count: Self.binCount)
  /// The mean of each channel, once summed.
  private(set) var channelMeans: [Double] = []
  private var samples = 0.0

  package init() {}

  /// Whether all that was added are numbers, with a finite distance between the ends.
  var isFinite: Bool { (high - low).isFinite && channelMeans.allSatisfy(\.isFinite) }

  /// Takes in the ends of a batch, and the means of its channels, `N C …`.
  mutating func addEnds(_ batch: Tensor) {
    let channels = batch.shape.rank > 1 ? batch.shape[1] : 1
    let area = batch.shape.extents.dropFirst(2).reduce(1, *)
    if channelMeans.isEmpty { channelMeans = Array(repeating: 0, count: channels) }
    var (lowest, highest) = (Float.infinity, -Float.infinity)
    batch.withUnsafeElements { x in
      for n in 0..<batch.shape[0] {
        for c in 0..<channels {
          var sum: Float = 0
          var (least, most) = (x[(n * channels + c) * area], x[(n * channels + c) * area])
          for i in (n * channels + c) * area..<(n * channels + c + 1) * area {
            sum += x[i]
            least = x[i] < least ? x[i] : least
            most = x[i] > most ? x[i] : most
          }
          channelMeans[c] += (Double(sum) / Double(area) - channelMeans[c]) / (samples + Double(n) + 1)
          lowest = min(lowest, least)
          highest = max(highest, most)
        }
      }
    }
    samples += Double(batch.shape[0])
    (low, high) = (min(low, lowest), max(high, highest))
    // As observers of other tools do, the first batch counts whole.
    let share: Float = batches == 0 ? 1 : 0.1
    averageLow += share * (min(lowest, 0) - averageLow)
    averageHigh += share * (max(highest, 0) - averageHigh)
    batches += 1
  }

  /// Counts a batch's numbers, once the ends are known.
  mutating func addCounts(_ batch: Tensor) {
    let (low, factor) = (low, Float(Self.binCount) / (high - low))
    // Where the ends are too far apart, a place between them has no number.
    guard high > low, (high - low).isFinite, factor.isFinite else { return }
    let last = Float(Self.binCount - 1)
    var counts = [Int32](repeating: 0, count: Self.binCount)
    counts.withUnsafeMutableBufferPointer { counts in
      batch.withUnsafeElements { x in
        // Clamped before it is an integer, so that none is too large for one; what is no number falls to the last bin.
        for value in x { counts[Int(max((value - low) * factor < last ? (value - low) * factor : last, 0))] += 1 }
      }
    }
    for i in bins.indices { bins[i] += Double(counts[i]) }
  }

  private var width: Double { Double(high - low) / Double(Self.binCount) }
  private func middle(_ bin: Int) -> Double { Double(low) + (Double(bin) + 0.5) * width }

  /// The range that a method chooses for levels of so many bits.
  package func range(by method: CalibrationSettings.Method, percentile: Double, bits: Int) -> (low: Float, high: Float)
  {
    guard high > low, bins.contains(where: { $0 > 0 }) || method == .movingAverage else { return (low, high) }
    switch method {
    case .minMax: return (low, high)
    case .movingAverage: return (averageLow, averageHigh)
    case .percentile: return percentileRange(percentile / 100)
    case .mse: return scaled(by: leastSquares(levels: Double(1 << bits - 1)))
    case .kl: return scaled(by: leastDivergence(levels: low < 0 ? 1 << (bits - 1) : 1 << bits))
    }
  }

  private func scaled(by share: Double) -> (low: Float, high: Float) {
    (Float(Double(low) * share), Float(Double(high) * share))
  }

  /// Leaves out the outermost numbers, `1 − share` of them at each end.
  private func percentileRange(_ share: Double) -> (low: Float, high: Float) {
    let total = bins.reduce(0, +)
    let allowed = total * (1 - share)
    var (below, above) = (0.0, 0.0)
    var (first, last) = (0, Self.binCount - 1)
    while first < last, below + bins[first] <= allowed {
      below += bins[first]
      first += 1
    }
    while last > first, above + bins[last] <= allowed {
      above += bins[last]
      last -= 1
    }
    return (
      min(Float(Double(low) + Double(first) * width), 0), max(Float(Double(low) + Double(last + 1) * width), 0)
    )
  }

  /// The share of the range, tried in hundredths, that makes the mean squared difference smallest, of rounding within
  /// and cutting off without.
  private func leastSquares(levels: Double) -> Double {
    var best = (share: 1.0, error: Double.infinity)
    for hundredths in stride(from: 100, through: 10, by: -1) {
      let share = Double(hundredths) / 100
      let (low, high) = (Double(low) * share, Double(high) * share)
      let step = (high - low) / levels
      var error = 0.0
      for i in bins.indices where bins[i] > 0 {
        let x = middle(i)
        let cut = min(max(x, low), high)
        // Within, rounding is as good as evenly distributed over a step.
        error += bins[i] * ((x - cut) * (x - cut) + (x == cut ? step * step / 12 : 0))
      }
      if error < best.error { best = (share, error) }
    }
    return best.share
  }

  /// The share of the range whose coarse histogram tells the least less than the fine one, by Kullback and Leibler's
  /// divergence, of magnitudes.
  ///
  /// - Source: Migacz 2017, "8-bit inference with TensorRT".
  private func leastDivergence(levels: Int) -> Double {
    var counts = [Double](repeating: 0, count: Self.binCount)
    let largest = Double(max(high, -low))
    for i in bins.indices where bins[i] > 0 {
      counts[min(Int(abs(middle(i)) / largest * Double(Self.binCount)), Self.binCount - 1)] += bins[i]
    }
    // The many zeros of a ReLU would hide all else.
    counts[0] = counts[1]
    var best = (count: Self.binCount, divergence: Double.infinity)
    let total = counts.reduce(0, +)
    for count in stride(from: levels, through: Self.binCount, by: 8) {
      let kept = counts[0..<count]
      let outside = counts[count...].reduce(0, +)
      var divergence = 0.0
      let inside = total - outside
      guard inside > 0 else { continue }
      for level in 0..<levels {
        let (from, to) = (level * count / levels, (level + 1) * count / levels)
        var (sum, filled) = (0.0, 0.0)
        for i in from..<to where kept[i] > 0 { (sum, filled) = (sum + kept[i], filled + 1) }
        guard filled > 0 else { continue }
        let coarse = sum / filled / inside
        for i in from..<to where kept[i] > 0 {
          let fine = (kept[i] + (i == count - 1 ? outside : 0)) / total
          divergence += fine * log(fine / coarse)
        }
      }
      // What is cut off falls on the last bin, which the coarse histogram may have nothing for.
      if counts[count - 1] == 0, outside > 0 { divergence += outside / total * log(outside / total / 1e-12) }
      if divergence < best.divergence { best = (count, divergence) }
    }
    return Double(best.count) / Double(Self.binCount)
  }
}
