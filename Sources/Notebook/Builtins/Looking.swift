internal import Datasets
internal import Distribution
internal import Engine
internal import Networks
internal import Script
internal import Tensors
internal import Training

let findLearningRate = Builtin(
  "findLearningRate",
  "Runs the learning rate range test: trains for some steps while the rate rises exponentially, and records the loss. The weights are discarded.",
  parameters: [
    trainableParameter, dataParameter,
    Parameter("from", .number, "First learning rate.", default: .number(1e-5), labelled: true, allowed: 1e-12...1000),
    Parameter("to", .number, "Last learning rate.", default: .number(10), labelled: true, allowed: 1e-12...1e6),
    Parameter("steps", .integer, "Number of steps.", default: .number(100), labelled: true, allowed: 10...100_000),
    Parameter("batch", .integer, "Images per step.", default: .number(128), labelled: true, allowed: 1...65_536),
  ] + TrainingSetting.ofOptimizer.map(\.parameter) + [seedParameter],
  result: .recordOf(["suggested": .optional(.number), "curve": .series, "diverged": .bool]),
  examples: [
    Example(
      "len(findLearningRate(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), steps: 10, to: 0.1, batch: 16).curve)",
      gives: "10")
  ], chapter: "Training"
) { arguments in
  let data = try arguments.object("data", as: DatasetValue.self).data
  let (network, weights) = try arguments.trainable(for: data)
  let plan = try arguments.trainingPlan(for: data)
  let (low, high) = (try arguments.number("from"), try arguments.number("to"))
  guard low < high else {
    throw arguments.failure("the range must rise: \(NumberText.short(low)) is not below \(NumberText.short(high))", at: "to")
  }
  let notebook = try arguments.notebook()
  try MemoryCheck.training(network, plan, processes: notebook.communicator.size)
  let range = try Trainer(engine: notebook.engine(), communicator: notebook.communicator).learningRateRange(
    network, from: weights, on: data, plan, over: low...high, steps: try arguments.integer("steps"),
    isInterrupted: arguments.context.interrupts)
  return .record([
    "suggested": range.steepest.map(Value.number) ?? .none,
    "curve": .object(
      SeriesValue(
        quantity: "smoothed loss", part: "train", owner: network.name, over: "learning rate", x: range.rates,
        y: range.losses)),
    "diverged": .bool(range.diverged),
  ])
}

let probe = Builtin(
  "probe",
  "Runs the first batch of training forward and backward, without an update, and returns a record for each layer: mean and std of its output, zeros in per cent, and norms of weights and gradients.",
  parameters: [
    trainableParameter, dataParameter,
    Parameter("batch", .integer, "Images in the batch.", default: .number(64), labelled: true, allowed: 1...65_536),
    seedParameter,
  ],
  result: .list(
    of: .recordOf([
      "layer": .string, "operation": .string, "mean": .number, "std": .number, "zeros": .number,
      "gradient": .number, "weight": .optional(.number), "weightGradient": .optional(.number),
    ])),
  examples: [
    Example(
      "last(probe(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), batch: 16)).layer",
      gives: "\"fc\"")
  ], chapter: "Training"
) { arguments in
  let data = try arguments.object("data", as: DatasetValue.self).data
  let (network, given) = try arguments.trainable(for: data)
  let (batch, seed) = (try arguments.integer("batch"), try arguments.seed("seed"))
  try MemoryCheck.probe(network, batch: batch)
  let weights = try given ?? network.initialWeights(seed: seed)
  let layers = try Prober(
    engine: arguments.notebook().engine(), isInterrupted: arguments.context.interrupts
  ).probe(
    network, weights, on: data, batchSize: batch, seed: seed)
  return .list(
    layers.map { layer in
      .record([
        "layer": .string(layer.name), "operation": .string(layer.operation), "mean": .number(layer.mean),
        "std": .number(layer.std), "zeros": .number(100 * layer.zeros),
        "gradient": .number(layer.outputGradient), "weight": layer.weightNorm.map(Value.number) ?? .none,
        "weightGradient": layer.weightGradientNorm.map(Value.number) ?? .none,
      ])
    })
}

private let benchmarkRecord = ValueType.recordOf([
  "network": .string, "seconds": .number, "imagesPerSecond": .number, "MiB": .number, "GFLOPs": .number,
])

let benchmark = Builtin(
  "benchmark",
  "Times steps of one network, or of several networks in turns, on random images. seconds is the median time per image, imagesPerSecond is that of the fastest step, and MiB is the memory of the plan. The ratio of two seconds of one call has a value per round, so that a claim can judge it.",
  parameters: [
    Parameter("network", .either([.network, .list(of: .network)]), "The network, or several."),
    Parameter("batch", .integer, "Images in a step.", default: .number(16), labelled: true, allowed: 1...65_536),
    Parameter(
      "training", .bool, "Whether a step is a training step with SGD and momentum, or a forward pass alone.",
      default: .bool(true), labelled: true),
    Parameter(
      "steps", .integer, "Number of timed steps per network. A confidence interval needs six.", default: .number(6), labelled: true,
      allowed: 1...100_000),
    precisionParameter,
  ],
  result: .either([benchmarkRecord, .list(of: benchmarkRecord)]),
  examples: [
    Example("benchmark(resnet8(classes: 4, input: [1, 8, 8]), batch: 4, steps: 2).network", gives: "\"resnet8\""),
    Example("[b.network for b in benchmark([resnet8(classes: 4, input: [1, 8, 8]), resnet20(classes: 4, input: [1, 8, 8])], batch: 4, steps: 2)]", gives: "[\"resnet8\", \"resnet20\"]"),
  ],
  chapter: "Training"
) { arguments in
  let isOne = if case .list = arguments.value("network") { false } else { true }
  let networks = try (isOne ? [arguments.value("network")] : arguments.list("network")).compactMap { value -> Network? in
    if case .object(let object) = value { (object as? NetworkValue)?.network } else { nil }
  }
  let (batch, isTraining) = (try arguments.integer("batch"), try arguments.bool("training"))
  let precision = try arguments.precision()
  try MemoryCheck.steps(of: networks, batch: batch, precision: precision, isTraining: isTraining)
  let results = try StepBenchmark.byTurns(
    networks, on: arguments.notebook().engine(), batch: batch, mode: isTraining ? .training() : .inference,
    precision: precision, passes: try arguments.integer("steps"), warmUp: 1, isInterrupted: arguments.context.interrupts)
  let rounds = Timing.Rounds()
  let records = zip(networks, results).map { network, result -> Value in
    .record([
      "network": .string(network.name), "seconds": .timing(Timing(rounds, result.seconds.map { $0 / Double(batch) })),
      "imagesPerSecond": .number(result.imagesPerSecond), "MiB": .number(Double(result.planBytes) / 0x1p20),
      "GFLOPs": .number(result.rate / 1e9),
    ])
  }
  return isOne ? records[0] : .list(records)
}
