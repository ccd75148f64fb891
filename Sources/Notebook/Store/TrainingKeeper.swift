internal import Distribution
internal import Foundation
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// Keeps one training run in the store: that it began, its checkpoints, how it ended. What cannot be written is told, and the
/// training goes on.
final class TrainingKeeper {
  let key: String
  private let inputs: TrainingInputs
  private let store: RunStore?
  private let context: CallContext
  private let notebook: NotebookSession
  private var ledger: [LedgerEntry] = []
  /// What could not be kept, each once.
  private var lost: [String: String] = [:]
  /// Where the ledger of a replay first differs from the run's.
  private let expected: [Int: LedgerEntry]

  init(_ inputs: TrainingInputs, _ notebook: NotebookSession, _ context: CallContext) {
    (self.inputs, self.notebook, self.context) = (inputs, notebook, context)
    key = inputs.key
    // One process keeps what all of them make.
    do throws(RunStore.Failure) {
      store = !notebook.communicator.isFirst ? nil : try notebook.store(in: context.workingDirectory.source)
    } catch {
      store = nil
      lost["the run"] = error.description
    }
    let old = notebook.replay?.key == key ? notebook.replay?.ledger ?? [] : []
    expected = Dictionary(old.map { ($0.step, $0) }) { first, _ in first }
    if let lost = lost["the run"] { context.report("\(lost); the training is not kept") }
  }

  var id: String { String(key.prefix(8)) }
  /// Whether this is the training that is done again to be compared.
  var isReplayed: Bool { notebook.replay?.key == key }

  /// What is known of the same training, if it is finished.
  func finished() -> (result: TrainingResult, weights: Weights, made: Date)? {
    guard !notebook.isFresh, !isReplayed, let store, let run = try? store.run(key: key), run.state == .finished,
      let result = run.result.flatMap({ JSONText.read(TrainingResult.self, $0) }),
      let weights = try? SafeTensors(reading: store.weightsPath(key)).weights,
      weights.contentHash == result.weights
    else { return nil }
    return (result, weights, run.finished ?? run.started)
  }

  /// The same for all processes: what the first one's store has.
  func finishedForAll() throws(TrainingError) -> (result: TrainingResult, weights: Weights, made: Date)? {
    let (own, communicator) = (finished(), notebook.communicator)
    guard !communicator.isAlone else { return own }
    let text = communicator.broadcast(own.map { JSONText.of($0.result) })
    var made = [own?.made.timeIntervalSince1970 ?? 0]
    communicator.broadcast(&made)
    let weights = try communicator.broadcast(own?.weights)
    guard let weights, let result = text.flatMap({ JSONText.read(TrainingResult.self, $0) }) else { return nil }
    return (result, weights, Date(timeIntervalSince1970: made[0]))
  }

  /// Where the same training was stopped, for all processes.
  func checkpointForAll() throws(TrainingError) -> Checkpoint? {
    try notebook.communicator.broadcast(checkpoint())
  }

  /// Where the same training was stopped.
  func checkpoint() -> Checkpoint? {
    guard !notebook.isFresh, !isReplayed, let store else { return nil }
    let path = store.checkpointPath(key)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do throws(TensorError) {
      let checkpoint = try Checkpoint(reading: path)
      ledger = (try? store.ledger(key: key)).flatMap { $0 }.flatMap { Self.decoded($0) } ?? []
      ledger.removeAll { $0.step > checkpoint.steps }
      return checkpoint
    } catch {
      context.report("\(error); it starts again")
      return nil
    }
  }

  func begin() {
    attempt("the run") { store throws(RunStore.Failure) in
      try store.begin(
        RunStore.Run(
          key: key, kind: "training", name: "\(inputs.network) on \(inputs.data)", state: .running, started: Date(),
          finished: nil, scriptName: context.script.name, script: notebook.transcript ?? context.script.text,
          inputs: inputs.json, environment: JSONText.of(TrainingEnvironment(notebook)), result: nil,
          process: Int(ProcessInfo.processInfo.processIdentifier)))
    }
  }

  var checkpointing: Checkpointing? {
    guard !isReplayed, store != nil else { return nil }
    return Checkpointing(interval: notebook.checkpointInterval) { [self] checkpoint in
      attempt("a checkpoint") { store throws(TensorError) in try checkpoint.write(to: store.checkpointPath(key)) }
    }
  }

