import Foundation
import Notebook
import Script
import Testing

/// The report of a script, made as the command line makes it.
struct Page {
  let html: String
  let workshop: Workshop

  /// - Parameters:
  ///   - settings: Values for the script's parameters.
  ///   - workshop: Where it runs; a new one unless given.
  init(
    _ text: String, settings: [String: String] = [:], command: [String] = ["reprise", "run", "test.reprise"],
    revision: SourceRevision? = nil, in given: Workshop? = nil
  ) throws {
    let workshop = try given ?? Workshop()
    self.workshop = workshop
    let recorder = ReportRecorder(showing: workshop.output)
    let session = Session(
      library: notebookLibrary, output: recorder, interruption: workshop.interruption, host: workshop.notebook,
      workingDirectory: WorkingDirectory(workshop.folder))
    let source = Source(text, name: "test.reprise")
    workshop.notebook.settings = settings
    workshop.notebook.isReported = true
    var ending = ReportFacts.Ending.finished
    do throws(ScriptFailure) {
      try session.run(source, settings: settings)
      if workshop.interruption.isRaised { ending = .interrupted }
    } catch { ending = .failed(error) }
    html =
      Report(
        source, recorder, workshop.notebook,
        ReportFacts(
          command: command, paths: ShownPaths(directory: session.workingDirectory.path, home: "/home/reader"),
          started: Date(timeIntervalSince1970: 1_800_000_000), seconds: 61, revision: revision, ending: ending)
      ).html
  }

  /// What a reader sees: no tags, no entities.
  var text: String { Self.text(of: html[(html.range(of: "<body>")?.upperBound ?? html.startIndex)...]) }

  /// What stands between two pieces of the page; nil where one is missing.
  func part(from start: String, to end: String) -> String? {
    guard let start = html.range(of: start), let end = html[start.upperBound...].range(of: end) else { return nil }
    return String(html[start.upperBound..<end.lowerBound])
  }

  static func text(of html: some StringProtocol) -> String {
    var text = ""
    var isTag = false
    for character in html {
      if character == "<" { isTag = true } else if character == ">" { isTag = false } else if !isTag { text.append(character) }
    }
    for (name, sign) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] { text = text.replacing(name, with: sign) }
    return text
  }

  /// The cells of all tables, row by row.
  var rows: [[String]] {
    html.components(separatedBy: "<tr").dropFirst().map { row in
      let cells = row.components(separatedBy: "</tr>")[0].components(separatedBy: "<t").dropFirst()
      return cells.map { Self.text(of: "<t" + $0) }
    }
  }

  /// Pieces stand in the page in this order.
  func expect(_ pieces: [String], sourceLocation: SourceLocation = #_sourceLocation) {
    var rest = text[...]
    for piece in pieces {
      guard let found = rest.range(of: piece) else {
        Issue.record("'\(piece)' is missing, or too early", sourceLocation: sourceLocation)
        return
      }
      rest = rest[found.upperBound...]
    }
  }
}
