internal import Datasets
internal import Script
internal import Tensors
internal import Training

/// A labelled number that may be left out.
private func optional(_ label: String, _ doc: String, _ allowed: ClosedRange<Double>, type: ValueType = .number)
  -> Parameter
{
  Parameter(label, type, doc, optional: true, labelled: true, allowed: allowed)
}

let optimizerParameters = [
  Parameter(
    "optimizer", .oneOf(["sgd", "adam", "adamw", "lamb", "lars", "rmsprop", "rmspropTF"]),
    "Optimizer. rmspropTF is TensorFlow's RMSprop; adamw decouples weight decay from the gradient.", default: .string("sgd"), labelled: true),
  Parameter(
    "momentum", .number, "Momentum of sgd, lars, rmsprop and rmspropTF.", default: .number(0.9), labelled: true, allowed: 0...0.9999),
  Parameter(
    "nesterov", .bool, "Whether sgd and lars use Nesterov momentum. Default: true for sgd, false for lars.",
    optional: true, labelled: true),
  optional("beta1", "Decay rate of the first moment in adam, adamw and lamb. Default: 0.9.", 0...0.9999999),
  optional(
    "beta2",
    "Decay rate of the second moment. Default: 0.999 for adam, adamw and lamb, 0.99 for rmsprop, 0.9 for rmspropTF.",
    0...0.9999999),
  optional(
    "epsilon", "Term added to the denominator for numerical stability. Default: 1e-8 for adam, adamw, lars and rmsprop, 1e-6 for lamb, 1e-10 for rmspropTF.",
    1e-30...1e6),
  Parameter(
    "trustCoefficient", .number, "Trust coefficient of lars.", default: .number(0.001),
    labelled: true, allowed: 1e-9...100),
  Parameter(
    "weightDecay", .number, "Weight decay coefficient.", default: .number(5e-4), labelled: true,
    allowed: 0...100),
  Parameter(
    "decayOn", .list(of: .oneOf(["weights", "depthwise", "norms", "biases"])),
    "Parameters that weight decay applies to. \"depthwise\" stands for the filters of depthwise convolutions, \"weights\" for all other weights.",
    default: .list(["weights", "depthwise"]), labelled: true),
  optional("clipNorm", "Maximum norm of all gradients together; longer gradients are scaled down to it. Default: no clipping.", 1e-12...1e12),
  optional("clipValue", "Maximum absolute value of each element of a gradient. Default: no clipping.", 1e-12...1e12),
]

