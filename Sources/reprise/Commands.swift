import ArgumentParser
import Distribution
import Foundation
import Notebook
import Script

/// What all that computes can be told.
struct ComputeOptions: ParsableArguments {
  // A number that begins with a minus is out of range, not an option.
  @Option(parsing: .unconditional, help: "Seed for all calls that name no seed of their own.")
  var seed: UInt64 = 1

  @Option(parsing: .unconditional, help: "Number of compute threads. Default: the number of cores.")
  var threads: Int?

  @Flag(help: "Uses direct convolutions only, no Winograd kernels.")
  var direct = false

  @Flag(help: "Runs every step again, also those that the run store of this folder holds.")
  var fresh = false

  @Flag(help: "Takes results from the run store that another build of Reprise computed.")
  var acceptBuilds = false

  @Option(parsing: .unconditional, help: ArgumentHelp(
    "Seconds between two checkpoints of a training run. A checkpoint at the end of each epoch is always written.", valueName: "seconds"))
  var checkpointEvery: Double = 60

  func validate() throws {
    guard seed <= UInt64(seedRange.upperBound) else {
      throw ValidationError("--seed must be 0...\(UInt64(seedRange.upperBound)), as seed: in a script.")
    }
    guard checkpointEvery >= 0 else { throw ValidationError("--checkpoint-every must be at least 0.") }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1...1024.") }
  }

  /// Bytes of gradients that go between processes at once, where the environment says so: a setting of the cluster rather
  /// than of the experiment; but sums in other pieces may round otherwise.
  /// - Throws: `ExitCode` where the variable is no such number.
  private func bucketBytes() throws -> Int? {
    let name = "REPRISE_BUCKET_BYTES"
    guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else { return nil }
    let allowed = 1...1 << 40
    guard let bytes = Int(text), allowed.contains(bytes) else {
      Streams.writeError("reprise: \(name) must be \(allowed.lowerBound)...\(allowed.upperBound), not '\(text)'\n")
      throw ExitCode(Status.usage)
    }
    return bytes
  }

  /// - Throws: `ExitCode` where this process is to work with others, and cannot.
  func notebook() throws -> NotebookSession {
    if let problem = OpenFiles.problem {
      Streams.writeError("reprise: \(problem)\n")
      throw ExitCode(Status.runtime)
    }
    let bucketBytes = try bucketBytes()
    let communicator = try Processes.communicator()
    return NotebookSession(
      threads: threads ?? Processes.launch?.threads, seed: seed, convolvesDirectly: direct, isFresh: fresh,
      acceptsBuilds: acceptBuilds,
      checkpointInterval: checkpointEvery, communicator: communicator, bucketBytes: bucketBytes,
      showProgress: Streams.progress, showNote: { Streams.writeError($0 + "\n") })
  }
}

