public import Datasets
internal import Distribution
internal import Engine
public import Networks
public import Tensors

extension Trainer {
  /// The weights with batch norm statistics that are measured with them, over batches of the training set as it is.
  ///
  /// Each process does all of it. Without a batch norm the weights come back as they are.
  /// - Throws: `TrainingError`; `.tooFewSamples` where they do not fill a batch.
  public func preciseBatchNorm(
    _ network: Network, _ weights: Weights, on dataset: Dataset, batches: Int, batchSize: Int, seed: UInt64,
    isInterrupted: @escaping () -> Bool = { false }
  ) throws(TrainingError) -> Weights {
    try network.mustFit(images: dataset.imageShape)
    guard dataset.train.count >= batchSize else {
      throw .tooFewSamples(count: dataset.train.count, batchSize: batchSize)
    }
    let plan = try Training.engine { () throws(EngineError) in
      try engine.compile(network, batch: batchSize, mode: .training())
    }
    plan.isInterrupted = isInterrupted
    let loader = Loader(
      dataset.train, batchSize: batchSize, normalization: dataset.normalization, order: .shuffled, seed: seed,
      dropsLast: true, workers: engine.threads)
    var (epoch, done) = (0, 0)
    var stream = try data { () throws(DatasetError) in try loader.batches(epoch: 0) }
    return try PreciseBatchNorm(plan: plan, communicator: .alone, isSynchronized: false)(weights) {
      () throws(TrainingError) in
      guard done < batches else { return false }
      var next = try data { () throws(DatasetError) in try stream.next(isInterrupted: isInterrupted) }
      if next == nil {
        epoch += 1
        stream = try data { () throws(DatasetError) in try loader.batches(epoch: epoch) }
        next = try data { () throws(DatasetError) in try stream.next(isInterrupted: isInterrupted) }
      }
      guard let next else { return false }
      plan.setRandom(seed: seed, step: done)
      _ = plan.input.update(fromContentsOf: next.images)
      done += 1
      return true
    }
  }
}
