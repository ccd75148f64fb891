internal import Foundation
internal import Script
internal import Statistics

/// The differences of two models on the same images, or of two set-ups, seed by seed. Accuracies are in per cent.
struct ComparisonValue: ScriptObject, Equatable {
  enum Evidence: Hashable {
    case images(PairedShares)
    /// With what the images contribute, where it is known which of them each run gets right.
    case seeds([UInt64], Spread, CrossedSpread?)
  }
  let first, second: String
  let evidence: Evidence
  /// Whether either was chosen by the images that both are measured on.
  let isSelected: Bool

  private var sample: any Statistics.Evidence {
    switch evidence {
    case .images(let pairs): pairs
    case .seeds(_, let spread, _): spread
    }
  }
  private var interval: ClosedRange<Double> { sample.interval(0.95) }
  private var pairs: PairedShares? { if case .images(let pairs) = evidence { pairs } else { nil } }
  private var seeds: [UInt64] { if case .seeds(let seeds, _, _) = evidence { seeds } else { [] } }
  private var differences: [Double] { if case .seeds(_, let spread, _) = evidence { spread.values } else { [sample.estimate] } }

  static let type = ObjectType(
    "comparison", "The difference in top-1 of two models on the same images, or the differences of two set-ups, one per seed. It can be used as a list of numbers.",
    fields: [
      .init("differences", .list(of: .number), "Top-1 of the second minus top-1 of the first, in percentage points: one, or one per seed."),
      .init("mean", .number, "Their mean."),
      .init("low", .number, "Lower end of the 95 % confidence interval of the mean."),
      .init("high", .number, "Upper end of the interval."),
      .init("seeds", .list(of: .integer), "The seeds; empty if two models are compared."),
      .init("onlyFirst", .optional(.integer), "Number of images that only the first model predicts correctly; none if seeds are compared."),
      .init("onlySecond", .optional(.integer), "Number of images that only the second model predicts correctly."),
      .init("p", .optional(.number), "p-value of McNemar's exact test: how probable a split at least as uneven is if both models are equally accurate."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }
  var elements: [Value]? { differences.map(Value.number) }

  func field(_ name: String) -> Value? {
    switch name {
    case "differences": .list(differences)
    case "mean": .number(sample.estimate)
    case "low": .number(interval.lowerBound)
    case "high": .number(interval.upperBound)
    case "seeds": .list(seeds.map { Double($0) })
    case "onlyFirst": pairs.map { Value.count($0.onlyFirst) } ?? Value.none
    case "onlySecond": pairs.map { Value.count($0.onlySecond) } ?? Value.none
    case "p": pairs.map { Value.number($0.mcNemar) } ?? Value.none
    default: nil
    }
  }

  var summary: String {
    let ends = interval
    let places = NumberText.places(for: ends.upperBound - ends.lowerBound)
    let difference =
      "\(second) less \(first): \(NumberText.fixed(sample.estimate, places)) (\(NumberText.interval(ends))) points"
    guard let pairs else { return "\(difference) over \(seeds.count) seeds" }
    return "\(difference) on \(NumberText.grouped(pairs.count)) images; only one is right on \(NumberText.grouped(pairs.onlyFirst)) "
      + "and \(NumberText.grouped(pairs.onlySecond)), McNemar's p \(NumberText.short(pairs.mcNemar))"
  }
}
