internal import CKernels
internal import Engine
package import Networks
internal import Tensors

/// All that the steps of a training change: weights, statistics, the optimizer's state, and averages of the weights.
final class TrainingState {
  /// An array of it, by the name it has in a checkpoint.
  struct Place {
    let name: String
    let numbers: UnsafeMutableBufferPointer<Float>
  }

  let compiled: Plan
  let parameters: ParameterSegments
  let optimizer: OptimizerState
  let gradients: GradientSum
  let average: MovingWeights?
  let best: BestSnapshots?

  /// - Parameters:
  ///   - parts: of a batch that this process computes.
  ///   - start: nil where a checkpoint is to be restored.
  init(_ compiled: Plan, _ plan: TrainingPlan, parts: Int, totalSteps: Int, from start: Weights?) throws(TrainingError) {
    self.compiled = compiled
    do {
      parameters = try ParameterSegments(of: compiled, weightDecay: plan.weightDecay, decayed: plan.decayed)
      optimizer = try OptimizerState(plan.optimizer, over: parameters)
      gradients = try GradientSum(over: compiled, parts: parts)
      average =
        if let rule = plan.movingAverage { try MovingWeights(rule, of: compiled, totalSteps: totalSteps) } else { nil }
      best =
        if case .meanOfBest(let count, _) = plan.result { try BestSnapshots(count: count, of: compiled) } else { nil }
    } catch { throw .tensor(error) }
    guard let start else { return }
    try Training.engine { () throws(EngineError) in
      try compiled.load(start)
      try compiled.perform { [average] _ in average?.copy.take() }
    }
  }

  /// What a plan asks for, as it is now; the last weights where there is no snapshot yet.
  func weights(_ result: ResultWeights) throws(TrainingError) -> Weights {
    let copy: WeightCopy?
    do {
      copy =
        if case .meanOfBest = result, let best, !best.entries.isEmpty {
          try best.mean(into: WeightCopy(for: compiled))
        } else if result == .movingAverage { average?.copy } else { nil }
    } catch { throw .tensor(error) }
    return try Training.engine { () throws(EngineError) in
      if let copy { return try copy.weights() }
      return try compiled.weights()
    }
  }

  /// - Parameter snapshots: how many snapshots there are.
  func places(snapshots: Int) -> [Place] {
    let arenas = compiled.arenas
    var places = [Place(name: "parameters", numbers: .init(start: arenas.values, count: arenas.count))]
    if !compiled.statistics.isEmpty { places.append(Place(name: "statistics", numbers: compiled.statistics)) }
    for (i, array) in optimizer.arrays.enumerated() { places.append(Place(name: "state.\(i)", numbers: array)) }
    if let average { places += average.copy.places("average") }
    if let best { places += best.places(snapshots) }
    return places
  }
}

extension TrainingPlan {
  /// How many numbers the state of a training comes to beside the weights and gradients of its network: the optimizer's
  /// arrays, the sum of gradients where a batch is computed in parts, the moving average, and the best snapshots, of which
  /// no more are filled than there are epochs, with their mean.
  package func stateElementCount(of network: Network, processes: Int = 1) -> Double {
    let isInParts = rowsAtOnce(processes: processes) * processes < batchSize
    let arrays = optimizer.stateCount + (isInParts ? 1 : 0)
    var copies = movingAverage == nil ? 0 : 1
    if case .meanOfBest(let count, _) = result { copies += min(count, epochs) + 1 }
    let weights = network.parameters.reduce(0.0) { $0 + Double($1.rule.shape.elementCount) }
    return Double(arrays) * Double(network.parameterCount) + Double(copies) * weights
  }
}

/// Adds up the gradients of the parts of a batch.
final class GradientSum {
  private let arenas: Plan.Arenas
  private let parts: Int
  private let sum: AlignedBuffer

  init(over plan: Plan, parts: Int) throws(TensorError) {
    (arenas, self.parts) = (plan.arenas, parts)
    sum = try AlignedBuffer(byteCount: parts > 1 ? arenas.count * 4 : 0)
  }

  /// Takes in the gradient of a part. After the last one, the plan's gradient is that of the whole batch. On the engine's
  /// thread.
  func add(part: Int) {
    guard parts > 1 else { return }
    let count = Int64(arenas.count)
    if part == parts - 1 {
      finish(0..<arenas.count)
    } else if part == 0 {
      rk_copy(arenas.gradients, sum.floats, count)
    } else {
      rk_add(sum.floats, arenas.gradients, sum.floats, count)
    }
  }

  /// Does the last part's work for a stretch of the gradients.
  func finish(_ range: Range<Int>) {
    guard parts > 1 else { return }
    let gradients = arenas.gradients + range.lowerBound
    rk_add(sum.floats + range.lowerBound, gradients, gradients, Int64(range.count))
  }
}
