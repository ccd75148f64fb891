import Glibc

/// The hash SHA-256, by which contents are told apart wherever they lie.
///
/// Source: FIPS 180-4, sections 4.1.2, 5.1.1, 5.3.3 and 6.2.2.
package struct SHA256 {
  private var state = Self.start
  private var tail: [UInt8] = []
  private var total = 0

  /// Of 256 bits.
  package static let byteCount = 32
  private static let block = 64

  package init() { tail.reserveCapacity(Self.block) }

  /// The first 32 bits of the fractional parts of the roots of the first primes.
  private static func fractions(_ count: Int, _ root: (Double) -> Double) -> [UInt32] {
    let primes = (2..<400).lazy.filter { number in !(2..<number).contains { $0 * $0 <= number && number % $0 == 0 } }
    return primes.prefix(count).map { prime in
      let value = root(Double(prime))
      return UInt32((value - value.rounded(.down)) * 0x1p32)
    }
  }
  private static let start = fractions(8) { $0.squareRoot() }
  private static let constants = fractions(64) { cbrt($0) }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    total += bytes.count
    var rest = bytes[...]
    if !tail.isEmpty {
      let missing = min(Self.block - tail.count, rest.count)
      tail.append(contentsOf: rest.prefix(missing))
      rest = rest.dropFirst(missing)
      guard tail.count == Self.block else { return }
      let full = tail
      full.withUnsafeBytes { compress($0) }
      tail.removeAll(keepingCapacity: true)
    }
    let whole = rest.count / Self.block * Self.block
    compress(UnsafeRawBufferPointer(rebasing: rest.prefix(whole)))
    tail.append(contentsOf: rest.dropFirst(whole))
  }

  package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// A number in 8 bytes, the first the most significant.
  package mutating func update(_ number: Int) {
    withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).bigEndian) { update($0) }
  }

  /// A text with its length, so that two texts are not one.
  package mutating func update(_ text: String) {
    update(text.utf8.count)
    update(Array(text.utf8))
  }

  /// Ends it.
  package consuming func digest() -> [UInt8] {
    let bits = total * 8
    update([0x80] + [UInt8](repeating: 0, count: (Self.block * 2 - 9 - tail.count) % Self.block))
    update(bits)
    return state.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
  }

  package static func digest(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var hash = SHA256()
    hash.update(bytes)
    return hash.digest()
  }

  private mutating func compress(_ bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    @inline(__always) func turned(_ x: UInt32, _ by: UInt32) -> UInt32 { x &>> by | x &<< (32 &- by) }
    Self.constants.withUnsafeBufferPointer { k in
      state.withUnsafeMutableBufferPointer { state in
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
          for start in stride(from: 0, to: bytes.count, by: Self.block) {
            for t in 0..<16 { w[t] = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: start &+ 4 &* t, as: UInt32.self)) }
            for t in 16..<64 {
              let (x, y) = (w[t &- 15], w[t &- 2])
              let low = turned(x, 7) ^ turned(x, 18) ^ x &>> 3
              let high = turned(y, 17) ^ turned(y, 19) ^ y &>> 10
              w[t] = high &+ w[t &- 7] &+ low &+ w[t &- 16]
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            var (e, f, g, h) = (state[4], state[5], state[6], state[7])
            for t in 0..<64 {
              let first = h &+ (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) &+ (e & f ^ ~e & g) &+ k[t] &+ w[t]
              let second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) &+ (a & b ^ a & c ^ b & c)
              (h, g, f, e) = (g, f, e, d &+ first)
              (d, c, b, a) = (c, b, a, first &+ second)
            }
            for (place, word) in [a, b, c, d, e, f, g, h].enumerated() { state[place] &+= word }
          }
        }
      }
    }
  }
}

extension [UInt8] {
  /// Two hexadecimal digits for each byte.
  package var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
