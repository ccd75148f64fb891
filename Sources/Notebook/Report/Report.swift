internal import CCmark
internal import Engine
internal import Foundation
public import Script
internal import Statistics
public import Tensors

/// One page of HTML that holds all of a run: text, code, output, pictures, claims and where it comes from. It loads nothing.
public struct Report {
  let title: String
  let entries: [ReportRecorder.Entry]
  let claims: [Claim]
  /// Facts about the run, in their order: a name and a value.
  let provenance: [(name: String, value: String)]
  /// What stopped the script, as the terminal shows it; nil where nothing did.
  let failure: String?

  /// Makes the report of a script that ran.
  /// - Parameter command: What was typed to run it.
  public init(
    _ source: Source, _ recorder: ReportRecorder, _ notebook: NotebookSession, command: String, version: String,
    failure: String?
  ) {
    entries = recorder.entries
    claims = notebook.claims
    self.failure = failure
    let heading = entries.lazy.compactMap { entry -> String? in
      if case .text(let text) = entry, text.hasPrefix("# ") { String(text.dropFirst(2)) } else { nil }
    }.first
    title = heading ?? source.name
    provenance = [
      ("command", command), ("Reprise", version), ("library", Engine.libraryVersion), ("processor", Engine.processor),
      ("threads", "\(notebook.engineThreads)"),
      ("seed", "\(notebook.seed)"),
      ("runs", notebook.runs.isEmpty ? "none" : notebook.runs.joined(separator: ", ")),
      ("exactness", "the same bits on the same kind of processor, with the same threads and build"),
    ]
  }

  /// Writes the page, whole or not at all.
  /// - Throws: `TensorError.file` with the system's reason.
  public func write(to path: String) throws(TensorError) { try writeAtomically(to: path, text: html) }

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(Self.escaped(title))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <main>
    \(body.joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }

  private var body: [String] {
    var parts: [String] = []
    var index = 0
    /// Takes entries as long as they are of one kind.
    func taken(_ next: (ReportRecorder.Entry) -> String?) -> String? {
      var lines: [String] = []
      while index < entries.count, let line = next(entries[index]) {
        lines.append(line)
        index += 1
      }
      return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }
    while index < entries.count {
      if let text = taken({ if case .text(let text) = $0 { text } else { nil } }) {
        parts.append(Self.html(markdown: text))
      } else if let code = taken({ if case .code(let code) = $0 { code } else { nil } }) {
        parts.append("<pre class=\"code\"><code>\(Self.escaped(code))</code></pre>")
      } else if let output = taken({ if case .output(let output) = $0 { output } else { nil } }) {
        parts.append("<pre class=\"output\">\(Self.escaped(output))</pre>")
      } else if case .picture(let name, let bytes) = entries[index] {
        parts.append(Self.figure(name, bytes))
        index += 1
      }
    }
    if let failure { parts.append("<h2>The script stopped</h2>\n<pre class=\"failure\">\(Self.escaped(failure))</pre>") }
    if !claims.isEmpty { parts.append(claimsTable) }
    let facts = provenance.map { "<tr><th>\(Self.escaped($0.name))</th><td>\(Self.escaped($0.value))</td></tr>" }
    parts.append("<h2>Where this comes from</h2>\n<table class=\"facts\">\n\(facts.joined(separator: "\n"))\n</table>")
    return parts
  }

  private var claimsTable: String {
    let columns = claims.columns + [(name: "why", cell: { $0.reason })]
    let rows = claims.map { claim in
      let kind = claim.verdict.rawValue.replacingOccurrences(of: " ", with: "-")
      let cells = columns.dropFirst().map { "<td>\(Self.escaped($0.cell(claim)))</td>" }
      return "<tr><td class=\"verdict \(kind)\">\(claim.verdict.rawValue)</td>" + cells.joined() + "</tr>"
    }
    let heads = columns.map { "<th>\($0.name)</th>" }.joined()
    return """
      <h2>Claims</h2>
      <div class="wide"><table class="claims">
      <thead><tr>\(heads)</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody>
      </table></div>
      """
  }

  private static func figure(_ name: String, _ bytes: [UInt8]?) -> String {
    guard let bytes else { return "<p class=\"failure\">\(escaped(name)) could not be read</p>" }
    return """
      <figure><img alt="\(escaped(name))" src="data:image/png;base64,\(Data(bytes).base64EncodedString())">
      <figcaption>\(escaped(name))</figcaption></figure>
      """
  }

  /// CommonMark, without raw HTML or links that run something: cmark's default.
  private static func html(markdown: String) -> String {
    let markdown = visible(markdown)
    guard let html = cmark_markdown_to_html(markdown, markdown.utf8.count, CMARK_OPT_DEFAULT) else { return "" }
    defer { free(html) }
    return String(cString: html)
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in visible(text) {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }

  /// Text with a sign in the place of each control character, which a page must not hold: `␛` for the escape of a
  /// terminal's colours. Marks that turn the direction of writing hide what a text says, and become `�`.
  private static func visible(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x09, 0x0A: result.append(scalar)
      case 0..<0x20: result.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
      case 0x7F: result.append("\u{2421}")
      case 0x80..<0xA0, 0x202A...0x202E, 0x2066...0x2069: result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  private static let style = """
    :root { color-scheme: light dark; }
    body { margin: 0; font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; background: #fff; color: #1b1b1b; }
    main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
    h1, h2, h3 { line-height: 1.25; margin: 2rem 0 .75rem; }
    pre { margin: .5rem 0; padding: .6rem .8rem; overflow-x: auto; font: .85rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace;
      border-radius: 4px; }
    pre.code { white-space: pre-wrap; background: #f3f5f7; border-left: 3px solid #9aa5b1; }
    pre.output { border-left: 3px solid #d8dee4; }
    pre.failure, p.failure { border-left: 3px solid #b3261e; color: #b3261e; padding-left: .8rem; }
    figure { margin: 1rem 0; } img { max-width: 100%; height: auto; } figcaption { font-size: .85rem; color: #667; }
    .wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
    th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid #d8dee4; }
    .facts th { font-weight: 600; white-space: nowrap; } .facts td { overflow-wrap: anywhere; }
    .verdict { font-weight: 600; white-space: nowrap; }
    .reproduced { color: #0b6b3a; } .not-reproduced { color: #b3261e; } .consistent { color: #1f5f99; } .undecided { color: #8a5a00; } .not-judged { color: #667; }
    @media (prefers-color-scheme: dark) {
      body { background: #16181b; color: #e6e6e6; } pre.code { background: #22262b; } figure { background: #fff; }
      th, td, pre.output { border-color: #3a4048; } figcaption { color: #445; }
      .reproduced { color: #5ad19a; } .not-reproduced, pre.failure { color: #ff8a80; } .consistent { color: #8ab8e6; } .undecided { color: #f0b85a; }
    }
    @media print { main { max-width: none; padding: 0; } pre { white-space: pre-wrap; } figure, tr { break-inside: avoid; } }
    """
}
