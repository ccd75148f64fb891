internal import Script

/// The differences of two set-ups, seed by seed. Accuracies are in per cent.
struct ComparisonValue: ScriptObject, Equatable {
  let first, second: String
  let seeds: [UInt64]
  let differences: [Double]

  private var spread: Spread { Spread(differences) }

  static let type = ObjectType(
    "comparison", "The differences of two set-ups in top-1, seed by seed. Works as the list of them, too.",
    fields: [
      .init("differences", .list(of: .number), "The second's top-1 less the first's, in points, for each seed."),
      .init("mean", .number, "Their mean."),
      .init("low", .number, "Where the 95 % interval of the mean begins."),
      .init("high", .number, "Where it ends."),
      .init("seeds", .list(of: .integer), "The seeds."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }
  var elements: [Value]? { differences.map(Value.number) }

  func field(_ name: String) -> Value? {
    switch name {
    case "differences": .list(differences)
    case "mean": .number(spread.mean)
    case "low": .number(spread.mean - spread.meanHalfWidth)
    case "high": .number(spread.mean + spread.meanHalfWidth)
    case "seeds": .list(seeds.map { Double($0) })
    default: nil
    }
  }

  var summary: String {
    "\(second) less \(first): \(NumberText.fixed(spread.mean, 2)) ± \(NumberText.fixed(spread.meanHalfWidth, 2)) points over \(seeds.count) seeds"
  }
}
