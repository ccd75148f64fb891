internal import Foundation
internal import Script

extension Claim {
  /// What was measured, with its uncertainty: `91.3 ± 0.55`.
  var measuredText: String {
    guard let measured else { return "-" }
    guard let halfWidth else { return NumberText.short(measured) }
    return "\(NumberText.fixed(measured, 2)) ± \(NumberText.fixed(halfWidth, 2))"
  }

  /// What it had to be: `25,557,032`, `at least 91`, or both.
  var reportedText: String {
    var parts: [String] = []
    if let reported { parts.append(NumberText.short(reported)) }
    switch (atLeast, atMost) {
    case (let low?, let high?) where low == high && low == reported: parts.append("exactly")
    case (let low?, let high?): parts.append("\(NumberText.short(low)) to \(NumberText.short(high))")
    case (let low?, nil): parts.append("at least \(NumberText.short(low))")
    case (nil, let high?): parts.append("at most \(NumberText.short(high))")
    case (nil, nil): break
    }
    return parts.isEmpty ? "-" : parts.joined(separator: ", ")
  }

  /// One line: `reproduced: ResNet-50 has 25.6 M parameters: 25,557,032 (it had to be exactly 25,557,032)`.
  public var line: String {
    "\(verdict.rawValue): \(statement): \(measuredText) (\(reason))" + (scale.isEmpty ? "" : ", \(scale) scale")
  }
}

extension [Claim] {
  /// Whether a claim was judged and did not hold: the command line's exit status 1.
  public var hasFailure: Bool { contains { $0.verdict == .notReproduced } }

  /// The claims as a table, and how many of each verdict there are; empty where there are none.
  public var table: String {
    guard !isEmpty else { return "" }
    let hasScale = contains { !$0.scale.isEmpty }
    let rows = map { claim -> [Value] in
      let cells = [claim.verdict.rawValue, claim.statement, claim.reportedText, claim.measuredText]
      return (cells + (hasScale ? [claim.scale] : []) + [claim.source]).map(Value.string)
    }
    let columns = ["verdict", "claim", "reported", "measured"] + (hasScale ? ["scale"] : []) + ["source"]
    let counts = Claim.Verdict.allCases.compactMap { verdict -> String? in
      let number = count { $0.verdict == verdict }
      return number == 0 ? nil : "\(number) \(verdict.rawValue)"
    }
    return Table(columns: columns, rows: rows).text + "\n\(counts.joined(separator: ", "))"
  }

  /// The claims as a JSON list; keys sorted, what is not there left out.
  public var json: String { JSONText.of(self, isPretty: true) }
}
