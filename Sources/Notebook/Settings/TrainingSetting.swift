internal import Script

/// The settings of training, in the order of the reference. The raw value is the label.
///
/// A new one is a case here with its declaration below, and a case in `Arguments.give(_:to:)`, which hands it to the
/// trainer: the compiler names both.
enum TrainingSetting: String, CaseIterable {
  case epochs, batch, lr
  case optimizer, momentum, nesterov, beta1, beta2, epsilon, trustCoefficient, weightDecay, decayOn, clipNorm, clipValue
  case microBatch, syncBatchNorm
  case loss, targetThreshold
  case schedule, minLR, milestones, stepSize, gamma, byEpoch, fromStart, warmup, warmupLR, cooldown
  case labelSmoothing, augment, mixup, cutmix, mixupProbability, mixupSwitchProbability, dropPath
  case ema, result, snapshots
  case freezeBatchNorm, preciseBatchNorm
  case teacher, distillation
  case precision, seed

  /// Those that say how gradients move weights, which `findLearningRate` takes too.
  static let ofOptimizer: [TrainingSetting] = [
    .optimizer, .momentum, .nesterov, .beta1, .beta2, .epsilon, .trustCoefficient, .weightDecay, .decayOn, .clipNorm,
    .clipValue,
  ]

  var label: String { rawValue }
  var parameter: Parameter { declaration.parameter }
  var declaration: SettingDeclaration { Self.declarations[self] ?? declared }

  private static let declarations = Dictionary(uniqueKeysWithValues: allCases.map { ($0, $0.declared) })
}

