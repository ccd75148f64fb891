import ArgumentParser
import Foundation
import Notebook
import Script

/// Calls work on the store of this folder; its failures are told and end the process.
/// - Parameter changes: whether files of the store are removed. Where none are, a folder that cannot be written will do.
func withStore<Result>(changes: Bool = false, _ body: (RunStore) throws -> Result) throws -> Result {
  let directory = FileManager.default.currentDirectoryPath
  let store = "\(directory)/\(WorkingDirectory.storeName)"
  // SQLite writes beside what it only reads: there it reads a copy.
  let isReadOnly = !changes && access(store, W_OK) != 0 && [EROFS, EACCES].contains(errno)
    && FileManager.default.fileExists(atPath: store + "/runs.sqlite")
  let scratch = isReadOnly ? try ScratchFolder.make() : ""
  defer { if isReadOnly { try? FileManager.default.removeItem(atPath: scratch) } }
  do {
    return try body(
      isReadOnly ? RunStore(copying: directory, into: scratch) : RunStore(in: directory, creates: false))
  } catch let failure as RunStore.Failure {
    Streams.writeError("reprise: \(failure)\n")
    if case .none = failure { Streams.writeError("  hint: a training run at the prompt or in a script makes one\n") }
    if case .unknown = failure { Streams.writeError("  hint: reprise runs lists them\n") }
    switch failure {
    case .none: throw ExitCode(Status.missingData)
    case .unusable:
      Streams.writeError("  hint: a store that is damaged can be moved away; the next run makes a new one\n")
      throw ExitCode(Status.runtime)
    case .unknown, .ambiguous: throw ExitCode(Status.usage)
    }
  }
}

private func text(_ date: Date) -> String {
  date.formatted(.iso8601.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
}

struct Runs: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Lists the runs in the run store of this folder.")
  @Flag(help: "Prints one JSON document and nothing else.") var json = false

  @Flag(help: "Prints a table of comma-separated values, a line for each run with its settings and results.") var csv = false

  func validate() throws {
    if json, csv { throw ValidationError("--json and --csv are two forms of one table: give one.") }
  }

  func run() throws {
    let runs = try withStore { try $0.runs() }
    if json { return Streams.writeOutput(RunTable(runs).json) }
    if csv { return Streams.writeOutput(RunTable(runs).csv) }
    guard !runs.isEmpty else { return Streams.writeLine("no runs yet") }
    let cells = [["run", "started", "state", "top-1", "kind", "what", "script", "build"]] + runs.map {
      [
        $0.id, text($0.started), $0.stateText, $0.top1.map { String(format: "%.2f", $0) } ?? "", $0.kind, $0.name,
        $0.scriptName, $0.isOfAnotherBuild ? "of another build" : "",
      ]
    }
    let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    for row in cells {
      let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
      Streams.writeLine(String(line.reversed().drop { $0 == " " }.reversed()))
    }
  }
}

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Shows the record of a run: inputs, environment, metrics and script.")
  @ArgumentParser.Argument(help: "The identifier of the run, or the beginning of it.") var id: String

  func run() throws {
    try withStore { store in
      let run = try store.run(id)
      Streams.writeLine("run \(run.key), \(run.stateText)\n\(run.kind) of \(run.name), begun \(text(run.started))")
      if let finished = run.finished { Streams.writeLine("ended \(text(finished))") }
      if run.isOfAnotherBuild { Streams.writeLine("of another build") }
      let attempts = try store.attempts(on: run)
      if attempts.count > 1 {
        Streams.writeLine(
          "attempts: " + attempts.map { "\($0.stateText) \(text($0.started))" }.joined(separator: ", "))
      }
      for (title, facts) in run.facts {
        Streams.writeLine("\n\(title)")
        let width = facts.map(\.name.count).max() ?? 0
        for fact in facts {
          Streams.writeLine("  \(fact.name)\(String(repeating: " ", count: width - fact.name.count))  \(fact.value)")
        }
      }
      Streams.writeLine("\nscript \(run.scriptName)")
      for line in run.text.split(separator: "\n", omittingEmptySubsequences: false) { Streams.writeLine("  \(line)") }
    }
  }
}

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Shows the differences between two runs.")
  @ArgumentParser.Argument(help: "The first run.") var first: String
  @ArgumentParser.Argument(help: "The second run.") var second: String

  func run() throws {
    try withStore { store in
      let (a, b) = (try store.run(first), try store.run(second))
      let (factsOfA, factsOfB) = (a.facts, b.facts)
      var rows: [(String, String, String)] = []
      for (group, other) in zip(factsOfA, factsOfB) {
        let left = Dictionary(group.facts.map { ($0.name, $0.value) }) { first, _ in first }
        let right = Dictionary(other.facts.map { ($0.name, $0.value) }) { first, _ in first }
        for name in Set(left.keys).union(right.keys).sorted() where left[name] != right[name] {
          rows.append((name, left[name] ?? "-", right[name] ?? "-"))
        }
      }
      if a.text != b.text { rows.append(("script", a.scriptName, b.scriptName)) }
      guard !rows.isEmpty else { return Streams.writeLine("nothing differs") }
      rows.insert(("", a.id, b.id), at: 0)
      let (names, lefts) = (rows.map(\.0.count).max() ?? 0, rows.map(\.1.count).max() ?? 0)
      for row in rows {
        let pad = { (text: String, width: Int) in text + String(repeating: " ", count: width - text.count) }
        Streams.writeLine("\(pad(row.0, names))  \(pad(row.1, lefts))  \(row.2)")
      }
    }
  }
}

