import ArgumentParser
import Foundation
import Notebook
import Script

/// The command line.
@main
struct Reprise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reprise",
    abstract: "Reproducible research on image classifiers: train, prune, quantize, export, and check reported numbers.",
    discussion: "Without a command: starts the prompt on a terminal, otherwise runs the script on standard input.",
    version: programVersion,
    subcommands: [
      Prompt.self, Run.self, Check.self, Plan.self, Doc.self, Runs.self, Show.self, Compare.self, ReplayRun.self, GC.self, Why.self,
      Redraw.self, Bench.self, JupyterCommand.self, Convert.self, Format.self, TensorBoardCommand.self,
    ],
    defaultSubcommand: Prompt.self)

  static func main() {
    Streams.prepare()
    OpenFiles.allowMore()
    if let problem = unknownCommand(CommandLine.arguments.dropFirst()) {
      Streams.writeError(problem)
      Processes.end(Status.usage)
    }
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let code as ExitCode {
      Processes.end(code.rawValue)
    } catch {
      // The parser's own words and status: help is 0, wrong usage 64.
      let code = exitCode(for: error)
      if code.isSuccess {
        Streams.writeLine(fullMessage(for: error))
        Processes.end(0)
      }
      let isUsage = code == .validationFailure
      Streams.writeError(isUsage ? fullMessage(for: error) + "\n" : "reprise: \(error.localizedDescription)\n")
      Processes.end(isUsage ? Status.usage : Status.internalFault)
    }
    Processes.end(0)
  }

  /// What to say of a word that stands where a command is named, and names none.
  private static func unknownCommand(_ words: ArraySlice<String>) -> String? {
    guard var word = words.first else { return nil }
    if word == "help", let topic = words.dropFirst().first { word = topic }
    let names = configuration.subcommands.map { $0._commandName } + ["help"]
    guard !word.hasPrefix("-"), !names.contains(word) else { return nil }
    let hint =
      if FileManager.default.fileExists(atPath: word) || word.hasSuffix(".reprise") {
        "a script is run by: reprise run \(word)"
      } else if Reference(notebookLibrary).help(word) != nil {
        "a name of the language: reprise doc \(word)"
      } else if let near = Spelling.nearest(to: word, in: names).first {
        "did you mean 'reprise \(near)'?"
      } else {
        "reprise --help lists them"
      }
    return "reprise: there is no command '\(word)'\n  hint: \(hint)\n"
  }
}

/// What a process tells those that started it.
enum Status {
  static let notReproduced: Int32 = 1
  static let script: Int32 = 2
  static let runtime: Int32 = 3
  static let missingData: Int32 = 4
  static let usage: Int32 = 64
  static let internalFault: Int32 = 70
  static let interrupted: Int32 = 130
  static let terminated: Int32 = 143
}
