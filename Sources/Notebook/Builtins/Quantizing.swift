internal import Compression
internal import Datasets
internal import Engine
internal import Foundation
internal import Networks
internal import Script
internal import Tensors
internal import Training

let kernelsParameter = Parameter(
  "kernels", .oneOf(["float", "int8"]),
  "Kernels for a quantized model: float (fake-quantized, in float32) or int8 (integers).",
  default: .string("float"), labelled: true)

private let schemeParameters = [
  Parameter("bits", .integer, "Bits of weights and activations.", default: .number(8), labelled: true, allowed: 2...8),
  Parameter("weightBits", .integer, "Bits of weights. Default: bits.", optional: true, labelled: true, allowed: 2...8),
  Parameter("activationBits", .integer, "Bits of activations. Default: bits.", optional: true, labelled: true, allowed: 2...8),
  Parameter(
    "granularity", .oneOf(["perChannel", "perTensor"]),
    "Scale of the weights: one per output channel, or one per tensor.", default: .string("perChannel"), labelled: true),
  Parameter(
    "symmetric", .bool,
    "Whether weights are quantized symmetrically, with a zero point of 0. The int8 kernels and TensorFlow Lite need that; asymmetric weights are computed fake-quantized.",
    default: .bool(true), labelled: true),
  Parameter(
    "calibration", .oneOf(CalibrationSettings.Method.allCases.map(\.rawValue)),
    "Calibration method for the ranges of activations: minimum and maximum, their moving average over batches, a percentile, least mean squared error, or least Kullback-Leibler divergence.",
    default: .string("minMax"), labelled: true),
  Parameter(
    "percentile", .number, "For calibration: \"percentile\": per cent of the values below the upper end of the range.",
    default: .number(99.99), labelled: true, allowed: 50...100),
  Parameter(
    "images", .integer, "Training images for calibration.", default: .number(300), labelled: true,
    allowed: 1...1_000_000),
  Parameter(
    "equalize", .bool,
    "Whether to apply cross-layer equalization first (Nagel et al. 2019), which replaces ReLU6 by ReLU between equalized layers.",
    default: .bool(false), labelled: true),
  Parameter(
    "exclude", .list(of: .string), "Names of layers that stay in float32.", default: .list([Value]()), labelled: true),
  Parameter(
    "quantizeLogits", .bool, "Whether to quantize the logits too, as TensorFlow Lite does.", default: .bool(true),
    labelled: true),
]

/// The settings of training that `quantize` takes as `train` does. It trains in float32.
private let laterSettings = TrainingSetting.allCases.filter { ![.epochs, .batch, .lr, .precision].contains($0) }

/// What a quantizing is, as the store keeps it.
private struct QuantizingInputs: Codable {
  var scheme: QuantizationScheme
  var calibration: CalibrationSettings
}

let quantize = Builtin(
  "quantize",
  "Quantizes a trained model. Without epochs: post-training quantization (PTQ), with ranges calibrated on training images. With epochs: quantization-aware training (QAT), which fine-tunes the model with fake-quantized weights and activations and with batch norm folded. The result is a run; run.model is the quantized model.",
  parameters: [
    modelParameter, dataParameter,
    Parameter(
      "recipe", .record, "Arguments as a record, such as quantization.uniformQuantTF. Arguments written in the call take precedence.",
      optional: true, bundle: ArgumentBundle(ignoring: Recipe.descriptions)),
  ] + schemeParameters + [
    Parameter(
      "biasCorrection", .bool, "Whether to correct biases for the mean error of quantized weights.", default: .bool(false),
      labelled: true),
    TrainingSetting.epochs.parameter.with(
      "Epochs of quantization-aware training. 0: post-training quantization alone.", default: .number(0),
      allowed: 0...100_000),
    TrainingSetting.batch.parameter, TrainingSetting.lr.parameter.with(default: .number(1e-3)),
    Parameter(
      "rangeDecay", .number, "Decay rate of the moving average of activation ranges during training.", default: .number(0.999),
      labelled: true, allowed: 0...1),
    Parameter(
      "quantDelay", .integer, "First steps of training, in which ranges are collected and nothing is quantized (quant_delay in TensorFlow).", default: .number(0),
      labelled: true, allowed: 0...1_000_000_000),
  ] + laterSettings.map(\.parameter), result: .run,
  examples: [
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)\nquantize(initialize(resnet8(data), seed: 1), data, images: 8).count",
      gives: "16"),
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)\nquantize(initialize(resnet8(data), seed: 1), data, epochs: 1, batch: 16, granularity: \"perTensor\")"
    ),
  ], chapter: "Compression"
) { arguments in
  let (model, data) = try arguments.modelAndData()
  var scheme = try arguments.scheme()
  scheme.decay = Float(try arguments.number("rangeDecay"))
  scheme.delay = try arguments.integer("quantDelay")
  scheme.weights.delay = scheme.delay
  var calibration = try arguments.calibration()
  calibration.correctsBias = try arguments.bool("biasCorrection")
  let plan = try arguments.trainingPlan(for: data.data)
  let teachers = try arguments.teachers(of: data.data)
  _ = try model.network.fitted(to: data.data.validation, of: data.data)
  let network = try arguments.placing("exclude") { () throws(ShapeError) in
    try PostTrainingQuantizer.network(model.network, scheme, calibration)
  }

  let done = try arguments.perform(
    QuantizingStep(model: model, data: data.data, scheme: scheme, calibration: calibration, network: network))
  let weights = done.result.weights ?? [:]
  if plan.epochs > 0 { return try arguments.trained(network, from: weights, on: data.data, plan, teachers: teachers, selectedBy: model.selectedBy) }
  return .object(
    RunValue(
      model: ModelValue(
        network: network, weights: weights, run: done.id, seed: model.seed, selectedBy: model.selectedBy),
      data: data.data.name, plan: plan, epochs: [], final: done.result.outcome.final, each: done.result.outcome.each,
      isInterrupted: false, dataset: data.data, start: weights, teachers: teachers,
      checkpoint: nil, id: done.id))
}

