internal import Datasets
internal import Distribution
internal import Engine
internal import Foundation
internal import Networks
internal import Script
internal import Tensors
internal import Training

let dataParameter = Parameter("data", .dataset, "The dataset.")
let trainableParameter = Parameter(
  "model", .either([.network, .model]), "A network, which starts from random weights, or a model, which starts from its own.")

/// What a seed may be: all of it goes into a number of the language.
package let seedRange = 0...1e15

let seedParameter = Parameter(
  "seed", .integer, "Seed of all random numbers. Default: --seed, else 1.", optional: true,
  labelled: true, allowed: seedRange)

let precisionParameter = Parameter(
  "precision", .oneOf(Precision.allCases.map(\.rawValue)),
  "Precision of activations and of the weights that kernels read. \"bf16\" needs a processor with AVX512_BF16; parameters, gradients, statistics and logits stay in float32.",
  default: .string(Precision.float32.rawValue), labelled: true)

let train = Builtin(
  "train",
  "Trains a network and evaluates it on the validation set after each epoch. Ctrl-C stops the run at the next step and keeps its weights; resume(run) continues it.",
  parameters: [
    trainableParameter, dataParameter,
    Parameter(
      "recipe", .record, "Arguments as a record, such as recipe.a1. Arguments written in the call take precedence.", optional: true,
      bundle: ArgumentBundle(ignoring: Recipe.descriptions)),
  ] + TrainingSetting.allCases.map(\.parameter), result: .run,
  examples: [
    Example(
      "train(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), epochs: 1, batch: 16, lr: 0.05)"),
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)\ntrain(resnet8(data), data, recipe.torchvision with { epochs: 1, batch: 16, microBatch: none })"
    ),
  ], chapter: "Training", printsResult: true
) { arguments in
  let data = try arguments.object("data", as: DatasetValue.self).data
  let (network, weights) = try arguments.trainable(for: data)
  let plan = try arguments.trainingPlan(for: data)
  if plan.precision != .float32, network.isQuantized { throw EngineError.quantizedPrecision(plan.precision) }
  let start: ModelValue? = if case .object(let object) = arguments.value("model") { object as? ModelValue } else { nil }
  return try arguments.trained(
    network, from: weights, on: data, plan, teachers: arguments.teachers(of: data), selectedBy: start?.selectedBy ?? [])
}

let resume = Builtin(
  "resume", "Continues an interrupted training run. The result is bit-identical to that of a run that was never interrupted.",
  parameters: [Parameter("run", .run, "The interrupted run.")], result: .run,
  examples: [Example("resume(run)")], chapter: "Training", printsResult: true
) { arguments in
  let run = try arguments.object("run", as: RunValue.self)
  guard run.isInterrupted, let checkpoint = run.checkpoint else {
    throw arguments.failure("this training was not interrupted", hint: "train(run.model, …) trains on from its weights", at: "run")
  }
  return try arguments.trained(
    run.model.network, from: run.start, on: run.dataset, run.plan, teachers: run.teachers, selectedBy: run.model.selectedBy, resuming: checkpoint)
}

extension Arguments {
  /// Trains, or takes from the store what was trained before, and keeps it there.
  func trained(
    _ network: Network, from weights: Weights?, on data: Dataset, _ plan: TrainingPlan, teachers: [Teacher],
    selectedBy: [Split] = [], resuming kept: Checkpoint? = nil
  ) throws -> Value {
    try MemoryCheck.training(network, plan, teachers: teachers, processes: try notebook().communicator.size)
    let done = try perform(
      TrainingRun(network: network, start: weights, data: data, plan: plan, teachers: teachers), resuming: kept)
    let (result, outcome) = (done.result, done.result.outcome)
    let own = if case .meanOfBest(_, .validation) = plan.result { [data.validation] } else { [Split]() }
    return .object(
      RunValue(
        model: ModelValue(
          network: network, weights: result.weights ?? [:], run: done.id, seed: plan.seed, selectedBy: selectedBy + own),
        data: data.name, plan: plan, epochs: outcome.epochs, final: outcome.given, each: outcome.each, isInterrupted: result.isInterrupted, dataset: data, start: weights,
        teachers: teachers, checkpoint: result.checkpoint, id: done.id))
  }