  func note(_ entry: LedgerEntry) {
    ledger.append(entry)
    guard isReplayed, let old = expected[entry.step], old != entry else { return }
    let place = zip(old.parameters, entry.parameters).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let names = notebook.replay?.parameters ?? []
    notebook.noteReplay(
      .differs(
        step: entry.step, parameter: place.map { $0 < names.count ? names[$0] : "parameter \($0)" },
        lossDiffers: old.loss != entry.loss))
  }

  func end(_ outcome: TrainingOutcome) {
    let hash = outcome.weights.contentHash
    if isReplayed {
      notebook.noteReplay(hash == notebook.replay?.weights ? .same(steps: outcome.stepsDone) : .differsAtEnd)
      return
    }
    let result = TrainingResult(
      epochs: outcome.epochs, steps: outcome.stepsDone, weights: hash, parameters: outcome.parameterNames,
      final: outcome.final, each: outcome.each)
    if !outcome.isInterrupted {
      attempt("the weights") { store throws(TensorError) in
        try SafeTensors(weights: outcome.weights, metadata: ["format": "pt", "run": key]).write(to: store.weightsPath(key))
      }
    }
    attempt("the run") { store throws(RunStore.Failure) in
      try store.end(
        key: key, outcome.isInterrupted ? .interrupted : .finished, result: JSONText.of(result),
        ledger: try? JSONEncoder().encode(ledger))
    }
    if !outcome.isInterrupted, lost.isEmpty, let store {
      try? FileManager.default.removeItem(atPath: store.checkpointPath(key))
    }
    for (what, reason) in lost.sorted(by: { $0.key < $1.key }) { context.report("not kept: \(what): \(reason)") }
  }

  func fail() {
    guard !isReplayed else { return }
    attempt("the run") { store throws(RunStore.Failure) in
      try store.end(key: key, .failed, result: nil, ledger: nil)
    }
  }

  private func attempt<Failure: Error>(_ what: String, _ body: (RunStore) throws(Failure) -> Void) {
    guard !isReplayed, let store else { return }
    do throws(Failure) { try body(store) } catch {
      if lost.isEmpty { context.report("\(what) cannot be kept, the training goes on: \(error)") }
      lost[what] = "\(error)"
    }
  }

  private static func decoded(_ data: Data) -> [LedgerEntry]? { try? JSONDecoder().decode([LedgerEntry].self, from: data) }
}

/// A run that is done again to be compared with what it gave.
public struct Replay: Sendable {
  public enum Finding: Hashable, Sendable {
    case same(steps: Int)
    case differs(step: Int, parameter: String?, lossDiffers: Bool)
    /// No step of the ledger tells where.
    case differsAtEnd
  }

  let key: String
  let weights: String
  package let parameters: [String]
  private(set) var ledger: [LedgerEntry]

  /// With one hash of the ledger changed, to see that it is found.
  package func changed(atStep step: Int, parameter: Int) -> Replay {
    var changed = self
    changed.ledger = ledger.map { $0.step == step ? $0.changed(parameter) : $0 }
    return changed
  }

  /// What a result of any kind has that a replay is compared by.
  private struct Compared: Codable {
    var weights: String
    var parameters: [String]?
  }

  /// - Throws: `RunStore.Failure`; nil where the run is not finished.
  public init?(_ run: RunStore.Run, in store: RunStore) throws(RunStore.Failure) {
    guard let result = run.result.flatMap({ JSONText.read(Compared.self, $0) }), run.state == .finished else {
      return nil
    }
    (key, weights, parameters) = (run.key, result.weights, result.parameters ?? [])
    ledger = try store.ledger(key: run.key).flatMap { try? JSONDecoder().decode([LedgerEntry].self, from: $0) } ?? []
  }

  /// The settings a run was made with: values of parameters, seed, threads, and whether convolutions were direct.
  public static func settings(of run: RunStore.Run) -> (values: [String: String], seed: UInt64, threads: Int?, direct: Bool)? {
    JSONText.read(TrainingEnvironment.self, run.environment).map { ($0.settings, $0.seed, $0.threads, $0.direct) }
  }
}
