internal import Foundation
public import Statistics

/// A statement with a number, and whether the number held here.
public struct Claim: Hashable, Sendable, Codable {
  public typealias Verdict = Statistics.Verdict

  public let statement: String
  /// What it speaks of; nil where nothing was measured.
  public let population: Population?
  /// What was measured here; nil where nothing was.
  public let measured: Double?
  /// The ends of the 95 % interval of what was measured, where it is a sample.
  public let low, high: Double?
  /// The images it was measured on, where they are drawn.
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
  /// Whether what was measured was chosen by the images that it was measured on.
  public let isSelected: Bool
  /// The claims that are judged together with it; nil for none.
  public let family: String?
  /// What the evidence says of this claim alone.
  public let alone: Verdict
  /// The verdict that counts: where the claim has a family, that of ``holm(_:)``.
  public private(set) var verdict: Verdict
  /// Why, in words: of the verdict alone.
  public let reason: String
  /// How sure the verdict is; nil where it does not rest on a sample.
  public let judgement: Judgement?

  /// Judges a statement.
  /// - Parameters:
  ///   - tolerance: How far from the reported number the measured one may be.
  ///   - places: How many places behind the point the reported number is written with.
  package init(
    _ statement: String, _ measured: Measured, reported: Double? = nil, tolerance: Double? = nil,
    atLeast: Double? = nil, atMost: Double? = nil, places: Int? = nil, isSelected: Bool = false, family: String? = nil,
    source: String = "", scale: String = ""
  ) {
    let criterion = Criterion(reported: reported, tolerance: tolerance, atLeast: atLeast, atMost: atMost)
    let interval = measured.interval
    (self.statement, population, self.measured) = (statement, measured.population, measured.value)
    (low, high) = (interval?.lowerBound, interval?.upperBound)
    switch measured {
    case .sample(let evidence, of: _): (images, values) = (evidence.imageCount, (evidence as? Spread)?.values)
    case .sameImages(let share): (images, values) = (share.count, nil)
    case .exact, .single, .diverged, .absent: (images, values) = (nil, nil)
    }
    self.reported = reported
    (self.atLeast, self.atMost) = (criterion.low, criterion.high)
    (self.isSelected, self.family, self.source, self.scale) = (isSelected, family, source, scale)
    var judgement: Judgement?
    let found: (Verdict, String)
    if let low = criterion.low, let high = criterion.high, low > high {
      found = (.notJudged, "no number is at least \(NumberText.short(low)) and at most \(NumberText.short(high))")
    } else {
      switch measured {
      case .absent(let why): found = (.notJudged, why)
      case .diverged(let what):
        // There was a measurement, and it is no number that a report could be held to.
        found = (criterion.reported == nil && !criterion.hasBounds ? .notJudged : .notReproduced, what)
      case .exact(let number): found = criterion.judge(exact: number)
      case .sameImages(let share): found = criterion.judge(sameImages: share, places: places)
      case .single(_, of: let population):
        found = criterion.lacksAim ?? (.undecided, "one seed shows no spread, and \(population.text) has one: at least three seeds decide")
      case .sample(let evidence, of: _):
        if let lack = criterion.lacksAim {
          found = lack
        } else {
          let made = Judgement(evidence, criterion)
          judgement = made
          found = (made.verdict(), criterion.reason(for: made.verdict(), by: evidence))
        }
      }
    }
    (alone, reason, self.judgement) = (found.0, found.1, judgement)
    verdict = found.0
  }
}

extension [Claim] {
  /// Those of a family with the verdict that they have beside the others.
  ///
  /// What is judged exactly or not at all takes nothing from the others' certainty.
  var corrected: [Claim] {
    var claims = self
    for family in Set(compactMap(\.family)) {
      let places = indices.filter { self[$0].family == family && self[$0].judgement != nil }
      for (place, verdict) in zip(places, places.compactMap { self[$0].judgement }.holm) { claims[place].setVerdict(verdict) }
    }
    return claims
  }
}

extension Claim {
  fileprivate mutating func setVerdict(_ verdict: Verdict) { self.verdict = verdict }
}

extension Criterion {
  /// Why it cannot judge anything; nil where it can.
  fileprivate var lacksAim: (Verdict, String)? {
    reported == nil && !hasBounds ? (.notJudged, "nothing says what it should be: give reported, atLeast or atMost") : nil
  }

  /// A number on its bound lies within, even where subtracting has rounded it off.
  private func holds(_ value: Double) -> Bool {
    let slack = 1e-12 * max(abs(value), abs(low ?? 0), abs(high ?? 0), 1)
    return value >= (low ?? value) - slack && value <= (high ?? value) + slack
  }

