internal import Datasets
internal import Script
internal import Statistics
internal import Training

/// A number that was measured, with what says how sure it is: a number to scripts, evidence to `claim` and `compare`.
struct MeasuredNumber: ScriptObject {
  enum Origin: Sendable {
    case accuracy(Accuracy)
    case timing(Timing)
  }
  let origin: Origin

  var number: Double? {
    switch origin {
    case .accuracy(let accuracy): accuracy.percent
    case .timing(let timing): timing.median
    }
  }

  var typeName: String { "number" }
  var summary: String { Value.text(of: number ?? .nan) }

  /// Two timings of the same rounds give a ratio for each round.
  func divided(by other: any ScriptObject) -> Value? {
    guard case .timing(let own) = origin, let other = other as? MeasuredNumber, case .timing(let other) = other.origin else {
      return nil
    }
    return own.divided(by: other).map { .object(MeasuredNumber(origin: .timing($0))) }
  }
}

extension Value {
  static func accuracy(_ accuracy: Accuracy) -> Value { .object(MeasuredNumber(origin: .accuracy(accuracy))) }
  static func timing(_ timing: Timing) -> Value { .object(MeasuredNumber(origin: .timing(timing))) }
}

/// How many images a model gets right, with all that a claim has to know of it.
struct Accuracy: Sendable {
  let correct, count: Int
  /// Which images; nil where that is not known, as of the first five predictions.
  let each: CorrectImages?
  let images: Split
  let model: ModelValue

  /// In per cent; nan of no images.
  var percent: Double { count > 0 ? 100 * Double(correct) / Double(count) : .nan }

  /// Whether the model was chosen among others by these images.
  /// - Throws: `DatasetError` where the images cannot be read.
  func isSelected() throws(DatasetError) -> Bool {
    guard !model.selectedBy.isEmpty else { return false }
    let own = try images.checksum()
    for split in model.selectedBy where try split.checksum() == own { return true }
    return false
  }
}

/// Times of rounds in which what is compared took turns.
struct Timing: Sendable {
  /// Each call that times gives its rounds one.
  final class Rounds: Sendable {}
  let rounds: Rounds
  let values: [Double]

  init(_ rounds: Rounds, _ values: [Double]) { (self.rounds, self.values) = (rounds, values) }

  var median: Double { values.isEmpty ? .nan : Statistics.Rounds(values).estimate }

  /// The ratio of each round; nil where they are not of the same rounds.
  func divided(by other: Timing) -> Timing? {
    guard rounds === other.rounds, values.count == other.values.count, other.values.allSatisfy({ $0 > 0 }) else { return nil }
    return Timing(rounds, zip(values, other.values).map { $0 / $1 })
  }
}
