public import Datasets
public import Distribution
public import Engine
public import Networks
public import Tensors

/// Trains networks.
public struct Trainer {
  public let engine: Engine
  /// Who trains together: each computes its share of every batch, and all have the same weights after each step.
  public let communicator: Communicator
  /// Bytes of gradients that go between processes at once.
  public let bucketBytes: Int

  public init(engine: Engine, communicator: Communicator = .alone, bucketBytes: Int? = nil) {
    (self.engine, self.communicator) = (engine, communicator)
    self.bucketBytes = bucketBytes ?? GradientBuckets.standardByteCount
  }

  /// Trains and, after each epoch, evaluates on the validation split.
  ///
  /// The result follows from the arguments alone, on one kind of processor with one number of threads and of processes.
  /// n processes, each with b images at once, give within rounding what one gives with `partSize` b.
  /// - Parameters:
  ///   - weights: where to start; drawn from the plan's seed where nil.
  ///   - teachers: whom it learns from, as the plan's distillation says.
  ///   - checkpoint: where to go on: of a training run with the same arguments. The result is then the same, bit by bit.
  ///   - checkpointing: keeps the state on the way.
  ///   - keepsLedger: whether entries of the ledger are reported.
  ///   - isInterrupted: asked before each step; once true, what was trained so far is the result, evaluated again.
  ///   - isHurried: whether that measuring is left out too.
  ///   - report: called after each step and each epoch, on the caller's thread.
  /// - Throws: `TrainingError`; `.notFinite` at the first step with a loss or a gradient that is not finite.
  public func train(
    _ network: Network, from weights: Weights? = nil, on dataset: Dataset, _ plan: TrainingPlan,
    teachers: [Teacher] = [], resuming checkpoint: Checkpoint? = nil, checkpointing: Checkpointing? = nil,
    keepsLedger: Bool = false, isInterrupted: () -> Bool = { false }, isHurried: @escaping () -> Bool = { false },
    report: (TrainingEvent) -> Void = { _ in }
  ) throws(TrainingError) -> TrainingOutcome {
    if let problem = plan.problem { throw .plan(problem) }
    guard (plan.distillation == nil) == teachers.isEmpty else {
      throw .plan(teachers.isEmpty ? "a distillation needs a teacher" : "a teacher needs a distillation")
    }
    try network.mustFit(images: dataset.imageShape)
    let classes = network.shape(of: network.output).elementCount
    guard classes == dataset.classes.count else { throw .classes(network: classes, data: dataset.classes.count) }
    let (training, selection) = try plan.parts(of: dataset)
    guard training.count >= plan.batchSize else {
      throw .tooFewSamples(count: training.count, batchSize: plan.batchSize)
    }
    let trained: Network
    do { trained = try network.withDropPath(Float(plan.dropPath)) } catch { throw .network(error) }

    // A batch is computed in parts, each of which the loader takes for a batch of its own.
    let sharding = try Sharding(plan, rank: communicator.rank, size: communicator.size)
    let (rows, parts) = (sharding.rows, sharding.partsOfBatch)
    try communicator.mustAgree("\(Engine.instructionSet), \(engine.threads) threads", on: "the processor")
    let loader = Loader(
      training, batchSize: rows, normalization: dataset.normalization, augmentations: plan.augmentations,
      order: .shuffled, seed: plan.seed, dropsLast: true, workers: engine.threads, ranks: sharding.ranks,
      rankRows: sharding.rankRows, share: sharding.share)
    let steps = loader.batchCount / parts
    // Enough samples for a batch, but not as many of them are shown.
    guard steps > 0 else {
      throw .tooFewRepeated(shown: loader.repeatedCount ?? 0, count: training.count, batchSize: plan.batchSize)
    }
    let totalSteps = plan.epochs * steps

    let start: Weights?
    if checkpoint != nil {
      start = nil
    } else if let weights {
      start = weights
    } else {
      do { start = try network.initialWeights(seed: plan.seed) } catch { throw .tensor(error) }
    }
    let compiled = try Training.engine { () throws(EngineError) in
      try engine.compile(
        trained, batch: rows, mode: .training(), precision: plan.precision,
        normReduction: plan.synchronizesBatchNorm && !communicator.isAlone
          ? NormReduction(processes: communicator.size, sum: { [communicator] in communicator.sumNow($0, count: $1) })
          : nil)
    }
    let state = try TrainingState(compiled, plan, parts: sharding.parts, totalSteps: totalSteps, from: start)
    if let checkpoint {
      guard checkpoint.records.count <= plan.epochs else {
        throw .checkpoint("it has \(checkpoint.records.count) epochs, the training \(plan.epochs)")
      }
      try checkpoint.restore(into: state, stepsPerEpoch: steps, batchSize: plan.batchSize)
    }
    let measures = try Measures(self, network, dataset, selection: selection, isHurried: isHurried)
    let step = try TrainingStep(plan, sharding, state, teachers: teachers, on: dataset, self)
    let runner = EpochRunner(
      plan, sharding, loader, stepsPerEpoch: steps, state, step, measures, CheckpointKeeper(checkpointing),
      communicator, keepsLedger: keepsLedger, resuming: checkpoint)
    for epoch in runner.records.count..<plan.epochs where !runner.isStopped {
      try runner.run(epoch, isInterrupted: isInterrupted, report: report)
    }

    var final = try state.weights(plan.result)
    if plan.preciseBatchNorm > 0, !runner.isStopped {
      final = try preciseWeights(final, plan, compiled, loader, sharding, totalSteps: totalSteps)
    }
    var given: (all: Evaluation, each: CorrectImages?) = (runner.records.last?.validation ?? Evaluation(), runner.each)
    if plan.result != .last || plan.preciseBatchNorm > 0 {
      do throws(TrainingError) { given = try measures.validation(of: final) } catch {
        guard runner.isStopped, error.meansInterruption else { throw error }
      }
    }
    return TrainingOutcome(
      weights: final, final: given.all, each: given.each,
      epochs: runner.records, isInterrupted: runner.isStopped, stepsDone: runner.stepsDone,
      checkpoint: runner.interrupted, parameterNames: compiled.arenas.segments.map(\.name))
  }

  /// Weights whose batch norms have the statistics of some batches more, which are computed for that alone.
  private func preciseWeights(
    _ weights: Weights, _ plan: TrainingPlan, _ compiled: Plan, _ loader: Loader, _ sharding: Sharding, totalSteps: Int
  ) throws(TrainingError) -> Weights {
    // The epoch after the last has draws of its own.
    let stream = try data { () throws(DatasetError) in try loader.batches(epoch: plan.epochs) }
    return try PreciseBatchNorm(
      plan: compiled, communicator: communicator, isSynchronized: plan.synchronizesBatchNorm
    )(weights) { () throws(TrainingError) in
      guard let batch = try data({ () throws(DatasetError) in try stream.next() }),
        // Synchronized, the processes compute a batch together.
        batch.index / (plan.synchronizesBatchNorm ? communicator.size : 1) < plan.preciseBatchNorm
      else { return false }
      compiled.setRandom(
        seed: plan.seed, step: totalSteps + batch.index / sharding.partsOfBatch,
        row: sharding.place(of: batch.index) * sharding.rows)
      _ = compiled.input.update(fromContentsOf: batch.images)
      return true
    }
  }
}
