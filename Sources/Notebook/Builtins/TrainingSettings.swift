internal import Datasets
internal import Script
internal import Tensors
internal import Training

extension Arguments {
  func has(_ setting: TrainingSetting) -> Bool { has(setting.label) }
  func number(_ setting: TrainingSetting) throws(ScriptError) -> Double { try number(setting.label) }
  func integer(_ setting: TrainingSetting) throws(ScriptError) -> Int { try integer(setting.label) }
  func string(_ setting: TrainingSetting) throws(ScriptError) -> String { try string(setting.label) }
  func bool(_ setting: TrainingSetting) throws(ScriptError) -> Bool { try bool(setting.label) }
  func numberIfGiven(_ setting: TrainingSetting) throws(ScriptError) -> Double? { has(setting) ? try number(setting) : nil }
  func failure(_ problem: String, hint: String? = nil, at setting: TrainingSetting) -> ScriptError {
    failure(problem, hint: hint, at: setting.label)
  }

  /// What all the settings say that the builtin takes.
  func trainingPlan(for data: Dataset) throws -> TrainingPlan {
    var plan = TrainingPlan()
    for setting in TrainingSetting.allCases where takes(setting.label) { try give(setting, to: &plan, for: data) }
    return plan
  }

  /// Hands a setting to the trainer. Some settings are parts of what another one stands for.
  private func give(_ setting: TrainingSetting, to plan: inout TrainingPlan, for data: Dataset) throws {
    switch setting {
    case .epochs: plan.epochs = try integer(.epochs)
    case .batch: plan.batchSize = try integer(.batch)
    case .lr: plan.learningRate = try number(.lr)

    case .optimizer: plan.optimizer = try optimizer()
    case .momentum, .nesterov, .beta1, .beta2, .epsilon, .trustCoefficient: break  // of the optimizer
    case .weightDecay: plan.weightDecay = try number(.weightDecay)
    case .decayOn:
      let decays = Set(try strings(setting.label))
      plan.decayed = DecayedParameters(
        weights: decays.contains("weights"), depthwise: decays.contains("depthwise"), norms: decays.contains("norms"),
        biases: decays.contains("biases"))
    case .clipNorm: if let norm = try numberIfGiven(.clipNorm) { plan.clipping = .norm(norm) }
    case .clipValue:
      guard let value = try numberIfGiven(.clipValue) else { break }
      guard !has(.clipNorm) else { throw failure("clipNorm and clipValue exclude each other", at: .clipValue) }
      plan.clipping = .value(value)

    case .microBatch:
      guard has(.microBatch) else { break }
      let part = try integer(.microBatch)
      guard plan.batchSize % part == 0 else {
        throw failure("a microBatch of \(part) does not divide a batch of \(plan.batchSize)", at: .microBatch)
      }
      plan.partSize = part
    case .syncBatchNorm: plan.synchronizesBatchNorm = try bool(.syncBatchNorm)

    case .loss:
      plan.loss =
        try string(.loss) == "binaryCrossEntropy"
        ? .binaryCrossEntropy(threshold: try numberIfGiven(.targetThreshold)) : .crossEntropy
    case .targetThreshold: break  // of the loss

    case .schedule: plan.schedule = try schedule(epochs: plan.epochs)
    case .minLR, .milestones, .stepSize, .gamma: break  // of the schedule
    case .byEpoch: plan.schedulesByEpoch = try bool(.byEpoch)
    case .fromStart: plan.schedulesFromStart = try bool(.fromStart)
    case .warmup:
      plan.warmupEpochs = try number(.warmup)
      guard plan.warmupEpochs <= Double(plan.epochs) else {
        throw failure("the warm-up is longer than the training run", hint: "at most \(plan.epochs)", at: .warmup)
      }
    case .warmupLR: if let from = try numberIfGiven(.warmupLR) { plan.warmup = .epochs(from: from) }
    case .cooldown:
      plan.cooldownEpochs = try integer(.cooldown)
      guard plan.warmupEpochs + Double(plan.cooldownEpochs) <= Double(plan.epochs) else {
        throw failure("warm-up and cool-down are longer than the training run", at: .cooldown)
      }

    case .labelSmoothing: plan.labelSmoothing = try number(.labelSmoothing)
    case .augment: plan.augmentations = try augmentations(for: data)
    case .mixup:
      let mixing = Mixing(
        mixup: try number(.mixup), cutmix: try number(.cutmix), probability: try number(.mixupProbability),
        mixupSwitchProbability: try number(.mixupSwitchProbability))
      if mixing.mixup > 0 || mixing.cutmix > 0 { plan.mixing = mixing }
    case .cutmix, .mixupProbability, .mixupSwitchProbability: break  // with mixup
    case .dropPath: plan.dropPath = try number(.dropPath)

    case .ema: plan.movingAverage = try movingAverage()
    case .result: plan.result = try resultWeights(hasAverage: plan.movingAverage != nil)
    case .snapshots: break  // of the result

    case .freezeBatchNorm: plan.freezesBatchNormAfter = try numberIfGiven(.freezeBatchNorm)
    case .preciseBatchNorm: plan.preciseBatchNorm = try integer(.preciseBatchNorm)

    case .teacher: if has(.teacher) { plan.distillation = try distillation() }
    case .distillation: break  // with the teacher

    case .precision: plan.precision = try precision()
    case .seed: plan.seed = try seed(setting.label)
    }
  }