  /// The network of the argument `model`, built for the data, and the weights to begin with, if it has some.
  func trainable(for data: Dataset) throws -> (Network, Weights?) {
    let (network, weights) = try untested(for: data)
    // Found now rather than after the first epoch.
    _ = try network.fitted(to: data.validation, of: data)
    return (network, weights)
  }

  private func untested(for data: Dataset) throws -> (Network, Weights?) {
    guard case .object(let object) = value("model"), let model = object as? ModelValue else {
      return (try self.object("model", as: NetworkValue.self).network(for: data), nil)
    }
    try model.network.check(against: data)
    return (model.network, model.weights)
  }

  /// What `precision` asks for.
  /// - Throws: `EngineError.precision` where the processor lacks it.
  func precision() throws -> Precision {
    let name = try string("precision")
    guard let precision = Precision(rawValue: name) else { preconditionFailure("the language has checked '\(name)'") }
    try Engine.mustSupport(precision)
    return precision
  }

  /// A seed, or the session's where none is given.
  func seed(_ label: String) throws(ScriptError) -> UInt64 {
    guard let seed = try integerIfGiven(label) else { return try notebook().seed }
    return UInt64(clamping: seed)
  }
}

let evaluate = Builtin(
  "evaluate",
  "Evaluates a model on a dataset: top-1 and top-5 accuracy in per cent, loss, and the number of correct predictions. The images may have another size than those of training if the network ends in a global pool.",
  parameters: [
    Parameter("model", .model, "The model."), dataParameter,
    Parameter("on", .oneOf(["validation", "train"]), "Which set: the validation set or the training set.", default: .string("validation"), labelled: true),
    Parameter("batch", .integer, "Images per forward pass.", default: .number(100), labelled: true, allowed: 1...65_536),
    kernelsParameter, precisionParameter,
  ], result: .evaluation,
  examples: [
    Example("data = synthetic(4, shape: [1, 8, 8], train: 4, validation: 16)\nevaluate(initialize(resnet8(data), seed: 1), data).count", gives: "16")
  ], chapter: "Training"
) { arguments in
  let model = try arguments.object("model", as: ModelValue.self)
  let data = try arguments.object("data", as: DatasetValue.self).data
  let part = try arguments.string("on") == "train" ? data.measured(data.train) : data.validation
  let network = try model.network.fitted(to: part, of: data)
  let batch = try arguments.integer("batch")
  try MemoryCheck.inference(network, batch: batch)
  let step = EvaluationStep(
    model: model, whole: data, part: part, network: network, batch: batch, mode: try arguments.kernels(for: network),
    precision: try arguments.precision())
  let measured = try arguments.measured(step)
  let (result, each) = (measured.evaluation, measured.each)
  if result.count > 0, !result.loss.isFinite {
    arguments.context.report(
      "warning: the loss is \(NumberText.short(result.loss)), since not all outputs of the model are finite; images with a nan among theirs count as wrong"
    )
  }
  func accuracy(_ correct: Int, _ each: CorrectImages? = nil) -> Value {
    .accuracy(Accuracy(correct: correct, count: result.count, each: each, images: part, model: model))
  }
  return .record([
    "top1": accuracy(result.correct, each), "top5": accuracy(result.hitsAmongFive), "loss": .number(result.loss),
    "correct": .count(result.correct), "count": .count(result.count),
  ])
}

