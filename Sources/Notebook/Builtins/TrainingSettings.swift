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
    "How gradients change weights; rmspropTF is TensorFlow's.", default: .string("sgd"), labelled: true),
  Parameter(
    "momentum", .number, "Of sgd, lars and rmsprop.", default: .number(0.9), labelled: true, allowed: 0...0.9999),
  Parameter(
    "nesterov", .bool, "Whether the momentum of sgd or lars looks ahead; left out, that of sgd does, that of lars not.",
    optional: true, labelled: true),
  optional("beta1", "Of adam and lamb, 0.9 where left out.", 0...0.9999999),
  optional(
    "beta2",
    "Of adam and lamb, 0.999 where left out; of rmsprop, what stays of the mean square, 0.99 or TensorFlow's 0.9.",
    0...0.9999999),
  optional(
    "epsilon", "What the optimizer adds to a divisor: adam 1e-8, lamb 1e-6, lars 1e-8, rmsprop 1e-8, rmspropTF 1e-10.",
    1e-30...1e6),
  Parameter(
    "trustCoefficient", .number, "Of lars: the share of its norm by which a tensor may move.", default: .number(0.001),
    labelled: true, allowed: 1e-9...100),
  Parameter(
    "weightDecay", .number, "How strongly weights are drawn to zero.", default: .number(5e-4), labelled: true,
    allowed: 0...100),
  Parameter(
    "decayOn", .list(of: .oneOf(["weights", "depthwise", "norms", "biases"])),
    "What is drawn to zero; the filters of depthwise convolutions are told apart from other weights.",
    default: .list(["weights", "depthwise"]), labelled: true),
  optional("clipNorm", "Scales gradients so that their common norm is at most this.", 1e-12...1e12),
  optional("clipValue", "Moves each gradient to plus or minus this at most.", 1e-12...1e12),
]

