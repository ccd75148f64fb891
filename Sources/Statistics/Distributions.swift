internal import Foundation

/// The standard normal distribution.
package enum Normal {
  /// The share of the distribution below `z`.
  package static func cumulative(_ z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }

  /// The number below which a share of the distribution lies.
  ///
  /// Halving the interval keeps the digits of small tails, where `1 - share` would lose them.
  package static func quantile(_ share: Double) -> Double {
    if share > 0.5 { return -quantile(1 - share) }
    return root(from: -40, to: 0) { cumulative($0) >= share }
  }
}

/// Student's t distribution (Gosset 1908).
package enum Student {
  /// The number below which a share of the distribution lies.
  package static func quantile(_ share: Double, degreesOfFreedom: Double) -> Double {
    if share < 0.5 { return -quantile(1 - share, degreesOfFreedom: degreesOfFreedom) }
    var high = 1.0
    while cumulative(high, degreesOfFreedom: degreesOfFreedom) < share, high < 1e12 { high *= 2 }
    return root(from: 0, to: high) { cumulative($0, degreesOfFreedom: degreesOfFreedom) >= share }
  }

  /// The share of the distribution below `t`: `I(ν / (ν + t²); ν/2, 1/2) / 2` for t of at most 0.
  package static func cumulative(_ t: Double, degreesOfFreedom freedom: Double) -> Double {
    guard t.isFinite else { return t > 0 ? 1 : t < 0 ? 0 : .nan }
    let tail = regularizedBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    return t > 0 ? 1 - tail : tail
  }
}

/// The number of successes in independent trials.
package enum Binomial {
  /// `P(X ≥ successes)`.
  package static func atLeast(_ successes: Int, of trials: Int, share: Double) -> Double {
    if successes <= 0 { return 1 }
    return successes > trials ? 0 : regularizedBeta(share, Double(successes), Double(trials - successes) + 1)
  }

  /// `P(X ≤ successes)`.
  package static func atMost(_ successes: Int, of trials: Int, share: Double) -> Double {
    if successes < 0 { return 0 }
    return successes >= trials ? 1 : regularizedBeta(1 - share, Double(trials - successes), Double(successes) + 1)
  }
}

/// The place where a condition begins to hold, between a place where it does not and one where it does.
func root(from low: Double, to high: Double, _ holds: (Double) -> Bool) -> Double {
  var (low, high) = (low, high)
  for _ in 0..<200 {
    let middle = low + (high - low) / 2
    if middle == low || middle == high { break }
    if holds(middle) { high = middle } else { low = middle }
  }
  return high
}

/// The regularized incomplete beta function, by its continued fraction (DLMF 8.17.22), evaluated as Lentz does.
func regularizedBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  if !(x > 0) { return x.isNaN ? .nan : 0 }
  if x >= 1 { return 1 }
  // The fraction converges fast below this; above, the symmetric one does.
  if x > (a + 1) / (a + b + 2) { return 1 - regularizedBeta(1 - x, b, a) }
  let norm: Double = lgamma(a + b) - lgamma(a) - lgamma(b)
  let front: Double = exp(norm + a * log(x) + b * log1p(-x)) / a
  let tiny = 1e-300
  var (c, d) = (1.0, 1 - (a + b) * x / (a + 1))
  d = 1 / (abs(d) < tiny ? tiny : d)
  var fraction = d
  // It takes about √max(a, b) turns.
  for m in 1...20_000 {
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
  return min(1, front * fraction)
}
