internal import Datasets
internal import Engine

/// What tells two trainings apart to the bit: a hash of the loss after a step, and of each parameter.
public struct LedgerEntry: Hashable, Sendable, Codable {
  /// From 1, over all epochs.
  public let step: Int
  /// The bits of the mean loss of the step's samples, before the weights moved.
  public let loss: UInt64
  /// Of each trainable parameter after the step, in the order of `TrainingOutcome.parameterNames`.
  public let parameters: [UInt32]

  package func changed(_ parameter: Int) -> LedgerEntry {
    var parameters = parameters
    parameters[parameter] ^= 1
    return LedgerEntry(step: step, loss: loss, parameters: parameters)
  }

  /// A ledger has about so many entries, however long the training.
  static let length = 1000
}

extension LedgerEntry {
  init(step: Int, loss: Double, in plan: Plan) {
    self.step = step
    self.loss = loss.bitPattern
    let arenas = plan.arenas
    parameters = arenas.segments.map { segment in
      var hasher = StableHasher()
      hasher.combine(UnsafeRawBufferPointer(start: arenas.values + segment.offset, count: segment.count * 4))
      return UInt32(truncatingIfNeeded: hasher.value)
    }
  }
}
