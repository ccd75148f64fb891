internal import CCmark
internal import Charts
internal import Datasets
internal import Engine
public import Foundation
public import Script
internal import Synchronization

/// What a session does not know of the run that a report is about.
public struct ReportFacts: Sendable {
  /// How the script came to its end.
  public enum Ending: Sendable {
    case finished
    /// Something asked it to stop, and no error says where: a training was its last statement.
    case interrupted
    case failed(ScriptFailure)
  }

  /// The words that were typed.
  public var command: [String]
  public var paths: ShownPaths
  public var started: Date
  public var seconds: Double
  public var revision: SourceRevision?
  public var ending: Ending

  public init(
    command: [String], paths: ShownPaths, started: Date, seconds: Double, revision: SourceRevision? = nil,
    ending: Ending = .finished
  ) {
    (self.command, self.paths, self.started, self.seconds) = (command, paths, started, seconds)
    (self.revision, self.ending) = (revision, ending)
  }

  /// The command as a shell would take it, without the machine's paths.
  var shownCommand: String { command.map { Self.quoted(paths.shortened($0)) }.joined(separator: " ") }

  private static func quoted(_ word: String) -> String {
    let isPlain = !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=,:+@%~".contains($0) }
    return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }

  /// `2026-12-01 04:05:06 UTC`.
  var shownDate: String { Self.text(of: started) + " UTC" }

  static func text(of date: Date) -> String {
    date.formatted(
      .iso8601.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
  }
}

/// The tables at the end of a report: where its numbers come from.
struct ProvenanceSection {
  let facts: ReportFacts
  let source: Source
  let notebook: NotebookSession

  var html: String {
    var parts = ["<h2 id=\"provenance\">Where this comes from</h2>", table(of: rows)]
    let parameters = EffectiveParameter.all(of: source, settings: notebook.settings)
    if !parameters.isEmpty {
      parts.append("<h3 id=\"parameters\">Parameters</h3>")
      parts.append(
        HTML.table(
          "Parameters", head: ["parameter", "value", "default", "given by", "what it is"],
          rows: parameters.map { [$0.name, $0.value, $0.default, $0.isSet ? "--set" : "the script", $0.doc] }))
    }
    let usage = notebook.usage.withLock { $0 }
    let data = usage.data.map { use -> [String] in
      let hash = use.hash ?? (try? use.data.contentHash(knownIn: nil)) ?? "not known"
      let counts = [use.data.train.count, use.data.validation.count].map { NumberText.grouped($0) }
      return [use.data.name] + counts + [hash]
    }
    if !data.isEmpty {
      parts.append("<h3 id=\"data\">Data</h3>")
      parts.append(
        HTML.table(
          "Data", head: ["dataset", "training images", "validation images", "SHA-256 of classes, images and labels"],
          rows: data))
    }
    if !usage.runs.isEmpty {
      parts.append("<h3 id=\"runs\">Runs</h3>")
      parts.append(
        HTML.table(
          "Runs", head: ["run", "kind", "of", "top-1 %", "state", "made"],
          rows: usage.runs.map { run in
            [
              run.id, run.kind, run.name, run.top1.map { NumberText.fixed($0, 2) } ?? "", run.state,
              run.made.map { "taken from the store, made \(ReportFacts.text(of: $0)) UTC" } ?? "here",
            ]
          }))
    }
    return parts.joined(separator: "\n")
  }

  private var rows: [(name: String, value: String)] {
    let exactness = ExactnessClass(notebook)
    let system = ProcessInfo.processInfo
    var rows = [
      ("command", facts.shownCommand), ("started", facts.shownDate), ("took", NumberText.duration(facts.seconds)),
      ("host", system.hostName), ("system", system.operatingSystemVersionString),
    ]
    if let revision = facts.revision { rows.append(("source revision", "git commit \(revision.commit)")) }
    rows += [
      ("Reprise", "\(programVersion), build \(ExactnessClass.programHash)"),
      ("libraries", ([Engine.libraryVersion, DrawingLibrary.version] + ImageLibraries.versions + [Self.markdownLibrary]).joined(separator: ", ")),
      ("processor", exactness.processor ?? "unknown"), ("threads", "\(notebook.engineThreads)"),
      ("convolutions", exactness.convolutions ?? "fastest"),
    ]
    if let processes = exactness.processes { rows.append(("processes", processes)) }
    return rows + [
      ("seed", "\(notebook.seed)"),
      ("exactness", "the same bits on the same kind of processor, with the same threads and build"),
    ]
  }

  private static var markdownLibrary: String { "cmark \(String(cString: cmark_version_string()))" }

  private func table(of rows: [(name: String, value: String)]) -> String {
    let lines = rows.map { "<tr><th scope=\"row\">\(HTML.escaped($0.name))</th><td>\(HTML.escaped($0.value))</td></tr>" }
    return "<table class=\"facts\">\n<tbody>\n\(lines.joined(separator: "\n"))\n</tbody>\n</table>"
  }
}