let predict = Builtin(
  "predict", "Returns a model's logits: a row for each image, a number for each class. The prediction is the class with the largest logit, the first of equal ones; an image with a logit of nan has no prediction.",
  parameters: [
    Parameter("model", .model, "The model."),
    Parameter("images", .array, "The images: an array N x C x H x W, as images() returns it, or C x H x W for one image."),
    kernelsParameter, precisionParameter,
  ], result: .array,
  examples: [
    Example("data = synthetic(4, shape: [1, 8, 8], train: 4, validation: 16)\npredict(initialize(resnet8(data), seed: 1), images(data, 3)).shape", gives: "[3, 4]")
  ], chapter: "Training"
) { arguments in
  let model = try arguments.object("model", as: ModelValue.self)
  var samples = try arguments.object("images", as: ArrayValue.self).array
  let wanted = model.network.shape(of: model.network.input)
  if samples.shape.rank == wanted.rank { samples = try samples.reshaped(to: samples.shape.batched(1)) }
  guard samples.shape.rank == wanted.rank + 1, samples.shape[0] > 0, samples.shape[1] == wanted[0],
    let network = try? model.network.taking(images: samples.shape.sample)
  else { throw MismatchError.array(network: model.network.name, takes: wanted, has: samples.shape) }
  try MemoryCheck.inference(network, batch: min(samples.shape[0], 100))
  let evaluator = try Evaluator(
    engine: arguments.notebook().engine(), mode: arguments.kernels(for: network), precision: arguments.precision(),
    isInterrupted: arguments.context.interrupts)
  let logits = try evaluator.predict(network, model.weights, samples)
  return .object(ArrayValue(array: logits))
}

let initialize = Builtin(
  "initialize", "Returns a model: the network with the random weights that training would start from.",
  parameters: [
    Parameter("network", .network, "The network."),
    Parameter(
      "distribution", .oneOf(["heFanIn", "heFanOut", "glorot", "normal"]),
      "Distribution of the weights of convolutions and dense layers; biases are 0. heFanIn and heFanOut: N(0, 2 / fan) (He et al. 2015). glorot: U(±√(6 / (fan in + fan out))) (Glorot and Bengio 2010). normal: N(0, std²). Default: the one that the network's paper or reference code uses.",
      optional: true, labelled: true),
    Parameter(
      "std", .number, "Standard deviation of distribution: \"normal\".", optional: true, labelled: true, allowed: 0...1e6),
    Parameter(
      "seed", .integer, "Seed of the random weights. Default: --seed, else 1.", optional: true, labelled: true,
      allowed: seedRange),
  ], result: .model,
  examples: [
    Example(
      "initialize(resnet8(classes: 4), seed: 1) == initialize(resnet8(classes: 4), seed: 1)", gives: "true"),
    Example("initialize(vgg16(classes: 10, input: [1, 32, 32]), distribution: \"normal\", std: 0.01)"),
  ], chapter: "Training"
) { arguments in
  let network = try arguments.object("network", as: NetworkValue.self).network
  try MemoryCheck.weights(of: network)
  let drawn = try arguments.distribution().map {
    Initialization(
      convolution: $0, dense: $0, biasesAreZero: true, zeroScales: network.initialization.zeroScales)
  }
  let weights = try network.initialWeights(seed: arguments.seed("seed"), drawn ?? network.initialization)
  return .object(ModelValue(network: network, weights: weights))
}

extension Arguments {
  /// What a model is worth: from the store or for it where that takes long.
  fileprivate func measured(_ step: EvaluationStep) throws -> EvaluationStep.Outcome {
    if step.isLarge { return try perform(step).result.outcome }
    try notebook().note(data: step.data)
    return try step.run(StepWork(try notebook(), context)).outcome
  }

  /// What `weights` and `std` say; nil where they say nothing.
  fileprivate func distribution() throws(ScriptError) -> Initialization.Distribution? {
    let name = has("distribution") ? try string("distribution") : nil
    guard (name == "normal") == has("std") else {
      throw has("std")
        ? failure("a std belongs to distribution: \"normal\"", at: "std")
        : failure("a normal distribution needs its std", hint: "std: 0.01", at: "distribution")
    }
    return switch name {
    case "heFanIn": .kaimingFanIn
    case "heFanOut": .kaimingFanOut
    case "glorot": .glorotUniform
    case "normal": .normal(std: Float(try number("std")))
    default: nil
    }
  }
}
