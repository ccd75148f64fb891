/// What a claim says of a number.
package struct Criterion: Hashable, Sendable {
  package let reported: Double?
  /// Where the number must lie, ends included.
  package let low, high: Double?
  /// Whether the bounds are a tolerance around what was reported, and nothing else.
  package let isTolerance: Bool

  package init(reported: Double? = nil, tolerance: Double? = nil, atLeast: Double? = nil, atMost: Double? = nil) {
    self.reported = reported
    let around = tolerance.flatMap { tolerance in reported.map { ($0 - tolerance, $0 + tolerance) } }
    low = [around?.0, atLeast].compactMap(\.self).max()
    high = [around?.1, atMost].compactMap(\.self).min()
    isTolerance = around != nil && atLeast == nil && atMost == nil
  }

  package var hasBounds: Bool { low != nil || high != nil }
}

/// What evidence says of a claim.
public enum Verdict: String, Hashable, Sendable, Codable, CaseIterable {
  case reproduced
  /// What was reported is not excluded; nor is much else.
  case consistent
  case notReproduced = "not reproduced"
  /// The evidence is too thin.
  case undecided
  /// Nothing was measured, or nothing says what would count.
  case notJudged = "not judged"
}

/// How evidence is weighed against a claim. All is decided at 5 %.
///
/// | the claim has | reproduced | not reproduced | else |
/// |---|---|---|---|
/// | a tolerance, or two bounds | equivalent: two one-sided tests, 5 % each | the 95 % interval lies outside | *consistent* where what was reported lies in the 95 % interval, *undecided* where not |
/// | one bound | the 95 % interval lies beyond the bound | it lies on the wrong side | *undecided* |
/// | a reported number alone | never | one more of the same would not fall so far off: 5 % | *consistent* |
///
/// With fewer than three seeds nothing is reproduced or consistent.
public struct Judgement: Hashable, Sendable, Codable {
  package static let level = 0.05

  /// The error of the first kind at which the verdict would be *reproduced*, and *not reproduced*, on the scale of 5 %.
  package let reproduced, notReproduced: Double
  /// Whether what was reported is among what the evidence does not exclude.
  let holdsReport: Bool

  package init(_ evidence: any Evidence, _ criterion: Criterion) {
    let reproduced: Double
    var notReproduced: Double
    switch (criterion.low, criterion.high) {
    case (let low?, let high?):
      reproduced = max(evidence.chanceOfAbove(low), evidence.chanceOfBelow(high))
      notReproduced = 2 * min(evidence.chanceOfBelow(low), evidence.chanceOfAbove(high))
    case (let low?, nil): (reproduced, notReproduced) = (2 * evidence.chanceOfAbove(low), 2 * evidence.chanceOfBelow(low))
    case (nil, let high?): (reproduced, notReproduced) = (2 * evidence.chanceOfBelow(high), 2 * evidence.chanceOfAbove(high))
    case (nil, nil): (reproduced, notReproduced) = (1, criterion.reported.map(evidence.chanceOfReport) ?? 1)
    }
    self.reproduced = evidence.isEnough ? min(1, reproduced) : 1
    self.notReproduced = min(1, notReproduced)
    let mayHoldReport = evidence.isEnough && (criterion.isTolerance || !criterion.hasBounds)
    holdsReport =
      if mayHoldReport, let reported = criterion.reported {
        criterion.hasBounds
          ? 2 * min(evidence.chanceOfAbove(reported), evidence.chanceOfBelow(reported)) > Self.level
          : evidence.chanceOfReport(reported) > Self.level
      } else {
        false
      }
  }

  /// The verdict at a level; a claim that is one of several is judged at a stricter one.
  package func verdict(at level: Double = level) -> Verdict {
    if reproduced <= level, reproduced <= notReproduced { return .reproduced }
    if notReproduced <= level { return .notReproduced }
    return holdsReport ? .consistent : .undecided
  }

  /// The error at which the claim is decided one way or the other.
  package var decisive: Double { min(reproduced, notReproduced) }
}

extension [Judgement] {
  /// The verdicts of claims that stand together, so that any of them is wrong in at most 5 % of cases: Holm (1979), "A simple
  /// sequentially rejective multiple test procedure". The most certain is judged at 5 % / m, the next at 5 % / (m - 1) …,
  /// until one is not decided.
  package var holm: [Verdict] {
    var verdicts = map { $0.verdict(at: 0) }
    for (place, index) in indices.sorted(by: { self[$0].decisive < self[$1].decisive }).enumerated() {
      let level = Judgement.level / Double(count - place)
      guard self[index].decisive <= level else { break }
      verdicts[index] = self[index].verdict(at: level)
    }
    return verdicts
  }
}