  private var text: String {
    switch (low, high) {
    case (let low?, let high?) where low == high: "exactly \(NumberText.short(low))"
    case (let low?, let high?): "\(NumberText.short(low)) to \(NumberText.short(high))"
    case (let low?, nil): "at least \(NumberText.short(low))"
    case (nil, let high?): "at most \(NumberText.short(high))"
    case (nil, nil): ""
    }
  }

  private func distance(of value: Double) -> Double { [low, high].compactMap { $0.map { abs($0 - value) } }.min() ?? 0 }

  fileprivate func judge(exact value: Double) -> (Verdict, String) {
    guard hasBounds else { return (.notJudged, "nothing says how close it must come: give tolerance, atLeast or atMost") }
    return holds(value)
      ? (.reproduced, "required: \(text)")
      : (.notReproduced, "required: \(text); it is off by \(NumberText.short(distance(of: value)))")
  }

  /// The same weights on the same images give the same count, so the accuracy to every place that was reported; and bounds
  /// that stand beside it hold for the count as it is.
  fileprivate func judge(sameImages share: Share, places: Int?) -> (Verdict, String) {
    if let lacksAim { return lacksAim }
    let counts = "\(NumberText.grouped(share.correct)) of \(NumberText.grouped(share.count)) correct"
    let measured = share.estimate
    if let reported {
      // Some round, some cut off.
      let step = pow(10, -Double(places ?? NumberText.places(of: reported)))
      guard abs(measured - reported) <= step / 2 + 1e-9 || (0..<step).contains(measured - reported) else {
        let missing = (reported / 100 * Double(share.count)).rounded() - Double(share.correct)
        return (
          .notReproduced,
          "the same weights have \(counts), \(NumberText.short(abs(missing))) \(missing < 0 ? "more" : "fewer") than "
            + "reported: is the preprocessing the same?"
        )
      }
    }
    return holds(measured)
      ? (.reproduced, "the same weights, \(counts)" + (hasBounds ? "; required: \(text)" : ""))
      : (.notReproduced, "the same weights have \(counts); required: \(text)")
  }

  /// Why the evidence gives this verdict, in words.
  fileprivate func reason(for verdict: Verdict, by evidence: any Evidence) -> String {
    let interval = NumberText.interval(evidence.interval(0.95))
    switch verdict {
    case .reproduced where low != nil && high != nil:
      return "equivalent: the 90 % interval \(NumberText.interval(evidence.interval(0.9))) lies within \(text)"
    case .reproduced: return "the 95 % interval \(interval) lies within what is required: \(text)"
    case .notReproduced where hasBounds: return "the 95 % interval \(interval) lies outside of what is required: \(text)"
    case .notReproduced:
      let reported = NumberText.short(reported ?? .nan)
      guard let spread = evidence as? Spread else { return "the 95 % interval \(interval) does not hold \(reported)" }
      return "one more of \(spread.values.count) seeds would fall into \(NumberText.interval(spread.prediction(0.95))), not to \(reported)"
    case .consistent:
      let report = "\(NumberText.short(reported ?? .nan)) is not excluded"
      guard hasBounds else {
        let spread = (evidence as? Spread).map { "one more of \(evidence.extent) would fall into \(NumberText.interval($0.prediction(0.95)))" }
        return "\(report), nor is much else: \(spread ?? "the 95 % interval is \(interval)"); a tolerance would say how close is close"
      }
      return "\(report), but \(evidence.extent) do not show it to be within \(text); \(needed(by: evidence))"
    case .undecided, .notJudged:
      if !evidence.isEnough {
        return evidence is Rounds
          ? "\(evidence.extent) decide nothing: at least six are needed" : "\(evidence.extent) decide too little: at least three seeds are needed"
      }
      return "\(evidence.extent) cannot tell it from \(NumberText.short(nearestBound(to: evidence.estimate))); \(needed(by: evidence))"
    }
  }

  private func nearestBound(to value: Double) -> Double {
    [low, high].compactMap(\.self).min { abs($0 - value) < abs($1 - value) } ?? reported ?? .nan
  }

  /// What would decide, in words.
  private func needed(by evidence: any Evidence) -> String {
    guard let needed = evidence.needed(toTellFrom: nearestBound(to: evidence.estimate)) else { return "no number of them would decide" }
    return "about \(NumberText.grouped(needed.count)) \(needed.unit.rawValue) would decide with a power of 80 %"
  }
}
