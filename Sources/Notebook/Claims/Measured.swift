package import Statistics

/// What a claim is judged by.
package enum Measured {
  /// A number that is what it is: a count, a size, a cost.
  case exact(Double)
  /// Correct predictions of the reported weights on the reported images: the count must be the same.
  case sameImages(Share)
  /// A sample, and what it is one of.
  case sample(any Evidence, of: Population)
  /// A number of which too little was measured to know its spread.
  case single(Double, of: Population)
  /// What was measured came to no finite number, as of a training run that diverged: in words.
  case diverged(String)
  /// Nothing was measured, for a reason.
  case absent(String)

  /// A number that is none is a measurement that diverged.
  static func number(_ number: Double) -> Measured {
    number.isFinite ? .exact(number) : .diverged("what was measured is \(NumberText.short(number)), not a finite number")
  }

  var value: Double? {
    switch self {
    case .exact(let number), .single(let number, of: _): number
    case .sameImages(let share): share.estimate
    case .sample(let evidence, of: _): evidence.estimate
    case .diverged, .absent: nil
    }
  }

  var population: Population? {
    switch self {
    case .exact: .exact
    case .sameImages: .sameImages
    case .sample(_, let population), .single(_, let population): population
    case .diverged, .absent: nil
    }
  }

  var interval: ClosedRange<Double>? {
    switch self {
    case .sample(let evidence, of: _): evidence.interval(0.95)
    case .exact, .sameImages, .single, .diverged, .absent: nil
    }
  }
}

extension Evidence {
  /// What it rests on: `3 seeds`.
  var extent: String {
    switch self {
    case let share as Share: "\(NumberText.grouped(share.count)) images"
    case let pairs as PairedShares: "\(NumberText.grouped(pairs.count)) images"
    case let crossed as CrossedSpread: "\(crossed.seeds) seeds and \(NumberText.grouped(crossed.images)) images"
    case let rounds as Rounds: "\(rounds.values.count) rounds"
    case let spread as Spread: "\(spread.values.count) seeds"
    default: "these measurements"
    }
  }

  var imageCount: Int? {
    switch self {
    case let share as Share: share.count
    case let pairs as PairedShares: pairs.count
    case let crossed as CrossedSpread: crossed.images
    default: nil
    }
  }
}
