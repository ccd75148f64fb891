import ArgumentParser

/// The command line. Results go to standard output; messages, progress and errors to standard error.
@main
struct Reprise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reprise",
    abstract: "Reproducible research on image classifiers: explore training tricks, replay reported numbers.",
    discussion: """
      Without a command: the prompt on a terminal, else runs the script on standard input.

      Exit status: 0 the script ran and no judged claim failed; 1 a claim was not reproduced; 2 the script does not \
      parse or check; 3 a run-time error; 4 data or weights that it needs are not here; 64 wrong usage; 70 a fault of \
      Reprise itself; 130 interrupted.
      """,
    version: Version.text, subcommands: [Run.self, Check.self, Doc.self, Prompt.self], defaultSubcommand: Prompt.self)

  static func main() {
    Console.prepare()
    main(nil)
  }
}

/// What `--version` says.
enum Version {
  static let number = "0.1.0"
  static var text: String { "reprise \(number)" }
}

/// Exit statuses, one for each kind of end.
extension ExitCode {
  static let claimFailed = ExitCode(1)
  static let script = ExitCode(2)
  static let runtime = ExitCode(3)
  static let missingData = ExitCode(4)
  static let usage = ExitCode(64)
  static let interrupted = ExitCode(130)
}
