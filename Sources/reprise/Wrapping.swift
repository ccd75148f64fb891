extension String {
  /// Its lines, broken at blanks where they have more characters than columns. What follows stands under the text of its
  /// line: behind the names of a table, else two further. An example, which somebody may copy, stays whole.
  func wrapped(to columns: Int) -> String {
    split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.count <= columns || line.hasPrefix("  > ") ? String(line) : Self.wrapped(line, to: columns)
    }.joined(separator: "\n")
  }

  private static func wrapped(_ line: Substring, to columns: Int) -> String {
    let start = line.prefix { $0 == " " }.count
    var indent = start + 2
    // The first gap of several blanks ends the name.
    if let gap = line.dropFirst(start).firstRange(of: "  ") {
      let text = line[gap.lowerBound...].drop { $0 == " " }
      indent = line.distance(from: line.startIndex, to: text.startIndex)
    }
    if indent > columns / 2 { indent = start + 2 }
    var lines: [String] = []
    var rest = line
    while rest.count > columns, let cut = place(toBreak: rest, at: columns, behind: lines.isEmpty ? start : indent) {
      lines.append(String(rest[..<cut]))
      rest = Substring(String(repeating: " ", count: indent) + rest[cut...].drop { $0 == " " })
    }
    return (lines + [String(rest)]).joined(separator: "\n")
  }

  /// The last blank that fits, or else the first there is; none of those that a line begins with.
  private static func place(toBreak line: Substring, at columns: Int, behind indent: Int) -> String.Index? {
    let body = line.dropFirst(indent)
    let fitting = line.prefix(columns + 1).dropFirst(indent)
    let cut = fitting.lastIndex(of: " ") ?? body.firstIndex(of: " ")
    return cut.flatMap { line[$0...].allSatisfy { $0 == " " } ? nil : $0 }
  }
}