/// What the parameters of a script can be told.
struct ParameterOptions: ParsableArguments {
  @Option(
    name: .customLong("set"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Gives a parameter of the script a value.", valueName: "name=value"))
  var settings: [String] = []

  func validate() throws {
    for setting in settings where !setting.contains("=") || setting.hasPrefix("=") {
      throw ValidationError("--set takes NAME=VALUE, not '\(setting)'.")
    }
  }

  var values: [String: String] {
    var values: [String: String] = [:]
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      values[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
    }
    return values
  }
}

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Checks a script and runs it.")

  @ArgumentParser.Argument(help: "The script, or - for standard input.")
  var file: String

  @OptionGroup var parameters: ParameterOptions

  @OptionGroup var compute: ComputeOptions

  @OptionGroup var tensorBoard: TensorBoardOptions

  @Option(help: ArgumentHelp("Writes a report of the run as one HTML page.", valueName: "file.html"))
  var report: String?

  @Flag(help: "Prints one JSON document and nothing else.")
  var json = false

  @Flag(help: "Exits with 1 if a claim is undecided, too.")
  var strict = false

  func validate() throws {
    if file == "-", Processes.launch != nil {
      throw ValidationError("Under mpirun, standard input reaches the first process alone: give a file.")
    }
  }

  func run() throws {
    let notebook = try compute.notebook()
    try tensorBoard.attach(to: notebook)
    try ScriptRunner(settings: parameters.values, asJSON: json, isStrict: strict, report: report, notebook: notebook)
      .run { () throws(ScriptError) in try readScript(file) }
  }
}

struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Estimates what a script would cost on this machine: time, memory and disk.",
    discussion: """
      Runs the script with each training run cut off after a few seconds of its real steps, in a folder of its own: nothing
      is written into yours, not even into its store of runs.
      """)

  @ArgumentParser.Argument(help: "The script.")
  var file: String

  @OptionGroup var parameters: ParameterOptions

  @OptionGroup var compute: ComputeOptions

  func run() throws {
    let notebook = NotebookSession(
      threads: compute.threads, seed: compute.seed, convolvesDirectly: compute.direct, isFresh: compute.fresh, acceptsBuilds: compute.acceptBuilds,
      isPlanning: true, showNote: { Streams.writeError($0 + "\n") })
    let begun = ContinuousClock.now
    try ScriptRunner(settings: parameters.values, isPlanning: true, notebook: notebook)
      .run { () throws(ScriptError) in try readScript(file) }
    let elapsed = ContinuousClock.now - begun
    Streams.writeLine(notebook.costs.table(elapsed: elapsed / .seconds(1)))
  }
}

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Checks scripts without running them.")

  @ArgumentParser.Argument(help: "The scripts.")
  var files: [String]

  func run() throws {
    var worst: Int32 = 0
    for file in files {
      do throws(ScriptError) {
        let source = try readScript(file)
        let errors = EvaluationThread().run { Session(library: notebookLibrary, output: TerminalOutput()).check(source) }
        guard !errors.isEmpty else { continue }
        Streams.writeError(Streams.messages.render(ScriptFailure(errors, stage: .check)))
        worst = max(worst, Status.script)
      } catch {
        let failure = ScriptFailure([error], stage: .check)
        Streams.writeError(Streams.messages.render(failure))
        worst = max(worst, failure.exitStatus)
      }
    }
    if worst != 0 { throw ExitCode(worst) }
  }
}

struct Doc: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Prints the reference of the language, or the entry of a name.")

  @ArgumentParser.Argument(help: "A function, a type, or a word of the language.")
  var name: String?

  @Flag(help: "Prints the manual page of the command line, for man -l.")
  var man = false

  func run() throws {
    if man {
      Streams.writeOutput(Manual().page)
      return
    }
    let reference = Reference(notebookLibrary)
    guard let name else {
      Streams.writeOutput(reference.markdown)
      return
    }
    guard let help = reference.help(name) else {
      let near = reference.nearest(to: name).first.map { "; did you mean '\($0)'?" } ?? ""
      Streams.writeError("reprise: no help for '\(name)'\(near)\n")
      throw ExitCode(Status.usage)
    }
    Streams.writeHelp(help)
  }
}

/// What `reprise` alone does.
struct Prompt: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt", abstract: "Starts the prompt on a terminal; otherwise runs the script on standard input.")

  @OptionGroup var compute: ComputeOptions

  @OptionGroup var tensorBoard: TensorBoardOptions

  func run() throws {
    guard Streams.inputIsTerminal else {
      guard Processes.launch == nil else {
        Streams.writeError("reprise: under mpirun, standard input reaches the first process alone: reprise run FILE\n")
        throw ExitCode(Status.usage)
      }
      let notebook = try compute.notebook()
      try tensorBoard.attach(to: notebook)
      try ScriptRunner(notebook: notebook).run { () throws(ScriptError) in try readStandardInput() }
      return
    }
    guard Processes.launch == nil else {
      Streams.writeError("reprise: the prompt is for one process; under mpirun: reprise run FILE\n")
      throw ExitCode(Status.usage)
    }
    let notebook = try compute.notebook()
    try tensorBoard.attach(to: notebook)
    var prompt = REPL(notebook: notebook)
    prompt.run()
  }
}
