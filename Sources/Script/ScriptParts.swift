/// A script cut into its outermost statements, so that together the parts are all of it: comments and blank lines belong to
/// the statement that they stand before, or beside.
package struct ScriptParts {
  package struct Part {
    /// Where the statement itself stands.
    package let statement: Range<Int>
    /// The statement with what belongs to it. Bytes.
    package let range: Range<Int>
    /// Whether it is a `##` line.
    package let isText: Bool
    /// What the statement names where it is a `param`.
    package let parameter: String?
  }
  package let parts: [Part]

  package init(_ source: Source) {
    let statements = Parser.parse(source).program.statements
    var parts: [Part] = []
    var start = source.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    for (index, statement) in statements.enumerated() {
      let range = statement.span.range
      var end = source.bytes.count
      if index + 1 < statements.count {
        let next = statements[index + 1].span.range.lowerBound
        let ofLine = source.range(ofLine: source.line(at: max(range.upperBound - 1, range.lowerBound))).upperBound
        end = min(next, max(ofLine, range.upperBound))
      }
      var (isText, parameter) = (false, String?.none)
      switch statement.kind {
      case .text: isText = true
      case .parameter(let found): parameter = found.name
      default: break
      }
      parts.append(Part(statement: range, range: start..<max(start, end), isText: isText, parameter: parameter))
      start = max(start, end)
    }
    self.parts = parts
  }

  /// The part whose statement begins at a byte.
  package func index(ofStatementAt offset: Int) -> Int? {
    var (low, high) = (0, parts.count)
    while low < high {
      let middle = (low + high) / 2
      if parts[middle].statement.lowerBound < offset { low = middle + 1 } else { high = middle }
    }
    return low < parts.count && parts[low].statement.lowerBound == offset ? low : nil
  }
}
