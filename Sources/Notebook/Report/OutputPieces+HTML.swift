public import Script

extension [OutputPiece] {
  /// The same as HTML, where some of it is a table; nil for text alone, which is best shown as it is.
  public var html: String? {
    var result: [String] = []
    var lines: (head: [String], rows: [[String]])?
    var hasTable = false
    func finishLines() {
      if let table = lines { result.append(HTML.table("Table", head: table.head, rows: table.rows)) }
      lines = nil
    }
    for piece in self {
      switch piece {
      case .text(let text):
        finishLines()
        result.append("<pre>\(HTML.escaped(text))</pre>")
      case .table(let table):
        finishLines()
        hasTable = true
        result.append(HTML.table(table))
      case .line(let cells, _, let isHead):
        hasTable = true
        if isHead {
          finishLines()
          lines = (cells, [])
        } else {
          lines = (lines?.head ?? [], (lines?.rows ?? []) + [cells])
        }
      }
    }
    finishLines()
    return hasTable ? result.joined(separator: "\n") : nil
  }
}
