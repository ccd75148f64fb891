internal import CKernels
public import Datasets
public import Distribution
public import Engine
internal import Foundation
public import Networks
public import Tensors

/// How well logits name the classes of labelled samples.
public struct Evaluation: Hashable, Sendable, Codable {
  /// Mean cross-entropy, in nats.
  public internal(set) var loss = 0.0
  /// Samples whose class is the prediction, and those whose class is one of the five first, as ``Prediction`` has it.
  public internal(set) var correct = 0, hitsAmongFive = 0
  public internal(set) var count = 0
  /// Shares, 0 to 1.
  public var top1: Double { count == 0 ? .nan : Double(correct) / Double(count) }
  public var top5: Double { count == 0 ? .nan : Double(hitsAmongFive) / Double(count) }

  public init() {}

  /// Whether the counts agree with each other; those of a file may not.
  package var isPossible: Bool { 0 <= correct && correct <= hitsAmongFive && hitsAmongFive <= count && count <= 1 << 48 }

  private var sum: Double { loss * Double(count) }

  /// Takes in a batch: `rows` rows of logits, their labels and losses.
  /// - Parameter onHit: gets each row whose class is the prediction.
  mutating func add(
    _ logits: UnsafeBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>,
    losses: [Double], rows: Int,
    classes: Int, onHit: (Int) -> Void = { _ in }
  ) {
    let before = sum
    var total = 0.0
    for row in 0..<rows {
      total += losses[row]
      let ahead = Prediction.rank(of: Int(labels[row]), in: logits[row * classes..<(row + 1) * classes]) ?? classes
      if ahead == 0 {
        correct += 1
        onHit(row)
      }
      hitsAmongFive += ahead < min(5, classes) ? 1 : 0
    }
    count += rows
    loss = (before + total) / Double(max(count, 1))
  }
}

extension Evaluation {
  /// Takes in what was measured of other samples.
  mutating func add(_ other: Evaluation) {
    let total = sum + other.sum
    correct += other.correct
    hitsAmongFive += other.hitsAmongFive
    count += other.count
    loss = total / Double(max(count, 1))
  }
}

/// Fills rows with one-hot targets, smoothed: `(1 − s)·[k = label] + s / K`.
/// - Parameter share: how much of a row's one-hot target is its own; the rest is that of the row at the same place from
///   the end.
func fillTargets(
  _ targets: UnsafeMutablePointer<Float>, labels: UnsafeMutableBufferPointer<Int32>, rows: Int,
  classes: Int,
  smoothing: Double, share: Double = 1
) {
  let low = Float(smoothing / Double(classes))
  targets.update(repeating: low, count: rows * classes)
  for row in 0..<rows {
    targets[row * classes + Int(labels[row])] += Float((1 - smoothing) * share)
    if share < 1 { targets[row * classes + Int(labels[rows - 1 - row])] += Float((1 - smoothing) * (1 - share)) }
  }
}

/// Runs networks on data without changing them.
public struct Evaluator {
  public let engine: Engine
  /// Who shares the batches of `evaluate`; all else each process does for itself.
  public let communicator: Communicator
  /// How networks are run: in float32, or on integers where their quantizers say so.
  public let mode: Plan.Mode
  /// What they are computed with.
  public let precision: Precision
  /// Asked before each step of a network; once true, the work ends with an error that says so.
  public let isInterrupted: () -> Bool
  public init(
    engine: Engine, communicator: Communicator = .alone, mode: Plan.Mode = .inference, precision: Precision = .float32,
    isInterrupted: @escaping () -> Bool = { false }
  ) {
    (self.engine, self.communicator, self.mode, self.precision) = (engine, communicator, mode, precision)
    self.isInterrupted = isInterrupted
  }

  /// Loss and accuracy over a whole split; the last partial batch counts its own samples.
  /// - Throws: `TrainingError`.
  public func evaluate(
    _ network: Network, _ weights: Weights, on split: Split, normalization: Normalization,
    batchSize: Int = 100
  ) throws(TrainingError) -> Evaluation {
    try evaluateEach(network, weights, on: split, normalization: normalization, batchSize: batchSize).all
  }

