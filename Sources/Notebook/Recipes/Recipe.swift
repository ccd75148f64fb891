internal import Datasets
internal import Script

/// Published recipes of training as values of the language: records of what `train` and `imagenet` take.
///
/// Each says all it sets, so that a changed default changes no recipe. What its source computed in stands in `about`, as
/// a fact: a recipe must run on every processor, and `recipe.a1 with { precision: "bf16" }` asks for one that has bf16.
/// `microBatch` is one processor's part of the batch,
/// over which its batch norms and its mixing went.
enum Recipe {
  /// The fields that are no arguments of `train`.
  static let descriptions: Set<String> = ["about", "protocol"]

  /// Images in ImageNet's training set.
  static let imageNetImages = 1_281_167

  static let constants = [
    Constant(
      "recipe",
      "Published training recipes of ResNet-50 on ImageNet: original, torchvision, a1, a2, a3 and deci. Each is a record of arguments for train().",
      type: .recordOf(Dictionary(uniqueKeysWithValues: all.fields.map { ($0.0, .record) })), value: .record(all))
  ]

  static let all = Record([
    "original": .record(original), "torchvision": .record(torchvision), "a1": .record(a1), "a2": .record(a2),
    "a3": .record(a3), "deci": .record(deci),
  ])

  /// He et al. 2015. The paper divides the rate when the error stops falling and does not say when that was; the epochs
  /// here are those of Facebook's re-implementation.
  private static let original = made(
    about: [
      "name": .string("ResNet-50 as published"),
      "source": .string("He et al. 2015, arXiv:1512.03385, section 3.4; KaimingHe/deep-residual-networks"),
      "top1": .number(75.3), "alsoStated": .number(75.8), "precision": .string("float32"),
      "notes": .string(
        "75.3 is the authors' single-crop accuracy; 75.8 comes from a later article that names no source. The milestones are not published."),
    ], protocol: protocolRecord(crop: 0.875, filter: "bilinear"),
    stochasticGradientDescent(
      epochs: 120, falls: [.milestones: .list([30.0, 60, 90])], augment: Changes.original))

  /// torchvision's `IMAGENET1K_V1` weights.
  private static let torchvision = made(
    about: [
      "name": .string("torchvision's first recipe"),
      "source": .string("torchvision, ResNet50_Weights.IMAGENET1K_V1; timm, tv_resnet50"), "top1": .number(76.13),
      "precision": .string("float32"),
    ], protocol: protocolRecord(crop: 0.875, filter: "bilinear"),
    stochasticGradientDescent(epochs: 90, falls: [.stepSize: .number(30)], augment: Changes.torchvision))

  private static let a1 = strikesBack(
    "A1", top1: 80.4, epochs: 600, lr: 5e-3, weightDecay: 0.01, smoothing: 0.1, mixup: 0.2, depth: 0.05,
    augment: Changes.strikesBack(magnitude: 7, repeats: true))
  private static let a2 = strikesBack(
    "A2", top1: 79.8, epochs: 300, lr: 5e-3, weightDecay: 0.02, smoothing: 0, mixup: 0.1, depth: 0.05,
    augment: Changes.strikesBack(magnitude: 7, repeats: true))
  private static let a3 = strikesBack(
    "A3", top1: 78.1, epochs: 100, lr: 8e-3, weightDecay: 0.02, smoothing: 0, mixup: 0.1, depth: 0, size: 160,
    augment: Changes.strikesBack(magnitude: 6, repeats: false))

  /// SuperGradients' `imagenet_resnet50_kd`; `teacher:` is for the call to give.
  private static let deci = made(
    about: [
      "name": .string("SuperGradients' ResNet-50 with distillation"),
      "source": .string("Deci-AI/super-gradients, recipes/imagenet_resnet50_kd.yaml"), "top1": .number(81.91),
      "precision": .string("mixed (float16, loss scaling)"),
      "notes": .string(
        "The teacher, BEiT-B/16, was pre-trained on ImageNet-22k. The ten snapshots are selected on the validation set that the accuracy is reported on; snapshots: { on: \"heldOut\" } avoids that."),
    ], protocol: protocolRecord(crop: 0.875, filter: "bilinear"),
    Record(settings: [
      .epochs: .number(610), .batch: .number(1536), .microBatch: .number(192), .lr: .number(5e-3),
    ]).merging(lamb(weightDecay: 0.02)).merging(
      Record(settings: [
        .loss: .string("crossEntropy"), .schedule: .string("cosine"), .minLR: .number(0.01),
        .warmup: .number(5), .warmupLR: .number(1.0 / 6), .cooldown: .number(10), .labelSmoothing: .number(0.1),
        .augment: Changes.deci, .mixup: .number(0.2), .cutmix: .number(1),
        .ema: .record(["decay": .number(0.9999), "ramp": .number(15)]), .result: .string("best"),
        .snapshots: .record(["count": .number(10), "on": .string("validation")]),
        .distillation: .record([
          "weight": .number(0.8), "temperature": .number(1), "normalization": .string("centered"),
        ]),
      ])))

