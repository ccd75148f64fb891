package import Engine
package import Networks
package import Tensors

/// Runs images through a network and lets the activations of some layers be read, batch by batch.
package final class ActivationReader {
  package let network: Network
  private let plan: Plan
  /// `N C H W`, normalized; an integer of batches.
  private let images: Tensor

  /// - Parameters:
  ///   - taps: the layers that are read.
  ///   - images: `N C H W`, normalized.
  package init(
    _ network: Network, taps: Set<Network.Node>, images: Tensor, engine: Engine,
    isInterrupted: @escaping () -> Bool = { false }
  ) throws(EngineError) {
    precondition(images.shape.sample == network.shape(of: network.input) && images.shape[0] > 0)
    let count = images.shape[0]
    let batch = (1...min(50, count)).last { count % $0 == 0 }!
    plan = try engine.compile(network, batch: batch, mode: .inference, taps: taps)
    plan.isInterrupted = isInterrupted
    (self.network, self.images) = (network, images)
  }

  /// Images in a batch.
  package var batch: Int { plan.batch }

  package func load(_ weights: Weights) throws(EngineError) { try plan.load(weights) }

  /// Computes the network, no further than needed, and calls `body` with each batch.
  /// - Parameter layer: the layer whose input is needed; nil computes all.
  /// - Throws: `EngineError`, `.interrupted` too, and what `body` throws.
  package func forEachBatch(before layer: Network.Node? = nil, _ body: (_ firstImage: Int) throws -> Void) throws {
    let end = layer.flatMap { node in plan.labels.firstIndex { $0.layer == network[node].name } }
    let size = images.shape.sample.elementCount
    for first in stride(from: 0, to: images.shape[0], by: plan.batch) {
      try plan.perform { execution in
        images.withUnsafeElements { images in
          _ = plan.input.update(fromContentsOf: images[first * size..<(first + plan.batch) * size])
        }
        if let end { execution.run(0..<end) } else { execution.forward() }
      }
      try body(first)
    }
  }

  /// What a tapped layer gave for the batch that was just computed.
  package func activation(of node: Network.Node) throws(EngineError) -> Tensor {
    guard let activation = try plan.activation(of: node) else { preconditionFailure("a layer that is not tapped") }
    return activation
  }
}