extension TrainingSetting {
  private var declared: SettingDeclaration {
    switch self {
    case .epochs:
      SettingDeclaration(
        setting(.integer, "Number of passes over the training set.", default: .number(10), allowed: 1...100_000),
        scaling: .epochs, role: .essential, timm: "--epochs")
    case .batch:
      SettingDeclaration(
        setting(.integer, "Images per optimizer step.", default: .number(128), allowed: 1...65_536), scaling: .batch,
        role: .essential, timm: "--batch-size", pyTorch: "DataLoader(batch_size)")
    case .lr:
      SettingDeclaration(
        setting(.number, "Peak learning rate.", default: .number(0.1), allowed: 1e-12...1000), scaling: .learningRate,
        role: .essential, timm: "--lr", pyTorch: "lr")

    case .optimizer:
      SettingDeclaration(
        setting(
          .oneOf(OptimizerName.words),
          "Optimizer. rmspropTF is TensorFlow's RMSprop; adamw decouples weight decay from the gradient.",
          default: .string(OptimizerName.sgd.rawValue)),
        role: .essential, timm: "--opt (nesterov for sgd)", pyTorch: "SGD, Adam, AdamW, RMSprop")
    case .momentum:
      SettingDeclaration(
        setting(
          .number, "Momentum of \(OptimizerName.list(OptimizerName.taking(\.momentum))).", default: .number(0.9),
          allowed: 0...0.9999, condition: .optimizer(\.momentum), neutral: .number(0)),
        timm: "--momentum", pyTorch: "SGD(momentum)")
    case .nesterov:
      SettingDeclaration(
        setting(
          .bool,
          "Whether \(OptimizerName.list(OptimizerName.taking(\.nesterov))) use Nesterov momentum. \(OptimizerName.sentence(\.nesterov) { "\($0)" })",
          condition: .optimizer(\.nesterov), neutral: .bool(false)),
        timm: "--opt nesterov or momentum", pyTorch: "SGD(nesterov)")
    case .beta1:
      SettingDeclaration(
        setting(
          .number,
          "Decay rate of the first moment in \(OptimizerName.list(OptimizerName.taking(\.beta1))). \(OptimizerName.sentence(\.beta1, Value.text(of:)))",
          allowed: 0...0.9999999, condition: .optimizer(\.beta1)),
        timm: "--opt-betas", pyTorch: "Adam(betas)")
    case .beta2:
      SettingDeclaration(
        setting(
          .number, "Decay rate of the second moment. \(OptimizerName.sentence(\.beta2, Value.text(of:)))",
          allowed: 0...0.9999999, condition: .optimizer(\.beta2)),
        timm: "--opt-betas", pyTorch: "Adam(betas), RMSprop(alpha)")
    case .epsilon:
      SettingDeclaration(
        setting(
          .number,
          "Term added to the denominator for numerical stability. \(OptimizerName.sentence(\.epsilon, Value.text(of:)))",
          allowed: 1e-30...1e6, condition: .optimizer(\.epsilon)),
        timm: "--opt-eps", pyTorch: "Adam(eps)")
    case .trustCoefficient:
      SettingDeclaration(
        setting(
          .number, "Trust coefficient of lars.", default: .number(0.001), allowed: 1e-9...100,
          condition: .optimizer(\.trust)),
        timm: "Lars(trust_coeff)")
    case .weightDecay:
      SettingDeclaration(
        setting(.number, "Weight decay coefficient.", default: .number(5e-4), allowed: 0...100, neutral: .number(0)),
        timm: "--weight-decay", pyTorch: "weight_decay")
    case .decayOn:
      SettingDeclaration(
        setting(
          .list(of: .oneOf(["weights", "depthwise", "norms", "biases"])),
          "Parameters that weight decay applies to. \"depthwise\" stands for the filters of depthwise convolutions, \"weights\" for all other weights.",
          default: .list(["weights", "depthwise"])),
        pyTorch: "parameter groups")
    case .clipNorm:
      SettingDeclaration(
        setting(
          .number,
          "Maximum norm of all gradients together; longer gradients are scaled down to it. Default: no clipping.",
          allowed: 1e-12...1e12),
        timm: "--clip-grad", pyTorch: "clip_grad_norm_(max_norm)")
    case .clipValue:
      SettingDeclaration(
        setting(
          .number, "Maximum absolute value of each element of a gradient. Default: no clipping.", allowed: 1e-12...1e12),
        timm: "--clip-grad --clip-mode value", pyTorch: "clip_grad_value_(clip_value)")

    case .microBatch:
      SettingDeclaration(
        setting(
          .integer,
          "Images per forward and backward pass, a divisor of batch; gradients are accumulated over the passes. Batch norm, mixup and CutMix see one micro-batch at a time. Default: batch.",
          allowed: 1...65_536),
        scaling: .divisor, role: .essential, timm: "--grad-accum-steps (their number)")
    case .syncBatchNorm:
      SettingDeclaration(
        setting(
          .bool,
          "Under mpirun: whether batch norm takes its statistics over all processes, each of which computes its share of microBatch.",
          default: .bool(false), neutral: .bool(false)),
        timm: "--sync-bn", pyTorch: "SyncBatchNorm")

    case .loss:
      SettingDeclaration(
        setting(
          .oneOf(["crossEntropy", "binaryCrossEntropy"]),
          "Loss function: softmax cross-entropy, or binary cross-entropy for each class, averaged over the classes.",
          default: .string("crossEntropy")),
        role: .essential, timm: "--bce-loss", pyTorch: "CrossEntropyLoss, BCEWithLogitsLoss")
    case .targetThreshold:
      SettingDeclaration(
        setting(
          .number,
          "For loss: \"binaryCrossEntropy\": targets above this become 1, all others 0. Default: targets stay as they are.",
          allowed: 0...0.999, condition: .words(of: Self.loss.label, ["binaryCrossEntropy"])),
        timm: "--bce-target-thresh")

    case .schedule:
      SettingDeclaration(
        setting(
          .oneOf(["cosine", "step", "exponential", "constant"]),
          "Learning rate schedule. cosine decays to minLR; step multiplies by gamma at milestones, or every stepSize epochs; exponential decays by gamma per stepSize epochs, a little in every step.",
          default: .string("cosine"), neutral: .string("constant")),
        timm: "--sched", pyTorch: "CosineAnnealingLR, StepLR, MultiStepLR, ExponentialLR")
    case .minLR:
      SettingDeclaration(
        setting(
          .number, "Final learning rate of the cosine schedule, as a share of lr.", default: .number(0), allowed: 0...1,
          condition: .schedule("cosine"), neutral: .number(0)),
        timm: "--min-lr (not a share)", pyTorch: "CosineAnnealingLR(eta_min), not a share")
    case .milestones:
      SettingDeclaration(
        setting(
          .list(of: .number),
          "Epochs at which the step schedule multiplies the rate by gamma. An empty list: every stepSize epochs.",
          default: .list([Value]()), condition: .schedule("step"), neutral: .list([Value]())),
        scaling: .time, timm: "--decay-milestones", pyTorch: "MultiStepLR(milestones)")
    case .stepSize:
      SettingDeclaration(
        setting(
          .number,
          "Epochs per factor of gamma in the step and exponential schedules. Default: a third of the epochs.",
          allowed: 1e-3...1e6, condition: .schedule("step", "exponential")),
        scaling: .time, timm: "--decay-epochs", pyTorch: "StepLR(step_size)")
    case .gamma:
      SettingDeclaration(
        setting(
          .number, "Decay factor of the step and exponential schedules.", default: .number(0.1), allowed: 1e-6...1,
          condition: .schedule("step", "exponential"), neutral: .number(1)),
        timm: "--decay-rate", pyTorch: "StepLR(gamma)")
    case .byEpoch:
      SettingDeclaration(
        setting(
          .bool, "Whether the learning rate changes once per epoch, as in timm, instead of once per step.",
          default: .bool(false), condition: .schedule("cosine", "step", "exponential"), neutral: .bool(false)),
        timm: "without --sched-on-updates")
    case .fromStart:
      SettingDeclaration(
        setting(
          .bool,
          "Whether the cosine starts in the first epoch, where the warm-up hides it, as in timm. Otherwise it starts after the warm-up.",
          default: .bool(false), condition: .schedule("cosine"), neutral: .bool(false)),
        timm: "without --warmup-prefix")
    case .warmup:
      SettingDeclaration(
        setting(
          .number, "Epochs of linear warm-up, from 0 to lr.", default: .number(0), allowed: 0...100_000,
          neutral: .number(0)),
        scaling: .time, timm: "--warmup-epochs", pyTorch: "LinearLR(total_iters)")
    case .warmupLR:
      SettingDeclaration(
        setting(
          .number,
          "Learning rate at the start of the warm-up, as a share of lr; the warm-up then rises once per epoch. Default: from 0, once per step.",
          allowed: 0...1, condition: .allPositive([Self.warmup.label])),
        timm: "--warmup-lr (not a share)", pyTorch: "LinearLR(start_factor)")
    case .cooldown:
      SettingDeclaration(
        setting(
          .integer, "How many of the last epochs keep the final learning rate.", default: .number(0),
          allowed: 0...100_000, neutral: .number(0)),
        scaling: .wholeEpochs, timm: "--cooldown-epochs")

    case .labelSmoothing:
      SettingDeclaration(
        setting(
          .number, "Label smoothing: the share of the target that is spread evenly over all classes.",
          default: .number(0), allowed: 0...0.999, neutral: .number(0)),
        timm: "--smoothing", pyTorch: "CrossEntropyLoss(label_smoothing)")
    case .augment:
      SettingDeclaration(augmentParameter, timm: "--hflip, --aa, --reprob and others", pyTorch: "torchvision.transforms")
    case .mixup:
      SettingDeclaration(
        setting(.number, "Mixup alpha. 0 turns mixup off.", default: .number(0), allowed: 0...1000, neutral: .number(0)),
        timm: "--mixup", pyTorch: "v2.MixUp(alpha)")
    case .cutmix:
      SettingDeclaration(
        setting(
          .number, "CutMix alpha. 0 turns CutMix off.", default: .number(0), allowed: 0...1000, neutral: .number(0)),
        timm: "--cutmix", pyTorch: "v2.CutMix(alpha)")
    case .mixupProbability:
      SettingDeclaration(
        setting(
          .number, "Probability that mixup or CutMix is applied to a batch.", default: .number(1), allowed: 0...1,
          condition: .anyPositive([Self.mixup.label, Self.cutmix.label])),
        timm: "--mixup-prob")
    case .mixupSwitchProbability:
      SettingDeclaration(
        setting(
          .number, "Probability of CutMix rather than mixup when both are on.", default: .number(0.5), allowed: 0...1,
          condition: .allPositive([Self.mixup.label, Self.cutmix.label])),
        timm: "--mixup-switch-prob")
    case .dropPath:
      SettingDeclaration(
        setting(
          .number,
          "Drop path rate (stochastic depth) of the last residual block. It grows linearly from 0 at the first block.",
          default: .number(0), allowed: 0...0.99, neutral: .number(0)),
        timm: "--drop-path", pyTorch: "StochasticDepth(p)")

    case .ema:
      SettingDeclaration(
        setting(
          .either([.number, AverageField.type]),
          "Decay rate of the exponential moving average (EMA) of the weights, or a record: decay, ramp (15 in SuperGradients) and every (steps between updates). Default: no EMA."
        ), scaling: .timeConstant, timm: "--model-ema --model-ema-decay", pyTorch: "AveragedModel")
    case .result:
      SettingDeclaration(
        setting(
          .oneOf(["last", "ema", "best"]),
          "Weights of run.model: the last ones, their EMA, or the average of the best snapshots.",
          default: .string("last")))
    case .snapshots:
      SettingDeclaration(
        setting(
          SnapshotField.type,
          "For result: \"best\", a record: count, the snapshots to average (10); on, the images that rank them (\"heldOut\" from the training set, or \"validation\"); share, the part of the training set to hold out (10%).",
          condition: .words(of: Self.result.label, ["best"])), scaling: .snapshots)

    case .freezeBatchNorm:
      SettingDeclaration(
        setting(
          .number,
          "Epochs after which batch norm uses its running statistics and no longer updates them. Default: never.",
          allowed: 0...100_000), scaling: .time)
    case .preciseBatchNorm:
      SettingDeclaration(
        setting(
          .integer,
          "Training batches on which the statistics of batch norm are estimated again with the final weights. 0: they stay as training left them.",
          default: .number(0), allowed: 0...1_000_000, neutral: .number(0)), pyTorch: "swa_utils.update_bn")

    case .teacher:
      SettingDeclaration(
        setting(
          .either([.model, .list(of: .model)]),
          "Teacher model for knowledge distillation, or a list of models whose softmax outputs are averaged."))
    case .distillation:
      SettingDeclaration(
        setting(
          DistillationField.type,
          "Settings of distillation, a record: weight of the distillation loss against the loss of the labels (0.8), temperature (1), squared (whether the loss is multiplied by the temperature squared; false), normalization of the teacher's input (\"data\", \"imagenet\" or \"centered\").",
          condition: .given(Self.teacher.label)))

    case .precision: SettingDeclaration(precisionParameter, timm: "--amp-dtype", pyTorch: "torch.autocast")
    case .seed: SettingDeclaration(seedParameter, role: .essential, timm: "--seed", pyTorch: "torch.manual_seed")
    }
  }

  /// A labelled parameter; one without a default may be left out.
  private func setting(
    _ type: ValueType, _ doc: String, default value: Value? = nil, allowed: ClosedRange<Double>? = nil,
    condition: Condition? = nil, neutral: Value? = nil
  ) -> Parameter {
    Parameter(
      label, type, doc, default: value, optional: value == nil, labelled: true, allowed: allowed, condition: condition,
      neutral: neutral)
  }
}

extension Condition {
  /// An optimizer that takes something.
  fileprivate static func optimizer<Number>(_ what: (OptimizerName.Defaults) -> Number?) -> Condition {
    .words(of: TrainingSetting.optimizer.label, OptimizerName.taking(what))
  }

  fileprivate static func schedule(_ words: String...) -> Condition { .words(of: TrainingSetting.schedule.label, words) }
}
