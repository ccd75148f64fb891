/// Numbers of independent repetitions of one thing, taken as normal; the number behind them is their mean.
package struct Spread: Evidence, Hashable {
  package let values: [Double]
  /// The step in which the numbers can differ: equal ones differ by what it hides.
  package let step: Double

  /// The size that numbers may have, so that what follows from them is finite too.
  package static let allowed = -1e300...1e300

  /// Fewer repetitions say too little of their own spread.
  package static let fewest = 3

  /// - Precondition: At least two numbers, all within ``allowed``.
  package init(_ values: [Double], step: Double = 0) {
    precondition(values.count >= 2 && values.allSatisfy(Spread.allowed.contains))
    (self.values, self.step) = (values, step)
  }

  private var n: Double { Double(values.count) }

  /// Numbers are divided by it before they are summed and squared: 1 unless that would overflow or come to nothing.
  private var scale: Double {
    let largest = values.reduce(0) { max($0, abs($1)) }
    return largest == 0 || (1e-100...1e100).contains(largest) ? 1 : largest
  }

  package var estimate: Double {
    let scale = scale
    return values.reduce(0) { $0 + $1 / scale } / n * scale
  }

  /// Of the sample, with n - 1; at least that of a rounding to the step.
  package var std: Double {
    let (mean, scale) = (estimate, scale)
    let squares = values.reduce(0) { $0 + ($1 / scale - mean / scale) * ($1 / scale - mean / scale) }
    return max((squares / (n - 1)).squareRoot() * scale, step / 12.0.squareRoot())
  }

  package var standardError: Double { std / n.squareRoot() }
  package var isEnough: Bool { values.count >= Self.fewest }

  /// - Parameter error: of the difference.
  private func t(_ difference: Double, error: Double) -> Double {
    error > 0 ? difference / error : difference > 0 ? .infinity : difference < 0 ? -.infinity : 0
  }

  package func chanceOfAbove(_ bound: Double) -> Double {
    Student.cumulative(-t(estimate - bound, error: standardError), degreesOfFreedom: n - 1)
  }

  package func chanceOfBelow(_ bound: Double) -> Double {
    Student.cumulative(t(estimate - bound, error: standardError), degreesOfFreedom: n - 1)
  }

  package func interval(_ level: Double) -> ClosedRange<Double> { around(level, standardError) }

  /// Where the next repetition falls with this probability: `t s √(1 + 1/n)` around the mean.
  package func prediction(_ level: Double) -> ClosedRange<Double> { around(level, std * (1 + 1 / n).squareRoot()) }

  private func around(_ level: Double, _ error: Double) -> ClosedRange<Double> {
    let half = Student.quantile(1 - (1 - level) / 2, degreesOfFreedom: n - 1) * error
    return estimate - half...estimate + half
  }

  /// What was reported is one more repetition, so it has their spread too.
  package func chanceOfReport(_ reported: Double) -> Double {
    let t = t(estimate - reported, error: std * (1 + 1 / n).squareRoot())
    return 2 * Student.cumulative(-abs(t), degreesOfFreedom: n - 1)
  }

  /// With the two more that Student's quantiles ask for (Guenther 1981).
  package func needed(toTellFrom bound: Double) -> Needed? {
    sizeForPower(of: values.count, standardError: standardError, distance: abs(estimate - bound)).map {
      Needed(count: max(Int(($0 + 1.92).rounded(.up)), values.count + 1, Self.fewest), unit: .seeds)
    }
  }
}

