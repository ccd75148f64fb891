public import Networks
public import Tensors

extension Plan {
  private func floats(_ value: Value) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: addresses.floats(value.buffer), count: value.layout.elementCount)
  }

  /// `N C H W`, row-major: written before `forward`.
  package var input: UnsafeMutableBufferPointer<Float> { floats(ends.input) }
  /// `N K`, row-major: read after `forward`.
  package var logits: UnsafeBufferPointer<Float> { UnsafeBufferPointer(floats(ends.logits)) }
  /// `N K`, row-major: written before `backward`; nil in inference.
  package var logitsGradient: UnsafeMutableBufferPointer<Float>? { ends.logitsGradient.map { floats($0) } }

  /// Copies a batch into the input.
  /// - Throws: `EngineError.wrongInput` where the shape is not `batch` samples of the network's input.
  public func setInput(_ samples: Tensor) throws(EngineError) {
    let expected = network.shape(of: network.input).batched(batch)
    guard samples.shape == expected else { throw .wrongInput(expected: expected, found: samples.shape) }
    samples.withUnsafeElements { _ = input.update(fromContentsOf: $0) }
  }

  /// Copies the gradient of the logits, `N K`, to where `backward` starts.
  public func setLogitsGradient(_ gradient: Tensor) throws(EngineError) {
    let expected = network.shape(of: network.output).batched(batch)
    guard gradient.shape == expected, let target = logitsGradient else {
      throw .wrongInput(expected: expected, found: gradient.shape)
    }
    gradient.withUnsafeElements { _ = target.update(fromContentsOf: $0) }
  }

  private func tensor(_ value: Value) throws(EngineError) -> Tensor {
    var result = try zeros(Shape(value.layout.extents))
    result.withUnsafeMutableElements { _ = $0.update(fromContentsOf: floats(value)) }
    return result
  }

  /// The logits of the last `forward`: `N K`.
  public func logitsTensor() throws(EngineError) -> Tensor { try tensor(ends.logits) }
  /// The gradient of the input after `backward`, where the plan was compiled for it.
  public func inputGradient() throws(EngineError) -> Tensor? {
    guard let value = ends.inputGradient else { return nil }
    return try tensor(value)
  }
  /// A tapped layer's output in the last `forward`.
  public func activation(of node: Network.Node) throws(EngineError) -> Tensor? {
    guard let value = ends.activations[node] else { return nil }
    return try tensor(value)
  }
  /// The gradient of a tapped layer's output in the last `backward`.
  public func gradient(of node: Network.Node) throws(EngineError) -> Tensor? {
    if node == network.input { return try inputGradient() }
    guard let value = ends.gradients[node] else { return nil }
    return try tensor(value)
  }
}
