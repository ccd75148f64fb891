internal import Compression
internal import Datasets
internal import Engine
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// Post-training quantization (PTQ).
struct QuantizingStep: Step {
  let model: ModelValue
  let data: Dataset
  let scheme: QuantizationScheme
  let calibration: CalibrationSettings
  /// The network with its quantizers.
  let network: Network

  struct Outcome: Codable {
    /// Of the quantized weights on the validation set.
    var final: Evaluation
    /// Which of these images are correct.
    var each: CorrectImages?
    /// What weights take, before and after.
    var bytes: [Int]
  }

  static let kind = "quantizing"
  static var builtins: [Builtin] { [quantize, agreement] }

  var subject: (network: Network, weights: Weights?) { (model.network, model.weights) }
  var made: Network? { network }

  struct Settings: Encodable {
    var scheme: QuantizationScheme
    var calibration: CalibrationSettings
  }

  var settings: Settings { Settings(scheme: scheme, calibration: calibration) }

  func show(_ outcome: Outcome, _ context: CallContext) {
    context.report(
      "quantized \(network.name): top-1 \(NumberText.fixed(outcome.final.top1 * 100, 2)) %, "
        + "\(NumberText.grouped(outcome.bytes[1])) bytes, "
        + "\(NumberText.fixed(Double(outcome.bytes[1]) / Double(max(outcome.bytes[0], 1)) * 100, 1)) % of before")
  }

  func run(_ work: StepWork) throws -> StepResult<Outcome> {
    let (engine, communicator) = (try work.notebook.engine(), work.notebook.communicator)
    let weights = try work.quantizer(for: model.network, data, calibration).quantized(
      model.network, model.weights, on: data.train, normalization: data.normalization, scheme, calibration
    ).weights
    let (final, each) = try Evaluator(
      engine: engine, communicator: communicator, isInterrupted: work.context.interrupts
    ).evaluateEach(
      network.fitted(to: data.validation, of: data), weights, on: data.validation, normalization: data.normalization)
    let outcome = Outcome(final: final, each: each, bytes: [model.network.storedByteCount, network.storedByteCount])
    show(outcome, work.context)
    return StepResult(outcome: outcome, weights: weights)
  }

  static func facts(of outcome: Outcome) -> [RunStore.Run.Fact] {
    [
      .init(name: "top-1", value: "\(NumberText.fixed(outcome.final.top1 * 100, 2)) %"),
      .init(name: "bytes", value: outcome.bytes.map(NumberText.grouped).joined(separator: " -> ")),
    ]
  }

  static func top1(of outcome: Outcome) -> Double? { outcome.final.count == 0 ? nil : outcome.final.top1 * 100 }
  static func points(of outcome: Outcome) -> [ScalarPoint] {
    outcome.final.points("final/") + outcome.bytes.suffix(1).map { ScalarPoint("final/bytes", Double($0)) }
  }
}

extension StepWork {
  func quantizer(
    for network: Network, _ data: Dataset, _ settings: CalibrationSettings
  ) throws -> PostTrainingQuantizer {
    let images = min(settings.images, data.train.count)
    try MemoryCheck.probe(network, batch: min(images, 50))
    try MemoryCheck.require(numbers: Double(images) * Double(data.imageShape.elementCount))
    return PostTrainingQuantizer(engine: try notebook.engine(), isInterrupted: context.interrupts)
  }
}

/// Which layer costs the accuracy of a quantized model.
struct LayerStudy: Step {
  let model: ModelValue
  let data: Dataset
  let scheme: QuantizationScheme
  let calibration: CalibrationSettings
  /// Validation images that accuracy is measured on.
  let judged: Int

  struct Outcome: Codable {
    var sensitivity: LayerSensitivity

    /// The name in files, which is older.
    private enum CodingKeys: String, CodingKey { case sensitivity = "ladder" }
  }

  static let kind = "layer study"
  static var builtins: [Builtin] { [layerSensitivity] }

  var subject: (network: Network, weights: Weights?) { (model.network, model.weights) }

  struct Settings: Encodable {
    var scheme: QuantizationScheme
    var calibration: CalibrationSettings
    var judged: Int
  }

  var settings: Settings { Settings(scheme: scheme, calibration: calibration, judged: judged) }

  func show(_ outcome: Outcome, _ context: CallContext) {
    let sensitivity = outcome.sensitivity
    func percent(_ evaluation: Evaluation) -> String { "\(NumberText.fixed(evaluation.top1 * 100, 2)) %" }
    guard !sensitivity.worst.isEmpty else { return }
    context.report(
      "\(percent(sensitivity.float)) in float32, \(percent(sensitivity.quantized)) quantized; with "
        + "\(sensitivity.worst.joined(separator: ", ")) in float32 \(percent(sensitivity.mixed))")
  }

  func run(_ work: StepWork) throws -> StepResult<Outcome> {
    let path = work.ledgerPath(
      StepKey.of(try inputs(work), JSONText.of(ExactnessClass(work.notebook))), in: "ladders")
    let outcome = Outcome(sensitivity: try measured(work, on: judged, LayerSensitivityLedger(at: path)))
    show(outcome, work.context)
    return StepResult(outcome: outcome)
  }

  func estimate(_ work: StepWork) throws -> (Cost, StepResult<Outcome>) {
    // What an image takes shows between few and some more; all else is the same for many.
    let (some, few) = (min(judged, 40), min(judged, 8))
    func timed(_ count: Int) throws -> (sensitivity: LayerSensitivity, seconds: Double) {
      let begun = ContinuousClock.now
      let sensitivity = try measured(work, on: count, LayerSensitivityLedger(at: nil))
      return (sensitivity, (ContinuousClock.now - begun).seconds)
    }
    let (first, second) = (try timed(some), try timed(few))
    let each = max(first.seconds - second.seconds, 0) / Double(max(some - few, 1))
    return (
      Cost(
        name: "\(Self.kind) of \(name)", steps: 2 * first.sensitivity.layers.count,
        seconds: first.seconds + each * Double(judged - some), disk: 0, measuring: first.seconds + second.seconds),
      StepResult(outcome: Outcome(sensitivity: first.sensitivity))
    )
  }

  private func measured(_ work: StepWork, on count: Int, _ ledger: LayerSensitivityLedger) throws -> LayerSensitivity {
    let context = work.context
    return try work.quantizer(for: model.network, data, calibration).layerSensitivity(
      model.network, model.weights, on: data.train, judgedOn: data.validation.first(count),
      normalization: data.normalization, scheme, calibration, ledger: ledger
    ) { done, count in
      if done % 10 == 0 || done == count { context.report("layer sensitivity: \(done) of \(count) layers") }
    }
  }

  static func facts(of outcome: Outcome) -> [RunStore.Run.Fact] {
    func percent(_ evaluation: Evaluation) -> String { "\(NumberText.fixed(evaluation.top1 * 100, 2)) %" }
    let sensitivity = outcome.sensitivity
    return [
      .init(name: "in float32", value: percent(sensitivity.float)), .init(name: "quantized", value: percent(sensitivity.quantized)),
      .init(name: "worst layers", value: sensitivity.worst.joined(separator: ", ")),
      .init(name: "with those in float32", value: percent(sensitivity.mixed)),
    ]
      + sensitivity.layers.map {
        .init(name: $0.layer, value: "alone \(percent($0.only)), all but it \(percent($0.without))")
      }
  }

  static func top1(of outcome: Outcome) -> Double? { outcome.sensitivity.quantized.top1 * 100 }
}
