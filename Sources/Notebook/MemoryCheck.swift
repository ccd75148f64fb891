internal import Foundation
internal import Networks
internal import Tensors

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
    let largest = network.layers.map(\.shape.elementCount).max() ?? 0
    try require(numbers: Double(network.parameterCount) + Double(largest) * Double(batch))
  }

  /// For training a network: weights, gradients, and what each convolution and dense layer keeps for the way back.
  static func training(_ network: Network, batch: Int) throws(TensorError) {
    let kept = network.nodes.reduce(0.0) { sum, node in
      let isKept = network[node].operation.rules.multiplyAdds(of: network.inputShapes(of: node)) > 0
      return isKept ? sum + Double(network.shape(of: node).elementCount) : sum
    }
    try require(numbers: 2 * Double(network.parameterCount) + kept * Double(batch))
  }

  /// For looking into a network: each layer keeps its output and the gradient by it.
  static func probe(_ network: Network, batch: Int) throws(TensorError) {
    let outputs = network.layers.reduce(0.0) { $0 + Double($1.shape.elementCount) }
    try require(numbers: 2 * Double(network.parameterCount) + 2 * outputs * Double(batch))
  }
}