  /// The same, and which samples are right.
  /// - Throws: `TrainingError`.
  public func evaluateEach(
    _ network: Network, _ weights: Weights, on split: Split, normalization: Normalization,
    batchSize: Int = 100
  ) throws(TrainingError) -> (all: Evaluation, each: CorrectImages) {
    try network.mustFit(images: split.imageShape)
    let plan = try makePlan(network, batchSize: min(batchSize, max(split.count, 1)))
    return try evaluateEach(plan, weights, on: split, normalization: normalization)
  }

  func makePlan(_ network: Network, batchSize: Int) throws(TrainingError) -> Plan {
    try Training.engine { () throws(EngineError) in
      let plan = try engine.compile(network, batch: batchSize, mode: mode, precision: precision)
      plan.isInterrupted = isInterrupted
      return plan
    }
  }

  /// The same with a plan that is at hand.
  func evaluateEach(_ plan: Plan, _ weights: Weights, on split: Split, normalization: Normalization)
    throws(TrainingError) -> (all: Evaluation, each: CorrectImages)
  {
    let classes = plan.network.shape(of: plan.network.output).elementCount
    var (result, each) = (Evaluation(), CorrectImages(count: split.count))
    let share = BatchShare(communicator.rank..<communicator.rank + 1, ofEach: communicator.size)
    try forEachBatch(plan, weights, on: split, normalization: normalization, share) { batch, losses in
      result.add(plan.logits, labels: batch.labels, losses: losses, rows: batch.count, classes: classes) {
        each[batch.index * plan.batch + $0] = true
      }
    }
    communicator.sum(&result)
    communicator.join(&each)
    return (result, each)
  }

  /// The accuracy of a network in training mode, on augmented images: batch norms use the statistics of each batch. The
  /// last batch that is not full is left out.
  /// - Throws: `TrainingError`.
  package func evaluateByBatchStatistics(
    _ network: Network, _ weights: Weights, on split: Split, normalization: Normalization,
    augmentations: [Augmentation], batchSize: Int, seed: UInt64
  ) throws(TrainingError) -> Evaluation {
    try network.mustFit(images: split.imageShape)
    let plan = try Training.engine { () throws(EngineError) in
      let plan = try engine.compile(network, batch: batchSize, mode: .training())
      plan.isInterrupted = isInterrupted
      return plan
    }
    let classes = network.shape(of: network.output).elementCount
    var result = Evaluation()
    let loader = Loader(
      split, batchSize: batchSize, normalization: normalization, augmentations: augmentations, order: .shuffled,
      seed: seed, dropsLast: true, workers: engine.threads)
    try forEachBatch(plan, weights, of: loader) { batch, losses in
      result.add(plan.logits, labels: batch.labels, losses: losses, rows: batch.count, classes: classes)
    }
    return result
  }

  /// What a network says of one image.
  public struct Answer: Hashable, Sendable {
    /// The image's position in the split.
    public let position: Int
    public let label: Int
    /// The prediction; nil where a logit is `nan`.
    public let answer: Int?
    /// Its share of the softmax; `nan` where there is no prediction.
    public let confidence: Double
    /// Cross-entropy of the label, in nats.
    public let loss: Double
  }

  /// What a network says of each image of a split, in its order.
  /// - Throws: `TrainingError`.
  public func answers(
    _ network: Network, _ weights: Weights, on split: Split, normalization: Normalization,
    batchSize: Int = 100
  ) throws(TrainingError) -> [Answer] {
    try network.mustFit(images: split.imageShape)
    let plan = try makePlan(network, batchSize: min(batchSize, max(split.count, 1)))
    let classes = network.shape(of: network.output).elementCount
    var answers: [Answer] = []
    answers.reserveCapacity(split.count)
    try forEachBatch(plan, weights, on: split, normalization: normalization) { batch, losses in
      for row in 0..<batch.count {
        let logits = plan.logits[row * classes..<(row + 1) * classes]
        let answer = Prediction.top1(of: logits)
        let confidence = answer.map { answer in
          let largest = Double(logits[logits.startIndex + answer])
          // Equal ones, infinite too, are as likely.
          return 1 / logits.reduce(0.0) { $0 + (Double($1) == largest ? 1 : exp(Double($1) - largest)) }
        }
        answers.append(
          Answer(
            position: answers.count, label: Int(batch.labels[row]), answer: answer, confidence: confidence ?? .nan,
            loss: losses[row]))
      }
    }
    return answers
  }