struct ReplayRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Repeats a run and compares the results bit by bit.",
    discussion: """
      The run is repeated in a folder of its own, so that no file is overwritten. Exit status 0: all bits are equal. 1: they
      differ; the first step and parameter that differ are printed, and by how much.
      """)
  @ArgumentParser.Argument(help: "The identifier of the run, or the beginning of it.") var id: String

  func run() throws {
    let (run, replay) = try withStore { store in
      let run = try store.run(id)
      return (run, try Replay(run, in: store))
    }
    guard let replay, let settings = Replay.settings(of: run) else {
      Streams.writeError("reprise: run \(run.id) is not finished, so there is nothing to compare with\n")
      throw ExitCode(Status.usage)
    }
    let notebook = try NotebookSession(
      threads: settings.threads, seed: settings.seed, convolvesDirectly: settings.direct, replay: replay,
      communicator: Processes.communicator(), showProgress: Streams.progress,
      showNote: { Streams.writeError($0 + "\n") })
    Streams.writeError("doing run \(run.id) again: \(run.scriptName)\n")
    let runner = ScriptRunner(settings: settings.values, isApart: true, notebook: notebook, scripts: Replay.usedScripts(of: run))
    do {
      if run.entries.isEmpty {
        let source = Source(run.script, name: run.scriptName)
        try runner.run { () throws(ScriptError) in source }
      } else {
        try runner.run(run.entries)
      }
    } catch let code as ExitCode where code.rawValue == Status.notReproduced {
      // A claim that did not hold then need not hold now.
    }
    defer { for line in notebook.replayDetails { Streams.writeLine("  \(line)") } }
    switch notebook.replayFindings.first {
    case .same(let steps)?:
      Streams.writeLine("run \(run.id): the same bits\(steps > 0 ? " after \(steps) steps" : "")")
    case .differs(let step, let parameter, let lossDiffers)?:
      let what = [lossDiffers ? "the loss" : nil, parameter].compactMap(\.self).joined(separator: " and ")
      Streams.writeLine("run \(run.id) differs: first at step \(step), in \(what)")
      throw ExitCode(Status.notReproduced)
    case .differsAtEnd?:
      Streams.writeLine("run \(run.id) differs: in what it gave at the end, in no step that was noted")
      throw ExitCode(Status.notReproduced)
    case nil:
      Streams.writeLine(
        "run \(run.id) was not done again: its script does no such step here now; reprise compare tells what changed")
      throw ExitCode(Status.notReproduced)
    }
  }
}

struct GC: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Removes weights and checkpoints that are no longer needed.")
  @Option(parsing: .unconditional, help: "Also removes those of runs that started more than this many days ago. The runs stay listed.") var days: Int?
  @Flag(help: "Prints what would be removed and removes nothing.") var dryRun = false

  func validate() throws {
    if let days, !(0...100_000).contains(days) { throw ValidationError("--days must be 0...100000.") }
  }

  func run() throws {
    try withStore(changes: true) { store in
      let garbage = try store.garbage(before: days.map { Date().addingTimeInterval(-86_400 * Double($0)) })
      for item in garbage { Streams.writeLine("\(item.path): \(item.bytes) bytes, \(item.reason)") }
      let bytes = garbage.reduce(0) { $0 + $1.bytes }
      Streams.writeLine("\(dryRun ? "would remove" : "removed") \(garbage.count) files, \(bytes) bytes")
      if !dryRun { store.remove(garbage) }
    }
  }
}
