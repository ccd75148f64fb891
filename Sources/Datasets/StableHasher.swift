/// The 64-bit hash XXH64 with seed 0, the same in every process; finds accidents and other versions, not forgers.
///
/// Source: the specification `xxhash_spec.md` of xxHash.
public struct StableHasher: Sendable {
  private var lanes = SIMD4<UInt64>(prime1 &+ prime2, prime2, 0, 0 &- prime1)
  private var tail: [UInt8] = []
  private var total: UInt64 = 0

  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5
  private static let stripe = 32

  public init() { tail.reserveCapacity(Self.stripe) }

  public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    total &+= UInt64(bytes.count)
    var rest = bytes[...]
    if !tail.isEmpty {
      let missing = min(Self.stripe - tail.count, rest.count)
      tail.append(contentsOf: rest.prefix(missing))
      rest = rest.dropFirst(missing)
      guard tail.count == Self.stripe else { return }
      let full = tail
      full.withUnsafeBytes { consumeStripes($0) }
      tail.removeAll(keepingCapacity: true)
    }
    let whole = rest.count / Self.stripe * Self.stripe
    consumeStripes(UnsafeRawBufferPointer(rebasing: rest.prefix(whole)))
    tail.append(contentsOf: rest.dropFirst(whole))
  }

  public mutating func combine(_ number: Int) {
    withUnsafeBytes(of: Int64(number).littleEndian) { combine($0) }
  }

  /// Combines a text's length and its UTF-8.
  public mutating func combine(_ text: String) {
    combine(text.utf8.count)
    combine(bytes: Array(text.utf8))
  }

  public mutating func combine(bytes: [UInt8]) { bytes.withUnsafeBytes { combine($0) } }

  /// The hash of all that was combined.
  public var value: UInt64 {
    func rotate(_ x: UInt64, _ by: UInt64) -> UInt64 { x &<< by | x &>> (64 &- by) }
    var hash: UInt64
    if total >= UInt64(Self.stripe) {
      hash = rotate(lanes[0], 1) &+ rotate(lanes[1], 7) &+ rotate(lanes[2], 12) &+ rotate(lanes[3], 18)
      for lane in 0..<4 {
        let mixed = rotate(lanes[lane] &* Self.prime2, 31) &* Self.prime1
        hash = (hash ^ mixed) &* Self.prime1 &+ Self.prime4
      }
    } else {
      hash = Self.prime5
    }
    hash &+= total
    tail.withUnsafeBytes { bytes in
      var at = 0
      while at + 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        hash ^= rotate(word &* Self.prime2, 31) &* Self.prime1
        hash = rotate(hash, 27) &* Self.prime1 &+ Self.prime4
        at += 8
      }
      if at + 4 <= bytes.count {
        let word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
        hash = rotate(hash ^ UInt64(word) &* Self.prime1, 23) &* Self.prime2 &+ Self.prime3
        at += 4
      }
      for byte in bytes[at...] { hash = rotate(hash ^ UInt64(byte) &* Self.prime5, 11) &* Self.prime1 }
    }
    hash = (hash ^ hash &>> 33) &* Self.prime2
    hash = (hash ^ hash &>> 29) &* Self.prime3
    return hash ^ hash &>> 32
  }

  /// The hash in 16 hexadecimal digits.
  public var hexadecimal: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private mutating func consumeStripes(_ bytes: UnsafeRawBufferPointer) {
    var lanes = lanes
    for at in stride(from: 0, to: bytes.count, by: Self.stripe) {
      for lane in 0..<4 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at + 8 * lane, as: UInt64.self))
        let sum = lanes[lane] &+ word &* Self.prime2
        lanes[lane] = (sum &<< 31 | sum &>> 33) &* Self.prime1
      }
    }
    self.lanes = lanes
  }
}
