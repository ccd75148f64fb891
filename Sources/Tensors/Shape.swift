/// The extents of a dense array, outermost axis first; for images `N C H W`, or `C H W` where one sample is meant.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// The extents; none is negative, and the product of those that are not 0 fits in an `Int`, so that of any of them does.
  public let extents: [Int]

  /// Makes a shape, or nil where an extent is negative or a product of extents overflows.
  public init?(checking extents: [Int]) {
    var count = 1
    for extent in extents {
      guard extent >= 0 else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
      guard !overflow else { return nil }
      count = product
    }
    self.extents = extents
  }

  public init(_ extents: [Int]) {
    guard let shape = Shape(checking: extents) else { preconditionFailure("\(extents) is not a shape") }
    self = shape
  }

  public init(arrayLiteral extents: Int...) { self.init(extents) }

  public var rank: Int { extents.count }
  /// The product of the extents; 1 for a scalar's empty shape.
  public var elementCount: Int { extents.reduce(1, *) }
  public subscript(axis: Int) -> Int { extents[axis] }

  /// This shape with one more axis of the given extent in front: a batch of samples.
  public func batched(_ count: Int) -> Shape { Shape([count] + extents) }
  /// This shape without its first axis: one sample of a batch.
  public var sample: Shape { Shape(Array(extents.dropFirst())) }

  /// `64 x 56 x 56`; `scalar` for the empty shape.
  public var description: String {
    extents.isEmpty ? "scalar" : extents.map(String.init).joined(separator: " x ")
  }
}
