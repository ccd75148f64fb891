internal import Datasets
internal import Engine
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// Measuring a model on a part of some data. It is kept where it takes long: the rest is quicker done than looked up.
struct EvaluationStep: Step {
  let model: ModelValue
  let whole: Dataset
  let part: Split
  /// Built for the images of the part.
  let network: Network
  let batch: Int
  let mode: Plan.Mode
  let precision: Precision

  struct Outcome: Codable {
    var evaluation: Evaluation
    /// Which images are correct.
    var each: CorrectImages?
  }

  static let kind = "evaluation"
  static var builtins: [Builtin] { [evaluate, confusion, topLosses, predict] }

  /// MACs from which on it is kept: some seconds.
  private static let fewest = 5e11
  var isLarge: Bool { Double(network.macs) * Double(part.count) >= Self.fewest }

  var subject: (network: Network, weights: Weights?) { (network, model.weights) }
  /// The part alone.
  var data: Dataset {
    var shown = whole
    (shown.train, shown.validation) = (part.empty, part)
    return shown
  }

  struct Settings: Encodable {
    var batch: Int
    var kernels: String
    var precision: Precision
  }

  var settings: Settings { Settings(batch: batch, kernels: mode == .int8 ? "int8" : "float", precision: precision) }

  func run(_ work: StepWork) throws -> StepResult<Outcome> { try measured(work, on: part) }

  func estimate(_ work: StepWork) throws -> (Cost, StepResult<Outcome>) {
    let few = try part.first(min(part.count, batch * 2))
    let begun = ContinuousClock.now
    let result = try measured(work, on: few)
    let seconds = (ContinuousClock.now - begun).seconds
    return (
      Cost(
        name: "\(Self.kind) of \(name)", steps: (part.count + batch - 1) / batch,
        seconds: seconds * Double(part.count) / Double(few.count), disk: 0, measuring: seconds), result
    )
  }

  private func measured(_ work: StepWork, on part: Split) throws -> StepResult<Outcome> {
    let evaluator = Evaluator(
      engine: try work.notebook.engine(), communicator: work.notebook.communicator, mode: mode, precision: precision,
      isInterrupted: work.context.interrupts)
    let (all, each) = try evaluator.evaluateEach(
      network, model.weights, on: part, normalization: whole.normalization, batchSize: batch)
    return StepResult(outcome: Outcome(evaluation: all, each: each))
  }

  static func facts(of outcome: Outcome) -> [RunStore.Run.Fact] {
    let evaluation = outcome.evaluation
    return [
      .init(
        name: "top-1",
        value: "\(NumberText.fixed(evaluation.top1 * 100, 2)) %, \(evaluation.correct) of \(evaluation.count)"),
      .init(name: "top-5", value: "\(NumberText.fixed(evaluation.top5 * 100, 2)) %"),
      .init(name: "loss", value: NumberText.fixed(evaluation.loss, 4)),
    ]
  }

  static func top1(of outcome: Outcome) -> Double? { outcome.evaluation.top1 * 100 }
  static func points(of outcome: Outcome) -> [ScalarPoint] { outcome.evaluation.points("final/") }
}