  /// Computes the logits and losses of each batch of a split, as it is.
  private func forEachBatch(
    _ plan: Plan, _ weights: Weights, on split: Split, normalization: Normalization, _ share: BatchShare = .all,
    _ body: (Batch, [Double]) -> Void
  ) throws(TrainingError) {
    let loader = Loader(
      split, batchSize: plan.batch, normalization: normalization, workers: engine.threads, share: share)
    try forEachBatch(plan, weights, of: loader, body)
  }

  /// Computes the logits and losses of each batch.
  private func forEachBatch(
    _ plan: Plan, _ weights: Weights, of loader: Loader, _ body: (Batch, [Double]) -> Void
  ) throws(TrainingError) {
    try Training.engine { () throws(EngineError) in try plan.load(weights) }
    let classes = plan.network.shape(of: plan.network.output).elementCount
    let stream = try data { () throws(DatasetError) in try loader.batches(epoch: 0) }
    var targets = [Float](repeating: 0, count: plan.batch * classes)
    var losses = [Double](repeating: 0, count: plan.batch)
    while let batch = try data({ () throws(DatasetError) in try stream.next(isInterrupted: isInterrupted) }) {
      for row in 0..<batch.count where !(0..<classes).contains(Int(batch.labels[row])) {
        throw .classes(network: classes, data: Int(batch.labels[row]) + 1)
      }
      targets.withUnsafeMutableBufferPointer {
        fillTargets(
          $0.baseAddress!, labels: batch.labels, rows: batch.count, classes: classes, smoothing: 0)
      }
      try Training.engine { () throws(EngineError) in
        try plan.perform { execution in
          _ = plan.input.update(fromContentsOf: batch.images)
          execution.forward()
          rk_soft_cross_entropy(
            plan.logits.baseAddress, targets, nil, &losses, Int64(batch.count), Int64(classes), 0)
        }
      }
      body(batch, losses)
    }
  }

  /// The logits, `N K`, of normalized samples, `N C H W`.
  /// - Throws: `TrainingError`.
  public func predict(_ network: Network, _ weights: Weights, _ samples: Tensor)
    throws(TrainingError) -> Tensor
  {
    let shape = network.shape(of: network.input)
    guard samples.shape.rank == shape.rank + 1, samples.shape.sample == shape else {
      throw .engine(
        .wrongInput(
          expected: shape.batched(samples.shape.rank > 0 ? samples.shape[0] : 1),
          found: samples.shape))
    }
    let count = samples.shape[0]
    let classes = network.shape(of: network.output)
    var result: Tensor
    do { result = try Tensor(zeros: classes.batched(count)) } catch { throw .tensor(error) }
    guard count > 0 else { return result }
    let batch = min(count, 100)
    let plan = try makePlan(network, batchSize: batch)
    try Training.engine { () throws(EngineError) in try plan.load(weights) }
    for start in stride(from: 0, to: count, by: batch) {
      let rows = min(batch, count - start)
      try Training.engine { () throws(EngineError) in
        samples.withUnsafeElements { elements in
          let part = elements[start * shape.elementCount..<(start + rows) * shape.elementCount]
          _ = plan.input.update(fromContentsOf: part)
        }
        try plan.forward()
      }
      result.withUnsafeMutableElements { elements in
        for i in 0..<rows * classes.elementCount {
          elements[start * classes.elementCount + i] = plan.logits[i]
        }
      }
    }
    return result
  }
}

extension Network {
  /// The network for images of another size, where its layers allow that.
  func fitting(images: Shape) throws(TrainingError) -> Network {
    do { return try taking(images: images) } catch { throw .network(error) }
  }

  func mustFit(images: Shape) throws(TrainingError) {
    let own = shape(of: input)
    guard own == images else { throw .images(network: own, data: images) }
  }
}
