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
}

/// The inputs one after the other along the first axis of a sample: channels of pictures, features of vectors.
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
}
