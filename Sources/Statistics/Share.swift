/// Hits among independent images, as a share in per cent. Tests and interval are exact (Clopper and Pearson 1934): whatever
/// the share, a rate of error is never higher than stated.
package struct Share: Evidence, Hashable {
  package let correct, count: Int

  /// - Precondition: 0 ≤ correct ≤ count, and count > 0.
  package init(correct: Int, count: Int) {
    precondition(count > 0 && (0...count).contains(correct))
    (self.correct, self.count) = (correct, count)
  }

  package var estimate: Double { 100 * Double(correct) / Double(count) }

  /// The binomial's, with two images more of either kind: else no more would seem to be needed where all are correct.
  package var standardError: Double {
    let share = (Double(correct) + 2) / (Double(count) + 4)
    return 100 * (share * (1 - share) / Double(count)).squareRoot()
  }

  /// From here on the normal distribution is as good as the binomial, whose fraction converges slowly.
  private static let many = 10_000_000

  package func chanceOfAbove(_ bound: Double) -> Double {
    if bound < 0 { return 0 }
    if bound >= 100 { return 1 }
    if count > Self.many { return 1 - Normal.cumulative(score(bound, corrected: -0.5)) }
    return Binomial.atLeast(correct, of: count, share: bound / 100)
  }

  package func chanceOfBelow(_ bound: Double) -> Double {
    if bound > 100 { return 0 }
    if bound <= 0 { return 1 }
    if count > Self.many { return Normal.cumulative(score(bound, corrected: 0.5)) }
    return Binomial.atMost(correct, of: count, share: bound / 100)
  }

  /// How many standard deviations of the bound's share the correct lie above it.
  private func score(_ bound: Double, corrected: Double) -> Double {
    let (n, share) = (Double(count), bound / 100)
    return (Double(correct) + corrected - n * share) / (n * share * (1 - share)).squareRoot()
  }

  package func interval(_ level: Double) -> ClosedRange<Double> {
    let tail = (1 - level) / 2
    let low = correct == 0 ? 0 : root(from: 0, to: estimate) { chanceOfAbove($0) >= tail }
    let high = correct == count ? 100 : root(from: estimate, to: 100) { chanceOfBelow($0) < tail }
    return low...max(low, high)
  }

  package func needed(toTellFrom bound: Double) -> Needed? {
    sizeForPower(of: count, standardError: standardError, distance: abs(estimate - bound)).map {
      Needed(count: max(Int($0.rounded(.up)), count + 1), unit: .images)
    }
  }
}

/// Two models on the same images: the second's share of correct less the first's, in points.
///
/// Tests and interval are those of the score (Tango 1998, "Equivalence test and confidence interval for the difference in
/// proportions for the paired-sample design", equations 9 to 13), with the continuity correction that McNemar's test has:
/// without it, few images that only one model gets right would be judged more often wrongly than stated.
package struct PairedShares: Evidence, Hashable {
  /// Images that only the first, and only the second model gets right.
  package let onlyFirst, onlySecond, count: Int

  /// - Precondition: The first two are at least 0, and together at most the count, which is more than 0.
  package init(onlyFirst: Int, onlySecond: Int, count: Int) {
    precondition(onlyFirst >= 0 && onlySecond >= 0 && count > 0 && onlyFirst + onlySecond <= count)
    (self.onlyFirst, self.onlySecond, self.count) = (onlyFirst, onlySecond, count)
  }

  package var estimate: Double { 100 * Double(onlySecond - onlyFirst) / Double(count) }

  package var standardError: Double {
    // As for a share, two images of each kind more.
    let (n, first, second) = (Double(count), Double(onlyFirst) + 1, Double(onlySecond) + 1)
    let difference = (second - first) / n
    return 100 * (max(0, (first + second) / n - difference * difference) / n).squareRoot()
  }

  package func chanceOfAbove(_ bound: Double) -> Double {
    if bound < -100 { return 0 }
    return bound >= 100 ? 1 : Normal.cumulative(-score(bound, corrected: -1))
  }

  package func chanceOfBelow(_ bound: Double) -> Double {
    if bound > 100 { return 0 }
    return bound <= -100 ? 1 : Normal.cumulative(score(bound, corrected: 1))
  }

  /// How many standard deviations the difference lies above a bound, were the bound the truth.
  private func score(_ bound: Double, corrected: Double) -> Double {
    let (n, b, c, delta) = (Double(count), Double(onlyFirst), Double(onlySecond), bound / 100)
    // The likeliest share of images that only the first gets right, where the second's is larger by `delta`.
    let half = ((b + c) * (1 - delta) - 2 * delta * (n - c)) / (4 * n)
    let share = half + max(0, half * half + b * delta * (1 - delta) / (2 * n)).squareRoot()
    let variance = n * max(0, 2 * share + delta - delta * delta)
    let distance = c - b + corrected - n * delta
    return variance > 0 ? distance / variance.squareRoot() : distance > 0 ? .infinity : distance < 0 ? -.infinity : 0
  }

  package func interval(_ level: Double) -> ClosedRange<Double> {
    let tail = (1 - level) / 2
    let low = root(from: -100, to: estimate) { chanceOfAbove($0) >= tail }
    let high = root(from: estimate, to: 100) { chanceOfBelow($0) < tail }
    return low...max(low, high)
  }

  /// McNemar's exact test (1947): the probability of so uneven a split or a more uneven one of the images that only one
  /// model gets right, were both as good.
  package var mcNemar: Double {
    let uneven = max(onlyFirst, onlySecond)
    return min(1, 2 * Binomial.atLeast(uneven, of: onlyFirst + onlySecond, share: 0.5))
  }

  package func needed(toTellFrom bound: Double) -> Needed? {
    sizeForPower(of: count, standardError: standardError, distance: abs(estimate - bound)).map {
      Needed(count: max(Int($0.rounded(.up)), count + 1), unit: .images)
    }
  }
}
