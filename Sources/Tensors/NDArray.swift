/// What an array may hold.
public protocol ArrayElement: BitwiseCopyable, Hashable, Sendable, Numeric, ConvertibleElement {}
extension Float: ArrayElement {}
extension Double: ArrayElement {}
extension UInt8: ArrayElement {}
extension Int64: ArrayElement {}

/// A dense array in row-major order: a value, copied on write, in memory aligned to 64 bytes.
///
/// Networks compute on `Tensor`, which is `NDArray<Float>`; definitions and checks on `NDArray<Double>`.
public struct NDArray<Element: ArrayElement>: @unchecked Sendable {  // Sendable: storage is written only when unshared
  final class Storage {
    let buffer: AlignedBuffer
    init(byteCount: Int) throws(TensorError) { buffer = try AlignedBuffer(byteCount: byteCount) }
  }

  public let shape: Shape
  private var storage: Storage

  /// Makes an array of zeros.
  /// - Throws: `TensorError.outOfMemory`.
  public init(zeros shape: Shape) throws(TensorError) {
    let (bytes, overflow) = shape.elementCount.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard !overflow else { throw .outOfMemory(byteCount: .max) }
    self.shape = shape
    storage = try Storage(byteCount: bytes)
  }

  /// Makes an array from its elements in row-major order.
  /// - Throws: `TensorError.wrongElementCount` where their number is not the shape's.
  public init(_ elements: some Collection<Element>, shape: Shape) throws(TensorError) {
    guard elements.count == shape.elementCount else {
      throw .wrongElementCount(shape: shape, elements: elements.count)
    }
    try self.init(zeros: shape)
    withUnsafeMutableElements { _ = $0.update(fromContentsOf: elements) }
  }

  public var count: Int { shape.elementCount }
  public var elements: [Element] { withUnsafeElements { Array($0) } }

  public func withUnsafeElements<R, E: Error>(_ body: (UnsafeBufferPointer<Element>) throws(E) -> R) throws(E) -> R {
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeBufferPointer(start: storage.buffer.pointer.assumingMemoryBound(to: Element.self), count: count))
  }

  public mutating func withUnsafeMutableElements<R, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(E) -> R
  ) throws(E) -> R {
    if !isKnownUniquelyReferenced(&storage) {
      guard let copy = try? Storage(byteCount: storage.buffer.byteCount) else { fatalError("no memory for a copy") }
      copy.buffer.pointer.copyMemory(from: storage.buffer.pointer, byteCount: storage.buffer.byteCount)
      storage = copy
    }
    defer { withExtendedLifetime(storage) {} }
    return try body(
      UnsafeMutableBufferPointer(start: storage.buffer.pointer.assumingMemoryBound(to: Element.self), count: count))
  }

  /// The element at a position in row-major order.
  public subscript(flat index: Int) -> Element {
    get { withUnsafeElements { $0[index] } }
    set { withUnsafeMutableElements { $0[index] = newValue } }
  }

  /// The same elements in the same order under another shape.
  /// - Throws: `TensorError.wrongElementCount`.
  public func reshaped(to shape: Shape) throws(TensorError) -> NDArray {
    guard shape.elementCount == count else { throw .wrongElementCount(shape: shape, elements: count) }
    return NDArray(storage: storage, shape: shape)
  }

  /// A new array from elements of this one at regular places: its element `[i, j, …]` is the one that stands
  /// `i · strides[0] + j · strides[1] + …` after the first, as PyTorch's `as_strided` has it.
  /// - Precondition: all these places lie in this array.
  /// - Throws: `TensorError.outOfMemory`.
  package func strided(_ strides: [Int], shape: Shape) throws(TensorError) -> NDArray {
    var result = try NDArray(zeros: shape)
    let extents = shape.extents
    precondition(strides.count == extents.count)
    guard result.count > 0 else { return result }
    let strides = zip(extents, strides).map { $0 == 1 ? 0 : $1 }
    precondition(zip(extents, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 } < count)
    withUnsafeElements { source in
      result.withUnsafeMutableElements { target in
        var place = [Int](repeating: 0, count: extents.count)
        var from = 0
        for to in target.indices {
          target[to] = source[from]
          var axis = extents.count - 1
          while axis >= 0 {
            place[axis] += 1
            from += strides[axis]
            if place[axis] < extents[axis] { break }
            from -= strides[axis] * extents[axis]
            place[axis] = 0
            axis -= 1
          }
        }
      }
    }
    return result
  }

  /// A new array with the axes in another order: `order[i]` is the axis of this one that becomes axis `i`.
  /// - Throws: `TensorError.outOfMemory`.
  package func transposed(_ order: [Int]) throws(TensorError) -> NDArray {
    precondition(order.sorted() == Array(0..<shape.rank))
    var strides = [Int](repeating: 1, count: order.count)
    for axis in order.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    return try strided(order.map { strides[$0] }, shape: Shape(order.map { shape[$0] }))
  }

  private init(storage: Storage, shape: Shape) {
    self.storage = storage
    self.shape = shape
  }

  /// A new array whose elements are made one by one from this one's.
  public func map<Result: ArrayElement>(_ transform: (Element) -> Result) -> NDArray<Result> {
    withUnsafeElements { source in
      guard let result = try? NDArray<Result>(source.lazy.map(transform), shape: shape) else {
        fatalError("no memory for \(shape)")
      }
      return result
    }
  }
}

extension NDArray: Hashable {
  public static func == (a: NDArray, b: NDArray) -> Bool {
    a.shape == b.shape && a.withUnsafeElements { x in b.withUnsafeElements { y in x.elementsEqual(y) } }
  }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(shape)
    withUnsafeElements { for element in $0 { hasher.combine(element) } }
  }
}

/// The array networks compute on.
public typealias Tensor = NDArray<Float>

/// The weights of a network, by the names of timm and torchvision.
public typealias Weights = [String: Tensor]
