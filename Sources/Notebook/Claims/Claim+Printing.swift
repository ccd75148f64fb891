internal import Foundation
internal import Script
internal import Statistics
internal import Tensors

extension Claim {
  /// What was measured, with both ends of its 95 % interval: `91.30 (90.73 to 91.84)`.
  var measuredText: String {
    guard let measured else { return "-" }
    guard let low, let high else { return NumberText.short(measured) }
    let places = NumberText.places(for: high - low)
    return "\(NumberText.fixed(measured, places)) (\(NumberText.interval(low...high)))"
  }

  /// What was required: `25,557,032`, `at least 91`, or both.
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

  /// What it speaks of, and whether that was chosen by the images that judge it.
  var populationText: String {
    [population.map(\.text), isSelected ? "selected on these images" : nil].compactMap(\.self).joined(separator: "; ")
  }

  /// One line: `reproduced: ResNet-50 has 25.6 M parameters: 25,557,032 (required: exactly 25,557,032)`.
  public var line: String {
    let about = [populationText, scale.isEmpty ? "" : "\(scale) scale"].filter { !$0.isEmpty }.joined(separator: ", ")
    let beside = family == nil || judgement == nil ? "" : ", by itself; the claims of \"\(family ?? "")\" are judged together at the end"
    return "\(alone.rawValue)\(beside): \(statement): \(measuredText) (\(reason))" + (about.isEmpty ? "" : " [\(about)]")
  }
}

extension [Claim] {
  /// Whether a claim was judged and did not hold: the command line's exit status 1.
  public var hasFailure: Bool { contains { $0.verdict == .notReproduced } }

  /// Whether the evidence of a claim is too thin: that is a failure too where `--strict` is asked for.
  public var hasUndecided: Bool { contains { $0.verdict == .undecided } }

  /// The claims as a table, and how many of each verdict there are; empty where there are none.
  public var table: String {
    guard !isEmpty else { return "" }
    let columns = columns
    let rows = map { claim in columns.map { Value.string($0.cell(claim)) } }
    let counts = Claim.Verdict.allCases.compactMap { verdict -> String? in
      let number = count { $0.verdict == verdict }
      return number == 0 ? nil : "\(number) \(verdict.rawValue)"
    }
    return Table(columns: columns.map(\.name), rows: rows).text + "\n\(counts.joined(separator: ", "))"
  }

  /// The columns of a table of these claims: those that would be empty are left out.
  var columns: [(name: String, cell: (Claim) -> String)] {
    var columns: [(name: String, cell: (Claim) -> String)] = [("verdict", { $0.verdict.rawValue })]
    if contains(where: { $0.family != nil }) {
      columns.append(("alone", { $0.family == nil ? "" : $0.alone.rawValue }))
      columns.append(("family", { $0.family ?? "" }))
    }
    columns += [
      ("claim", { $0.statement }), ("reported", { $0.reportedText }), ("measured", { $0.measuredText }), ("of", { $0.population?.text ?? "" }),
    ]
    if contains(where: \.isSelected) { columns.append(("selected", { $0.isSelected ? "on these images" : "" })) }
    if contains(where: { !$0.scale.isEmpty }) { columns.append(("scale", { $0.scale })) }
    return columns + [("source", { $0.source })]
  }

  /// The claims as a JSON list; keys sorted, what is not there left out.
  public var json: String { JSONText.of(self, isPretty: true) }
}
