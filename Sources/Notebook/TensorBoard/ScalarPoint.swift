internal import Tensors
internal import Training

/// A point of a curve that TensorBoard draws.
struct ScalarPoint {
  /// The curve; what stands before a `/` groups curves.
  let tag: String
  let step: Int
  let value: Double
  /// Since the run began, where that is known.
  let seconds: Double?

  init(_ tag: String, _ value: Double, step: Int = 0, seconds: Double? = nil) {
    (self.tag, self.value, self.step, self.seconds) = (tag, value, step, seconds)
  }
}

extension Evaluation {
  /// Loss, and top-1 and top-5 accuracy in per cent; nothing where there was no image.
  func points(_ prefix: String, _ suffix: String = "", step: Int = 0, seconds: Double? = nil) -> [ScalarPoint] {
    guard count > 0 else { return [] }
    return [("loss", loss), ("top1", top1 * 100), ("top5", top5 * 100)].map { name, value in
      ScalarPoint(prefix + name + suffix, value, step: step, seconds: seconds)
    }
  }
}

/// What a training run's ledger says of single steps: the loss, and the learning rate that its plan gave.
struct StepPoints {
  private let plan: TrainingPlan
  /// Nil where it is not known, and the learning rate is not either.
  private let stepsPerEpoch: Int?

  private struct Inputs: Decodable {
    struct Settings: Decodable { var plan: TrainingPlan }
    var settings: Settings
  }

  /// - Parameter inputs: those of the run, as JSON; nil comes of those that train nothing.
  init?(inputs: String, stepsPerEpoch: (TrainingPlan) -> Int?) {
    guard let plan = Self.plan(of: inputs), plan.batchSize > 0 else { return nil }
    self.plan = plan
    self.stepsPerEpoch = stepsPerEpoch(plan).flatMap { $0 > 0 ? $0 : nil }
  }

  /// The plan of a training run; nil for another kind of run, or where an older Reprise kept it otherwise.
  static func plan(of inputs: String) -> TrainingPlan? { JSONText.read(Inputs.self, inputs)?.settings.plan }

  /// - Parameter seconds: when a step was made, since the run began; nil where that is not known.
  func points(of ledger: [LedgerEntry], seconds: (Int) -> Double? = { _ in nil }) -> [ScalarPoint] {
    ledger.flatMap { entry in
      let (step, time) = (entry.step, seconds(entry.step))
      let loss = ScalarPoint("loss/step", entry.lossSum / Double(plan.batchSize), step: step, seconds: time)
      guard let stepsPerEpoch else { return [loss] }
      let rate = plan.learningRate(atStep: step - 1, stepsPerEpoch: stepsPerEpoch)
      return [loss, ScalarPoint("lr/step", rate, step: step, seconds: time)]
    }
  }
}

extension LedgerEntry {
  /// Of the step's samples.
  fileprivate var lossSum: Double { Double(bitPattern: loss) }
}