  private static func made(
    about: KeyValuePairs<String, Value>, protocol: Value, _ settings: Record
  ) -> Record {
    Record(["about": .record(about), "protocol": `protocol`]).merging(settings)
  }

  private static func protocolRecord(size: Double = 224, crop: Double, filter: String) -> Value {
    .record([
      "size": .number(size), "testSize": .number(224), "crop": .number(crop), "filter": .string(filter),
    ])
  }

  /// What the recipes before 2021 share.
  private static func stochasticGradientDescent(
    epochs: Double, falls: KeyValuePairs<TrainingSetting, Value>, augment: Value
  ) -> Record {
    Record(settings: [
      .epochs: .number(epochs), .batch: .number(256), .microBatch: .number(32), .lr: .number(0.1),
      .optimizer: .string("sgd"), .momentum: .number(0.9), .nesterov: .bool(false), .weightDecay: .number(1e-4),
      .decayOn: .list(["weights", "depthwise", "norms", "biases"]), .loss: .string("crossEntropy"),
      .schedule: .string("step"), .gamma: .number(0.1),
    ]).merging(Record(settings: falls)).merging(Record(settings: [.augment: augment]))
  }

  private static func lamb(weightDecay: Double) -> Record {
    Record(settings: [
      .optimizer: .string("lamb"), .beta1: .number(0.9), .beta2: .number(0.999), .epsilon: .number(1e-6),
      .weightDecay: .number(weightDecay), .decayOn: .list(["weights", "depthwise"]),
    ])
  }

  /// Wightman, Touvron and Jégou 2021, arXiv:2110.00476, Table 2, as timm of that time did it: rates by whole epochs, a
  /// warm-up from 1e-4 and a cosine down to 1e-6.
  private static func strikesBack(
    _ name: String, top1: Double, epochs: Double, lr: Double, weightDecay: Double, smoothing: Double, mixup: Double,
    depth: Double, size: Double = 224, augment: Value
  ) -> Record {
    let notes =
      "The target threshold of the loss is quoted in secondary sources and not confirmed. timm adds 10 cool-down epochs by default; the table does not count them."
    let schedule = Record(settings: [
      .schedule: .string("cosine"), .byEpoch: .bool(true), .fromStart: .bool(true), .minLR: .number(1e-6 / lr),
      .warmup: .number(5), .warmupLR: .number(1e-4 / lr), .cooldown: .number(0),
    ])
    let targets = Record(settings: [
      .loss: .string("binaryCrossEntropy"), .targetThreshold: .number(0.2), .labelSmoothing: .number(smoothing),
      .augment: augment, .mixup: .number(mixup), .cutmix: .number(1), .dropPath: .number(depth),
    ])
    return made(
      about: [
        "name": .string("ResNet strikes back, \(name)"),
        "source": .string("Wightman et al. 2021, arXiv:2110.00476, Table 2"), "top1": .number(top1),
        "precision": .string("mixed (16 bits on GPUs)"), "notes": .string(notes),
      ], protocol: protocolRecord(size: size, crop: 0.95, filter: "bicubic"),
      Record(settings: [
        .epochs: .number(epochs), .batch: .number(2048), .microBatch: .number(512), .lr: .number(lr),
      ]).merging(lamb(weightDecay: weightDecay)).merging(schedule).merging(targets))
  }

  /// The random changes to images. Those of timm scale with a filter drawn for each image.
  private enum Changes {
    static let flip = Value.string("flip")
    static let original = Value.list([
      value("scaleJitter", [:], .scaleJitter()), flip, value("colorNoise", [:], .colorNoise()),
    ])
    static let torchvision = Value.list([.string("randomResizedCrop"), flip])
    /// The fill of its operations comes in by a bilinear filter.
    static let deci = timm(
      randAugment: value(
        "randAugment", ["magnitude": .number(7), "filter": .string("bilinear")],
        .randAugment(RandAugment(magnitude: 7, filter: .bilinear))), repeats: true)

    static func strikesBack(magnitude: Double, repeats: Bool) -> Value {
      timm(
        randAugment: value(
          "randAugment", ["magnitude": .number(magnitude), "increasing": .bool(true)],
          .randAugment(RandAugment(magnitude: magnitude, isIncreasing: true))), repeats: repeats)
    }

    private static func timm(randAugment: Value, repeats: Bool) -> Value {
      let crop = value("randomResizedCrop", ["filter": .string("random")], .randomResizedCrop(filter: .random))
      return .list((repeats ? [value("repeatedAugmentation", [:], .repeated())] : []) + [crop, flip, randAugment])
    }

    private static func value(
      _ name: String, _ arguments: KeyValuePairs<String, Value>, _ augmentation: Augmentation
    ) -> Value {
      .object(AugmentationValue(name, arguments, augmentation))
    }
  }
}
