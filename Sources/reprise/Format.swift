import ArgumentParser
import Foundation
import Notebook
import Script
import Tensors

/// Scripts in one layout.
struct Format: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sets scripts in one layout; comments and strings stay as they are.",
    discussion: """
      Two columns for each level, one space around operators, at most one empty line, at most \(Formatter.width) columns \
      where brackets or operators allow it. A line break that you set within brackets stays. '-' reads a script from \
      standard input and prints it.
      """)

  @Argument(help: "The scripts.")
  var files: [String]

  @Flag(help: "Writes nothing, names the scripts that are not in the layout, and ends with status 1 if there are any.")
  var check = false

  func run() throws {
    var worst: Int32 = 0
    for file in files {
      do {
        let source = try readScript(file)
        let text = try EvaluationThread().run { Result { () throws(FormatError) in try Formatter.format(source) } }.get()
        if file == "-", !check {
          Streams.writeOutput(text)
        } else if text != source.text {
          if check { worst = max(worst, Status.script) } else { try writeAtomically(to: file, text: text) }
          Streams.writeLine(file)
        }
      } catch {
        worst = max(worst, report(error, file))
      }
    }
    if worst != 0 { throw ExitCode(worst) }
  }

  /// - Returns: the status to end with.
  private func report(_ error: any Error, _ file: String) -> Int32 {
    let errors: [ScriptError]
    switch error {
    case FormatError.mistakes(let mistakes): errors = mistakes
    case let error as ScriptError: errors = [error]
    case FormatError.changed:
      Streams.writeError("reprise: the layout of '\(file)' would change what it says, so it stays as it is; this is a mistake of reprise's\n")
      return Status.runtime
    default:
      Streams.writeError("reprise: \(error)\n")
      return Status.runtime
    }
    let failure = ScriptFailure(errors, stage: .check)
    Streams.writeError(Streams.messages.render(failure))
    return failure.exitStatus
  }
}