let trainingParameters = [
  optional(
    "microBatch",
    "Images per forward and backward pass, a divisor of batch; gradients are accumulated over the passes. Batch norm, mixup and CutMix see one micro-batch at a time. Default: batch.",
    1...65_536, type: .integer),
  Parameter(
    "syncBatchNorm", .bool,
    "Under mpirun: whether batch norm takes its statistics over all processes, each of which computes its share of microBatch.",
    default: .bool(false), labelled: true),
  Parameter(
    "loss", .oneOf(["crossEntropy", "binaryCrossEntropy"]),
    "Loss function: softmax cross-entropy, or binary cross-entropy for each class, averaged over the classes.",
    default: .string("crossEntropy"), labelled: true),
  optional("targetThreshold", "For loss: \"binaryCrossEntropy\": targets above this become 1, all others 0. Default: targets stay as they are.", 0...0.999),
  Parameter(
    "schedule", .oneOf(["cosine", "step", "exponential", "constant"]),
    "Learning rate schedule. cosine decays to minLR; step multiplies by gamma at milestones, or every stepSize epochs; exponential decays by gamma per stepSize epochs, a little in every step.", default: .string("cosine"),
    labelled: true),
  Parameter(
    "minLR", .number, "Final learning rate of the cosine schedule, as a share of lr.", default: .number(0), labelled: true,
    allowed: 0...1),
  Parameter(
    "milestones", .list(of: .number), "Epochs at which the step schedule multiplies the rate by gamma. An empty list: every stepSize epochs.", default: .list([Value]()),
    labelled: true),
  optional(
    "stepSize", "Epochs per factor of gamma in the step and exponential schedules. Default: a third of the epochs.", 1e-3...1e6),
  Parameter("gamma", .number, "Decay factor of the step and exponential schedules.", default: .number(0.1), labelled: true, allowed: 1e-6...1),
  Parameter(
    "byEpoch", .bool, "Whether the learning rate changes once per epoch, as in timm, instead of once per step.", default: .bool(false),
    labelled: true),
  Parameter(
    "fromStart", .bool,
    "Whether the cosine starts in the first epoch, where the warm-up hides it, as in timm. Otherwise it starts after the warm-up.",
    default: .bool(false), labelled: true),
  Parameter(
    "warmup", .number, "Epochs of linear warm-up, from 0 to lr.", default: .number(0), labelled: true,
    allowed: 0...100_000),
  optional("warmupLR", "Learning rate at the start of the warm-up, as a share of lr; the warm-up then rises once per epoch. Default: from 0, once per step.", 0...1),
  Parameter(
    "cooldown", .integer, "How many of the last epochs keep the final learning rate.", default: .number(0),
    labelled: true,
    allowed: 0...100_000),
  Parameter(
    "labelSmoothing", .number, "Label smoothing: the share of the target that is spread evenly over all classes.", default: .number(0),
    labelled: true, allowed: 0...0.999),
  augmentParameter,
  Parameter(
    "mixup", .number, "Mixup alpha. 0 turns mixup off.", default: .number(0),
    labelled: true, allowed: 0...1000),
  Parameter(
    "cutmix", .number, "CutMix alpha. 0 turns CutMix off.",
    default: .number(0), labelled: true, allowed: 0...1000),
  Parameter(
    "mixupProbability", .number, "Probability that mixup or CutMix is applied to a batch.", default: .number(1), labelled: true, allowed: 0...1),
  Parameter(
    "mixupSwitchProbability", .number, "Probability of CutMix rather than mixup when both are on.", default: .number(0.5),
    labelled: true,
    allowed: 0...1),
  Parameter(
    "dropPath", .number, "Drop path rate (stochastic depth) of the last residual block. It grows linearly from 0 at the first block.",
    default: .number(0), labelled: true, allowed: 0...0.99),
  Parameter(
    "ema", .either([.number, .recordOf(Averages.fields)]),
    "Decay rate of the exponential moving average (EMA) of the weights, or a record: decay, ramp (15 in SuperGradients) and every (steps between updates). Default: no EMA.",
    optional: true, labelled: true),
  Parameter(
    "result", .oneOf(["last", "ema", "best"]),
    "Weights of run.model: the last ones, their EMA, or the average of the best snapshots.",
    default: .string("last"), labelled: true),
  Parameter(
    "snapshots", .recordOf(Snapshots.fields),
    "For result: \"best\", a record: count, the snapshots to average (10); on, the images that rank them (\"heldOut\" from the training set, or \"validation\"); share, the part of the training set to hold out (10%).",
    optional: true, labelled: true),
  optional(
    "freezeBatchNorm", "Epochs after which batch norm uses its running statistics and no longer updates them. Default: never.", 0...100_000),
  Parameter(
    "preciseBatchNorm", .integer, "Training batches on which the statistics of batch norm are estimated again with the final weights. 0: they stay as training left them.",
    default: .number(0), labelled: true, allowed: 0...1_000_000),
  Parameter(
    "teacher", .either([.model, .list(of: .model)]), "Teacher model for knowledge distillation, or a list of models whose softmax outputs are averaged.",
    optional: true, labelled: true),
  Parameter(
    "distillation", .recordOf(Teaching.fields),
    "Settings of distillation, a record: weight of the distillation loss against the loss of the labels (0.8), temperature (1), squared (whether the loss is multiplied by the temperature squared; false), normalization of the teacher's input (\"data\", \"imagenet\" or \"centered\").",
    optional: true, labelled: true),
]

private enum Averages {
  static let fields: [String: ValueType] = [
    "decay": .optional(.number), "ramp": .optional(.number), "every": .optional(.integer),
  ]
}
private enum Snapshots {
  static let fields: [String: ValueType] = [
    "count": .optional(.integer), "on": .optional(.oneOf(["heldOut", "validation"])), "share": .optional(.number),
  ]
}
private enum Teaching {
  static let fields: [String: ValueType] = [
    "weight": .optional(.number), "temperature": .optional(.number), "squared": .optional(.bool),
    "normalization": .optional(.oneOf(["data", "imagenet", "centered"])),
  ]
}

/// The fields of a record argument, which the language has checked for their types.
private struct Settings {
  private let record: Record?

