internal import Engine
internal import Foundation
internal import Networks
internal import Tensors
internal import Training

/// Refuses work that cannot fit into this machine's memory, before anything is taken.
///
/// The system hands out more memory than there is and ends the process that uses it, so asking it is not enough.
/// What is counted is what the work needs at the least.
enum MemoryCheck {
  /// - Throws: `TensorError.outOfMemory` where the machine has less than so many numbers of 32 bits take.
  static func require(numbers: Double) throws(TensorError) {
    let bytes = numbers * 4
    guard bytes <= Double(ProcessInfo.processInfo.physicalMemory) else {
      throw .outOfMemory(byteCount: Int(min(bytes, 9e18)))
    }
  }

  /// For the weights of a network.
  static func weights(of network: Network) throws(TensorError) {
    try require(numbers: Double(network.parameterCount))
  }

  /// For running a network on a batch.
  static func inference(_ network: Network, batch: Int) throws(TensorError) {
    try require(numbers: numbers(toRun: network, batch: batch))
  }

  private static func numbers(toRun network: Network, batch: Int) -> Double {
    let largest = network.layers.map(\.shape.elementCount).max() ?? 0
    return Double(network.parameterCount) + Double(largest) * Double(batch)
  }

  /// For training a network as a plan says: weights, gradients, what each convolution and dense layer keeps for the way
  /// back, the state of the training, and the teachers. Of teachers with the same network the weights count once, since
  /// they may be the same.
  static func training(_ network: Network, _ plan: TrainingPlan, teachers: [Teacher] = [], processes: Int)
    throws(TensorError)
  {
    try require(numbers: numbers(toTrain: network, plan, teachers: teachers, processes: processes))
  }

  /// For the steps of several networks that take turns.
  static func steps(of networks: [Network], batch: Int, precision: Precision, isTraining: Bool) throws(TensorError) {
    // The standard plan's optimizer keeps what that of the steps keeps.
    var plan = TrainingPlan()
    (plan.batchSize, plan.precision) = (batch, precision)
    try require(
      numbers: networks.reduce(0) {
        $0 + (isTraining ? numbers(toTrain: $1, plan, processes: 1) : numbers(toRun: $1, batch: batch))
      })
  }

  private static func numbers(toTrain network: Network, _ plan: TrainingPlan, teachers: [Teacher] = [], processes: Int) -> Double {
    let rows = plan.rowsAtOnce(processes: processes)
    let kept = network.nodes.reduce(0.0) { sum, node in
      let isKept = network[node].operation.rules.macs(of: network.inputShapes(of: node)) > 0
      return isKept ? sum + Double(network.shape(of: node).elementCount) : sum
    }
    let own =
      2 * Double(network.parameterCount) + kept * Double(rows) * (plan.precision == .bf16 ? 0.5 : 1)
      + plan.stateElementCount(of: network, processes: processes)
    let taught = teachers.reduce(0.0) { $0 + numbers(toRun: $1.network, batch: rows) }
    let teaching = Set(teachers.map(\.network)).reduce(0.0) { $0 + Double($1.parameterCount) }
    return own + taught + teaching
  }

  /// For looking into a network: each layer keeps its output and the gradient by it.
  static func probe(_ network: Network, batch: Int) throws(TensorError) {
    let outputs = network.layers.reduce(0.0) { $0 + Double($1.shape.elementCount) }
    try require(numbers: 2 * Double(network.parameterCount) + 2 * outputs * Double(batch))
  }
}
