import Tensors
import Testing

@Suite struct NDArrayTests {
  @Test("a copy keeps its elements when the original is written to")
  func copyOnWrite() throws {
    var a = try Tensor([1, 2, 3, 4], shape: [2, 2])
    let b = a
    a[flat: 0] = 9
    #expect(a.elements == [9, 2, 3, 4])
    #expect(b.elements == [1, 2, 3, 4])
    let before = a.withUnsafeElements { $0.baseAddress }
    a[flat: 1] = 8
    #expect(a.withUnsafeElements { $0.baseAddress } == before, "an array with one owner is written in place")
  }

  @Test("a reshaped array shares its elements until one is written to")
  func reshaping() throws {
    let a = try NDArray<Int64>(0..<6, shape: [2, 3])
    var b = try a.reshaped(to: [3, 2])
    #expect(b.shape == [3, 2])
    b[flat: 5] = 7
    #expect(a.elements == [0, 1, 2, 3, 4, 5])
    #expect(throws: TensorError.wrongElementCount(shape: [4], elements: 6)) { try a.reshaped(to: [4]) }
  }

  @Test("arrays begin on 64 bytes, as zeros", arguments: [[0], [1], [3, 5], [1 << 20]] as [Shape])
  func memory(_ shape: Shape) throws {
    let array = try NDArray<Double>(zeros: shape)
    array.withUnsafeElements { elements in
      #expect(elements.count == shape.elementCount)
      #expect(Int(bitPattern: elements.baseAddress).isMultiple(of: 64))
      #expect(elements.allSatisfy { $0 == 0 })
    }
  }

  @Test("an array that no machine has memory for is refused")
  func outOfMemory() {
    #expect(throws: TensorError.outOfMemory(byteCount: .max)) { try Tensor(zeros: [Int.max / 2]) }
    #expect(throws: TensorError.outOfMemory(byteCount: 1 << 60)) { try Tensor(zeros: [1 << 58]) }
    #expect(throws: TensorError.wrongElementCount(shape: [3], elements: 2)) { try Tensor([1, 2], shape: [3]) }
  }

  @Test("equal arrays have equal shapes and elements")
  func equality() throws {
    let a = try Tensor([1, 2], shape: [2])
    #expect(try a == Tensor([1, 2], shape: [2]))
    #expect(try a != Tensor([1, 2], shape: [2, 1]))
    #expect(try a != Tensor([1, 3], shape: [2]))
    #expect(a.map(Double.init).elements == [1, 2])
  }
}

@Suite struct ShapeTests {
  @Test(
    "extents that are negative, or too many elements, are no shape",
    arguments: [[-1], [2, -3], [Int.max, 2], [1 << 32, 1 << 32], [3, Int.min]])
  func refused(_ extents: [Int]) { #expect(Shape(checking: extents) == nil) }

  @Test("a shape counts its elements")
  func counts() {
    #expect(Shape([]).elementCount == 1)
    #expect(Shape([2, 0, 3]).elementCount == 0)
    #expect(Shape([2, 3, 4]).elementCount == 24)
    #expect(Shape([3, 4]).batched(2) == [2, 3, 4])
    #expect(Shape([2, 3, 4]).sample == [3, 4])
    #expect("\(Shape([64, 56]))" == "64 x 56")
  }
}
