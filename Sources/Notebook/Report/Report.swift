internal import Foundation
public import Script
internal import Statistics
public import Tensors

/// One page of HTML that holds all of a run: text, code, output, pictures, claims and where it comes from. It loads nothing.
public struct Report {
  private let source: Source
  private let entries: [ReportRecorder.Entry]
  private let claims: ClaimsSection
  private let facts: ReportFacts
  private let notebook: NotebookSession
  private let parts: ScriptParts
  private let listing: CodeListing

  /// Makes the report of a script that ran.
  public init(_ source: Source, _ recorder: ReportRecorder, _ notebook: NotebookSession, _ facts: ReportFacts) {
    (self.source, self.notebook, self.facts) = (source, notebook, facts)
    entries = recorder.entries
    claims = ClaimsSection(claims: notebook.claims)
    parts = ScriptParts(source)
    listing = CodeListing(source)
  }

  /// Writes the page, whole or not at all.
  /// - Throws: `TensorError.file` with the system's reason.
  public func write(to path: String) throws(TensorError) { try writeAtomically(to: path, text: html) }

  /// The page.
  public var html: String {
    var body = ReportBody(self)
    body.add(entries)
    body.addEnding()
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="generator" content="Reprise \(programVersion)">
      <title>\(HTML.escaped(body.title ?? fileName))</title>
      <style>
      \(Self.style)
      </style>
      </head>
      <body>
      <main>
      <header>
      \(body.heading ?? "<h1>\(HTML.escaped(fileName))</h1>")
      \(summary)
      </header>
      \(contents(body.headings))
      \(body.html.joined(separator: "\n"))
      \(claims.claims.isEmpty ? "" : claims.html)
      \(ProvenanceSection(facts: facts, source: source, notebook: notebook).html)
      \(wholeScript)
      </main>
      </body>
      </html>

      """
  }

  private var fileName: String { String(source.name.split(separator: "/").last ?? "script") }

  /// When it ran and what came of it, in a line or two.
  private var summary: String {
    let run = "Run \(facts.shownDate) in \(NumberText.duration(facts.seconds))."
    let verdicts = claims.summary.isEmpty ? "" : " <a href=\"#claims\">\(HTML.escaped(claims.summary))</a>."
    var lines = ["<p class=\"lead\">\(HTML.escaped(run))\(verdicts)</p>"]
    if let ending {
      lines.append("<p class=\"\(ending.kind)\"><a href=\"#stopped\">\(HTML.escaped(ending.title))</a>.</p>")
    }
    return lines.joined(separator: "\n")
  }

  /// A list of the headings, where there are several.
  private func contents(_ headings: [Markdown.Heading]) -> String {
    var links = headings.filter { $0.level == 2 }.map { ($0.anchor, $0.text) }
    guard !links.isEmpty else { return "" }
    if ending != nil { links.append(("stopped", "Where it stopped")) }
    if !claims.claims.isEmpty { links.append(("claims", "Claims")) }
    links += [("provenance", "Where this comes from"), ("script", "The whole script")]
    let items = links.map { "<li><a href=\"#\($0.0)\">\(HTML.escaped($0.1))</a></li>" }
    return "<nav aria-label=\"Contents\"><ul>\n\(items.joined(separator: "\n"))\n</ul></nav>"
  }

  private var wholeScript: String {
    let lines = source.lineCount
    let name = facts.paths.shortened(source.name)
    return """
      <h2 id="script">The whole script</h2>
      <details><summary>\(HTML.escaped(name)), \(NumberText.grouped(lines)) line\(lines == 1 ? "" : "s")</summary>
      \(listing.block([(source.whole, "")]) ?? "<p>It is empty.</p>")
      </details>
      """
  }

  /// How a script that did not run to its end stopped.
  fileprivate var ending: (kind: String, title: String, message: String?)? {
    switch facts.ending {
    case .finished: return nil
    case .interrupted: return ("interrupted", "The script was interrupted", nil)
    case .failed(let failure):
      let message = DiagnosticRenderer().render(failure)
      if failure.category == .interrupted { return ("interrupted", "The script was interrupted", message) }
      return ("failure", failure.stage == .check ? "The script has errors" : "The script stopped with an error", message)
    }
  }

  /// The page between its heading and the claims.
  private struct ReportBody {
    private let report: Report
    private(set) var html: [String] = []
    private(set) var headings: [Markdown.Heading] = []
    /// The first heading, where the script begins with one: the page's own, and its text.
    private(set) var heading, title: String?
    private var anchors: Set<String> = ["claims", "provenance", "parameters", "data", "runs", "script", "stopped", "not-run"]
    private var texts: [String] = []
    /// What claims print, with the kinds of their verdicts.
    private let claimLines: [String: String]
    private var code: [(range: Range<Int>, note: String)] = []
    private var table: (head: [String], rows: [[String]])?
    private var output: [String] = []
    /// The parts before this one were reached.
    private var reached = 0
    /// What stands behind a text that was reached, and is shown below it.
    private var behind: Range<Int>?

    init(_ report: Report) {
      self.report = report
      claimLines = Dictionary(report.claims.claims.map { ($0.line, ClaimsSection.kind(of: $0.alone)) }) { first, _ in first }
    }

    mutating func add(_ entries: [ReportRecorder.Entry]) {
      for entry in entries {
        switch entry {
        case .text(let text):
          finish(but: .texts)
          texts.append(text)
        case .statement(let span): add(statement: span)
        case .output(let piece):
          add(piece)
        case .warning(let text):
          finish()
          html.append("<p class=\"warning\"><strong>Warning</strong> \(HTML.escaped(report.facts.paths.shortened(text)))</p>")
        case .picture(let name, let bytes):
          finish()
          let name = report.facts.paths.shortened(name)
          html.append(
            bytes.map { ReportFigure(name: name, bytes: $0).html }
              ?? "<p class=\"failure\">\(HTML.escaped(name)) could not be read</p>")
        }
      }
      if let behind, !report.source.isBlank(behind) { add(code: behind, note: "") }
      finish()
    }

    private mutating func add(statement span: Span) {
      guard span.source === report.source, let index = report.parts.index(ofStatementAt: span.range.lowerBound) else { return }
      let part = report.parts.parts[index]
      behind = nil
      reached = max(reached, index + 1)
      if part.isText {
        // The text itself is told when it runs. Comments before it, and behind the last, are code.
        let before = part.range.lowerBound..<part.statement.lowerBound
        if !report.source.isBlank(before) { add(code: before, note: "") }
        behind = part.statement.upperBound..<part.range.upperBound
        return
      }
      add(code: part.range, note: note(on: part.parameter))
    }

    private mutating func add(code range: Range<Int>, note: String) {
      finish(but: .code)
      code.append((range, note))
    }

    /// What to say of a parameter that was set.
    private func note(on parameter: String?) -> String {
      guard let parameter else { return "" }
      let all = EffectiveParameter.all(of: report.source, settings: report.notebook.settings)
      guard let found = all.first(where: { $0.name == parameter }), found.isSet else { return "" }
      return "is \(found.value) here: --set"
    }

    private mutating func add(_ piece: OutputPiece) {
      switch piece {
      case .text(let text):
        if let kind = claimLines[text], let colon = text.firstIndex(of: ":") {
          finish()
          html.append(
            "<p class=\"output claim\"><strong class=\"verdict \(kind)\">\(HTML.escaped(text[..<colon]))</strong>"
              + "\(HTML.escaped(text[colon...]))</p>")
          return
        }
        finish(but: .output)
        output.append(report.facts.paths.shortened(text))
      case .table(let whole):
        finish()
        html.append("<div class=\"output\">\(HTML.table(whole))</div>")
      case .line(let cells, _, let isHead):
        finish(but: isHead ? nil : .table)
        if isHead { table = (cells, []) } else { table = (table?.head ?? [], (table?.rows ?? []) + [cells]) }
      }
    }

    private enum Kind { case texts, code, output, table }

    /// Writes down what was gathered, but for one kind.
    private mutating func finish(but kind: Kind? = nil) {
      if kind != .texts, !texts.isEmpty {
        add(markdown: texts.joined(separator: "\n"))
        texts = []
      }
      if kind != .code, !code.isEmpty {
        if let block = report.listing.block(code) { html.append(block) }
        code = []
      }
      if kind != .output, !output.isEmpty {
        let text = String(output.joined(separator: "\n").trimmingPrefix { $0 == "\n" })
        let trimmed = text.last == "\n" ? String(text.reversed().drop { $0 == "\n" }.reversed()) : text
        html.append("<pre class=\"output\(Self.isAligned(trimmed) ? " aligned" : "")\">\(HTML.escaped(trimmed))</pre>")
        output = []
      }
      if kind != .table, let table {
        html.append("<div class=\"output\">" + HTML.table("Table", head: table.head, rows: table.rows) + "</div>")
        self.table = nil
      }
    }

    /// Whether lines stand below each other in columns, or draw something, so that breaking them would garble them.
    private static func isAligned(_ text: String) -> Bool {
      text.split(separator: "\n").contains { line in
        line.drop { $0 == " " }.contains("  ")
          || line.unicodeScalars.contains { (0x2500...0x259F).contains($0.value) || (0x2800...0x28FF).contains($0.value) }
      }
    }

    private mutating func add(markdown: String) {
      let text = Markdown(markdown, &anchors)
      var shown = text.html
      if heading == nil, headings.isEmpty, let first = text.headings.first, first.level == 1, shown.hasPrefix("<h1 "),
        let end = shown.range(of: "</h1>")
      {
        (heading, title) = (String(shown[..<end.upperBound]), first.text)
        shown = String(shown[end.upperBound...])
      }
      headings += text.headings
      if shown.contains(where: { !$0.isWhitespace }) { html.append(shown) }
    }

    /// Says how it ended where it did not run to its end, and what did not run.
    mutating func addEnding() {
      guard let ending = report.ending else { return }
      html.append("<h2 id=\"stopped\">\(HTML.escaped(ending.title))</h2>")
      if let message = ending.message {
        html.append("<pre class=\"\(ending.kind)\">\(HTML.escaped(report.facts.paths.shortened(message)))</pre>")
      }
      let rest: Range<Int>
      if case .failed(let failure) = report.facts.ending, failure.stage == .check {
        rest = report.source.whole
      } else {
        guard reached < report.parts.parts.count else { return }
        rest = report.parts.parts[reached].range.lowerBound..<report.source.whole.upperBound
      }
      guard let block = report.listing.block([(rest, "")], kind: "code unrun") else { return }
      html.append("<h3 id=\"not-run\">Not run</h3>\n\(block)")
    }
  }
}

extension Source {
  fileprivate var lineCount: Int {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    return lines.count - (lines.last == "" ? 1 : 0)
  }

  /// All of its bytes but the mark that some editors begin a file with.
  fileprivate var whole: Range<Int> { (bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)..<bytes.count }
}
