internal import Script
internal import Statistics

/// A claim with its verdict in the language.
struct ClaimValue: ScriptObject, Equatable {
  let claim: Claim

  static let type = ObjectType(
    "claim", "A statement, what was reported, what was measured here, and whether it held.",
    fields: [
      .init("name", .string, "The statement."),
      .init("measured", .optional(.number), "What was measured here; none where nothing was."),
      .init("low", .optional(.number), "Where the 95 % interval of what was measured begins; none where it is no sample."),
      .init("high", .optional(.number), "Where it ends."),
      .init("population", .string, "What it speaks of, in words; empty where nothing was measured."),
      .init("selected", .bool, "Whether what was measured was chosen by the images that it was measured on."),
      .init("reported", .optional(.number), "What was reported; none where the claim has bounds of its own."),
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
