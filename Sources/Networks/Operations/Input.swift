public import Tensors

/// The place where samples enter.
public struct Input: OperationRules {
  public static let title = "input"
  /// `C H W`, or `F` for vectors.
  public let shape: Shape
  public init(_ shape: Shape) { self.shape = shape }
  public func outputShape(of inputs: [Shape]) throws(ShapeError) -> Shape { shape }
  /// The batch itself, which a network hands to its input.
  public func reference(
    _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>], _ mode: ReferenceMode
  ) -> NDArray<Double> { inputs[0] }
}