let trainingParameters = [
  optional(
    "microBatch",
    "Images that are computed at once, a divisor of batch; batch norms and mixing see these. All where left out.",
    1...65_536, type: .integer),
  Parameter(
    "syncBatchNorm", .bool,
    "Under mpirun: whether batch norms see what all processes compute at once, each its share of microBatch.",
    default: .bool(false), labelled: true),
  Parameter(
    "loss", .oneOf(["crossEntropy", "binaryCrossEntropy"]),
    "What is made small: cross-entropy, or a binary one for each class, averaged over classes.",
    default: .string("crossEntropy"), labelled: true),
  optional("targetThreshold", "With loss binary: targets above it count as 1, others as 0.", 0...0.999),
  Parameter(
    "schedule", .oneOf(["cosine", "step", "exponential", "constant"]),
    "How the learning rate falls: along a cosine, in steps, all the time, or not.", default: .string("cosine"),
    labelled: true),
  Parameter(
    "minLR", .number, "Where a cosine ends, as a share of the highest rate.", default: .number(0), labelled: true,
    allowed: 0...1),
  Parameter(
    "milestones", .list(of: .number), "Of step: the epochs at which the rate falls.", default: .list([Value]()),
    labelled: true),
  optional(
    "stepSize", "Of step and exponential: epochs between two falls; a third of all where left out.", 1e-3...1e6),
  Parameter("gamma", .number, "The factor of one fall.", default: .number(0.1), labelled: true, allowed: 1e-6...1),
  Parameter(
    "byEpoch", .bool, "Whether the rate stays the same within an epoch, as timm has it.", default: .bool(false),
    labelled: true),
  Parameter(
    "fromStart", .bool,
    "Whether a cosine begins with the first epoch, hidden by the warm-up, as timm has it; else after it.",
    default: .bool(false), labelled: true),
  Parameter(
    "warmup", .number, "Epochs in which the learning rate rises from 0.", default: .number(0), labelled: true,
    allowed: 0...100_000),
  optional("warmupLR", "Makes the warm-up rise by whole epochs, from this share of the highest rate.", 0...1),
  Parameter(
    "cooldown", .integer, "Epochs at the end, of all, in which the rate stays as it is.", default: .number(0),
    labelled: true,
    allowed: 0...100_000),
  Parameter(
    "labelSmoothing", .number, "The share of the target that goes to all classes alike.", default: .number(0),
    labelled: true, allowed: 0...0.999),
  augmentParameter,
  Parameter(
    "mixup", .number, "Alpha of mixup, which blends images of a batch in pairs; 0 is without.", default: .number(0),
    labelled: true, allowed: 0...1000),
  Parameter(
    "cutmix", .number, "Alpha of CutMix, which puts a box of one image into another; 0 is without.",
    default: .number(0), labelled: true, allowed: 0...1000),
  Parameter(
    "mixupProbability", .number, "How often a batch is mixed.", default: .number(1), labelled: true, allowed: 0...1),
  Parameter(
    "mixupSwitchProbability", .number, "How often it is CutMix, where both are in use.", default: .number(0.5),
    labelled: true,
    allowed: 0...1),
  Parameter(
    "dropPath", .number, "How often the last residual branch is left out in training; the first never.",
    default: .number(0), labelled: true, allowed: 0...0.99),
  Parameter(
    "ema", .either([.number, .recordOf(Averages.fields)]),
    "Keeps a moving average of the weights: its decay, or a record of decay, ramp (15 is SuperGradients') and every (steps).",
    optional: true, labelled: true),
  Parameter(
    "result", .oneOf(["last", "ema", "best"]),
    "The weights it gives: the last, their moving average, or the mean of the best snapshots.",
    default: .string("last"), labelled: true),
  Parameter(
    "snapshots", .recordOf(Snapshots.fields),
    "For result best: count (10), by \"heldOut\" images of the training set or the \"validation\" part itself, and the share that is held out (10%).",
    optional: true, labelled: true),
  optional(
    "freezeBatchNorm", "Epochs after which batch norms use and keep their running statistics; never where left out.", 0...100_000),
  Parameter(
    "preciseBatchNorm", .integer, "Batches over which batch norms are measured again with the final weights.",
    default: .number(0), labelled: true, allowed: 0...1_000_000),
  Parameter(
    "teacher", .either([.model, .list(of: .model)]), "A model to learn from, or several whose answers are averaged.",
    optional: true, labelled: true),
  Parameter(
    "distillation", .recordOf(Teaching.fields),
    "How: weight of the teacher's answers (0.8), temperature (1), squared (whether its square is a factor), normalization of its images (\"data\", \"imagenet\", \"centered\").",
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
        throw failure("gradients are clipped to a norm or to a value, not both", at: "clipValue")
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
      throw failure("a batch of \(plan.batchSize) is not made of parts of \(part)", at: "microBatch")
    }
    plan.synchronizesBatchNorm = try bool("syncBatchNorm")
    if try string("loss") == "binaryCrossEntropy" {
      plan.loss = .binaryCrossEntropy(threshold: try numberIfGiven("targetThreshold"))
    } else if has("targetThreshold") {
      throw failure("only the binary loss has a threshold", hint: "loss: \"binaryCrossEntropy\"", at: "targetThreshold")
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
      throw failure("a distillation needs a teacher", hint: "teacher: model", at: "distillation")
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
      throw failure("the warm-up is longer than the training", hint: "at most \(plan.epochs)", at: "warmup")
    }
    if let from = try numberIfGiven("warmupLR") { plan.warmup = .epochs(from: from) }
    plan.cooldownEpochs = try integer("cooldown")
    guard plan.warmupEpochs + Double(plan.cooldownEpochs) <= Double(plan.epochs) else {
      throw failure("warm-up and cool-down are longer than the training", at: "cooldown")
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
        throw failure("there is no moving average to give", hint: "ema: 0.9999", at: "result")
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
        "ImageNet's normalization is for images of 3 channels, these have \(channels)", at: "distillation")
    }
    let models = if case .list(let list) = value { list.elements } else { [value] }
    guard !models.isEmpty else { throw failure("there is no model in the list of teachers", at: "teacher") }
    return try models.map { value in
      guard case .object(let object) = value, let model = object as? ModelValue else {
        throw failure("a teacher is a model", at: "teacher")
      }
      try model.network.check(against: data)
      return Teacher(model.network, model.weights, normalization: normalization)
    }
  }
}