private let layerRecord = ValueType.recordOf([
  "layer": .string, "only": .number, "without": .number, "lossOnly": .number, "lossWithout": .number,
])

let layerSensitivity = Builtin(
  "layerSensitivity",
  "Measures which layers cost accuracy when a model is quantized: top-1 with one layer quantized (only), and with all layers but one (without). worst lists the layers that recover most of the loss when they stay in float32, and mixed is the accuracy with them in float32. Measurements are stored: an interrupted call continues.",
  parameters: [modelParameter, dataParameter] + schemeParameters + [
    Parameter(
      "validationImages", .integer, "Validation images for the evaluation.", default: .number(1000), labelled: true,
      allowed: 1...10_000_000)
  ],
  result: .recordOf([
    "float": .number, "quantized": .number, "layers": .list(of: layerRecord), "worst": .list(of: .string),
    "mixed": .number,
  ]),
  examples: [
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)\nlen(layerSensitivity(initialize(resnet8(data), seed: 1), data, validationImages: 16).layers)",
      gives: "19")
  ], chapter: "Compression"
) { arguments in
  let (model, data) = try arguments.modelAndData()
  let (scheme, calibration) = (try arguments.scheme(), try arguments.calibration())
  _ = try arguments.placing("exclude") { () throws(ShapeError) in
    try PostTrainingQuantizer.network(model.network, scheme, calibration)
  }
  guard data.data.validation.imageShape == data.data.imageShape else {
    throw arguments.failure("the validation images have another size than those to train on", at: "data")
  }
  let result = try arguments.perform(
    LayerStudy(
      model: model, data: data.data, scheme: scheme, calibration: calibration,
      judged: min(try arguments.integer("validationImages"), data.data.validation.count))
  ).result.outcome.sensitivity
  return .record([
    "float": .number(result.float.top1 * 100), "quantized": .number(result.quantized.top1 * 100),
    "layers": .list(
      result.layers.map { layer in
        .record([
          "layer": .string(layer.layer), "only": .number(layer.only.top1 * 100),
          "without": .number(layer.without.top1 * 100), "lossOnly": .number(layer.only.loss),
          "lossWithout": .number(layer.without.loss),
        ])
      }),
    "worst": .list(result.worst.map { Value.string($0) }), "mixed": .number(result.mixed.top1 * 100),
  ])
}

