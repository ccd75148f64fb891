public import Tensors

/// `y = a + b`, of two inputs of one shape.
public struct Add: OperationRules {
  public static let title = "add"
  public init() {}
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    guard inputs.count == 2 else { throw ShapeError("add takes two inputs, \(inputs.count) were given") }
    guard inputs[0] == inputs[1] else { throw ShapeError("cannot add \(inputs[0]) and \(inputs[1])") }
    return inputs[0]
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    inputs[0].withUnsafeElements { a in
      inputs[1].withUnsafeElements { b in .filled(inputs[0].shape) { a[$0] + b[$0] } }
    }
  }
}

/// The inputs one after the other along the first axis of a sample: channels of images, features of vectors.
public struct Concatenation: OperationRules {
  public static let title = "concatenation"
  public init() {}
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape {
    guard let first = inputs.first, first.rank >= 1 else { throw ShapeError("concatenation takes at least one input") }
    for other in inputs.dropFirst() where other.rank != first.rank || other.sample != first.sample {
      throw ShapeError("cannot concatenate \(first) and \(other)")
    }
    return Shape([inputs.reduce(0) { $0 + $1[0] }] + first.sample.extents)
  }
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> {
    let samples = inputs[0].shape[0]
    let elements = (0..<samples).flatMap { n in
      inputs.flatMap { input in
        let count = input.shape.sample.elementCount
        return input.elements[n * count..<(n + 1) * count]
      }
    }
    guard let shape = try? outputShape(of: inputs.map(\.shape.sample)) else {
      preconditionFailure("a shape that was not checked")
    }
    return .filled(shape.batched(samples)) { elements[$0] }
  }
}