  /// - Throws: `ScriptError` for a field that is none of those.
  init(_ arguments: Arguments, _ label: String, _ fields: [String: ValueType]) throws(ScriptError) {
    record = if case .record(let record)? = arguments[label] { record } else { nil }
    let known = fields.keys.sorted()
    if let wrong = record?.names.first(where: { fields[$0] == nil }) {
      throw arguments.failure("\(label) has no '\(wrong)'", hint: "it has \(known.joined(separator: ", "))", at: label)
    }
  }

  func number(_ name: String) -> Double? { if case .number(let number)? = record?[name] { number } else { nil } }
  /// Whole, and not too large for the training to look at.
  func integer(_ name: String) -> Int? { number(name).flatMap { Int(exactly: $0) } }
  func string(_ name: String) -> String? { if case .string(let string)? = record?[name] { string } else { nil } }
  func bool(_ name: String) -> Bool? { if case .bool(let bool)? = record?[name] { bool } else { nil } }
}

extension Arguments {
  private func numberIfGiven(_ label: String) throws(ScriptError) -> Double? { has(label) ? try number(label) : nil }

  /// What `optimizerParameters` say.
  func setOptimizer(of plan: inout TrainingPlan) throws(ScriptError) {
    let momentum = try number("momentum")
    let looksAhead = has("nesterov") ? try bool("nesterov") : nil
    let (beta1, beta2, epsilon) = try (numberIfGiven("beta1"), numberIfGiven("beta2"), numberIfGiven("epsilon"))
    plan.optimizer =
      switch try string("optimizer") {
      case "adam": .adam(beta1: beta1 ?? 0.9, beta2: beta2 ?? 0.999, epsilon: epsilon ?? 1e-8)
      case "adamw": .adamW(beta1: beta1 ?? 0.9, beta2: beta2 ?? 0.999, epsilon: epsilon ?? 1e-8)
      case "lamb": .lamb(beta1: beta1 ?? 0.9, beta2: beta2 ?? 0.999, epsilon: epsilon ?? 1e-6)
      case "lars":
        .lars(
          momentum: momentum, nesterov: looksAhead ?? false, trust: try number("trustCoefficient"), epsilon: epsilon ?? 1e-8)
      case "rmsprop": .rmsProp(decay: beta2 ?? 0.99, momentum: momentum, epsilon: epsilon ?? 1e-8)
      case "rmspropTF": .rmsPropTF(decay: beta2 ?? 0.9, momentum: momentum, epsilon: epsilon ?? 1e-10)
      default: .sgd(momentum: momentum, nesterov: looksAhead ?? true)
      }
    plan.weightDecay = try number("weightDecay")
    let decays = Set(try strings("decayOn"))
    plan.decayed = DecayedParameters(
      weights: decays.contains("weights"), depthwise: decays.contains("depthwise"), norms: decays.contains("norms"),
      biases: decays.contains("biases"))
    if let value = try numberIfGiven("clipValue") {
      guard !has("clipNorm") else {
        throw failure("clipNorm and clipValue exclude each other", at: "clipValue")
      }
      plan.clipping = .value(value)
    } else {
      plan.clipping = try numberIfGiven("clipNorm").map { .norm($0) }
    }
  }

  func trainingPlan(for data: Dataset) throws(ScriptError) -> TrainingPlan {
    var plan = TrainingPlan()
    plan.epochs = try integer("epochs")
    plan.batchSize = try integer("batch")
    plan.partSize = try integerIfGiven("microBatch")
    if let part = plan.partSize, plan.batchSize % part != 0 {
      throw failure("a microBatch of \(part) does not divide a batch of \(plan.batchSize)", at: "microBatch")
    }
    plan.synchronizesBatchNorm = try bool("syncBatchNorm")
    if try string("loss") == "binaryCrossEntropy" {
      plan.loss = .binaryCrossEntropy(threshold: try numberIfGiven("targetThreshold"))
    } else if has("targetThreshold") {
      throw failure("targetThreshold needs the binary cross-entropy loss", hint: "loss: \"binaryCrossEntropy\"", at: "targetThreshold")
    }
    try setOptimizer(of: &plan)
    plan.learningRate = try number("lr")
    try setSchedule(of: &plan)
    plan.labelSmoothing = try number("labelSmoothing")
    plan.augmentations = try augmentations(for: data)
    let mixing = Mixing(
      mixup: try number("mixup"), cutmix: try number("cutmix"), probability: try number("mixupProbability"),
      mixupSwitchProbability: try number("mixupSwitchProbability"))
    if mixing.mixup > 0 || mixing.cutmix > 0 { plan.mixing = mixing }
    plan.dropPath = try number("dropPath")
    try setAverages(of: &plan)
    plan.preciseBatchNorm = try integer("preciseBatchNorm")
    plan.freezesBatchNormAfter = try numberIfGiven("freezeBatchNorm")
    if has("teacher") {
      let settings = try Settings(self, "distillation", Teaching.fields)
      plan.distillation = Distillation(
        weight: settings.number("weight") ?? 0.8, temperature: settings.number("temperature") ?? 1,
        scalesBySquare: settings.bool("squared") ?? false)
    } else if has("distillation") {
      throw failure("distillation needs a teacher", hint: "teacher: model", at: "distillation")
    }
    plan.seed = try seed("seed")
    return plan
  }