let agreement = Builtin(
  "agreement",
  "Compares the outputs of two models on the validation set: differing counts images with different predictions, unequal those with any different logit; largest is the largest difference of a logit, steps the same in quantization steps of the first model. Without a second model, a quantized model is compared with itself on int8 kernels.",
  parameters: [
    modelParameter, dataParameter,
    Parameter("with", .model, "The other model.", optional: true, labelled: true),
  ],
  result: .recordOf([
    "count": .integer, "differing": .integer, "largest": .number, "steps": .number, "unequal": .integer,
  ]),
  examples: [
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)\nagreement(quantize(initialize(resnet8(data), seed: 1), data).model, data).count",
      gives: "16")
  ], chapter: "Compression"
) { arguments in
  let (model, data) = try arguments.modelAndData()
  var other = model
  if !arguments.has("with") {
    _ = try arguments.integerValues(of: model.network, at: "model")
  } else {
    other = try arguments.object("with", as: ModelValue.self)
    try other.network.check(against: data.data)
  }
  let engine = try arguments.notebook().engine()
  let (first, second) = (
    Evaluator(engine: engine, isInterrupted: arguments.context.interrupts),
    Evaluator(
      engine: engine, mode: arguments.has("with") ? .inference : .int8, isInterrupted: arguments.context.interrupts)
  )
  let validation = data.data.validation
  let network = try model.network.fitted(to: validation, of: data.data)
  let otherNetwork = try other.network.fitted(to: validation, of: data.data)
  var (differing, unequal, largest, undefined) = (0, 0, 0.0, 0)
  for start in stride(from: 0, to: validation.count, by: 500) {
    let part = try validation.at(Array(start..<min(start + 500, validation.count))).tensor(data.data.normalization)
    let (a, b) = (
      try first.predict(network, model.weights, part), try second.predict(otherNetwork, other.weights, part)
    )
    let classes = a.shape[1]
    let (x, y) = (a.elements, b.elements)
    for row in 0..<a.shape[0] {
      let range = row * classes..<(row + 1) * classes
      let (answer, otherAnswer) = (Prediction.top1(of: x[range]), Prediction.top1(of: y[range]))
      // What is no number differs from all, itself included.
      if answer == nil || answer != otherAnswer { differing += 1 }
      if answer == nil || otherAnswer == nil { undefined += 1 }
      let worst = range.reduce(0.0) { $0.orNan(max: x[$1] == y[$1] ? 0 : Double(abs(x[$1] - y[$1]))) }
      if !(worst == 0) { unequal += 1 }
      largest = largest.orNan(max: worst)
    }
  }
  arguments.tell(undefined: undefined, of: validation.count)
  let step = model.network.quantizer(of: model.network.output, model.weights)?.scale
  return .record([
    "count": .count(validation.count), "differing": .count(differing), "largest": .number(largest),
    "steps": .number(step.map { largest / Double($0) } ?? 0), "unequal": .count(unequal),
  ])
}

extension Double {
  /// The larger of two; `nan` where either is.
  fileprivate func orNan(max other: Double) -> Double {
    isNaN || other.isNaN ? .nan : Swift.max(self, other)
  }
}

extension Arguments {
  /// What `kernels` asks for.
  func kernels(for network: Network) throws(ScriptError) -> Plan.Mode {
    try string("kernels") == "int8" ? integerValues(of: network, at: "kernels") : .inference
  }

  /// - Throws: `ScriptError` where nothing of a network is computed on integers.
  fileprivate func integerValues(of network: Network, at label: String) throws(ScriptError) -> Plan.Mode {
    guard network.isQuantized else {
      throw failure(
        "\(network.name) is not quantized, so there are no integers", hint: "quantize(model, data).model",
        at: label)
    }
    guard network.nodes.contains(where: { network.weightQuantization(of: $0)?.isSymmetric ?? false }) else {
      throw failure(
        "\(network.name) has asymmetric weights, which int8 kernels do not support", hint: "quantize(…, symmetric: true)",
        at: label)
    }
    return .int8
  }

  fileprivate func scheme() throws(ScriptError) -> QuantizationScheme {
    var scheme = QuantizationScheme()
    let bits = try integer("bits")
    scheme.weights = WeightQuantization(
      bits: try integerIfGiven("weightBits") ?? bits, isPerChannel: try string("granularity") == "perChannel",
      isSymmetric: try bool("symmetric"))
    scheme.activationBits = try integerIfGiven("activationBits") ?? bits
    scheme.kept = try strings("exclude")
    scheme.roundsOutput = try bool("quantizeLogits")
    return scheme
  }

  fileprivate func calibration() throws(ScriptError) -> CalibrationSettings {
    var settings = CalibrationSettings()
    settings.method = CalibrationSettings.Method(rawValue: try string("calibration")) ?? .minMax
    settings.percentile = try number("percentile")
    settings.images = try integer("images")
    settings.equalizes = try bool("equalize")
    return settings
  }

  /// Says what of a network stands in the way at the argument that asks for it.
  fileprivate func placing<Result>(_ label: String, _ body: () throws(ShapeError) -> Result) throws(ScriptError)
    -> Result
  {
    do { return try body() } catch {
      let names = try strings(label)
      guard let name = error.layer, names.contains(name) else {
        let isQuantized =
          if case .object(let object) = value("model"), let model = object as? ModelValue {
            model.network.isQuantized
          } else { false }
        throw failure(
          error.description, hint: isQuantized ? "quantize the model as it was before, or train this one on" : nil,
          at: "model")
      }
      throw failure(error.description, hint: "show(model) names the layers", at: label)
    }
  }
}
