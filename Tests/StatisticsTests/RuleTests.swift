import Statistics
import Testing

@Suite("The rule of claims")
struct RuleTests {
  private func verdict(_ evidence: any Evidence, _ criterion: Criterion) -> Verdict { Judgement(evidence, criterion).verdict() }

  @Test("three training runs of ResNet-50 are consistent with torchvision's 76.13, and not more")
  func torchvision() {
    // pytorch/vision, issue 5593.
    let runs = Spread([75.88, 75.38, 75.49])
    #expect(verdict(runs, Criterion(reported: 76.13)) == .consistent)
    #expect(verdict(runs, Criterion(reported: 76.13, tolerance: 0.3)) == .consistent)
    #expect(verdict(runs, Criterion(reported: 77.13)) == .notReproduced)
    #expect(verdict(runs, Criterion(reported: 76.13, tolerance: 2)) == .reproduced)
  }

  @Test("procedure A1's 80.4 within 0.3 can be judged: by 50,000 images, and by three seeds")
  func strikesBack() {
    let claim = Criterion(reported: 80.4, tolerance: 0.3)
    #expect(verdict(Share(correct: 40_200, count: 50_000), claim) == .reproduced)
    #expect(verdict(Share(correct: 40_150, count: 50_000), claim) == .consistent)
    #expect(verdict(Share(correct: 39_950, count: 50_000), claim) == .undecided)
    #expect(verdict(Share(correct: 39_800, count: 50_000), claim) == .notReproduced)
    #expect(verdict(Spread([80.41, 80.32, 80.5]), claim) == .reproduced)
    #expect(verdict(Spread([79.6, 79.7, 79.65]), claim) == .notReproduced)
  }

  @Test("spread is no merit: wider evidence is never reproduced where narrower is not", arguments: [0.01, 0.1, 0.5, 2, 10])
  func noise(_ std: Double) {
    let runs = Spread([-1, 0, 1].map { 80.5 + std * $0 })
    #expect((verdict(runs, Criterion(reported: 80.4, tolerance: 0.3)) == .reproduced) == (std < 0.12))
    #expect(verdict(runs, Criterion(reported: 80.4)) != .reproduced)
  }

  @Test("with two seeds nothing is reproduced or consistent; they may still contradict")
  func twoSeeds() {
    #expect(verdict(Spread([80.4, 80.4001]), Criterion(reported: 80.4, tolerance: 1)) == .undecided)
    #expect(verdict(Spread([80.4, 80.5]), Criterion(reported: 80.4)) == .undecided)
    #expect(verdict(Spread([80.4, 80.5]), Criterion(atLeast: 90)) == .notReproduced)
  }

  @Test("a bound is reproduced only where the interval lies beyond it; consistent says nothing of bounds")
  func bounds() {
    #expect(verdict(Share(correct: 916, count: 1000), Criterion(atLeast: 91)) == .undecided)
    #expect(verdict(Share(correct: 916, count: 1000), Criterion(atLeast: 89)) == .reproduced)
    #expect(verdict(Share(correct: 916, count: 1000), Criterion(atLeast: 94)) == .notReproduced)
    #expect(verdict(Share(correct: 916, count: 1000), Criterion(reported: 91.6, atLeast: 91)) == .undecided)
    #expect(verdict(Share(correct: 916, count: 1000), Criterion(reported: 91.6, tolerance: 5, atMost: 90)) == .undecided)
  }

  @Test("equal seeds differ by what the step hides")
  func equalSeeds() {
    #expect(verdict(Spread([91, 91, 91], step: 0.1), Criterion(atLeast: 91)) == .undecided)
    #expect(verdict(Spread([91, 91, 91], step: 0.1), Criterion(atLeast: 90.5)) == .reproduced)
    #expect(verdict(Spread([91, 91, 91], step: 0.1), Criterion(atLeast: 90.95)) == .undecided)
  }

  @Test("fewer than six rounds of a timing decide nothing for a claim")
  func rounds() {
    #expect(verdict(Rounds([3, 3, 3, 3, 3]), Criterion(atLeast: 2)) == .undecided)
    #expect(verdict(Rounds([3, 3, 3, 3, 3, 3]), Criterion(atLeast: 2)) == .reproduced)
    #expect(verdict(Rounds([1, 3, 3, 3, 3, 3, 3]), Criterion(atLeast: 2)) == .undecided)
  }

  @Test("where images matter as much as seeds, more seeds alone do not decide")
  func crossed() throws {
    let seeds = CrossedSpread(shares: Spread([91.2, 91.3, 91.25]), images: 10_000)
    #expect(verdict(Spread([91.2, 91.3, 91.25]), Criterion(atLeast: 91)) == .reproduced)
    #expect(verdict(seeds, Criterion(atLeast: 91)) == .undecided)
    let needed = try #require(seeds.needed(toTellFrom: 91))
    #expect(needed.unit == .images && needed.count > 80_000)
    #expect(CrossedSpread(shares: Spread([91, 92, 91.5]), images: 1_000_000).needed(toTellFrom: 91)?.unit == .seeds)
  }

  @Test("mean and std do not depend on the size of the numbers", arguments: [1e-300, 1e-200, 1, 1e200, 1e299])
  func scale(_ factor: Double) {
    let (plain, scaled) = (Spread([1, 2, 4]), Spread([1, 2, 4].map { $0 * factor }))
    #expect(abs(scaled.estimate / factor - plain.estimate) < 1e-12)
    #expect(abs(scaled.standardError / factor - plain.standardError) < 1e-12)
  }

  @Test("numbers of every size give tails from 0 to 1 and intervals with ends")
  func sizes() {
    let all: [any Evidence] = [
      Spread([1e300, -1e300]), Spread([1e-308, 0, 0]), Spread([0, 0]), Share(correct: 0, count: 1), Share(correct: 1, count: 1),
      Share(correct: 500_000_000_000, count: 1_000_000_000_000), Share(correct: 9_999_999, count: 10_000_000),
      PairedShares(onlyFirst: 0, onlySecond: 0, count: 1), PairedShares(onlyFirst: 1, onlySecond: 0, count: 1),
      PairedShares(onlyFirst: 0, onlySecond: 1 << 40, count: 1 << 40), Rounds([0]), Rounds([1e300, -1e300]),
      CrossedSpread(shares: Spread([0, 0]), images: 1), CrossedSpread(shares: Spread([100, 0]), images: 10),
      CrossedSpread(seedSums: [0, 0], squaredImageSums: 0, squares: 0, images: 2),
      CrossedSpread(seedSums: [2, 0], squaredImageSums: 2, squares: 2, images: 2),
    ]
    for evidence in all {
      for bound in [-1e300, -100, 0, 1e-308, 37, 100, 1e300] {
        #expect((0...1).contains(evidence.chanceOfAbove(bound)) && (0...1).contains(evidence.chanceOfBelow(bound)), "\(evidence) \(bound)")
        #expect((0...1).contains(evidence.chanceOfReport(bound)), "\(evidence) \(bound)")
        if let needed = evidence.needed(toTellFrom: bound) { #expect(needed.count > 0) }
      }
      let interval = evidence.interval(0.95)
      #expect(interval.lowerBound <= evidence.estimate && evidence.estimate <= interval.upperBound, "\(evidence) \(interval)")
    }
  }
}
