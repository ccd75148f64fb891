import ArgumentParser
import Foundation
import Notebook
import Script

/// Reads a script, from a file or from standard input (`-`).
func readScript(_ path: String) throws -> Source {
  let data: Data
  if path == "-" {
    data = (try? FileHandle.standardInput.readToEnd()) ?? Data()
  } else {
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      let reason = isFolder.boolValue ? "is a folder" : exists ? "cannot be read" : "does not exist"
      Console.error("error: the script '\(path)' \(reason)")
      throw ExitCode.usage
    }
  }
  do { return try Source(validating: [UInt8](data), name: path == "-" ? "standard input" : path) } catch {
    Console.error(Console.renderer.render(error))
    throw ExitCode.script
  }
}

/// Runs a script on the thread that has the deep stack.
func evaluate(
  _ source: Source, settings: [String: String] = [:], in session: Session, on thread: EvaluationThread
) -> Result<Session.Outcome, ScriptFailure> {
  thread.run {
    do throws(ScriptFailure) { return .success(try session.run(source, settings: settings)) } catch {
      return .failure(error)
    }
  }
}

extension ErrorCategory {
  var exitCode: ExitCode {
    switch self {
    case .script: .script
    case .runtime: .runtime
    case .missingData: .missingData
    case .interrupted: .interrupted
    case .usage: .usage
    }
  }
}

/// What all that computes can be told.
struct ComputeOptions: ParsableArguments {
  @Option(help: "What random numbers follow from where a script names no seed.")
  var seed: UInt64 = 1
  @Option(help: "Threads to compute on; all cores unless given.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads takes a number from 1 to 1024") }
  }

  var notebook: NotebookSession { NotebookSession(threads: threads, seed: seed, showProgress: Console.progress) }
}

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Check a script, run it, and judge its claims.")

  @ArgumentParser.Argument(help: "The script; - for standard input.", completion: .file(extensions: ["reprise"]))
  var file: String
  @Option(name: .customLong("set"), help: ArgumentHelp("Set a parameter of the script.", valueName: "name=value"))
  var settings: [String] = []
  @OptionGroup var compute: ComputeOptions
  @Flag(help: "Print one JSON document with the claims, and nothing else, on standard output.")
  var json = false

  func validate() throws {
    for setting in settings where !setting.contains("=") {
      throw ValidationError("--set takes name=value, not '\(setting)'")
    }
  }

  func run() throws {
    var values: [String: String] = [:]
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      values[String(parts[0])] = String(parts[1])
    }
    try Run.run(try readScript(file), settings: values, compute, json: json)
  }

  /// Runs a script, prints its claims, and throws the exit status where that is not 0.
  static func run(_ source: Source, settings: [String: String], _ compute: ComputeOptions, json: Bool) throws {
    Interrupts.watch()
    let notebook = compute.notebook
    let session = Session(
      library: notebookLibrary, output: ConsoleOutput(isQuiet: json), interruption: Interrupts.flag, host: notebook)
    let result = evaluate(source, settings: settings, in: session, on: EvaluationThread())
    var status = notebook.claims.hasFailure ? ExitCode.claimFailed : .success
    if case .failure(let failure) = result {
      Console.error(Console.renderer.render(failure))
      status = failure.category.exitCode
    } else if Interrupts.flag.isRaised {
      status = .interrupted
    }
    if json {
      Console.out("{\n\"claims\": \(notebook.claims.json),\n\"exitStatus\": \(status.rawValue)\n}")
    } else if !notebook.claims.isEmpty {
      Console.out("\n" + notebook.claims.table)
    }
    if status != .success { throw status }
  }
}

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Parse and check scripts without running them.")

  @ArgumentParser.Argument(help: "The scripts.", completion: .file(extensions: ["reprise"]))
  var files: [String]

  func run() throws {
    var isClean = true
    let thread = EvaluationThread()
    for file in files {
      let source = try readScript(file)
      let session = Session(library: notebookLibrary, output: ConsoleOutput())
      let errors = thread.run { session.check(source) }
      for error in errors { Console.error(Console.renderer.render(error)) }
      isClean = isClean && errors.isEmpty
    }
    if !isClean { throw ExitCode.script }
  }
}

struct Doc: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print the reference, of everything or of one name.")

  @ArgumentParser.Argument(help: "A built-in.")
  var name: String?

  func run() throws {
    let reference = Reference(notebookLibrary)
    guard let name else { return Console.out(reference.markdown) }
    guard let text = reference.help(name) else {
      Console.error(unknownName(name, in: reference))
      throw ExitCode.usage
    }
    Console.out(text)
  }
}

func unknownName(_ name: String, in reference: Reference) -> String {
  let near = reference.nearest(to: name).first.map { "; did you mean '\($0)'?" } ?? ""
  return "there is no built-in '\(name)'\(near)"
}
