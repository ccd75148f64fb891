import Tensors
import Testing

/// Element `i` of a golden array, by the first letter of its type. See `make.py`.
func goldenValue(_ kind: Character, _ i: Int) -> Float {
  switch kind {
  case "u": Float(i)
  case "i": Float(i - 5)
  case "f": Float(i) / 2 - 2
  default: i.isMultiple(of: 3) ? 1 : 0
  }
}

@Suite struct NPYTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(
    "NumPy's files of each number type are read",
    arguments: ["b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"], ["little", "big"])
  func types(_ type: String, _ order: String) throws {
    guard type.last != "1" || order == "little" else { return }
    let array = try NPY.read(golden("\(type)-\(order).npy"))
    #expect(array.shape == [3, 4])
    #expect(array.elements == (0..<12).map { goldenValue(type.first!, $0) })
  }

  @Test("integers and doubles keep what Float would lose")
  func typed() throws {
    #expect(try NPY.read(golden("i8-big.npy"), as: Int64.self).elements == Array(-5..<7))
    #expect(try NPY.read(golden("f8-big.npy"), as: Double.self).elements[1] == -1.5)
    #expect(try NPY.read(golden("u2-big.npy"), as: UInt8.self).elements == Array(0..<12))
  }

  @Test("what does not fit the wanted type is refused")
  func misfits() {
    let large = golden("large-number.npy")
    #expect(throws: TensorError.malformed(path: large, problem: "element 0 does not fit in UInt8")) {
      try NPY.read(large, as: UInt8.self)
    }
    let floats = golden("f4-little.npy")
    #expect(throws: TensorError.unsupportedElementType(path: floats, name: "<f4")) {
      try NPY.read(floats, as: Int64.self)
    }
    for name in ["complex", "structure"] {
      #expect(throws: TensorError.self) { try NPY.read(golden(name + ".npy")) }
    }
  }

  @Test("each version and order gives the same array", arguments: ["version-1", "version-2", "version-3", "fortran"])
  func versions(_ name: String) throws {
    let array = try NPY.read(golden(name + ".npy"), as: Double.self)
    #expect(array.shape == [2, 3, 4])
    #expect(array.elements == (0..<24).map(Double.init))
  }

  @Test("scalars and empty arrays are read")
  func corners() throws {
    #expect(try NPY.read(golden("scalar.npy")) == Tensor([2.5], shape: []))
    #expect(try NPY.read(golden("empty.npy")).shape == [0, 3])
  }

  @Test(
    "what is written is read again, from data 64 bytes from a multiple of 64",
    arguments: [[], [0], [7], [3, 5], [2, 3, 4, 5], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]] as [Shape])
  func roundTrip(_ shape: Shape) throws {
    let array = try NDArray<Double>((0..<shape.elementCount).map { Double($0) / 3 }, shape: shape)
    try NPY.write(array, to: folder["a.npy"])
    #expect(try NPY.read(folder["a.npy"], as: Double.self) == array)
    let bytes = try readFile(folder["a.npy"], limit: 1 << 20)
    #expect((bytes.count - 8 * array.count).isMultiple(of: 64))

    let whole = try NDArray<Int64>((0..<shape.elementCount).map { Int64.max - Int64($0) }, shape: shape)
    try NPY.write(whole, to: folder["b.npy"])
    #expect(try NPY.read(folder["b.npy"], as: Int64.self) == whole)
  }

  @Test(
    "a damaged header is an error",
    arguments: [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }",
      "{'descr': '<f4', 'fortran_order': True, 'shape': (0, 4611686018427387904, 4), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4, 0), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2), }",
      "{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }",
      "{'descr': '<f4', 'shape': (2,), }",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': True}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } more",
      "{'descr': '|f4', 'fortran_order': False, 'shape': (2,), }",
      "{'descr': '<f9', 'fortran_order': False, 'shape': (2,), }",
      "{'descr': '', 'fortran_order': False, 'shape': (2,), }",
      "{'descr': '<f4", "{", "", "\u{0}",
    ])
  func damagedHeader(_ header: String) throws {
    let length = header.utf8.count
    let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8)
    let path = try folder.file("a.npy", bytes + [UInt8](repeating: 0, count: 8))
    #expect(throws: TensorError.self) { try NPY.read(path) }
  }

  @Test("a file cut off anywhere, or with more behind it, is an error")
  func truncated() throws {
    let whole = try readFile(golden("f4-little.npy"), limit: 1 << 20)
    for count in 0..<whole.count {
      let path = try folder.file("a.npy", Array(whole.prefix(count)))
      #expect(throws: TensorError.self, "\(count) bytes") { try NPY.read(path) }
    }
    let longer = try folder.file("a.npy", whole + [0])
    #expect(throws: TensorError.malformed(path: longer, problem: "1 bytes follow the array")) { try NPY.read(longer) }
    #expect(throws: TensorError.file(path: folder.path, reason: "Is a directory")) { try NPY.read(folder.path) }
  }

  @Test("no change of bytes crashes the reader", arguments: ["f4-little.npy", "fortran.npy", "version-2.npy"])
  func mutations(_ name: String) throws {
    let whole = try readFile(golden(name), limit: 1 << 20)
    for sample in 0..<1000 {
      var random = RandomKey(seed: 1, for: .script, sample: sample).generator()
      let path = try folder.file("a.npy", mutated(whole, at: 0..<min(whole.count, 128), using: &random))
      do throws(TensorError) { _ = try NPY.read(path) } catch { #expect(!"\(error)".isEmpty) }
    }
  }
}

/// The bytes with one to four changes: another byte, another digit, a byte less, a byte more, an end.
func mutated(_ bytes: [UInt8], at places: Range<Int>, using random: inout Philox) -> [UInt8] {
  var bytes = bytes
  for _ in 0...random.integer(below: 4) {
    guard !bytes.isEmpty else { return bytes }
    let place = min(bytes.count - 1, places.lowerBound + random.integer(below: places.count))
    switch random.integer(below: 6) {
    case 0, 1: bytes[place] = UInt8(random.integer(below: 256))
    case 2: bytes[place] = UInt8(ascii: "0") + UInt8(random.integer(below: 10))
    case 3: bytes.remove(at: place)
    case 4: bytes.insert(bytes[random.integer(below: bytes.count)], at: place)
    default: if random.integer(below: 4) == 0 { bytes.removeLast(bytes.count - place) }
    }
  }
  return bytes
}
