internal import Foundation

/// A script in cells: what stands between lines that begin with `# %%`, as in the editors that know such cells.
///
/// Without such lines, each run of `##` lines is a cell of Markdown and what stands between them one of code. What a
/// notebook says of a cell beside its text stands behind the mark as JSON, so that it comes back.
public struct ScriptCells: Hashable, Sendable {
  public struct Cell: Hashable, Sendable {
    public var isMarkdown: Bool
    public var text: String
    /// What a notebook says of it: `tags`, and the like.
    public var metadata: [String: JSON] = [:]

    public init(isMarkdown: Bool, text: String, metadata: [String: JSON] = [:]) {
      (self.isMarkdown, self.text, self.metadata) = (isMarkdown, text, metadata)
    }
  }

  public var cells: [Cell]

  public init(_ cells: [Cell]) { self.cells = cells }

  static let mark = "# %%"
  /// The field of a cell's metadata that says how it stood in the script it came from.
  static let placeField = "reprise"

  // MARK: From a script

  /// Reads the cells of a script. `text` gives the same script back, byte for byte.
  public init(script: String) {
    let lines = Self.lines(of: script)
    let isMarked = lines.contains { Self.heading($0) != nil }
    cells = isMarked ? Self.marked(lines) : Self.unmarked(lines)
  }

  /// What a mark says; nil for a line that is none.
  static func heading(_ line: String) -> (isMarkdown: Bool, metadata: [String: JSON])? {
    // A line may end as Windows ends it.
    let line = line.last == "\r" ? line.dropLast() : line[...]
    guard line.hasPrefix(mark) else { return nil }
    var rest = line.dropFirst(mark.count)
    guard rest.isEmpty || rest.first == " " else { return nil }
    rest = rest.drop { $0 == " " }
    let isMarkdown = rest.hasPrefix("[markdown]")
    if isMarkdown { rest = rest.dropFirst("[markdown]".count).drop { $0 == " " } }
    if rest.isEmpty { return (isMarkdown, [:]) }
    if let fields = JSON(rest.utf8)?.object { return (isMarkdown, fields) }
    return (isMarkdown, ["title": .string(String(rest))])
  }

  private static func marked(_ lines: [String]) -> [Cell] {
    var cells: [Cell] = []
    var (body, head): ([String], String?) = ([], nil)
    func finish() {
      guard head != nil || !body.isEmpty else { return }
      let heading = head.flatMap(Self.heading) ?? (false, [:])
      var cell = Cell(isMarkdown: heading.isMarkdown, text: body.joined(separator: "\n"), metadata: heading.metadata)
      if cell.isMarkdown {
        // Text that would come back otherwise stays code, as `##` lines are.
        cell.text = markdown(body) ?? ""
        if markdown(body) == nil || Self.lines(of: cell) != body {
          (cell.isMarkdown, cell.text) = (false, body.joined(separator: "\n"))
        }
      }
      // A mark that would be written otherwise, and text before the first, keep their form.
      var place: [String: JSON] = [:]
      if head == nil { place["mark"] = .null } else if let head, head != mark(of: cell) { place["mark"] = .string(head) }
      if body.isEmpty { place["lines"] = 0 }
      if !place.isEmpty { cell.metadata[placeField] = .object(place) }
      cells.append(cell)
    }
    for line in lines {
      guard heading(line) != nil else {
        body.append(line)
        continue
      }
      finish()
      (body, head) = ([], line)
    }
    finish()
    return cells
  }

  /// Blank lines around a cell are no part of it; how many there are is kept where it is not one.
  private static func unmarked(_ lines: [String]) -> [Cell] {
    var cells: [Cell] = []
    var index = 0
    while index < lines.count {
      let start = index
      while index < lines.count, lines[index].isEmpty { index += 1 }
      let (blanks, first) = (index - start, index)
      let isText = index < lines.count && isMarkdown(lines[index])
      while index < lines.count, isMarkdown(lines[index]) == isText || (!isText && lines[index].isEmpty) { index += 1 }
      var last = index
      while last > first, lines[last - 1].isEmpty { last -= 1 }
      index = last
      let body = Array(lines[first..<last])
      var cell = Cell(isMarkdown: isText, text: isText ? markdown(body) ?? "" : body.joined(separator: "\n"))
      if Self.lines(of: cell) != body { cell = Cell(isMarkdown: false, text: body.joined(separator: "\n")) }
      let ends = lines[last...].allSatisfy(\.isEmpty)
      var place: [String: JSON] = ["blanks": .integer(blanks)]
      if ends {
        place["end"] = .integer(lines.count - last)
        index = lines.count
      }
      cell.metadata[placeField] = .object(place)
      cells.append(cell)
    }
    return cells
  }

  private static func isMarkdown(_ line: String) -> Bool { line == "##" || line.utf8.starts(with: "## ".utf8) }

  /// What stands between line feeds. By scalars, since a carriage return and a line feed are one character.
  static func lines(of text: String) -> [String] {
    text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The text of `##` lines; nil where a line is none.
  private static func markdown(_ lines: [String]) -> String? {
    var body = lines
    while body.last?.isEmpty == true { body.removeLast() }
    guard body.allSatisfy(isMarkdown) else { return nil }
    return (body.map { String($0.unicodeScalars.dropFirst(3)) } + lines.dropFirst(body.count).map { _ in "" })
      .joined(separator: "\n")
  }

  // MARK: To a script

  private static func mark(of cell: Cell) -> String {
    var fields = cell.metadata
    fields[placeField] = nil
    var line = mark + (cell.isMarkdown ? " [markdown]" : "")
    if fields.isEmpty { return line }
    // A title stands as it is where it is read back as the same title.
    if fields.count == 1, let title = fields["title"]?.string {
      let short = line + " " + title
      if !title.contains(where: \.isNewline), let read = heading(short), read.isMarkdown == cell.isMarkdown, read.metadata == fields {
        return short
      }
    }
    line += " " + String(decoding: JSON.object(fields).bytes(), as: UTF8.self)
    return line
  }

  private static func lines(of cell: Cell) -> [String] {
    let lines = lines(of: cell.text)
    guard cell.isMarkdown else { return lines }
    var body = lines
    while body.count > 1, body.last?.isEmpty == true { body.removeLast() }
    return body.map { $0.isEmpty ? "##" : "## " + $0 } + lines.dropFirst(body.count)
  }

  /// The script.
  public var script: String {
    let isPlain = !cells.isEmpty && cells.allSatisfy { $0.metadata[Self.placeField]?["blanks"] != nil && $0.metadata.count == 1 }
    var lines: [String] = []
    for cell in cells {
      let place = cell.metadata[Self.placeField]
      if isPlain {
        lines += Array(repeating: "", count: min(max(place?["blanks"]?.integer ?? 1, 0), 1000))
        if !(cell.text.isEmpty && !cell.isMarkdown) { lines += Self.lines(of: cell) }
        lines += Array(repeating: "", count: min(max(place?["end"]?.integer ?? 0, 0), 1000))
        continue
      }
      switch place?["mark"] {
      case .null?: break
      case .string(let text)? where Self.heading(text) != nil && !text.contains("\n"): lines.append(text)
      default: lines.append(Self.mark(of: cell))
      }
      if place?["lines"] != 0 || !cell.text.isEmpty { lines += Self.lines(of: cell) }
    }
    return lines.joined(separator: "\n")
  }
}
