internal import Datasets
internal import Engine
internal import Tensors

/// A step of a training: each part of its batch forward and back, and after the last one the weights.
final class TrainingStep {
  private let plan: TrainingPlan
  private let state: TrainingState
  private let mixer: BatchMixer
  private let distiller: Distiller?
  private let rows, parts, classes: Int
  /// Of the part that was computed last.
  private(set) var losses: [Double]

  /// What the prepared work is about.
  private var images = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  private var rate = 0.0
  private var part = 0
  private var load: Plan.Prepared<Void>!
  private var compute: Plan.Prepared<Bool>!

  init(
    _ plan: TrainingPlan, _ state: TrainingState, teachers: [Teacher], on dataset: Dataset, engine: Engine
  ) throws(TrainingError) {
    let compiled = state.compiled
    (self.plan, self.state) = (plan, state)
    (rows, parts, classes) = (compiled.batch, plan.partsOfBatch, dataset.classes.count)
    losses = Array(repeating: 0, count: rows)
    do {
      mixer = try BatchMixer(
        plan.mixing, smoothing: plan.labelSmoothing, seed: plan.seed, rows: rows, classes: classes,
        shape: dataset.pictureShape)
    } catch { throw .tensor(error) }
    distiller =
      if let rule = plan.distillation {
        try Distiller(rule, teachers, of: compiled, dataset.normalization, engine: engine)
      } else { nil }
    load = compiled.prepare { [unowned self] _ in
      mixer.write(images.baseAddress!, to: compiled.input.baseAddress!)
    }
    compute = compiled.prepare { [unowned self] in computePart(&$0) }
  }

  /// Of the part that was computed last: `N K`.
  var logits: UnsafeBufferPointer<Float> { state.compiled.logits }
  /// The classes that count as right for them.
  var labels: UnsafeMutableBufferPointer<Int32> { mixer.labels }

  /// Computes the next part; after the last of the step, the weights have moved.
  /// - Parameters:
  ///   - number: of the step, from 0, over all epochs.
  /// - Returns: false where a loss is no number; nothing has moved then.
  func callAsFunction(_ batch: Batch, epoch: Int, number: Int, rate: Double) throws(TrainingError) -> Bool {
    (images, self.rate, part) = (batch.images, rate, batch.index % parts)
    state.compiled.setRandom(seed: plan.seed, step: number * parts + part)
    mixer.prepare(batch.labels, epoch: epoch, batch: batch.index)
    return try Training.engine { () throws(EngineError) in
      try load()
      try distiller?.answer()
      return try compute()
    }
  }

  /// On the engine's thread.
  private func computePart(_ execution: inout Plan.Execution) -> Bool {
    execution.forward()
    let (logits, gradient) = (logits.baseAddress!, state.compiled.logitsGradient!.baseAddress!)
    let scale = 1 / Float(plan.batchSize)
    plan.loss.evaluate(
      logits, mixer.targets, gradient: gradient, losses: &losses, rows: rows, classes: classes, scale: scale)
    if let distiller {
      distiller.rule.mix(
        logits, distiller.shares, gradient: gradient, losses: &losses, rows: rows, classes: classes, scale: scale)
    }
    // Weights that a loss without a value would spoil are left as they are.
    guard losses.allSatisfy(\.isFinite) else { return false }
    execution.backward()
    state.gradients.add(part: part)
    if part == parts - 1 { moveWeights() }
    return true
  }

  /// Takes the gradient of the whole batch, which the plan holds now, to the weights and their averages.
  private func moveWeights() {
    plan.clipping?.apply(to: state.parameters)
    state.optimizer.step(rate: rate)
    state.average?.update(after: state.optimizer.steps)
  }
}
