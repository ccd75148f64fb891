/// A message of protocol buffers as bytes, field by field. Source: "Encoding", protobuf.dev.
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  private mutating func add(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// The number of a field, and how its value is written: 0 varint, 1 eight bytes, 2 a length and bytes, 5 four bytes.
  private mutating func add(field: Int, wire: Int) { add(varint: UInt64(field << 3 | wire)) }

  mutating func add(_ field: Int, integer: Int) {
    add(field: field, wire: 0)
    add(varint: UInt64(bitPattern: Int64(integer)))
  }

  mutating func add(_ field: Int, double: Double) {
    add(field: field, wire: 1)
    bytes += double.bitPattern.littleEndianBytes
  }

  mutating func add(_ field: Int, float: Float) {
    add(field: field, wire: 5)
    bytes += float.bitPattern.littleEndianBytes
  }

  mutating func add(_ field: Int, bytes value: [UInt8]) {
    add(field: field, wire: 2)
    add(varint: UInt64(value.count))
    bytes += value
  }

  mutating func add(_ field: Int, text: String) { add(field, bytes: Array(text.utf8)) }

  mutating func add(_ field: Int, message build: (inout ProtobufMessage) -> Void) {
    var message = ProtobufMessage()
    build(&message)
    add(field, bytes: message.bytes)
  }
}

extension FixedWidthInteger {
  /// The bytes, the lowest first.
  var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
