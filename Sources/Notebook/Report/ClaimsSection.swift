internal import Statistics

/// The claims of a script as a table, which a narrow page shows as a list of cards.
struct ClaimsSection {
  let claims: [Claim]

  var html: String {
    let columns = claims.columns + [(name: "why", cell: { $0.reason })]
    // What is said of no claim is left out.
    let shown = columns.filter { column in claims.contains { !["", "-"].contains(column.cell($0)) } }
    let rows = claims.map { claim in
      let cells = shown.map { column in
        let text = column.cell(claim)
        let kind = column.name == "verdict" ? " class=\"verdict \(Self.kind(of: claim.verdict))\"" : text.isEmpty ? " class=\"empty\"" : ""
        return "<td role=\"cell\"\(kind) data-name=\"\(HTML.escaped(column.name))\">\(HTML.escaped(text))</td>"
      }
      return "<tr role=\"row\">\(cells.joined())</tr>"
    }
    let heads = shown.map { "<th role=\"columnheader\" scope=\"col\">\(HTML.escaped($0.name))</th>" }.joined()
    // The roles keep it a table for screen readers where a narrow page shows its rows as blocks.
    let table = """
      <table role="table" class="claims">
      <thead role="rowgroup"><tr role="row">\(heads)</tr></thead>
      <tbody role="rowgroup">
      \(rows.joined(separator: "\n"))
      </tbody>
      </table>
      """
    return "<h2 id=\"claims\">Claims</h2>\n" + HTML.scrolling("Claims", table)
  }

  /// `2 claims reproduced, 1 not reproduced`; empty where there are none.
  var summary: String {
    let counts = Claim.Verdict.allCases.compactMap { verdict -> String? in
      let number = claims.count { $0.verdict == verdict }
      return number == 0 ? nil : "\(number) \(verdict.rawValue)"
    }
    return counts.isEmpty ? "" : "\(claims.count == 1 ? "1 claim" : "\(claims.count) claims"): \(counts.joined(separator: ", "))"
  }

  static func kind(of verdict: Claim.Verdict) -> String { verdict.rawValue.replacing(" ", with: "-") }
}
