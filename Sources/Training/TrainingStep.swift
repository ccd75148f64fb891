internal import Datasets
internal import Distribution
internal import Engine
internal import Tensors

/// A step of a training run: each part of its batch forward and back, and after the last one the weights.
final class TrainingStep {
  private let plan: TrainingPlan
  private let state: TrainingState
  private let mixer: BatchMixer
  private let distiller: Distiller?
  private let sharding: Sharding
  private let rows, parts, classes: Int
  /// Of the part that was computed last.
  private(set) var losses: [Double]

  /// What the prepared work is about.
  private var images = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  private var rate = 0.0
  private var part = 0
  private var stops = false
  /// Where a step was not sound though its losses were: the first parameter whose gradient is not finite.
  private(set) var parameterWithoutFiniteGradient: String?
  /// With the other processes, where there are some.
  private let exchange: StepExchange?
  private var load: Plan.Prepared<Void>!
  private var compute: Plan.Prepared<Bool>!

  init(
    _ plan: TrainingPlan, _ sharding: Sharding, _ state: TrainingState, teachers: [Teacher], on dataset: Dataset,
    _ trainer: Trainer
  ) throws(TrainingError) {
    let compiled = state.compiled
    (self.plan, self.state, self.sharding) = (plan, state, sharding)
    (rows, parts, classes) = (compiled.batch, sharding.parts, dataset.classes.count)
    losses = Array(repeating: 0, count: rows)
    do {
      mixer = try BatchMixer(
        plan.mixing, smoothing: plan.labelSmoothing, seed: plan.seed, rows: rows, classes: classes,
        shape: dataset.imageShape)
      exchange =
        if trainer.communicator.isAlone { nil } else {
          try StepExchange(
            state, sharding, isSynchronized: plan.synchronizesBatchNorm, trainer.communicator, bucketBytes: trainer.bucketBytes)
        }
    } catch { throw .tensor(error) }
    distiller =
      if let rule = plan.distillation {
        try Distiller(rule, teachers, of: compiled, dataset.normalization, engine: trainer.engine)
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

  /// Takes what the last part gave into a mean, or, of a step with other processes, after its last part what all of
  /// them gave.
  func add(to running: inout Evaluation) {
    guard let exchange else {
      running.add(logits, labels: labels, losses: losses, rows: rows, classes: classes)
      return
    }
    if part == parts - 1 { running.add(exchange.whole) }
  }

  /// The sum of the losses of the part that was computed last; as in `add(to:)`.
  var lossSum: Double {
    guard let exchange else { return losses.reduce(0, +) }
    return part == parts - 1 ? exchange.lossSum : 0
  }

  /// Whether some process was asked to stop, as all of them know after a step.
  var stopsAll: Bool { exchange?.stops ?? false }

  /// Computes the next part; after the last of the step, the weights have moved.
  /// - Parameters:
  ///   - number: of the step, from 0, over all epochs.
  ///   - stops: whether this process was asked to stop.
  /// - Returns: false where a loss or a gradient is not finite; no weight has moved then, on any process.
  func callAsFunction(_ batch: Batch, epoch: Int, number: Int, rate: Double, stops: Bool) throws(TrainingError) -> Bool {
    (images, self.rate, part, self.stops) = (batch.images, rate, sharding.ownPlace(of: batch.index), stops)
    state.compiled.setRandom(seed: plan.seed, step: number, row: sharding.place(of: batch.index) * rows)
    mixer.prepare(batch.labels, epoch: epoch, batch: batch.index)
    return try Training.engine { () throws(EngineError) in
      try load()
      try distiller?.answer()
      return try compute()
    }
  }

  /// On the engine's thread.
  private func computePart(_ execution: inout Plan.Execution) -> Bool {
    if part == 0 { exchange?.begin() }
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
    let isSound = losses.allSatisfy(\.isFinite)
    if let exchange { return finishPart(&execution, exchange, isSound: isSound) }
    guard isSound else { return false }
    execution.backward()
    state.gradients.add(part: part)
    return part < parts - 1 || moveWeights()
  }

  /// The way back, where other processes have other parts. What is no number is known to all at the step's end.
  private func finishPart(_ execution: inout Plan.Execution, _ exchange: StepExchange, isSound: Bool) -> Bool {
    exchange.note(
      { $0.add(self.logits, labels: self.labels, losses: self.losses, rows: self.rows, classes: self.classes) },
      isSound: isSound)
    guard part == parts - 1 else {
      execution.backward()
      state.gradients.add(part: part)
      return true
    }
    return exchange.backward(&execution, stops: stops) && moveWeights()
  }

  /// Takes the gradient of the whole batch, which the plan holds now and which is the same on every process, to the
  /// weights and their averages.
  /// - Returns: false where it is not finite; nothing has moved then.
  private func moveWeights() -> Bool {
    guard state.parameters.gradientsAreFinite() else {
      parameterWithoutFiniteGradient = state.parameters.parameterWithoutFiniteGradient()
      return false
    }
    plan.clipping?.apply(to: state.parameters)
    state.optimizer.step(rate: rate)
    state.average?.update(after: state.optimizer.steps)
    return true
  }
}