  private func optimizer() throws(ScriptError) -> Optimizer {
    let name = OptimizerName(rawValue: try string(.optimizer)) ?? .sgd
    return name.optimizer(
      momentum: try number(.momentum), nesterov: has(.nesterov) ? try bool(.nesterov) : nil,
      beta1: try numberIfGiven(.beta1), beta2: try numberIfGiven(.beta2), epsilon: try numberIfGiven(.epsilon),
      trust: try number(.trustCoefficient))
  }

  private func schedule(epochs: Int) throws(ScriptError) -> Schedule {
    let every = try numberIfGiven(.stepSize) ?? Double(max(1, (epochs + 2) / 3))
    let (falls, factor) = (try numbers(TrainingSetting.milestones.label), try number(.gamma))
    switch try string(.schedule) {
    case "constant": return .constant
    case "step":
      guard !falls.isEmpty else { return .step(every: every, factor: factor) }
      guard !has(.stepSize) else {
        throw failure("milestones and stepSize exclude each other", hint: "stepSize: none leaves it out", at: .stepSize)
      }
      return .steps(at: falls, factor: factor)
    case "exponential": return .exponential(every: every, factor: factor)
    default: return .cosine(final: try number(.minLR))
    }
  }

  private func movingAverage() throws(ScriptError) -> MovingAverage? {
    if case .number(let decay)? = self[TrainingSetting.ema.label] { return MovingAverage(decay: decay) }
    guard has(.ema) else { return nil }
    let (fields, standard) = (try RecordFields<AverageField>(self, .ema), MovingAverage())
    return MovingAverage(
      decay: fields.number(.decay) ?? standard.decay, ramp: fields.number(.ramp),
      every: fields.integer(.every) ?? standard.every)
  }

  private func resultWeights(hasAverage: Bool) throws(ScriptError) -> ResultWeights {
    switch try string(.result) {
    case "ema":
      guard hasAverage else {
        throw failure("result: \"ema\" needs the argument ema", hint: "ema: \(MovingAverage().decay)", at: .result)
      }
      return .movingAverage
    case "best":
      let fields = try RecordFields<SnapshotField>(self, .snapshots)
      let selection: ResultWeights.Selection =
        fields.string(.on) == "validation"
        ? .validation : .heldOut(share: fields.number(.share) ?? SnapshotField.standardShare)
      return .meanOfBest(count: fields.integer(.count) ?? SnapshotField.standardCount, by: selection)
    default: return .last
    }
  }

  private func distillation() throws(ScriptError) -> Distillation {
    let (fields, standard) = (try RecordFields<DistillationField>(self, .distillation), Distillation())
    return Distillation(
      weight: fields.number(.weight) ?? standard.weight, temperature: fields.number(.temperature) ?? standard.temperature,
      scalesBySquare: fields.bool(.squared) ?? standard.scalesBySquare)
  }

  /// Whom a training learns from.
  func teachers(of data: Dataset) throws -> [Teacher] {
    guard let value = self[TrainingSetting.teacher.label] else { return [] }
    let channels = data.imageShape[0]
    let normalization: Normalization? =
      switch try RecordFields<DistillationField>(self, .distillation).string(.normalization) {
      case "imagenet": .imageNet
      case "centered": .centered(channels: channels)
      default: nil
      }
    guard normalization.map({ $0.mean.count == channels }) ?? true else {
      throw failure(
        "ImageNet's normalization needs images of 3 channels, these have \(channels)", at: .distillation)
    }
    let models = if case .list(let list) = value { list.elements } else { [value] }
    guard !models.isEmpty else { throw failure("the list of teachers is empty", at: .teacher) }
    return try models.map { value in
      guard case .object(let object) = value, let model = object as? ModelValue else {
        throw failure("a teacher must be a model", at: .teacher)
      }
      try model.network.check(against: data)
      return Teacher(model.network, model.weights, normalization: normalization)
    }
  }
}
