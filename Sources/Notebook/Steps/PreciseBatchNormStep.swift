internal import Datasets
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// Measuring a model's batch norm statistics again with its final weights.
struct PreciseBatchNormStep: Step {
  let model: ModelValue
  let data: Dataset
  let batches: Int
  let batch: Int
  let seed: UInt64

  /// The weights are all there is.
  struct Outcome: Codable { var batches: Int }

  static let kind = "precise batch norm"
  static var builtins: [Builtin] { [preciseBatchNorm] }

  var subject: (network: Network, weights: Weights?) { (model.network, model.weights) }
  var made: Network? { model.network }

  struct Settings: Encodable {
    var batches, batch: Int
    var seed: UInt64
  }

  var settings: Settings { Settings(batches: batches, batch: batch, seed: seed) }

  func run(_ work: StepWork) throws -> StepResult<Outcome> {
    let weights = try Trainer(engine: work.notebook.engine()).preciseBatchNorm(
      model.network, model.weights, on: data, batches: batches, batchSize: batch, seed: seed,
      isInterrupted: work.context.interrupts)
    return StepResult(outcome: Outcome(batches: batches), weights: weights)
  }

  static func facts(of outcome: Outcome) -> [RunStore.Run.Fact] { [.init(name: "batches", value: "\(outcome.batches)")] }
}

private let preciseBatchNorm = Builtin(
  "preciseBatchNorm",
  "Re-estimates the means and variances of batch norm over training images without augmentation (precise batch norm, Wu and Johnson 2021). Use it after pruning, weight averaging or fine-tuning.",
  parameters: [
    modelParameter, dataParameter,
    Parameter("batches", .integer, "Number of batches.", default: .number(100), labelled: true, allowed: 1...1e6),
    Parameter("batch", .integer, "Images in a batch.", default: .number(128), labelled: true, allowed: 2...65_536),
    seedParameter,
  ], result: .model,
  examples: [
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)\npreciseBatchNorm(initialize(resnet8(classes: 4, input: [1, 8, 8])), data, batches: 2, batch: 16).parameters == parameters(resnet8(classes: 4, input: [1, 8, 8]))",
      gives: "true")
  ], chapter: "Training"
) { arguments in
  let (model, data) = try arguments.modelAndData()
  let batch = try arguments.integer("batch")
  var plan = TrainingPlan()
  plan.batchSize = batch
  try MemoryCheck.training(model.network, plan, processes: 1)
  let done = try arguments.perform(
    PreciseBatchNormStep(
      model: model, data: data.data, batches: try arguments.integer("batches"), batch: batch,
      seed: try arguments.seed("seed")))
  return .object(
    ModelValue(
      network: model.network, weights: done.result.weights ?? [:], run: done.id, seed: model.seed,
      selectedBy: model.selectedBy))
}
