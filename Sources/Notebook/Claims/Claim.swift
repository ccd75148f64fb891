internal import Foundation

/// A statement with a number, and whether the number held here.
public struct Claim: Hashable, Sendable, Codable {
  public enum Verdict: String, Hashable, Sendable, Codable, CaseIterable {
    case reproduced
    case notReproduced = "not reproduced"
    /// The evidence is too thin.
    case undecided
    /// Nothing was measured, or nothing says what would count.
    case notJudged = "not judged"
  }

  public let statement: String
  /// What was measured here; nil where nothing was.
  public let measured: Double?
  /// Half of the 95 % interval around `measured`, where it comes from a sample or from several seeds.
  public let halfWidth: Double?
  /// The images it was measured on, where it comes from a sample.
  public let images: Int?
  /// What each seed gave, where there are several.
  public let values: [Double]?
  public let reported: Double?
  /// What would be right, ends included.
  public let atLeast, atMost: Double?
  /// Where it was reported; empty where nobody says.
  public let source: String
  /// Under which conditions it was measured, such as `desk`; empty where nobody says.
  public let scale: String
  public let verdict: Verdict
  /// Why, in words.
  public let reason: String

  /// Judges a statement.
  /// - Parameters:
  ///   - tolerance: How far from the reported number the measured one may be.
  ///   - hasSameWeights: Whether what was reported is of the same weights on the same images.
  package init(
    _ statement: String, _ evidence: Evidence, reported: Double? = nil, tolerance: Double? = nil,
    atLeast: Double? = nil, atMost: Double? = nil, hasSameWeights: Bool = false, source: String = "", scale: String = ""
  ) {
    let evidence = evidence.checked
    var bounds = Bounds(low: atLeast, high: atMost)
    if let reported, let tolerance { bounds = bounds.narrowed(to: reported - tolerance, reported + tolerance) }
    let interval = evidence.interval
    self.statement = statement
    measured = evidence.value
    halfWidth = interval.map { ($0.upperBound - $0.lowerBound) / 2 }
    images = evidence.images
    if case .seeds(let spread) = evidence { values = spread.values } else { values = nil }
    self.reported = reported
    (self.atLeast, self.atMost) = (bounds.low, bounds.high)
    (self.source, self.scale) = (source, scale)
    if case .diverged(let what) = evidence, reported != nil || !bounds.isEmpty {
      // There was a measurement, and it is no number that a report could be held to.
      (verdict, reason) = (.notReproduced, what)
    } else if case .seeds(let spread) = evidence, bounds.isEmpty, let reported {
      (verdict, reason) = Self.judge(reported, by: spread)
    } else if case .sample(let correct, let count) = evidence, let reported, hasSameWeights {
      (verdict, reason) = Self.judge(reported, correct: correct, of: count)
    } else {
      (verdict, reason) = bounds.judge(evidence)
    }
  }

  /// A retrained number is held to the spread over seeds: what was reported is one more draw of the same, so 95 % of
  /// true reports lie within Student's prediction interval.
  private static func judge(_ reported: Double, by spread: Spread) -> (Verdict, String) {
    let half = spread.predictionHalfWidth
    let interval = "\(NumberText.fixed(spread.mean, 2)) ± \(NumberText.fixed(half, 2))"
    let count = spread.values.count
    return abs(reported - spread.mean) <= half
      ? (.reproduced, "consistent: one more of \(count) seeds would fall into \(interval)")
      : (.notReproduced, "one more of \(count) seeds would fall into \(interval), not to \(NumberText.short(reported))")
  }

  /// The same weights on the same images give the same count, so the accuracy to every place that was reported.
  private static func judge(_ reported: Double, correct: Int, of count: Int) -> (Verdict, String) {
    // Some round, some cut off.
    let step = pow(10, -Double(NumberText.places(of: reported)))
    let measured = 100 * Double(correct) / Double(count)
    let holds = abs(measured - reported) <= step / 2 + 1e-9 || (0..<step).contains(measured - reported)
    let missing = (reported / 100 * Double(count)).rounded() - Double(correct)
    return holds
      ? (.reproduced, "the same weights, \(NumberText.grouped(correct)) of \(NumberText.grouped(count)) right")
      : (
        .notReproduced,
        "the same weights have \(NumberText.grouped(correct)) of \(NumberText.grouped(count)) right, "
          + "\(NumberText.short(abs(missing))) \(missing < 0 ? "more" : "fewer") than reported: is the preprocessing the same?"
      )
  }
}

