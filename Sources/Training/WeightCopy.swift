internal import CKernels
internal import Engine
internal import Networks
internal import Tensors

/// A copy of a plan's parameters and running statistics, in the plan's layout.
final class WeightCopy {
  private let plan: Plan
  private let arenas: Plan.Arenas
  private let memory, statisticsMemory: AlignedBuffer
  private var values: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: memory.floats, count: arenas.count)
  }
  private var statistics: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: statisticsMemory.floats, count: plan.statistics.count)
  }

  /// Of zeros.
  init(for plan: Plan) throws(TensorError) {
    (self.plan, arenas) = (plan, plan.arenas)
    memory = try AlignedBuffer(byteCount: arenas.count * 4)
    statisticsMemory = try AlignedBuffer(byteCount: plan.statistics.count * 4)
  }

  /// Takes the plan's weights as they are now. On the engine's thread.
  func take() { average(keep: 0) }

  /// `keep` times this copy, and the rest of the plan's weights. On the engine's thread.
  func average(keep: Double) {
    rk_average(values.baseAddress!, arenas.values, Int64(values.count), keep)
    rk_average(statistics.baseAddress!, plan.statistics.baseAddress!, Int64(statistics.count), keep)
  }

  func take(_ other: WeightCopy) {
    _ = values.update(fromContentsOf: other.values)
    _ = statistics.update(fromContentsOf: other.statistics)
  }

  /// Becomes the mean of copies, added up in their order.
  func take(meanOf copies: [WeightCopy]) {
    func mean(_ array: UnsafeMutableBufferPointer<Float>, _ part: (WeightCopy) -> UnsafeMutableBufferPointer<Float>) {
      for i in array.indices {
        var sum = 0.0
        for copy in copies { sum += Double(part(copy)[i]) }
        array[i] = Float(sum / Double(copies.count))
      }
    }
    mean(values, \.values)
    mean(statistics, \.statistics)
  }

  /// In canonical layout.
  func weights() throws(EngineError) -> Weights {
    try plan.weights(values: values.baseAddress!, statistics: statistics.baseAddress!)
  }

  func places(_ name: String) -> [TrainingState.Place] {
    var places = [TrainingState.Place(name: "\(name).parameters", numbers: values)]
    if !statistics.isEmpty { places.append(TrainingState.Place(name: "\(name).statistics", numbers: statistics)) }
    return places
  }
}