  private func setSchedule(of plan: inout TrainingPlan) throws(ScriptError) {
    let every = try numberIfGiven("stepSize") ?? Double(max(1, (plan.epochs + 2) / 3))
    let (falls, factor) = (try numbers("milestones"), try number("gamma"))
    plan.schedule =
      switch try string("schedule") {
      case "constant": .constant
      case "step": falls.isEmpty ? .step(every: every, factor: factor) : .steps(at: falls, factor: factor)
      case "exponential": .exponential(every: every, factor: factor)
      default: .cosine(final: try number("minLR"))
      }
    (plan.schedulesByEpoch, plan.schedulesFromStart) = (try bool("byEpoch"), try bool("fromStart"))
    plan.warmupEpochs = try number("warmup")
    guard plan.warmupEpochs <= Double(plan.epochs) else {
      throw failure("the warm-up is longer than the training run", hint: "at most \(plan.epochs)", at: "warmup")
    }
    if let from = try numberIfGiven("warmupLR") { plan.warmup = .epochs(from: from) }
    plan.cooldownEpochs = try integer("cooldown")
    guard plan.warmupEpochs + Double(plan.cooldownEpochs) <= Double(plan.epochs) else {
      throw failure("warm-up and cool-down are longer than the training run", at: "cooldown")
    }
  }

  private func setAverages(of plan: inout TrainingPlan) throws(ScriptError) {
    if case .number(let decay)? = self["ema"] {
      plan.movingAverage = MovingAverage(decay: decay)
    } else if has("ema") {
      let settings = try Settings(self, "ema", Averages.fields)
      plan.movingAverage = MovingAverage(
        decay: settings.number("decay") ?? 0.9999, ramp: settings.number("ramp"), every: settings.integer("every") ?? 1)
    }
    switch try string("result") {
    case "ema":
      guard plan.movingAverage != nil else {
        throw failure("result: \"ema\" needs the argument ema", hint: "ema: 0.9999", at: "result")
      }
      plan.result = .movingAverage
    case "best":
      let settings = try Settings(self, "snapshots", Snapshots.fields)
      let selection: ResultWeights.Selection =
        settings.string("on") == "validation" ? .validation : .heldOut(share: settings.number("share") ?? 0.1)
      plan.result = .meanOfBest(count: settings.integer("count") ?? 10, by: selection)
    default:
      if has("snapshots") { throw failure("snapshots are for result: \"best\"", at: "snapshots") }
    }
  }

  /// Whom a training learns from.
  func teachers(of data: Dataset) throws -> [Teacher] {
    guard let value = self["teacher"] else { return [] }
    let channels = data.imageShape[0]
    let normalization: Normalization? =
      switch try Settings(self, "distillation", Teaching.fields).string("normalization") {
      case "imagenet": .imageNet
      case "centered": .centered(channels: channels)
      default: nil
      }
    guard normalization.map({ $0.mean.count == channels }) ?? true else {
      throw failure(
        "ImageNet's normalization needs images of 3 channels, these have \(channels)", at: "distillation")
    }
    let models = if case .list(let list) = value { list.elements } else { [value] }
    guard !models.isEmpty else { throw failure("the list of teachers is empty", at: "teacher") }
    return try models.map { value in
      guard case .object(let object) = value, let model = object as? ModelValue else {
        throw failure("a teacher must be a model", at: "teacher")
      }
      try model.network.check(against: data)
      return Teacher(model.network, model.weights, normalization: normalization)
    }
  }
}
