internal import CKernels
public import Datasets
public import Engine
internal import Foundation
public import Networks
public import Tensors

/// What one layer gives forward and gets back on one batch.
public struct LayerProbe: Hashable, Sendable {
  public let name: String
  /// The operation, as networks print it.
  public let operation: String
  /// Of all numbers of the layer's output.
  public let mean, std: Double
  /// The share of the output that is exactly 0, from 0 to 1: after a ReLU, what it closed.
  public let zeros: Double
  /// The root mean square of the loss's gradient by the output.
  public let outputGradient: Double
  /// The Euclidean norms of its weight and of the loss's gradient by it; nil where it has none.
  public let weightNorm, weightGradientNorm: Double?
}

/// Looks into a network while it is trained.
public struct Prober {
  public let engine: Engine
  private let isInterrupted: () -> Bool
  public init(engine: Engine, isInterrupted: @escaping () -> Bool = { false }) {
    (self.engine, self.isInterrupted) = (engine, isInterrupted)
  }

  /// Takes the first batch of a training forward and back, changes nothing, and tells what each layer saw: batch norms
  /// with the batch's own statistics, dropout drawn, the mean cross-entropy's gradient.
  /// - Throws: `TrainingError`.
  public func probe(
    _ network: Network, _ weights: Weights, on dataset: Dataset, batchSize: Int, seed: UInt64
  ) throws(TrainingError) -> [LayerProbe] {
    try network.mustFit(images: dataset.imageShape)
    let classes = network.shape(of: network.output).elementCount
    guard classes == dataset.classes.count else { throw .classes(network: classes, data: dataset.classes.count) }
    guard dataset.train.count >= batchSize else {
      throw .tooFewSamples(count: dataset.train.count, batchSize: batchSize)
    }
    let plan = try Training.engine { () throws(EngineError) in
      let plan = try engine.compile(network, batch: batchSize, mode: .training(), taps: Set(network.nodes.dropFirst()))
      try plan.load(weights)
      plan.isInterrupted = isInterrupted
      return plan
    }
    let loader = Loader(
      dataset.train, batchSize: batchSize, normalization: dataset.normalization, order: .shuffled, seed: seed,
      dropsLast: true)
    let stream = try data { () throws(DatasetError) in try loader.batches(epoch: 0) }
    guard let batch = try data({ () throws(DatasetError) in try stream.next(isInterrupted: isInterrupted) }) else { return [] }
    var targets = [Float](repeating: 0, count: batchSize * classes)
    targets.withUnsafeMutableBufferPointer {
      fillTargets($0.baseAddress!, labels: batch.labels, rows: batchSize, classes: classes, smoothing: 0)
    }
    var losses = [Double](repeating: 0, count: batchSize)
    plan.setRandom(seed: seed, step: 0)
    return try Training.engine { () throws(EngineError) in
      try plan.perform { execution in
        _ = plan.input.update(fromContentsOf: batch.images)
        execution.forward()
        rk_soft_cross_entropy(
          plan.logits.baseAddress, targets, plan.logitsGradient!.baseAddress, &losses, Int64(batchSize), Int64(classes),
          1 / Float(batchSize))
        execution.backward()
      }
      let gradients = try plan.gradients()
      var probes: [LayerProbe] = []
      for node in network.nodes.dropFirst() {
        let layer = network[node]
        guard let activation = try plan.activation(of: node) else { continue }
        let forward = Moments(activation)
        let back = try plan.gradient(of: node).map { Moments($0) }
        let weight = network.parameters(of: node).first { $0.rule.role == .weight || $0.rule.role == .scale }?.name
        probes.append(
          LayerProbe(
            name: layer.name, operation: layer.operation.title, mean: forward.mean, std: forward.std,
            zeros: forward.zeros, outputGradient: back?.rootMeanSquare ?? 0,
            weightNorm: weight.flatMap { weights[$0] }.map { Moments($0).norm },
            weightGradientNorm: weight.flatMap { gradients[$0] }.map { Moments($0).norm }))
      }
      return probes
    }
  }
}

/// Sums over all numbers of an array, in double precision.
private struct Moments {
  private(set) var count = 0.0, sum = 0.0, squares = 0.0, zeroCount = 0.0

  init(_ tensor: Tensor) {
    tensor.withUnsafeElements { elements in
      for element in elements {
        let value = Double(element)
        sum += value
        squares += value * value
        if element == 0 { zeroCount += 1 }
      }
      count = Double(elements.count)
    }
  }

  var mean: Double { sum / max(count, 1) }
  var rootMeanSquare: Double { (squares / max(count, 1)).squareRoot() }
  var std: Double { max(squares / max(count, 1) - mean * mean, 0).squareRoot() }
  var norm: Double { squares.squareRoot() }
  var zeros: Double { zeroCount / max(count, 1) }
}