/// What a claim is judged by.
package enum Evidence {
  /// A number that is what it is: a count, a size, a difference.
  case number(Double)
  /// A share of images, counted; as a value it is in per cent.
  case sample(correct: Int, count: Int)
  /// The same set-up with several seeds; or the differences of two, seed by seed.
  case seeds(Spread)
  /// What was measured came to no finite number, as of a training run that diverged: in words.
  case diverged(String)
  /// Nothing was measured, for a reason.
  case absent(String)

  /// A number that is none is a measurement that diverged.
  var checked: Evidence {
    if case .number(let number) = self, !number.isFinite {
      return .diverged("what was measured is \(NumberText.short(number)), not a finite number")
    }
    return self
  }

  var value: Double? {
    switch self {
    case .number(let number): number
    case .sample(let correct, let count): 100 * Double(correct) / Double(count)
    case .seeds(let spread): spread.mean
    case .absent, .diverged: nil
    }
  }

  var images: Int? { if case .sample(_, let count) = self { count } else { nil } }

  /// The 97.5 % point of the normal distribution.
  private static let z = 1.959963984540054

  /// The 95 % interval of a share, in per cent: Wilson 1927, "Probable inference, the law of succession, and statistical
  /// inference". Unlike `p ± z·s` it stays within 0 and 100, and is never empty.
  var interval: ClosedRange<Double>? {
    if case .seeds(let spread) = self {
      return spread.mean - spread.meanHalfWidth...spread.mean + spread.meanHalfWidth
    }
    guard case .sample(let correct, let count) = self, count > 0 else { return nil }
    let (n, p, z) = (Double(count), Double(correct) / Double(count), Self.z)
    let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return 100 * max(0, middle - half)...100 * min(1, middle + half)
  }

  /// What it rests on: `3 seeds`.
  var extent: String? {
    switch self {
    case .sample(_, let count): "\(NumberText.grouped(count)) images"
    case .seeds(let spread): "\(spread.values.count) seeds"
    case .number, .absent, .diverged: nil
    }
  }

  /// What would tell it from a bound, in words.
  func neededToDecide(_ bound: Double) -> String {
    let needed: Int? =
      if case .seeds(let spread) = self { spread.countToDecide(bound) } else { imagesToDecide(bound) }
    let what = if case .seeds = self { "seeds" } else { "images" }
    return needed.map { "about \(NumberText.grouped($0)) would decide" } ?? "no number of \(what) would decide"
  }

  /// About how many images would tell a share from a bound, in per cent; nil where none would.
  func imagesToDecide(_ bound: Double) -> Int? {
    guard case .sample(let correct, let count) = self else { return nil }
    let share = Double(correct) / Double(count)
    let distance = abs(share - bound / 100)
    guard distance > 1e-6 else { return nil }
    // Shares of 0 and 1 are taken two images in, else no image more would seem to be needed.
    let careful = (Double(correct) + 2) / (Double(count) + 4)
    let needed = Self.z * Self.z * careful * (1 - careful) / (distance * distance)
    guard needed < 1e15 else { return nil }
    return max(Int(needed.rounded(.up)), count + 1)
  }
}

/// Where a measured number must lie, ends included.
private struct Bounds {
  var low, high: Double?

  var isEmpty: Bool { low == nil && high == nil }

  func narrowed(to low: Double, _ high: Double) -> Bounds {
    Bounds(low: max(low, self.low ?? low), high: min(high, self.high ?? high))
  }

  /// A number on its bound lies within, even where subtracting has rounded it off.
  private func holds(_ value: Double) -> Bool {
    let slack = 1e-12 * max(abs(value), abs(low ?? 0), abs(high ?? 0), 1)
    return value >= (low ?? value) - slack && value <= (high ?? value) + slack
  }

  var text: String {
    switch (low, high) {
    case (let low?, let high?) where low == high: "exactly \(NumberText.short(low))"
    case (let low?, let high?): "\(NumberText.short(low)) to \(NumberText.short(high))"
    case (let low?, nil): "at least \(NumberText.short(low))"
    case (nil, let high?): "at most \(NumberText.short(high))"
    case (nil, nil): ""
    }
  }

  func judge(_ evidence: Evidence) -> (Claim.Verdict, String) {
    switch evidence {
    case .absent(let reason), .diverged(let reason): return (.notJudged, reason)
    case .number, .sample, .seeds: break
    }
    guard let value = evidence.value else { return (.notJudged, "nothing was measured here") }
    guard low != nil || high != nil else {
      return (.notJudged, "nothing says how close it must come: give tolerance, atLeast or atMost")
    }
    if let low, let high, low > high { return (.notJudged, "no number is at least \(low) and at most \(high)") }
    let distances = [low, high].compactMap { $0.map { abs($0 - value) } }
    if let interval = evidence.interval, let extent = evidence.extent {
      let crossed = [low, high].compactMap(\.self).filter(interval.contains)
      if let bound = crossed.min(by: { abs($0 - value) < abs($1 - value) }) {
        return (
          .undecided, "\(extent) cannot tell it from \(NumberText.short(bound)); \(evidence.neededToDecide(bound))"
        )
      }
    }
    if holds(value) { return (.reproduced, "it had to be \(text)") }
    return (.notReproduced, "it had to be \(text), it is off by \(NumberText.short(distances.min() ?? 0))")
  }
}
