internal import Tensors

/// `½ βᵀ Q β − qᵀ β + α |β|₁` made least: scikit-learn's `Lasso` without intercept, where `Q = Zᵀ Z / n` and `q = Zᵀ y / n`
/// of a design `Z` of `n` rows.
///
/// By coordinate descent (Friedman et al. 2010, "Regularization Paths for Generalized Linear Models via Coordinate
/// Descent", eq. 5 and 8), which needs the products alone.
package struct Lasso {
  /// `Q`, `[n, n]`, and `q`.
  let gram: Matrix
  let cross: [Double]

  package init(gram: Matrix, cross: [Double]) {
    precondition(gram.shape == [cross.count, cross.count])
    (self.gram, self.cross) = (gram, cross)
  }

  /// The least penalty for which all coefficients are zero.
  package var largestPenalty: Double { cross.reduce(0) { max($0, abs($1)) } }

  /// The coefficients for a penalty `α`.
  /// - Parameters:
  ///   - start: where to begin; the answer does not depend on it.
  ///   - tolerance: how far a coefficient may still move in a round, as a share of the largest.
  package func coefficients(
    penalty: Double, from start: [Double]? = nil, tolerance: Double = 1e-9, rounds: Int = 10_000
  ) -> [Double] {
    let n = cross.count
    var beta = start ?? [Double](repeating: 0, count: n)
    // The gradient of the smooth part, kept up to date.
    var slope = cross
    gram.withUnsafeElements { q in
      slope.withUnsafeMutableBufferPointer { slope in
        beta.withUnsafeMutableBufferPointer { beta in
          func move(_ i: Int, by step: Double) {
            let row = q.baseAddress! + i * n
            for j in 0..<n { slope[j] -= row[j] * step }
          }
          for i in 0..<n where beta[i] != 0 { move(i, by: beta[i]) }
          func sweep(all: Bool) -> (moved: Double, largest: Double) {
            var (moved, largest) = (0.0, 0.0)
            for i in 0..<n where all || beta[i] != 0 {
              let curvature = q[i * n + i]
              guard curvature > 0 else { continue }
              let target = slope[i] + curvature * beta[i]
              let size = abs(target) - penalty
              let new = size <= 0 ? 0 : (target < 0 ? -size : size) / curvature
              let step = new - beta[i]
              if step != 0 {
                beta[i] = new
                move(i, by: step)
                moved = max(moved, abs(step))
              }
              largest = max(largest, abs(new))
            }
            return (moved, largest)
          }
          var left = rounds
          while left > 0 {
            let full = sweep(all: true)
            left -= 1
            if full.moved <= tolerance * full.largest { break }
            // The coefficients that are not zero settle among themselves before the others are asked again.
            while left > 0 {
              let active = sweep(all: false)
              left -= 1
              if active.moved <= tolerance * active.largest { break }
            }
          }
        }
      }
    }
    return beta
  }

  /// The places of the `count` coefficients that a penalty leaves, found by bisection.
  ///
  /// Where no penalty leaves just so many, those with the largest coefficients of the next larger number; where fewer
  /// than `count` are ever left, the first of the others besides.
  package func selection(count: Int) -> [Int] {
    guard count < cross.count else { return Array(cross.indices) }
    var beta = [Double](repeating: 0, count: cross.count)
    var high = largestPenalty
    var low: Double?
    var closest: [Double]?
    // From the sparse side on, each from the one before: a small penalty alone would take many rounds.
    for _ in 0..<60 {
      let penalty = low.map { ($0 * high).squareRoot() } ?? high / 2
      beta = coefficients(penalty: penalty, from: beta, tolerance: 1e-6, rounds: 200)
      let left = beta.count { $0 != 0 }
      if left >= count {
        (low, closest) = (penalty, beta)
        // PocketFlow's window, on one side of the number: of one per cent too many the smallest go.
        if left <= count + cross.count / 100 { break }
      } else {
        high = penalty
      }
      if penalty <= largestPenalty * 1e-7 { break }
      if let low, high < low * (1 + 1e-5) { break }
    }
    return (closest ?? beta).largest(count)
  }
}

extension [Double] {
  /// The places of the numbers of the largest magnitude, ascending; the first among equals.
  package func largest(_ count: Int) -> [Int] {
    indices.sorted { abs(self[$0]) != abs(self[$1]) ? abs(self[$0]) > abs(self[$1]) : $0 < $1 }.prefix(count).sorted()
  }
}
