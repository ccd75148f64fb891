import ArgumentParser
import Foundation
import Script

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Checks a script and runs it.")

  @Argument(help: "The script; - for standard input.")
  var file: String

  @Option(
    name: .customLong("set"), help: ArgumentHelp("Gives a parameter of the script a value.", valueName: "name=value"))
  var settings: [String] = []

  @Option(help: "The seed of all random numbers.")
  var seed: UInt64?

  @Option(help: "How many threads to compute with.")
  var threads: Int?

  @Flag(help: "Prints one JSON document and nothing else.")
  var json = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1...1024.") }
    for setting in settings where !setting.contains("=") || setting.hasPrefix("=") {
      throw ValidationError("--set takes NAME=VALUE, not '\(setting)'.")
    }
  }

  func run() throws {
    // Those that compute read these: a flag is stronger than a variable of the environment.
    if let seed { setenv("REPRISE_SEED", "\(seed)", 1) }
    if let threads {
      setenv("REPRISE_THREADS", "\(threads)", 1)
      setenv("OMP_NUM_THREADS", "\(threads)", 1)
    }
    var values: [String: String] = [:]
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      values[String(parts[0])] = String(parts[1])
    }
    try ScriptRunner(settings: values, asJSON: json).run { () throws(ScriptError) in try readScript(file) }
  }
}

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Parses and checks scripts without running them.")

  @Argument(help: "The scripts.")
  var files: [String]

  func run() throws {
    var worst: Int32 = 0
    for file in files {
      do throws(ScriptError) {
        let source = try readScript(file)
        let errors = EvaluationThread().run { Session(library: library, output: TerminalOutput()).check(source) }
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
  static let configuration = CommandConfiguration(abstract: "Prints the reference, or what is known of a name.")

  @Argument(help: "A function, a kind of value, or a word of the language.")
  var name: String?

  func run() throws {
    let reference = Reference(library)
    guard let name else {
      Streams.writeOutput(reference.markdown)
      return
    }
    guard let help = reference.help(name) else {
      let near = reference.nearest(to: name).first.map { "; did you mean '\($0)'?" } ?? ""
      Streams.writeError("reprise: nothing is known of '\(name)'\(near)\n")
      throw ExitCode(Status.usage)
    }
    Streams.writeLine(help)
  }
}

/// What `reprise` alone does.
struct Prompt: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt", abstract: "The prompt on a terminal, else the script on standard input.")

  func run() throws {
    guard Streams.inputIsTerminal else {
      try ScriptRunner().run { () throws(ScriptError) in try readStandardInput() }
      return
    }
    REPL().run()
  }
}
