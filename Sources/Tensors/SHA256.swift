internal import CCrypto

/// SHA-256 (FIPS 180-4) of bytes that come in pieces, computed by OpenSSL.
public struct SHA256: ~Copyable {
  /// Bytes of a digest.
  public static let byteCount = 32

  private let context: OpaquePointer

  public init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      fatalError("no memory is left")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// A number in 8 bytes, the most significant first.
  public mutating func update(_ number: Int) {
    withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).bigEndian) { update($0) }
  }

  /// A text with its length, so that two texts are not one.
  public mutating func update(_ text: String) {
    update(text.utf8.count)
    update(Array(text.utf8))
  }

  /// The digest, of ``byteCount`` bytes.
  public consuming func finalize() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.byteCount) { digest, count in
      EVP_DigestFinal_ex(context, digest.baseAddress, nil)
      count = Self.byteCount
    }
  }

  public static func digest(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalize()
  }

  /// The authentication code HMAC-SHA256 (RFC 2104), of ``byteCount`` bytes.
  public static func authenticationCode(of bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: byteCount) { code, count in
      HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, code.baseAddress, nil)
      count = byteCount
    }
  }

  /// Whether bytes are the authentication code of others, in a time that does not tell where they differ.
  public static func isAuthenticationCode(_ code: [UInt8], of bytes: [UInt8], key: [UInt8]) -> Bool {
    code.count == byteCount && CRYPTO_memcmp(code, authenticationCode(of: bytes, key: key), byteCount) == 0
  }
}

extension Sequence<UInt8> {
  /// Two hexadecimal digits for each byte.
  public var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
