internal import Script

/// Published ways to quantize as values of the language: records of what `quantize` takes.
enum QuantizationRecipe {
  static let constants = [
    Constant(
      "quantization",
      "Published recipes of 8-bit quantization: uniformQuantTF (PocketFlow's learner) and whitepaper (Krishnamoorthi 2018). Each is a record of arguments for quantize().",
      type: .recordOf(Dictionary(uniqueKeysWithValues: all.fields.map { ($0.0, .record) })), value: .record(all))
  ]

  static let all = Record(["uniformQuantTF": .record(uniformQuantTF), "whitepaper": .record(whitepaper)])

  /// PocketFlow's `UniformQuantTFLearner`: TensorFlow's rewriter, then a fifth of the epochs by Adam at a hundredth of the
  /// rate, which 64 images at once bring to 3e-4.
  private static let uniformQuantTF = Record([
    "about": .record([
      "name": .string("PocketFlow's UniformQuantTFLearner"),
      "source": .string("Tencent/PocketFlow, learners/uniform_quantization_tf; tensorflow/contrib/quantize"),
      "top1": .number(71.29),
      "notes": .string(
        "TensorFlow's rewriter quantizes weights per tensor, asymmetrically, without the lowest value. Its activation ranges start at 0 to 6 or -6 to 6; here calibration on images sets them. Asymmetric weights are fake-quantized: int8 kernels and int8 TensorFlow Lite files need symmetric: true."
      ),
    ]),
    "bits": .number(8), "granularity": .string("perTensor"), "symmetric": .bool(false),
    "calibration": .string("movingAverage"),
    "rangeDecay": .number(0.999), "quantDelay": .number(0),
  ]).merging(Record(settings: [
    .epochs: .number(20), .batch: .number(64), .lr: .number(3e-4),
    .optimizer: .string("adam"), .weightDecay: .number(4e-5),
    .decayOn: .list(["weights", "depthwise", "norms", "biases"]), .schedule: .string("step"),
    .milestones: .list([6.0, 12, 16, 18]),
  ]))

  /// Krishnamoorthi 2018: from the float network, SGD with a rate of 1e-5. Epochs are not published.
  private static let whitepaper = Record([
    "about": .record([
      "name": .string("quantization-aware training of the whitepaper"),
      "source": .string("Krishnamoorthi 2018, arXiv:1806.08342, section 3.2"), "top1": .number(70.7),
      "notes": .string("The number of epochs is not published; 2 is our choice."),
    ]),
    "bits": .number(8), "granularity": .string("perChannel"), "symmetric": .bool(true), "calibration": .string("minMax"),
    "rangeDecay": .number(0.999), "quantDelay": .number(0),
  ]).merging(Record(settings: [
    .epochs: .number(2), .batch: .number(64), .lr: .number(1e-5),
    .optimizer: .string("sgd"), .nesterov: .bool(false), .weightDecay: .number(4e-5),
    .decayOn: .list(["weights"]), .schedule: .string("constant"),
  ]))
}
