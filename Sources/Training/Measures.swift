internal import Datasets
internal import Distribution
internal import Engine
internal import Networks
internal import Tensors

/// Measures weights between epochs.
struct Measures {
  private let evaluator: Evaluator
  private let dataset: Dataset
  private let selectionPart: Split?
  /// Nil where there is nothing to measure on.
  private let plan: Plan?

  /// - Parameter isHurried: once true, measuring ends with an error that says so; asked where there is one process.
  init(
    _ trainer: Trainer, _ network: Network, _ dataset: Dataset, selection: Split?, isHurried: @escaping () -> Bool
  ) throws(TrainingError) {
    let communicator = trainer.communicator
    evaluator = Evaluator(
      engine: trainer.engine, communicator: communicator, isInterrupted: { communicator.isAlone && isHurried() })
    (self.dataset, selectionPart) = (dataset, selection)
    let largest = max(dataset.validation.count, selection?.count ?? 0)
    guard largest > 0 else {
      plan = nil
      return
    }
    let shown = try network.fitting(images: dataset.validation.imageShape)
    plan = try evaluator.makePlan(shown, batchSize: min(largest, 200))
  }

  func validation(of weights: Weights) throws(TrainingError) -> (all: Evaluation, each: CorrectImages?) {
    try measure(weights, on: dataset.validation)
  }

  /// The weights as they are now on the validation set; their moving average there too; and of the latter, or else of
  /// the weights, what is held out.
  func callAsFunction(of state: TrainingState) throws(TrainingError)
    -> (validation: (all: Evaluation, each: CorrectImages?), ema: Evaluation?, selection: Evaluation?)
  {
    guard plan != nil else { return ((Evaluation(), nil), nil, nil) }
    let now = try Training.engine { () throws(EngineError) in try state.compiled.weights() }
    let validation = try validation(of: now)
    guard let average = state.average else {
      return (validation, nil, try selectionPart.map { (part) throws(TrainingError) in try measure(now, on: part).all })
    }
    let averaged = try Training.engine { () throws(EngineError) in try average.copy.weights() }
    return (
      validation, try self.validation(of: averaged).all,
      try selectionPart.map { (part) throws(TrainingError) in try measure(averaged, on: part).all }
    )
  }

  private func measure(_ weights: Weights, on part: Split) throws(TrainingError) -> (all: Evaluation, each: CorrectImages?) {
    guard let plan, part.count > 0 else { return (Evaluation(), nil) }
    return try evaluator.evaluateEach(plan, weights, on: part, normalization: dataset.normalization)
  }
}

extension TrainingPlan {
  /// What is trained on, and what is held out to tell snapshots by.
  func parts(of dataset: Dataset) throws(TrainingError) -> (training: Split, selection: Split?) {
    let split = dataset.train
    let count = heldOutCount(of: split.count)
    guard count > 0 else { return (split, nil) }
    return try data { () throws(DatasetError) in
      let (kept, heldOut) = try split.split(holdingOut: count, seed: seed)
      return (kept, dataset.measured(heldOut))
    }
  }
}
