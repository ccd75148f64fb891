internal import Foundation
internal import Script
internal import Training

/// How a recipe is made shorter. Each pair is what was, and what shall be.
struct Scale {
  let epochs, batch, images: (old: Double, new: Double)

  private var time: Double { epochs.new / epochs.old }
  /// How many more steps there are.
  private var steps: Double { (images.new / batch.new * epochs.new) / (images.old / batch.old * epochs.old) }

  /// The recipe, each setting scaled as its declaration says.
  func callAsFunction(_ recipe: Record) -> Record {
    recipe.merging(
      Record(TrainingSetting.allCases.compactMap { setting in changed(setting, in: recipe).map { (setting.label, $0) } }))
  }

  /// What becomes of a setting; nil where it stays.
  private func changed(_ setting: TrainingSetting, in recipe: Record) -> Value? {
    let value = recipe[setting]
    switch (setting.declaration.scaling, value) {
    case (.epochs, _): return .number(epochs.new)
    case (.batch, _): return .number(batch.new)
    case (.learningRate, _):
      guard case .number(let rate) = recipe.value(of: setting) else { return nil }
      return .number(rounded(rate * (isAdaptive(recipe) ? (batch.new / batch.old).squareRoot() : batch.new / batch.old)))
    case (.time, .number(let number)?): return .number(rounded(number * time))
    case (.time, .list(let list)?):
      return .list(list.elements.map { if case .number(let at) = $0 { Value.number(rounded(at * time)) } else { $0 } })
    case (.wholeEpochs, .number(let number)?): return .number((number * time).rounded())
    case (.divisor, .number(let part)?):
      return part >= batch.new || batch.new.truncatingRemainder(dividingBy: part) != 0 ? Value.none : nil
    case (.timeConstant, .number(let decay)?): return scaled(decay: decay)
    case (.timeConstant, .record(let average)?):
      let decay = average.number(AverageField.decay) ?? MovingAverage().decay
      return .record(average.merging(Record([(AverageField.decay.rawValue, scaled(decay: decay))])))
    case (.snapshots, .record(let snapshots)?):
      let count = min(snapshots.number(SnapshotField.count) ?? Double(SnapshotField.standardCount), max(2, (epochs.new / 3).rounded(.down)))
      return .record(snapshots.merging(Record([(SnapshotField.count.rawValue, .number(count))])))
    case (.fixed, _), (.time, _), (.wholeEpochs, _), (.divisor, _), (.timeConstant, _), (.snapshots, _): return nil
    }
  }

  private func isAdaptive(_ recipe: Record) -> Bool {
    guard case .string(let name) = recipe.value(of: .optimizer) else { return false }
    return OptimizerName(rawValue: name)?.isAdaptive ?? false
  }

  private func scaled(decay: Double) -> Value { .number(rounded(max(0, 1 - (1 - decay) / steps))) }

  /// Six digits, so that a recipe reads well.
  private func rounded(_ value: Double) -> Double {
    guard value != 0, value.isFinite else { return value }
    let scale = pow(10, 5 - floor(log10(abs(value))))
    return (value * scale).rounded() / scale
  }
}

extension Record {
  fileprivate func number(_ field: some RecordField) -> Double? {
    if case .number(let number)? = self[field.rawValue] { number } else { nil }
  }
}
