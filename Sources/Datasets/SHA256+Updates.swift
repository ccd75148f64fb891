internal import Crypto

/// By SHA-256 contents are told apart wherever they lie.
extension SHA256 {
  mutating func update(_ bytes: [UInt8]) { update(data: bytes) }

  /// A number in 8 bytes, the first the most significant.
  mutating func update(_ number: Int) {
    withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).bigEndian) { update(bufferPointer: $0) }
  }

  /// A text with its length, so that two texts are not one.
  mutating func update(_ text: String) {
    update(text.utf8.count)
    update(Array(text.utf8))
  }

  static func digest(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var hash = SHA256()
    hash.update(bufferPointer: bytes)
    return Array(hash.finalize())
  }
}

extension Sequence<UInt8> {
  /// Two hexadecimal digits for each byte.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
