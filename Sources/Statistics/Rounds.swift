/// Times, or ratios of times, of rounds in which what is compared took turns; the number behind them is their median.
///
/// Times have long tails, so nothing is assumed of their distribution: tests and interval are those of the sign test.
package struct Rounds: Evidence, Hashable {
  /// In ascending order.
  package let values: [Double]

  /// - Precondition: At least one number, all finite.
  package init(_ values: [Double]) {
    precondition(!values.isEmpty && values.allSatisfy(\.isFinite))
    self.values = values.sorted()
  }

  package var estimate: Double {
    let middle = values.count / 2
    return values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
  }

  /// Half of what the 95 % interval is, in units of the normal distribution's.
  package var standardError: Double {
    let interval = interval(0.95)
    return (interval.upperBound - interval.lowerBound) / (2 * 1.959963984540054)
  }

  /// With fewer rounds no interval of 95 % has ends.
  package var isEnough: Bool { values.count >= 6 }

  package func chanceOfAbove(_ bound: Double) -> Double {
    Binomial.atLeast(values.count { $0 > bound }, of: values.count, share: 0.5)
  }

  package func chanceOfBelow(_ bound: Double) -> Double {
    Binomial.atLeast(values.count { $0 < bound }, of: values.count, share: 0.5)
  }

  /// From the r-th lowest to the r-th highest; from the lowest to the highest where no r would do.
  package func interval(_ level: Double) -> ClosedRange<Double> {
    var rank = 0
    while rank + 1 < values.count / 2, Binomial.atMost(rank + 1, of: values.count, share: 0.5) <= (1 - level) / 2 { rank += 1 }
    return values[rank]...values[values.count - 1 - rank]
  }

  package func needed(toTellFrom bound: Double) -> Needed? {
    let size = sizeForPower(of: values.count, standardError: standardError, distance: abs(estimate - bound))
    return size.map { Needed(count: max(Int($0.rounded(.up)), values.count + 1, 6), unit: .rounds) }
  }
}
