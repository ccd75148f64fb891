internal import Script
internal import Statistics

/// A claim with its verdict in the language.
struct ClaimValue: ScriptObject, Equatable {
  let claim: Claim

  static let type = ObjectType(
    "claim", "A statement, what was reported, what was measured here, and whether it held.",
    fields: [
      .init("name", .string, "The statement."),
      .init("measured", .optional(.number), "The measured number; none if nothing was measured."),
      .init("low", .optional(.number), "Lower end of the 95 % confidence interval; none if the number is exact."),
      .init("high", .optional(.number), "Upper end of the interval."),
      .init("population", .string, "The population of the claim, in words; empty if nothing was measured."),
      .init("selected", .bool, "Whether the model was selected on the images that it is evaluated on."),
      .init("reported", .optional(.number), "The reported number; none if the claim has bounds instead."),
      .init(
        "verdict", .oneOf(Claim.Verdict.allCases.map(\.rawValue)),
        "\"reproduced\", \"consistent\", \"not reproduced\", \"undecided\" or \"not judged\"; of a claim of a family, what its evidence says by itself."),
      .init("reason", .string, "Why, in words."),
      .init("source", .string, "Where it was reported; empty where nobody says."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  func field(_ name: String) -> Value? {
    switch name {
    case "name": .string(claim.statement)
    case "measured": claim.measured.map(Value.number) ?? Value.none
    case "low": claim.low.map(Value.number) ?? Value.none
    case "high": claim.high.map(Value.number) ?? Value.none
    case "population": .string(claim.population?.text ?? "")
    case "selected": .bool(claim.isSelected)
    case "reported": claim.reported.map(Value.number) ?? Value.none
    case "verdict": .string(claim.alone.rawValue)
    case "reason": .string(claim.reason)
    case "source": .string(claim.source)
    default: nil
    }
  }

  var summary: String { claim.line }
}
