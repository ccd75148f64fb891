import ArgumentParser
import Foundation
import Notebook

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
      Redraw.self, Bench.self,
    ],
    defaultSubcommand: Prompt.self)

  static func main() {
    Streams.ignoreBrokenPipes()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let code as ExitCode {
      Processes.end(code.rawValue)
    } catch {
      if Processes.isSilent { Foundation.exit(exitCode(for: error).rawValue) }
      // The parser's own words and status: help is 0, wrong usage 64.
      exit(withError: error)
    }
    Processes.end(0)
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
