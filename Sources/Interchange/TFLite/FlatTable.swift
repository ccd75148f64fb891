/// A table of a FlatBuffer, read with every offset held against the end of the file. Written apart from the library
/// that writes, so that the two check each other.
///
/// Source: https://flatbuffers.dev/internals, "Format components".
struct FlatTable {
  private let file: [UInt8]
  /// Where the table begins, and where the list of its fields' places does.
  private let start, list: Int
  /// Bytes of that list.
  private let listCount: Int

  /// The root of a file.
  init(rootOf file: [UInt8], identifier: String) throws(Problem) {
    guard file.count >= 8, file[4..<8].elementsEqual(identifier.utf8) else {
      throw Problem("it does not begin as \(identifier) does")
    }
    try self.init(in: file, at: Self.target(of: 0, in: file))
  }

  private init(in file: [UInt8], at start: Int) throws(Problem) {
    let back = Int(try Self.load(Int32.self, at: start, in: file))
    let list = start - back
    let listCount = Int(try Self.load(UInt16.self, at: list, in: file))
    let tableCount = Int(try Self.load(UInt16.self, at: list + 2, in: file))
    guard listCount >= 4, listCount % 2 == 0, list + listCount <= file.count, tableCount >= 4,
      start + tableCount <= file.count
    else { throw Problem("the table at byte \(start) is not whole") }
    (self.file, self.start, self.list, self.listCount) = (file, start, list, listCount)
  }

  private static func load<Number: FixedWidthInteger>(
    _: Number.Type, at place: Int, in file: [UInt8]
  ) throws(Problem) -> Number {
    let size = MemoryLayout<Number>.size
    guard place >= 0, place <= file.count - size else { throw Problem("byte \(place) lies outside the file") }
    return Number(littleEndian: file.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: Number.self) })
  }

  /// Where the offset at a place points to; always onwards.
  private static func target(of place: Int, in file: [UInt8]) throws(Problem) -> Int {
    place + Int(try load(UInt32.self, at: place, in: file))
  }

  /// Where a field lies; nil where the table does not have it.
  private func place(of slot: Int) throws(Problem) -> Int? {
    let entry = 4 + 2 * slot
    guard entry + 2 <= listCount else { return nil }
    let offset = Int(try Self.load(UInt16.self, at: list + entry, in: file))
    return offset == 0 ? nil : start + offset
  }

  func number<Number: FixedWidthInteger>(_ slot: Int, default standard: Number = 0) throws(Problem) -> Number {
    guard let place = try place(of: slot) else { return standard }
    return try Self.load(Number.self, at: place, in: file)
  }

  func table(_ slot: Int) throws(Problem) -> FlatTable? {
    guard let place = try place(of: slot) else { return nil }
    return try FlatTable(in: file, at: Self.target(of: place, in: file))
  }

  func tables(_ slot: Int) throws(Problem) -> [FlatTable] {
    guard let (first, count) = try vector(slot, elementSize: 4) else { return [] }
    return try (0..<count).map { i throws(Problem) in
      try FlatTable(in: file, at: Self.target(of: first + 4 * i, in: file))
    }
  }

  func numbers<Number: FixedWidthInteger>(_ slot: Int) throws(Problem) -> [Number] {
    let size = MemoryLayout<Number>.size
    guard let (first, count) = try vector(slot, elementSize: size) else { return [] }
    return try (0..<count).map { i throws(Problem) in try Self.load(Number.self, at: first + size * i, in: file) }
  }

  func floats(_ slot: Int) throws(Problem) -> [Float] {
    (try numbers(slot) as [UInt32]).map { Float(bitPattern: $0) }
  }

  /// The bytes of a vector, and where in the file they begin.
  func bytes(_ slot: Int) throws(Problem) -> ArraySlice<UInt8>? {
    guard let (first, count) = try vector(slot, elementSize: 1) else { return nil }
    return file[first..<first + count]
  }

  func text(_ slot: Int) throws(Problem) -> String {
    guard let bytes = try bytes(slot) else { return "" }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Problem("a text is not UTF-8") }
    return text
  }

  private func vector(_ slot: Int, elementSize: Int) throws(Problem) -> (first: Int, count: Int)? {
    guard let place = try place(of: slot) else { return nil }
    let start = try Self.target(of: place, in: file)
    let count = Int(try Self.load(UInt32.self, at: start, in: file))
    guard count <= (file.count - start - 4) / elementSize else {
      throw Problem("the list at byte \(start) goes on after the end")
    }
    return (start + 4, count)
  }
}
