internal import Foundation
package import Tensors

extension Philox {
  /// Draws from the normal distribution around `mean`, given that it falls into the range.
  ///
  /// By rejection: from the normal distribution itself where the range is wide beside the std, else evenly from
  /// the whole range, each draw accepted by its density over that of the mean. As the mean lies within the range, 49
  /// draws of a hundred are accepted or more.
  /// - Parameter mean: moved into the range where it lies outside.
  /// - Source: Robert 1995, "Simulation of truncated normal variables" (arXiv:0907.4010), section 2.
  package mutating func truncatedNormal(
    around mean: Double, std: Double, in range: ClosedRange<Double>
  ) -> Double {
    let mean = min(max(mean, range.lowerBound), range.upperBound)
    let width = range.upperBound - range.lowerBound
    // Where nothing can be drawn, or nothing be told from the mean.
    guard width > 0, std > 0, mean.isFinite else { return mean }
    let isWide = width > std * (2 * Double.pi).squareRoot()
    while true {
      let x = isWide ? mean + std * normal() : range.lowerBound + width * uniformDouble()
      let distance = (x - mean) / std
      if isWide ? range.contains(x) : uniformDouble() < exp(-0.5 * distance * distance) { return x }
    }
  }
}
