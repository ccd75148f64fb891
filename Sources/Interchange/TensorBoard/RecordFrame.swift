/// The frame of a record in TensorFlow's TFRecord files: its length, a checksum of the length, the record, and a checksum of
/// the record. Source: "TFRecord and tf.train.Example", tensorflow.org.
package enum RecordFrame {
  package static func framed(_ record: [UInt8]) -> [UInt8] {
    let length = UInt64(record.count).littleEndianBytes
    return length + masked(length).littleEndianBytes + record + masked(record).littleEndianBytes
  }

  /// A checksum turned by 15 bits and moved by a constant, so that checksums of data which hold checksums stay strong.
  private static func masked(_ bytes: [UInt8]) -> UInt32 {
    let sum = crc32c(bytes)
    return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
  }

  /// The Castagnoli checksum of RFC 3720, bit-reversed, with the inverted remainder.
  package static func crc32c(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { sum, byte in table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8 }
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 0 ? rest >> 1 : rest >> 1 ^ 0x82F6_3B78 }
  }
}
