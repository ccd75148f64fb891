/// Reads what the extensions below write; whatever the bytes are, it answers nil rather than fail.
struct IndexReader {
  private let all: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { all = bytes }

  /// Bytes that follow.
  var left: Int { all.count - at }

  mutating func bytes(_ count: Int) -> [UInt8]? {
    guard count >= 0, count <= left else { return nil }
    defer { at += count }
    return Array(all[at..<at + count])
  }

  /// A number from 0 on.
  mutating func number(atMost limit: Int) -> Int? {
    guard let number = column(Int64.self, 1)?[0], number >= 0, number <= limit else { return nil }
    return Int(number)
  }

  mutating func text() -> String? {
    guard let count = number(atMost: left), let bytes = bytes(count) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  /// Numbers in this machine's order of bytes.
  mutating func column<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type, _ count: Int) -> [Number]? {
    let size = MemoryLayout<Number>.size
    guard count >= 0, count <= left / size else { return nil }
    let start = at
    at += count * size
    return [Number](unsafeUninitializedCapacity: count) { out, initialized in
      all.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(out).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source[start..<start + count * size]))
      }
      initialized = count
    }
  }
}

extension [UInt8] {
  mutating func append(number: Int) { append(column: [Int64(number)]) }

  mutating func append(text: String) {
    append(number: text.utf8.count)
    append(contentsOf: text.utf8)
  }

  mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(column: [Number]) {
    column.withUnsafeBytes { append(contentsOf: $0) }
  }
}
