internal import Distribution
internal import Foundation
internal import Script

let storedRuns = Builtin(
  "runs", "Returns the runs in the run store of the working directory, the oldest first. As a table, or in a file, each is a row.",
  parameters: [], result: .list(of: .storedRun),
  examples: [
    Example("write(runs(), to: \"runs.csv\")"),
    Example("best = sort([r for r in runs() if r.kind == \"training\" and r.top1 != none], by: r => r.top1, descending: true)"),
  ], chapter: "Results"
) { arguments in
  guard let store = try arguments.existingStore() else { return .list([Value]()) }
  let runs = try arguments.found { () throws(RunStore.Failure) in try store.runs() }
  return .list(runs.map { arguments.value(of: $0, in: store) })
}

let storedRun = Builtin(
  "run", "Returns a run of the run store of the working directory.",
  parameters: [Parameter("id", .string, "Identifier, or the beginning of it: at least two hexadecimal digits.")],
  result: .storedRun, examples: [
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)\nfirst = train(resnet8(data), data, epochs: 1, batch: 16)\nrun(first.id).settings.batchSize",
      gives: "16")
  ], chapter: "Results"
) { arguments in
  let id = try arguments.string("id")
  guard let store = try arguments.existingStore() else {
    throw arguments.missing("there is no store of runs here", hint: "a training run makes one", at: "id")
  }
  return arguments.value(of: try arguments.found { () throws(RunStore.Failure) in try store.run(id) }, in: store)
}

extension Arguments {
  /// The store of the working directory; nil where there is none, which stays so.
  fileprivate func existingStore() throws -> RunStore? {
    let (notebook, directory) = (try notebook(), context.workingDirectory)
    // What one process finds, another need not, or not yet.
    guard notebook.communicator.isAlone else {
      throw failure("the run store is not read by several processes", hint: "run this script without mpirun")
    }
    let isThere = [directory.source, directory.path].contains {
      FileManager.default.fileExists(atPath: "\($0)/\(WorkingDirectory.storeName)/runs.sqlite")
    }
    return isThere ? try found { () throws(RunStore.Failure) in try notebook.store(directory) } : nil
  }

  fileprivate func found<Result>(_ body: () throws(RunStore.Failure) -> Result) throws(ScriptError) -> Result {
    do throws(RunStore.Failure) { return try body() } catch {
      switch error {
      case .unknown: throw failure("\(error)", hint: "runs() lists them", at: "id")
      case .ambiguous: throw failure("\(error)", hint: "give more of its digits", at: "id")
      case .none, .unusable: throw failure("\(error)")
      }
    }
  }

  fileprivate func value(of run: RunStore.Run, in store: RunStore) -> Value {
    let folder = context.workingDirectory.path + "/"
    let path = store.weightsPath(of: run).map { $0.hasPrefix(folder) ? String($0.dropFirst(folder.count)) : $0 }
    return .object(StoredRunValue(run: run, weights: path.flatMap { FileManager.default.fileExists(atPath: context.pathToRead($0)) ? $0 : nil }))
  }
}