/// Several seeds on the same images, where both are draws of many: the mean over seeds and images.
///
/// A number `x` of seed s and image i is taken as `μ + seed + image + rest`; what each contributes to the variance of the mean
/// follows from the mean squares of the two-way table (Searle, Casella and McCulloch 1992, chapter 4), and the degrees of
/// freedom from Satterthwaite's approximation (1946).
package struct CrossedSpread: Evidence, Hashable {
  package let estimate: Double
  /// What seeds and images contribute to the variance of the mean.
  package let seedVariance, imageVariance: Double
  package let seeds, images: Int
  private let freedom: Double

  /// - Parameters:
  ///   - seedSums: The sum over images for each seed.
  ///   - squaredImageSums: The sum over images of the square of the image's sum over seeds.
  ///   - squares: The sum of all squares.
  ///   - scale: What the numbers are multiplied by: 100 for per cent.
  /// - Precondition: At least two seeds and two images.
  package init(seedSums: [Double], squaredImageSums: Double, squares: Double, images: Int, scale: Double = 100) {
    precondition(seedSums.count >= 2 && images >= 2)
    let (k, n, total) = (Double(seedSums.count), Double(images), seedSums.reduce(0, +))
    let middle = total * total / (k * n)
    let bySeed = max(0, seedSums.reduce(0) { $0 + $1 * $1 } / n - middle)
    let byImage = max(0, squaredImageSums / k - middle)
    let rest = max(0, squares - middle - bySeed - byImage) / ((k - 1) * (n - 1))
    let (seed, image) = (bySeed / (k - 1), byImage / (n - 1))
    // Where the rest is larger than either, its share is no evidence of less spread than the other shows.
    let square = max(seed + image - rest, seed, image)
    let parts: Double = seed * seed / (k - 1) + image * image / (n - 1) + rest * rest / ((k - 1) * (n - 1))
    estimate = scale * total / (k * n)
    seedVariance = scale * scale * seed / (k * n)
    imageVariance = scale * scale * (square - seed) / (k * n)
    freedom = parts > 0 ? max(1, square * square / parts) : k - 1
    (seeds, self.images) = (seedSums.count, images)
  }

  /// Of shares in per cent whose images are not known one by one: their part is at most that of one draw of images.
  /// - Precondition: At least two shares.
  package init(shares: Spread, images: Int) {
    let share = shares.estimate / 100
    seedVariance = shares.standardError * shares.standardError
    imageVariance = 1e4 * max(0, share * (1 - share)) / Double(images)
    let whole = seedVariance + imageVariance
    freedom = seedVariance > 0 ? Double(shares.values.count - 1) * whole * whole / (seedVariance * seedVariance) : 1e9
    (estimate, seeds, self.images) = (shares.estimate, shares.values.count, images)
  }

  package var standardError: Double { (seedVariance + imageVariance).squareRoot() }
  package var isEnough: Bool { seeds >= Spread.fewest }

  private func t(_ bound: Double) -> Double {
    let (difference, error) = (estimate - bound, standardError)
    return error > 0 ? difference / error : difference > 0 ? .infinity : difference < 0 ? -.infinity : 0
  }

  package func chanceOfAbove(_ bound: Double) -> Double { Student.cumulative(-t(bound), degreesOfFreedom: freedom) }
  package func chanceOfBelow(_ bound: Double) -> Double { Student.cumulative(t(bound), degreesOfFreedom: freedom) }

  package func interval(_ level: Double) -> ClosedRange<Double> {
    let half = Student.quantile(1 - (1 - level) / 2, degreesOfFreedom: freedom) * standardError
    return estimate - half...estimate + half
  }

  /// More seeds where these can do it, else more images.
  package func needed(toTellFrom bound: Double) -> Needed? {
    let distance = abs(estimate - bound)
    guard let ratio = sizeForPower(of: 1, standardError: 1, distance: distance) else { return nil }
    // The variance of the mean that would do.
    let wanted = 1 / ratio
    if imageVariance < wanted {
      let count = Double(seeds) * seedVariance / (wanted - imageVariance)
      return count < 1e15 ? Needed(count: max(Int((count + 1.92).rounded(.up)), seeds + 1), unit: .seeds) : nil
    }
    guard seedVariance < wanted else { return nil }
    let count = Double(images) * imageVariance / (wanted - seedVariance)
    return count < 1e15 ? Needed(count: max(Int(count.rounded(.up)), images + 1), unit: .images) : nil
  }
}
