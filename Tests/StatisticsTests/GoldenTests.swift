import Foundation
import Statistics
import Testing

/// `Goldens/statistics.json`, by scipy 1.17.1 and statsmodels 0.15.0; see `Goldens/make.py`.
private struct Golden: Decodable {
  struct Share: Decodable { let correct, count: Int, bound: Double, tails, interval95, interval90: [Double] }
  struct Paired: Decodable { let first, second, count: Int, bound, mcnemar: Double, tails: [Double] }
  struct Spread: Decodable { let values: [Double], bound: Double, tails, interval95, interval90, prediction95: [Double] }
  struct Crossed: Decodable { let table: [[Double]], bound, error: Double, tails: [Double] }
  struct Rounds: Decodable { let values: [Double], bound: Double, tails, interval95: [Double] }
  struct Holm: Decodable { let p: [Double], reject: [Bool] }
  let normal, student, studentTails: [[Double]]
  let share: [Share], paired: [Paired], spread: [Spread], crossed: [Crossed], rounds: [Rounds], holm: [Holm]

  init() throws {
    let place = try #require(Bundle.module.url(forResource: "statistics", withExtension: "json", subdirectory: "Goldens"))
    self = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: place))
  }

  private enum CodingKeys: String, CodingKey {
    case normal, student, studentTails, share, paired, spread, crossed, rounds, holm
  }
}

private func expect(
  _ found: [Double], _ wanted: [Double], within tolerance: Double = 1e-9, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.count == wanted.count, sourceLocation: sourceLocation)
  for (a, b) in zip(found, wanted) {
    #expect(abs(a - b) <= tolerance * max(1, abs(b)), "\(a) is not \(b)", sourceLocation: sourceLocation)
  }
}

private func expect(
  _ evidence: any Evidence, at bound: Double, tails: [Double], within tolerance: Double = 1e-9,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expect(
    [evidence.chanceOfAbove(bound), evidence.chanceOfBelow(bound)], tails, within: tolerance, sourceLocation: sourceLocation)
}

private func ends(_ interval: ClosedRange<Double>) -> [Double] { [interval.lowerBound, interval.upperBound] }

@Suite("Statistics, beside scipy and statsmodels")
struct GoldenTests {
  private let golden: Golden
  init() throws { golden = try Golden() }

  @Test("quantiles and tails of the normal and of Student's distribution")
  func quantiles() {
    for row in golden.normal { expect([Normal.quantile(row[0])], [row[1]]) }
    for row in golden.student { expect([Student.quantile(row[0], degreesOfFreedom: row[1])], [row[2]], within: 1e-8) }
    for row in golden.studentTails { expect([Student.cumulative(row[0], degreesOfFreedom: row[1])], [row[2]]) }
  }

  @Test("a share of images: the exact binomial test, and Clopper and Pearson's interval")
  func shares() {
    for row in golden.share {
      let share = Share(correct: row.correct, count: row.count)
      expect(share, at: row.bound, tails: row.tails, within: 1e-8)
      expect(ends(share.interval(0.95)), row.interval95, within: 1e-8)
      expect(ends(share.interval(0.9)), row.interval90, within: 1e-8)
    }
  }

  @Test("two models on the same images: Tango's score, and McNemar's exact test")
  func pairs() {
    for row in golden.paired {
      let pairs = PairedShares(onlyFirst: row.first, onlySecond: row.second, count: row.count)
      expect([pairs.mcNemar], [row.mcnemar])
      // The golden's maximum is found by a search.
      expect(pairs, at: row.bound, tails: row.tails, within: 1e-6)
    }
  }

  @Test("several seeds: Student's test, interval and prediction")
  func spreads() {
    for row in golden.spread {
      let spread = Spread(row.values)
      expect(spread, at: row.bound, tails: row.tails)
      expect(ends(spread.interval(0.95)), row.interval95)
      expect(ends(spread.interval(0.9)), row.interval90)
      expect(ends(spread.prediction(0.95)), row.prediction95)
    }
  }

  @Test("seeds crossed with images: the mean squares of an analysis of variance")
  func crossed() {
    for row in golden.crossed {
      let images = row.table[0].indices.map { image in row.table.reduce(0) { $0 + $1[image] } }
      let sums = row.table.map { $0.reduce(0, +) }
      let crossed = CrossedSpread(
        seedSums: sums, squaredImageSums: images.reduce(0) { $0 + $1 * $1 }, squares: sums.reduce(0, +), images: images.count)
      expect([crossed.standardError], [row.error])
      expect(crossed, at: row.bound, tails: row.tails)
    }
  }

  @Test("rounds of a timing: the sign test, and the interval of the median by order")
  func rounds() {
    for row in golden.rounds {
      let rounds = Rounds(row.values)
      expect(rounds, at: row.bound, tails: row.tails)
      expect(ends(rounds.interval(0.95)), row.interval95)
    }
  }

  @Test("claims of a family: Holm's step-down")
  func holm() {
    for row in golden.holm {
      // A mean that lies above its bound with such a two-sided p.
      let judgements = row.p.map { p in
        Judgement(Spread([-1, 0, 1].map { $0 + Student.quantile(1 - p / 2, degreesOfFreedom: 2) / 3.0.squareRoot() }), Criterion(atLeast: 0))
      }
      expect(judgements.map(\.reproduced), row.p)
      #expect(judgements.holm.map { $0 == .reproduced } == row.reject)
    }
  }
}
