/// What random numbers are drawn for. A new purpose takes a new number and moves nothing else.
public enum RandomPurpose: UInt8, Sendable, CaseIterable {
  case initialization = 1, shuffle = 2, augmentation = 3, dropout = 4, dropPath = 5, synthetic = 6, exploration = 7
  case script = 8, mixing = 9, selection = 10
}

/// The name of a stream of random numbers: they follow from it alone, never from what was drawn before.
///
/// Philox4x32-10 is keyed by the seed; its counter holds block, sample, epoch, purpose and lane. A lane tells apart
/// consumers that share all else, such as two dropout layers.
public struct RandomKey: Hashable, Sendable {
  public var seed: UInt64
  public var purpose: RandomPurpose
  public var epoch: UInt32
  public var sample: UInt32
  public var lane: UInt16

  public init(seed: UInt64, for purpose: RandomPurpose, epoch: Int = 0, sample: Int = 0, lane: Int = 0) {
    self.seed = seed
    self.purpose = purpose
    self.epoch = UInt32(truncatingIfNeeded: epoch)
    self.sample = UInt32(truncatingIfNeeded: sample)
    self.lane = UInt16(truncatingIfNeeded: lane)
  }

  /// The stream from its beginning.
  public func generator() -> Philox { Philox(self) }

  /// The words of the counter that stay the same along the stream; the block number goes before them.
  public var counterTail: (UInt32, UInt32, UInt32) { (sample, epoch, UInt32(purpose.rawValue) << 16 | UInt32(lane)) }
}

/// The counter-based generator Philox4x32-10.
///
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.2; test vectors `kat_vectors`
/// of Random123.
public struct Philox: RandomNumberGenerator, Sendable {
  private let key: SIMD2<UInt32>
  private let tail: (UInt32, UInt32, UInt32)
  private var block: UInt32
  private var words = SIMD4<UInt32>()
  private var used = 4

  /// - Parameter block: where to begin: at what this key's generator gives after `4 * block` words.
  public init(_ key: RandomKey, fromBlock block: UInt32 = 0) {
    self.block = block
    self.key = SIMD2(UInt32(truncatingIfNeeded: key.seed), UInt32(truncatingIfNeeded: key.seed >> 32))
    tail = key.counterTail
  }

  /// The four words that ten rounds make of a counter under a key.
  public static func words(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let p0 = UInt64(c[0]) &* 0xD251_1F53
      let p1 = UInt64(c[2]) &* 0xCD9E_8D57
      c = SIMD4(
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: p0))
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }

  public mutating func nextWord() -> UInt32 {
    if used == 4 {
      words = Self.words(counter: SIMD4(block, tail.0, tail.1, tail.2), key: key)
      block &+= 1
      used = 0
    }
    defer { used += 1 }
    return words[used]
  }

  public mutating func next() -> UInt64 {
    let low = UInt64(nextWord())
    return UInt64(nextWord()) << 32 | low
  }

  // The draws below are written out, since the standard library's may change from one release to the next.

  /// Draws from [0, 1), in steps of 2^-24.
  public mutating func uniform() -> Float { Float(nextWord() >> 8) * 0x1p-24 }

  /// Draws from [0, 1), in steps of 2^-53.
  public mutating func uniformDouble() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Draws an integer from `0..<bound`, without bias.
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0)
    let range = UInt64(bound)
    let threshold = (0 &- range) % range
    while true {
      let product = next().multipliedFullWidth(by: range)
      if product.low >= threshold { return Int(product.high) }
    }
  }

  /// Draws from the normal distribution of mean 0 and std 1 (Box-Muller, one of the pair).
  public mutating func normal() -> Double {
    let radius = (-2 * Double.log(1 - uniformDouble())).squareRoot()
    return radius * Double.cos(2 * .pi * uniformDouble())
  }

  /// A random order of `0..<count` (Fisher-Yates).
  public mutating func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    guard count > 1 else { return order }
    for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, integer(below: i + 1)) }
    return order
  }
}

#if canImport(Glibc)
  import Glibc
  extension Double {
    fileprivate static func log(_ x: Double) -> Double { Glibc.log(x) }
    fileprivate static func cos(_ x: Double) -> Double { Glibc.cos(x) }
  }
#endif
