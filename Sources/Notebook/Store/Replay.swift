internal import Foundation
public import Script
internal import Tensors
internal import Training

/// A run that is done again to be compared with what it gave.
public struct Replay: Sendable {
  public enum Finding: Hashable, Sendable {
    case same(steps: Int)
    case differs(step: Int, parameter: String?, lossDiffers: Bool)
    /// No step of the ledger tells where.
    case differsAtEnd
  }

  private let identity, kind, name, inputs: String
  /// A hash of the weights that it gave, and of what else it gave.
  let weights: String?
  let digest: String
  let weightsPath: String?
  let exactness: ExactnessClass?
  let top1: Double?
  package let parameters: [String]
  private(set) var ledger: [LedgerEntry]

  /// With one hash of the ledger changed, to see that it is found.
  package func changed(atStep step: Int, parameter: Int) -> Replay {
    var changed = self
    changed.ledger = ledger.map { $0.step == step ? $0.changed(parameter) : $0 }
    return changed
  }

  /// What a result of any kind has that a replay is compared by.
  private struct Compared: Decodable {
    struct Outcome: Decodable { var parameters: [String]? }
    var weights: String?
    var digest: String?
    var outcome: Outcome?
    /// As an older Reprise kept it.
    var parameters: [String]?
  }

  /// - Throws: `RunStore.Failure`; nil where the run is not finished.
  public init?(_ run: RunStore.Run, in store: RunStore) throws(RunStore.Failure) {
    guard run.state == .finished, let result = run.result.flatMap({ JSONText.read(Compared.self, $0) }) else {
      return nil
    }
    (identity, kind, name, inputs) = (run.identity, run.kind, run.name, run.inputs)
    (weights, digest) = (result.weights, result.digest ?? "")
    weightsPath = store.weightsPath(of: run)
    exactness = ExactnessClass(of: run)
    top1 = run.top1
    parameters = result.outcome?.parameters ?? result.parameters ?? []
    ledger = try store.ledger(of: run).flatMap(LedgerEntry.read) ?? []
  }

  /// Whether a step is the one that is done again.
  func isOf(kind: String, name: String, inputs: String, identity: String) -> Bool {
    if !self.identity.isEmpty { return identity == self.identity }
    return kind == self.kind && name == self.name && OldInputs.agree(self.inputs, with: inputs, isStrict: false)
  }

  /// The parameter that a finding names.
  func firstParameter(of findings: [Finding]) -> String? {
    for case .differs(_, let parameter?, _) in findings { return parameter }
    return nil
  }

  /// How much top-1 varies among runs that differ in their seed alone, this one among them.
  func spreadOverSeeds(in store: RunStore) throws -> (std: Double, count: Int)? {
    func setUp(_ inputs: String) -> [String: String] {
      JSONText.leaves(inputs).filter { $0.key.split(separator: ".").last != "seed" }
    }
    let own = setUp(inputs)
    var bySeed: [String: Double] = [:]
    for run in try store.runs() where run.kind == kind && run.state == .finished && setUp(run.inputs) == own {
      if let top1 = run.top1 { bySeed[run.inputs] = top1 }
    }
    guard bySeed.count > 1 else { return nil }
    let mean = bySeed.values.reduce(0, +) / Double(bySeed.count)
    let squares = bySeed.values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return ((squares / Double(bySeed.count - 1)).squareRoot(), bySeed.count)
  }

  /// The scripts that a run's script used, as they were.
  public static func usedScripts(of run: RunStore.Run) -> UsedScripts {
    .texts(JSONText.read(StepEnvironment.self, run.environment)?.used ?? [:])
  }

  /// The settings a run was made with: values of parameters, seed, threads, and whether convolutions were direct.
  public static func settings(of run: RunStore.Run) -> (values: [String: String], seed: UInt64, threads: Int?, direct: Bool)? {
    JSONText.read(StepEnvironment.self, run.environment).map { ($0.settings, $0.seed, $0.threads, $0.direct) }
  }
}
