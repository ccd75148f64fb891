package import Tensors

/// Whether a definition speaks of training or of what comes after it.
public enum ReferenceMode: Hashable, Sendable {
  /// Running statistics; nothing is dropped.
  case inference
  /// The batch's statistics. What is dropped follows from the seed, the step and the lane, which is the layer's index
  /// in its network.
  case training(seed: UInt64, step: Int, lane: Int)
}

extension Network {
  /// Evaluates the network by the definitions of its operations; slow, for small networks.
  /// - Parameters:
  ///   - batch: the samples, with the batch axis in front.
  ///   - weights: every parameter, by its full name.
  ///   - mode: of a training mode, each layer gets its own lane; the given one is not read.
  /// - Returns: what the last layer answers.
  package func reference(
    _ batch: NDArray<Double>, weights: [String: NDArray<Double>], mode: ReferenceMode = .inference
  ) -> NDArray<Double> { referenceActivations(batch, weights: weights, mode: mode)[output.index] }

  /// Evaluates the network as `reference` does, and returns every layer's output in the order of the layers.
  package func referenceActivations(
    _ batch: NDArray<Double>, weights: [String: NDArray<Double>], mode: ReferenceMode = .inference
  ) -> [NDArray<Double>] {
    precondition(batch.shape.rank > 0 && batch.shape.sample == shape(of: input), "a batch of another shape")
    var outputs = [NDArray<Double>]()
    for node in nodes {
      let inputs = node == input ? [batch] : self[node].inputs.map { outputs[$0.index] }
      let parameters = parameters(of: node).map { name, _ in
        guard let tensor = weights[name] else { preconditionFailure("no weights for '\(name)'") }
        return tensor
      }
      var ownMode = mode
      if case .training(let seed, let step, _) = mode { ownMode = .training(seed: seed, step: step, lane: node.index) }
      outputs.append(self[node].operation.rules.reference(inputs, parameters, ownMode))
    }
    return outputs
  }
}

extension NDArray where Element == Double {
  /// Makes an array whose elements are computed one after the other, in row-major order.
  static func filled(_ shape: Shape, _ element: (Int) -> Double) -> NDArray {
    guard var array = try? NDArray(zeros: shape) else { fatalError("no memory for \(shape)") }
    array.withUnsafeMutableElements { for i in $0.indices { $0[i] = element(i) } }
    return array
  }

  /// Makes an array `N C H W` from a function of those four indices.
  static func images(_ shape: Shape, _ element: (_ n: Int, _ c: Int, _ row: Int, _ column: Int) -> Double) -> NDArray
  {
    let (channels, height, width) = (shape[1], shape[2], shape[3])
    return filled(shape) { i in
      element(i / (channels * height * width), i / (height * width) % channels, i / width % height, i % width)
    }
  }
}
