internal import Datasets
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// Something that costs time and gives a result worth keeping: a training run, a pruning, a search.
///
/// The runner does the rest for all kinds: it looks the result up, says what it would cost, keeps attempts and
/// checkpoints, and compares a replay. Laws:
/// - The outcome and the weights follow from subject, data, settings and the exactness class alone.
/// - What ends early leaves the session as it was: it throws, or gives a result that `isInterrupted`.
protocol Step: SendableMetatype {
  /// What the store keeps beside weights.
  associatedtype Outcome: Codable
  associatedtype Settings: Encodable

  /// How the store calls this kind. Runs of old bear it, so it stays.
  static var kind: String { get }
  /// The functions of the language that do such steps.
  static var builtins: [Builtin] { get }

  /// The network that it begins with, and its weights; nil for those that the seed gives.
  var subject: (network: Network, weights: Weights?) { get }
  var data: Dataset { get }
  /// All that the result follows from beside these.
  var settings: Settings { get }
  /// The network that the result's weights are for; nil for a kind that gives none.
  var made: Network? { get }
  /// Says what begins, or what was taken from the store.
  func announce(_ context: CallContext)
  func show(_ outcome: Outcome, _ context: CallContext)
  /// What it would cost, with a result that stands for the true one in the rest of the script.
  func estimate(_ work: StepWork) throws -> (Cost, StepResult<Outcome>)
  func run(_ work: StepWork) throws -> StepResult<Outcome>

  /// What came of it, to be read.
  static func facts(of outcome: Outcome) -> [RunStore.Run.Fact]
  /// Validation accuracy of what it gave, in per cent.
  static func top1(of outcome: Outcome) -> Double?
  /// Steps of the optimizer; 0 for all that does not train.
  static func steps(of outcome: Outcome) -> Int
  /// What TensorBoard draws of it, each curve in the order of its steps.
  static func points(of outcome: Outcome) -> [ScalarPoint]
  /// What is the same in a replay, beside the weights: the outcome without times.
  static func comparable(_ outcome: Outcome) -> String
}

/// All kinds of steps, in the order of the reference.
let stepKinds: [any Step.Type] = [
  TrainingRun.self, EvaluationStep.self, PreciseBatchNormStep.self, PruningStep.self, SearchStep.self,
  SensitivityStep.self, QuantizingStep.self, LayerStudy.self,
]

/// What came of a step.
struct StepResult<Outcome> {
  var outcome: Outcome
  var weights: Weights?
  var isInterrupted = false
  /// Where to go on from.
  var checkpoint: Checkpoint?
}

extension Step {
  func announce(_ context: CallContext) {}
  func show(_ outcome: Outcome, _ context: CallContext) {}
  var made: Network? { nil }

  /// What is worked on, for people: `resnet8 on fashionMNIST`.
  var name: String { "\(subject.network.name) on \(data.name)" }

  /// All that the result follows from, as JSON.
  func inputs(_ work: StepWork) throws -> String {
    JSONText.of(try StepInputs(Self.kind, subject.network, from: subject.weights, on: data, settings, work))
  }

  /// Whether weights of the store fit, so that the result can be made of them.
  func accepts(_ weights: Weights?) -> Bool {
    guard let made else { return true }
    return weights.flatMap { try? made.checked($0) } != nil
  }

  static func top1(of outcome: Outcome) -> Double? { nil }
  static func steps(of outcome: Outcome) -> Int { 0 }
  static func comparable(_ outcome: Outcome) -> String { JSONText.of(outcome) }
  static func points(of outcome: Outcome) -> [ScalarPoint] {
    top1(of: outcome).map { [ScalarPoint("final/top1", $0)] } ?? []
  }

  /// Does it, to say what it costs: for steps of seconds.
  func estimate(_ work: StepWork) throws -> (Cost, StepResult<Outcome>) {
    let begun = ContinuousClock.now
    let result = try run(work)
    let seconds = (ContinuousClock.now - begun).seconds
    return (
      Cost(
        name: "\(Self.kind) of \(name)", steps: 1, seconds: seconds, disk: result.weights?.byteCount ?? 0,
        measuring: seconds), result
    )
  }

  static func facts(json: String) -> [RunStore.Run.Fact] {
    StoredResult<Outcome>.read(json).map { facts(of: $0.outcome) } ?? []
  }

  static func top1(json: String) -> Double? { StoredResult<Outcome>.read(json).flatMap { top1(of: $0.outcome) } }

  static func points(json: String) -> [ScalarPoint] {
    StoredResult<Outcome>.read(json).map { points(of: $0.outcome) } ?? []
  }

  static func steps(json: String) -> Int { StoredResult<Outcome>.read(json).map { steps(of: $0.outcome) } ?? 0 }
}

extension Weights {
  /// Of its numbers.
  var byteCount: Int { values.reduce(0) { $0 + $1.shape.elementCount * 4 } }
}

/// A result as the store keeps it.
struct StoredResult<Outcome: Codable>: Codable {
  var outcome: Outcome
  /// A hash of the weights; absent where it gives none.
  var weights: String?
  /// Of what a replay compares beside the weights.
  var digest: String

  static func read(_ json: String) -> StoredResult? {
    if let result = JSONText.read(StoredResult.self, json) { return result }
    guard let outcome = JSONText.read(Outcome.self, json), let old = JSONText.read(OldResult.self, json) else { return nil }
    return StoredResult(outcome: outcome, weights: old.weights, digest: "")
  }
}

/// An older Reprise kept the bare outcome, the hash of the weights in it.
private struct OldResult: Decodable { var weights: String }
