internal import Script

/// A claim with its verdict in the language.
struct ClaimValue: ScriptObject, Equatable {
  let claim: Claim

  static let type = ObjectType(
    "claim", "A statement, what was reported, what was measured here, and whether it held.",
    fields: [
      .init("name", .string, "The statement."),
      .init("measured", .optional(.number), "What was measured here; none where nothing was."),
      .init("reported", .optional(.number), "What was reported; none where the claim has bounds of its own."),
      .init(
        "verdict", .oneOf(Claim.Verdict.allCases.map(\.rawValue)),
        "\"reproduced\", \"not reproduced\", \"undecided\" or \"not judged\"."),
      .init("reason", .string, "Why, in words."),
      .init("source", .string, "Where it was reported; empty where nobody says."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  func field(_ name: String) -> Value? {
    switch name {
    case "name": .string(claim.statement)
    case "measured": claim.measured.map(Value.number) ?? Value.none
    case "reported": claim.reported.map(Value.number) ?? Value.none
    case "verdict": .string(claim.verdict.rawValue)
    case "reason": .string(claim.reason)
    case "source": .string(claim.source)
    default: nil
    }
  }

  var summary: String { claim.line }
}
