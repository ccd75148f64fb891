internal import Compression
internal import Datasets
internal import Distribution
internal import Foundation
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// What, beside its own settings, determines what a step with a trained model gives.
struct StepInputs<Settings: Codable>: Codable {
  /// `pruning`, `search`, `quantizing`.
  var kind: String
  var network, layers: String
  /// A hash of the model's weights.
  var start: String
  var data, dataChecksum: String
  var normalization: [[Float]]
  var settings: Settings
  var machine: MachineInputs

  init(_ kind: String, _ model: ModelValue, on data: DatasetValue, _ settings: Settings, _ notebook: NotebookSession)
    throws
  {
    let data = data.data
    (self.kind, network, layers) = (kind, model.network.name, TrainingInputs.hash(of: model.network))
    start = model.weights.contentHash
    (self.data, dataChecksum) = (data.name, try data.checksum())
    normalization = [data.normalization.mean, data.normalization.std]
    self.settings = settings
    machine = MachineInputs(notebook)
  }

  var key: String { TrainingInputs.key(of: JSONText.of(self)) }
}

/// What came of a step that gives a model: a hash of its weights.
struct StepResult: Codable { var weights: String }

/// Keeps a step in the store, as `TrainingKeeper` keeps a training run; a step takes seconds, so there are no checkpoints.
struct StepKeeper {
  let key: String
  private let kind, name, inputs: String
  private let store: RunStore?
  private let context: CallContext
  private let notebook: NotebookSession

  init<Settings>(_ inputs: StepInputs<Settings>, _ notebook: NotebookSession, _ context: CallContext) {
    (key, kind, name, self.inputs) = (
      inputs.key, inputs.kind, "\(inputs.network) on \(inputs.data)", JSONText.of(inputs)
    )
    (self.notebook, self.context) = (notebook, context)
    do throws(RunStore.Failure) {
      store = !notebook.communicator.isFirst ? nil : try notebook.store(in: context.workingDirectory.source)
    } catch {
      store = nil
      context.report("\(error.description); the \(kind) is not kept")
    }
  }

  var id: String { String(key.prefix(8)) }
  private var isReplayed: Bool { notebook.replay?.key == key }

  /// What is known of the same step, if it was done.
  func finished() -> Weights? {
    guard !notebook.isFresh, !isReplayed, let store, let run = try? store.run(key: key), run.state == .finished,
      let result = run.result.flatMap({ JSONText.read(StepResult.self, $0) }),
      let weights = try? SafeTensors(reading: store.weightsPath(key)).weights,
      weights.contentHash == result.weights
    else { return nil }
    return weights
  }

  /// Does the step, and keeps what came of it: its weights, or that it was stopped or failed.
  /// - Throws: `ScriptError.interrupted` where somebody wanted it to stop, and what `work` throws.
  func keeping(at span: Span, _ work: () throws -> Weights) throws -> Weights {
    begin()
    do {
      let weights = try work()
      end(.finished, weights: weights)
      return weights
    } catch is ActivationReader.Interrupted {
      end(.interrupted)
      throw ScriptError.interrupted(at: span)
    } catch {
      end(.failed)
      throw error
    }
  }

  private func begin() {
    attempt { store throws(RunStore.Failure) in
      try store.begin(
        RunStore.Run(
          key: key, kind: kind, name: name, state: .running, started: Date(), finished: nil,
          scriptName: context.script.name, script: notebook.transcript ?? context.script.text, inputs: inputs,
          environment: JSONText.of(TrainingEnvironment(notebook)), result: nil,
          process: Int(ProcessInfo.processInfo.processIdentifier)))
    }
  }

  /// - Parameter weights: none where it did not come to an end.
  private func end(_ state: RunStore.Run.State, weights: Weights? = nil) {
    let hash = weights.map { $0.contentHash } ?? ""
    if isReplayed {
      notebook.noteReplay(hash == notebook.replay?.weights ? .same(steps: 0) : .differsAtEnd)
      return
    }
    if let weights {
      attempt { store throws(TensorError) in
        try SafeTensors(weights: weights, metadata: ["format": "pt", "run": key]).write(to: store.weightsPath(key))
      }
    }
    attempt { store throws(RunStore.Failure) in
      try store.end(
        key: key, state, result: state == .failed ? nil : JSONText.of(StepResult(weights: hash)),
        ledger: nil)
    }
  }

  private func attempt<Failure: Error>(_ body: (RunStore) throws(Failure) -> Void) {
    guard !isReplayed, let store else { return }
    do throws(Failure) { try body(store) } catch { context.report("the \(kind) cannot be kept: \(error)") }
  }
}

extension Arguments {
  /// Where the ledger of a key lies; nil where it cannot be kept, or another process keeps it.
  /// - Parameter folder: of ledgers of its kind, in the store.
  func ledgerPath(_ key: String, in folder: String) throws -> String? {
    let notebook = try notebook()
    guard notebook.communicator.isFirst else { return nil }
    do {
      let folder = try notebook.store(in: context.workingDirectory.source).folder + "/\(folder)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let path = "\(folder)/\(key).jsonl"
      // Of what is to be done again, nothing is known; but one script's searches share what they measure.
      if notebook.isFresh, notebook.isFirstUse(of: path) { try? FileManager.default.removeItem(atPath: path) }
      return path
    } catch {
      context.report("the ledger cannot be kept: \(error)")
      return nil
    }
  }
}
