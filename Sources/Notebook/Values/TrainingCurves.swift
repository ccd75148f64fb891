internal import Script
internal import Training

/// The curves of a training run in the language, of a run that was just made and of one in the store. Accuracies are in per
/// cent.
struct TrainingCurves {
  /// The name of the network.
  let owner: String
  /// How the store calls the run.
  let run: String
  let epochs: [EpochRecord]

  private static let measured = ValueType.recordOf(["loss": .number, "top1": .number, "top5": .number])

  static let fields: [ObjectType.Field] = [
    .init(
      "train", .recordOf(["loss": .series, "top1": .series]),
      "Training curves: loss and top1. With mixup and CutMix, the class with the larger share counts as the true one."
    ),
    .init(
      "validation", .recordOf(["loss": .series, "top1": .series, "top5": .series]),
      "Validation curves with the weights at the end of each epoch: loss, top1 and top5."),
    .init(
      "ema", .optional(.recordOf(["loss": .series, "top1": .series, "top5": .series])),
      "Validation curves with the EMA of the weights; none without EMA."),
    .init(
      "epochs",
      .list(
        of: .recordOf([
          "epoch": .integer, "trainLoss": .number, "trainTop1": .number, "loss": .number, "top1": .number,
          "top5": .number, "ema": .optional(measured), "selection": .optional(measured), "lr": .number,
          "seconds": .number, "imagesPerSecond": .number,
        ])), "A record for each epoch."),
  ]

  var train: Value { .record(["loss": .object(trainLoss), "top1": .object(trainTop1)]) }

  var validation: Value {
    .record([
      "loss": .object(validationLoss), "top1": .object(validationTop1),
      "top5": .object(series("top-5 (%)", "validation") { $0.validation.top5 * 100 }),
    ])
  }

  /// Numbers that are none where there was no moving average.
  var ema: Value {
    .record([
      "loss": .object(series("loss", "moving average") { $0.ema?.loss ?? .nan }),
      "top1": .object(series("top-1 (%)", "moving average") { ($0.ema?.top1 ?? .nan) * 100 }),
      "top5": .object(series("top-5 (%)", "moving average") { ($0.ema?.top5 ?? .nan) * 100 }),
    ])
  }

  var records: Value { .list(epochs.map(\.scriptRecord)) }

  var trainLoss: SeriesValue { series("loss", "train", \.trainLoss) }
  var validationLoss: SeriesValue { series("loss", "validation", \.validation.loss) }
  var trainTop1: SeriesValue { series("top-1 (%)", "train") { $0.trainTop1 * 100 } }
  var validationTop1: SeriesValue { series("top-1 (%)", "validation") { $0.validation.top1 * 100 } }

  private func series(_ quantity: String, _ part: String, _ number: (EpochRecord) -> Double) -> SeriesValue {
    SeriesValue(
      quantity: quantity, part: part, owner: owner, run: run, x: epochs.map { Double($0.epoch) }, y: epochs.map(number))
  }
}

extension EpochRecord {
  fileprivate var scriptRecord: Value {
    .record([
      "epoch": .count(epoch), "trainLoss": .number(trainLoss), "trainTop1": .number(trainTop1 * 100),
      "loss": .number(validation.loss), "top1": .number(validation.top1 * 100), "top5": .number(validation.top5 * 100),
      "ema": ema?.scriptRecord ?? .none, "selection": selection?.scriptRecord ?? .none, "lr": .number(learningRate), "seconds": .number(seconds), "imagesPerSecond": .number(imagesPerSecond),
    ])
  }
}

extension Evaluation {
  fileprivate var scriptRecord: Value {
    .record(["loss": .number(loss), "top1": .number(top1 * 100), "top5": .number(top5 * 100)])
  }
}
