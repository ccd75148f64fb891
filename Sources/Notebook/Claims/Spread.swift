internal import Foundation

/// Numbers of independent repetitions of one thing, taken as normal.
package struct Spread: Hashable {
  package let values: [Double]

  /// The size that numbers may have, so that what follows from them is finite too.
  package static let allowed = -1e300...1e300

  /// - Precondition: At least two numbers, all within ``allowed``.
  package init(_ values: [Double]) {
    precondition(values.count >= 2 && values.allSatisfy(Spread.allowed.contains))
    self.values = values
  }

  private var n: Double { Double(values.count) }

  /// Numbers are divided by it before they are summed and squared: 1 unless that would overflow or come to nothing.
  private var scale: Double {
    let largest = values.reduce(0) { max($0, abs($1)) }
    return largest == 0 || (1e-100...1e100).contains(largest) ? 1 : largest
  }
  var mean: Double {
    let scale = scale
    return values.reduce(0) { $0 + $1 / scale } / n * scale
  }

  /// Of the sample, with n - 1.
  var std: Double {
    let (mean, scale) = (mean, scale)
    let squares = values.reduce(0) { $0 + ($1 / scale - mean / scale) * ($1 / scale - mean / scale) }
    return (squares / (n - 1)).squareRoot() * scale
  }

  private var t: Double { Student.quantile(0.975, degreesOfFreedom: n - 1) }

  /// Where 95 % of such intervals hold the true mean.
  var meanHalfWidth: Double { t * std / n.squareRoot() }

  /// Around the mean, where the next repetition falls in 95 % of cases: Student's prediction interval,
  /// `t s √(1 + 1/n)`.
  var predictionHalfWidth: Double { t * std * (1 + 1 / n).squareRoot() }

  /// About how many repetitions would tell the mean from a bound, were mean and std to stay; nil where none would.
  func countToDecide(_ bound: Double) -> Int? {
    let distance = abs(mean - bound)
    guard distance > 1e-9 * max(1, abs(bound)), std > 0 else { return nil }
    // The number decides the quantile, and the quantile the number; from below it settles at once.
    var count = values.count + 1
    for _ in 0..<8 {
      let quantile = Student.quantile(0.975, degreesOfFreedom: Double(count - 1))
      let ratio = quantile * std / distance
      let needed = ratio * ratio
      // Too many, and what is no number, are none.
      guard needed < 1e9 else { return nil }
      let next = max(values.count + 1, Int(needed.rounded(.up)))
      if next == count { break }
      count = (count + next + 1) / 2
    }
    return count
  }
}

/// Student's t distribution (Gosset 1908).
package enum Student {
  /// The number below which a share of the distribution lies.
  package static func quantile(_ share: Double, degreesOfFreedom: Double) -> Double {
    if share < 0.5 { return -quantile(1 - share, degreesOfFreedom: degreesOfFreedom) }
    var (low, high) = (0.0, 1.0)
    while cumulative(high, degreesOfFreedom) < share, high < 1e12 { high *= 2 }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if cumulative(middle, degreesOfFreedom) < share { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// For t of at least 0: `1 - I(ν / (ν + t²); ν/2, 1/2) / 2`.
  private static func cumulative(_ t: Double, _ freedom: Double) -> Double {
    1 - regularizedBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
  }

  /// The regularized incomplete beta function, by its continued fraction (DLMF 8.17.22), evaluated as Lentz does.
  private static func regularizedBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // The fraction converges fast below this; above, the symmetric one does.
    if x > (a + 1) / (a + b + 2) { return 1 - regularizedBeta(1 - x, b, a) }
    let norm: Double = lgamma(a + b) - lgamma(a) - lgamma(b)
    let front: Double = exp(norm + a * log(x) + b * log(1 - x)) / a
    let tiny = 1e-300
    var (c, d) = (1.0, 1 - (a + b) * x / (a + 1))
    d = 1 / (abs(d) < tiny ? tiny : d)
    var fraction = d
    for m in 1...500 {
      let m = Double(m)
      let place = a + 2 * m
      let even: Double = m * (b - m) * x / ((place - 1) * place)
      let odd: Double = -(a + m) * (a + b + m) * x / (place * (place + 1))
      for numerator in [even, odd] {
        d = 1 + numerator * d
        c = 1 + numerator / c
        d = 1 / (abs(d) < tiny ? tiny : d)
        if abs(c) < tiny { c = tiny }
        fraction *= c * d
      }
      if abs(c * d - 1) < 1e-15 { break }
    }
    return front * fraction
  }
}
