import ArgumentParser
import Distribution
import Foundation
import Notebook
import Tensors

/// Where TensorBoard is to read what a script or the prompt does.
struct TensorBoardOptions: ParsableArguments {
  @Option(
    name: .customLong("tensorboard"),
    help: ArgumentHelp("Writes curves, figures, settings and verdicts for TensorBoard as the run goes.", valueName: "folder"))
  var folder: String?

  /// - Throws: `ExitCode` where there can be no such folder: that is told before hours of work.
  func attach(to notebook: NotebookSession) throws {
    // One of several processes writes.
    guard let folder, notebook.communicator.isFirst else { return }
    notebook.tensorBoard = try log(in: folder)
  }
}

/// Writes the runs of the store for TensorBoard.
struct TensorBoardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tensorboard", abstract: "Writes runs of the run store as event files for TensorBoard.",
    discussion: "Then: tensorboard --logdir FOLDER. To watch a run while it goes on: reprise run FILE --tensorboard FOLDER.")

  @ArgumentParser.Argument(help: "The folder that TensorBoard reads.") var folder: String
  @ArgumentParser.Argument(help: "The identifiers of runs, or the beginnings of them. Default: all.") var ids: [String] = []

  func run() throws {
    try withStore { store in
      let runs = try ids.isEmpty ? store.runs() : ids.map { try store.run($0) }
      let log = try log(in: folder)
      // Those that run now are told by the process that runs them.
      let told = runs.filter { !$0.isRunning }
      for run in told where !log.hasFailed { log.add(run, of: store) }
      if log.hasFailed { throw ExitCode(Status.runtime) }
      Streams.writeError("wrote \(told.count == 1 ? "1 run" : "\(told.count) runs"); tensorboard --logdir \(folder) shows \(told.count == 1 ? "it" : "them")\n")
    }
  }
}

private func log(in folder: String) throws -> TensorBoardLog {
  do {
    return try TensorBoardLog(in: folder) { Streams.writeError("\($0)\n") }
  } catch {
    Streams.writeError("reprise: the folder for TensorBoard cannot be used: \(error)\n")
    throw ExitCode(Status.usage)
  }
}
