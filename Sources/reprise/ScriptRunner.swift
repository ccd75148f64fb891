import ArgumentParser
import Distribution
import Foundation
import Notebook
import Script

/// Runs a whole script and says how it went.
struct ScriptRunner {
  var settings: [String: String] = [:]
  var asJSON = false
  /// Whether a claim that is undecided counts as one that does not hold.
  var isStrict = false
  /// Where a page about the run goes.
  var report: String?
  /// Whether it only tells what it would cost: nothing is printed.
  var isPlanning = false
  /// Whether what is written goes to a folder that is gone afterwards.
  var isApart = false
  var notebook: NotebookSession
  /// Where the scripts come from that the script uses.
  var scripts = UsedScripts.files

  /// - Throws: `ExitCode` where the script did not run, or a claim of it did not hold.
  func run(_ read: () throws(ScriptError) -> Source) throws {
    Signals.install(endsOnSecond: true)
    let source: Source
    do throws(ScriptError) {
      source = try Signals.whileWaiting(read)
    } catch {
      throw finish(ScriptFailure([error], stage: .check), output: [])
    }
    notebook.settings = settings
    notebook.tensorBoard?.begin(script: source.name, text: source.text)
    try run(source) { [settings] session throws(ScriptFailure) in
      _ = try session.run(source, settings: settings)
    }
  }

  /// Runs what was typed at the prompt, entry by entry. What failed then may fail again, but for the last.
  func run(_ entries: [PromptEntry]) throws {
    guard let last = entries.last else { return }
    Signals.install(endsOnSecond: true)
    try run(last.source) { session throws(ScriptFailure) in
      for entry in entries {
        do throws(ScriptFailure) { try session.run(entry) } catch {
          if entry == last || entry.succeeded || error.category == .interrupted { throw error }
        }
      }
    }
  }

  private func run(_ source: Source, _ work: @escaping @Sendable (Session) throws(ScriptFailure) -> Void) throws {
    let collected = CollectedOutput()
    let shown: any ScriptOutput = if isPlanning { SilentOutput() } else if asJSON { collected } else { TerminalOutput() }
    // One of several processes writes; what the others write is for themselves alone.
    let isApart = isApart || isPlanning || !notebook.communicator.isFirst
    let scratch = isApart ? try ScratchFolder.make() : ""
    defer { if isApart { try? FileManager.default.removeItem(atPath: scratch) } }
    if let report { try Self.checkPlace(ofReport: report) }
    let recorder = ReportRecorder(showing: shown)
    notebook.isReported = report != nil && notebook.communicator.isFirst
    // Before the script runs, since what it writes may lie in the same repository.
    let revision = report.flatMap { _ in source.name.hasPrefix("<") ? nil : SourceRevision(ofFile: source.name) }
    let (started, clock) = (Date(), ContinuousClock.now)
    let output: any ScriptOutput = report == nil ? shown : recorder
    let session = Session(library: notebookLibrary, output: output, interruption: Signals.interruption, host: notebook,
      workingDirectory: isApart
        ? WorkingDirectory(scratch, readingFrom: FileManager.default.currentDirectoryPath) : WorkingDirectory(), scripts: scripts)
    let failure = EvaluationThread().run { () -> ScriptFailure? in
      do throws(ScriptFailure) {
        try work(session)
        return nil
      } catch {
        return error
      }
    }
    if let report, notebook.communicator.isFirst {
      let page = Report(
        source, recorder, notebook,
        ReportFacts(
          command: ["reprise"] + CommandLine.arguments.dropFirst(),
          paths: ShownPaths(directory: FileManager.default.currentDirectoryPath, home: NSHomeDirectory()),
          started: started, seconds: (ContinuousClock.now - clock) / .seconds(1), revision: revision,
          ending: failure.map { .failed($0) } ?? (Signals.interruption.isRaised ? .interrupted : .finished)))
      do {
        try page.write(to: report)
        Streams.writeError("wrote \(report)\n")
      } catch {
        Streams.writeError("reprise: the report was not written: \(error)\n")
        if failure == nil { throw ExitCode(Status.runtime) }
      }
    }
    if let failure { throw finish(failure, output: collected.lines) }
    // A training that was asked to stop ends as a value, not as an error.
    if Signals.interruption.isRaised { throw ExitCode(Signals.isTerminating ? Status.terminated : Status.interrupted) }
    if isPlanning { return }
    let claims = notebook.claims
    let status = claims.hasFailure || isStrict && claims.hasUndecided ? Status.notReproduced : 0
    if asJSON {
      Streams.writeOutput(JSONReport(status: status, output: collected.lines, claims: notebook.claims).jsonText)
    } else if !notebook.claims.isEmpty {
      Streams.writeLine("\n" + notebook.claims.table)
    }
    if status != 0 { throw ExitCode(status) }
  }

  /// A report that cannot be written is told before hours of work.
  private static func checkPlace(ofReport path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: folder.isEmpty ? "." : folder, isDirectory: &isFolder)
    guard !exists || !isFolder.boolValue else { return }
    Streams.writeError("reprise: the report cannot be written: there is no folder \(folder)\n")
    throw ExitCode(Status.usage)
  }

  private func finish(_ failure: ScriptFailure, output: [String]) -> ExitCode {
    if asJSON {
      let status = failure.exitStatus
      Streams.writeOutput(
        JSONReport(status: status, output: output, claims: notebook.claims, failure: failure).jsonText)
    } else {
      Streams.writeError(Streams.messages.render(failure))
      if !notebook.claims.isEmpty { Streams.writeLine("\n" + notebook.claims.table) }
    }
    return ExitCode(failure.exitStatus)
  }
}

extension ScriptFailure {
  var exitStatus: Int32 {
    if Signals.isTerminating { return Status.terminated }
    return switch category {
    case .script: Status.script
    case .runtime: Status.runtime
    case .missingData: Status.missingData
    case .interrupted: Status.interrupted
    case .usage: Status.usage
    }
  }
}

/// Reads a script's file.
func readScript(_ path: String) throws(ScriptError) -> Source {
  if path == "-" { return try readStandardInput() }
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
    throw .unreadable(path: path, reason: "there is no such file")
  }
  guard !isFolder.boolValue else { throw .unreadable(path: path, reason: "this is a folder") }
  guard let handle = FileHandle(forReadingAtPath: path) else {
    throw .unreadable(path: path, reason: String(cString: strerror(errno)))
  }
  return try Source(validating: read(handle, path), name: path)
}

func readStandardInput() throws(ScriptError) -> Source {
  try Source(validating: read(FileHandle.standardInput, "<stdin>"), name: "<stdin>")
}

/// Reads up to a little more than the largest script, so that endless input ends too.
private func read(_ handle: FileHandle, _ name: String) throws(ScriptError) -> [UInt8] {
  var bytes: [UInt8] = []
  do {
    while bytes.count <= Source.largest, let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
      bytes += Array(data)
    }
  } catch {
    throw .unreadable(path: name, reason: String(cString: strerror(errno)))
  }
  return bytes
}
