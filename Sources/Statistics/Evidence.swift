/// What was observed of a number, and what may be said of the number behind it.
///
/// Laws: both tails fall as the observation goes away from the bound; where the true number is the bound, each tail is at
/// most `a` with probability at most `a`; the interval holds the bounds that neither tail excludes.
package protocol Evidence: Sendable {
  /// The best guess.
  var estimate: Double { get }
  /// The standard error of the estimate, from which the size of another experiment is planned.
  var standardError: Double { get }
  /// The probability of such an estimate or a larger one where the number is at most `bound`: small says that it is larger.
  func chanceOfAbove(_ bound: Double) -> Double
  /// The probability of such an estimate or a smaller one where the number is at least `bound`: small says that it is smaller.
  func chanceOfBelow(_ bound: Double) -> Double
  /// Where such intervals hold the number with this probability.
  func interval(_ level: Double) -> ClosedRange<Double>
  /// The probability of an estimate as far off or further where `reported` is another observation of the same.
  func chanceOfReport(_ reported: Double) -> Double
  /// Whether there are enough repetitions for a verdict of *reproduced* or *consistent*.
  var isEnough: Bool { get }
  /// How much of what would tell the number from a bound with a power of 80 %; nil where nothing would.
  func needed(toTellFrom bound: Double) -> Needed?
}

/// How large an experiment would have to be.
package struct Needed: Hashable, Sendable {
  package enum Unit: String, Hashable, Sendable { case images, seeds, rounds }
  package let count: Int
  package let unit: Unit
}

extension Evidence {
  package var isEnough: Bool { true }

  package func chanceOfReport(_ reported: Double) -> Double {
    min(1, 2 * min(chanceOfAbove(reported), chanceOfBelow(reported)))
  }
}

/// The size of an experiment that tells a number from a bound with a power of 80 % at the two-sided level of 5 %:
/// `n (z₀.₉₇₅ + z₀.₈)² s² / d²`, with s the standard error of n observations and d the distance; nil where none would.
func sizeForPower(of count: Int, standardError: Double, distance: Double) -> Double? {
  let quantiles = 1.959963984540054 + 0.8416212335729143
  let ratio = quantiles * standardError / distance
  let needed = Double(count) * ratio * ratio
  return distance > 0 && needed < 1e15 ? needed : nil
}
