internal import Charts
internal import Datasets
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// A training that took place, in the language. Accuracies are in per cent.
struct RunValue: ScriptObject {
  var model: ModelValue
  let data: String
  let plan: TrainingPlan
  let epochs: [EpochRecord]
  /// Of the model on the validation set.
  let final: Evaluation
  /// Which of its images the model gets right; nil where that was not kept.
  let each: CorrectImages?
  let isInterrupted: Bool
  /// What it was trained on, to go on.
  let dataset: Dataset
  /// The weights it began with, where they were not drawn from the seed.
  let start: Weights?
  let teachers: [Teacher]
  /// Where to go on from, of one that was interrupted.
  let checkpoint: Checkpoint?
  /// How the store calls it.
  let id: String

  static let type = ObjectType(
    "run", "A training or quantization run: the model, its accuracy, and the curves of training. Accuracies are in per cent.",
    fields: [
      .init("model", .model, "The trained model."),
      .init("top1", .number, "Top-1 accuracy of the model on the validation set, in per cent."),
      .init("top5", .number, "Top-5 accuracy of the model on the validation set, in per cent."),
      .init("loss", .number, "Mean cross-entropy of the model on the validation set."),
      .init("correct", .integer, "Number of correct top-1 predictions on the validation set."),
      .init("count", .integer, "Size of the validation set."),
    ] + TrainingCurves.fields + [
      .init("seconds", .number, "Time of all epochs, in seconds."),
      .init("seed", .integer, "Seed."),
      .init("id", .string, "Identifier in the run store, for reprise show ID."),
      .init("interrupted", .bool, "Whether the run stopped before its last epoch."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  func field(_ name: String) -> Value? {
    switch name {
    case "model": .object(model)
    case "top1": .accuracy(accuracy)
    case "top5":
      .accuracy(
        Accuracy(
          correct: final.hitsAmongFive, count: final.count, each: nil, images: dataset.validation, model: model))
    case "loss": .number(final.count > 0 ? final.loss : .nan)
    case "correct": .count(final.correct)
    case "count": .count(final.count)
    case "train": curves.train
    case "validation": curves.validation
    case "ema": plan.movingAverage == nil ? Value.none : curves.ema
    case "epochs": curves.records
    case "seconds": .number(seconds)
    case "seed": .number(Double(plan.seed))
    case "id": .string(id)
    case "interrupted": .bool(isInterrupted)
    default: nil
    }
  }

  /// Of the model on the validation images.
  var accuracy: Accuracy {
    Accuracy(correct: final.correct, count: final.count, each: each, images: dataset.validation, model: model)
  }

  private var curves: TrainingCurves { TrainingCurves(owner: model.network.name, run: id, epochs: epochs) }
  var trainLoss: SeriesValue { curves.trainLoss }
  var validationLoss: SeriesValue { curves.validationLoss }
  var trainTop1: SeriesValue { curves.trainTop1 }
  var validationTop1: SeriesValue { curves.validationTop1 }

  private var seconds: Double { epochs.reduce(0) { $0 + $1.seconds } }

  var summary: String {
    if plan.epochs == 0 { return "\(model.network.name) on \(data): top-1 \(NumberText.fixed(final.top1 * 100, 2)) % without training" }
    let result = epochs.isEmpty ? "no epoch finished" : "top-1 \(NumberText.fixed(final.top1 * 100, 2)) %"
    return "\(model.network.name) on \(data): \(result) after \(epochs.count) of \(plan.epochs) epochs"
      + (isInterrupted ? ", interrupted" : "")
  }

  var text: String { pieces.text() }
  var pieces: [OutputPiece] {
    guard !epochs.isEmpty else { return [.text(summary)] }
    var pieces: [OutputPiece] = [
      .text(summary + ", seed \(plan.seed), \(NumberText.duration(seconds))\n"), EpochTable.head(of: plan),
    ]
    pieces += epochs.map(EpochTable.row)
    if let end = EpochTable.end(of: plan, final) { pieces.append(.text(end)) }
    let lines = [
      "",
      "loss   \(sparkline(epochs.map(\.trainLoss), width: 40)) train, "
        + "\(sparkline(epochs.map(\.validation.loss), width: 40)) validation",
      "top-1  \(sparkline(epochs.map(\.trainTop1), width: 40)) train, "
        + "\(sparkline(epochs.map(\.validation.top1), width: 40)) validation",
      "\(NumberText.grouped(final.correct)) of \(NumberText.grouped(final.count)) validation images right",
    ]
    return pieces + [.text(lines.joined(separator: "\n"))]
  }

  /// Equal where the weights are and all that was measured but the time.
  func isEqual(to other: any ScriptObject) -> Bool {
    guard let other = other as? Self else { return false }
    func facts(_ record: EpochRecord) -> [Double] {
      let measured = [record.validation, record.ema, record.selection].compactMap { $0 }
      return [record.learningRate, record.trainLoss, record.trainTop1] + measured.flatMap { [$0.loss, $0.top1, $0.top5] }
    }
    return model.isEqual(to: other.model) && data == other.data && plan == other.plan
      && isInterrupted == other.isInterrupted && epochs.map(facts) == other.epochs.map(facts)
  }
}

/// The table of a training run, row by row, so that it can be printed while it grows.
enum EpochTable {
  static func head(of plan: TrainingPlan) -> OutputPiece {
    let columns = ["epoch", "train loss", "train top-1", "loss", "top-1", "top-5", "lr", "seconds"]
    return line(columns + (plan.movingAverage == nil ? [] : ["average"]), isHead: true)
  }

  static func row(_ record: EpochRecord) -> OutputPiece {
    let validation = record.validation
    let cells = [
      "\(record.epoch)", NumberText.fixed(record.trainLoss, 4), NumberText.fixed(record.trainTop1 * 100, 2),
      NumberText.fixed(validation.loss, 4), NumberText.fixed(validation.top1 * 100, 2),
      NumberText.fixed(validation.top5 * 100, 2), NumberText.short(record.learningRate),
      NumberText.fixed(record.seconds, 1),
    ]
    return line(cells + (record.ema.map { [NumberText.fixed($0.top1 * 100, 2)] } ?? []))
  }

  /// What the weights are that a training gave, where they are not simply the last.
  static func end(of plan: TrainingPlan, _ final: Evaluation) -> String? {
    let weights =
      switch plan.result {
      case .last: "the last weights"
      case .movingAverage: "the moving average"
      case .meanOfBest(let count, .heldOut): "the mean of the \(count) best snapshots"
      case .meanOfBest(let count, .validation): "the mean of the \(count) best snapshots, chosen on the validation set,"
      }
    guard plan.result != .last || plan.preciseBatchNorm > 0 else { return nil }
    let norms = plan.preciseBatchNorm > 0 ? " with precise batch norms" : ""
    return "\(weights)\(norms): loss \(NumberText.fixed(final.loss, 4)), top-1 \(NumberText.fixed(final.top1 * 100, 2)) %"
  }

  private static let widths = [5, 10, 11, 8, 7, 7, 9, 8, 7]

  private static func line(_ cells: [String], isHead: Bool = false) -> OutputPiece {
    let text = zip(cells, widths).map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }.joined(separator: "  ")
    return .line(cells: cells, text: text, isHead: isHead)
  }
}
