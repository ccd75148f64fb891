import Tensors
import Testing

@Suite struct RandomTests {
  /// From the file `kat_vectors` of Random123 1.14, lines `philox4x32 10`.
  @Test(
    "Philox gives the published words",
    arguments: [
      (
        [0, 0, 0, 0], [0, 0],
        [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
      ),
      (
        [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
        [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
      ),
      (
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
      ),
    ] as [([UInt32], [UInt32], [UInt32])])
  func knownAnswers(_ counter: [UInt32], _ key: [UInt32], _ words: [UInt32]) {
    #expect(Philox.words(counter: SIMD4(counter), key: SIMD2(key)) == SIMD4(words))
  }

  @Test("a stream is the words of its counter, block after block")
  func layout() {
    var random = RandomKey(seed: 0x1122_3344_5566_7788, for: .dropout, epoch: 5, sample: 9, lane: 3).generator()
    let key = SIMD2<UInt32>(0x5566_7788, 0x1122_3344)
    for block in 0..<3 as Range<UInt32> {
      let words = Philox.words(counter: SIMD4(block, 9, 5, 4 << 16 | 3), key: key)
      for i in 0..<4 { #expect(random.nextWord() == words[i]) }
    }
  }

  @Test("a key gives the same numbers, whoever draws from another first")
  func independence() {
    let key = RandomKey(seed: 7, for: .augmentation, epoch: 2, sample: 11)
    var first = key.generator()
    let expected = (0..<10).map { _ in first.next() }
    var other = RandomKey(seed: 7, for: .shuffle, epoch: 2).generator()
    _ = other.permutation(of: 100)
    var second = key.generator()
    #expect((0..<10).map { _ in second.next() } == expected)
  }

  @Test("keys that differ in any part give different numbers")
  func distinct() {
    var keys = [RandomKey(seed: 1, for: .shuffle, epoch: 1, sample: 1, lane: 1)]
    keys.append(RandomKey(seed: 2, for: .shuffle, epoch: 1, sample: 1, lane: 1))
    keys.append(RandomKey(seed: 1 << 32 | 1, for: .shuffle, epoch: 1, sample: 1, lane: 1))
    keys.append(RandomKey(seed: 1, for: .dropout, epoch: 1, sample: 1, lane: 1))
    keys.append(RandomKey(seed: 1, for: .shuffle, epoch: 2, sample: 1, lane: 1))
    keys.append(RandomKey(seed: 1, for: .shuffle, epoch: 1, sample: 2, lane: 1))
    keys.append(RandomKey(seed: 1, for: .shuffle, epoch: 1, sample: 1, lane: 2))
    let words = keys.map { key -> UInt64 in
      var random = key.generator()
      return random.next()
    }
    #expect(Set(words).count == keys.count)
  }

  @Test("streams of neighbouring samples are not correlated")
  func neighbours() {
    let count = 20_000
    var sum = 0.0
    for sample in 0..<count {
      var a = RandomKey(seed: 3, for: .augmentation, sample: sample).generator()
      var b = RandomKey(seed: 3, for: .augmentation, sample: sample + 1).generator()
      sum += a.normal() * b.normal()
    }
    // The mean of the products has the std 1 / √count; five of them.
    #expect(abs(sum / Double(count)) < 5 / Double(count).squareRoot())
  }

  @Test("uniform draws lie in [0, 1) with mean 1/2 and variance 1/12")
  func uniform() {
    var random = RandomKey(seed: 4, for: .script).generator()
    let draws = (0..<100_000).map { _ in random.uniform() }
    #expect(draws.allSatisfy { (0..<1).contains($0) })
    let mean = draws.reduce(0) { $0 + Double($1) } / 1e5
    let variance = draws.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 1e5
    #expect(abs(mean - 0.5) < 0.0046)  // five deviations of the mean, 0.2887 / √100,000
    #expect(abs(variance - 1.0 / 12) < 0.0012)  // five deviations, √(1/180) / √100,000
  }

  @Test("normal draws have mean 0, variance 1, and a third beyond one std")
  func normal() {
    var random = RandomKey(seed: 5, for: .initialization).generator()
    let draws = (0..<100_000).map { _ in random.normal() }
    let mean = draws.reduce(0, +) / 1e5
    let variance = draws.reduce(0) { $0 + $1 * $1 } / 1e5
    let beyond = Double(draws.count { abs($0) > 1 }) / 1e5
    #expect(abs(mean) < 0.0158)  // five deviations of each
    #expect(abs(variance - 1) < 0.0224)
    #expect(abs(beyond - 0.3173) < 0.0074)
    #expect(draws.allSatisfy { $0.isFinite })
  }

  @Test("integers are sampled uniformly below their bound", arguments: [1, 2, 3, 7, 10])
  func integers(_ bound: Int) {
    var random = RandomKey(seed: 6, for: .exploration).generator()
    var counts = [Int](repeating: 0, count: bound)
    for _ in 0..<60_000 { counts[random.integer(below: bound)] += 1 }
    let expected = 60_000 / Double(bound)
    for count in counts { #expect(abs(Double(count) - expected) < 5 * expected.squareRoot()) }
  }

  @Test("a permutation holds each number once, and every place gets every number")
  func permutations() {
    var first = [Int](repeating: 0, count: 6)
    for seed in 0..<6000 as Range<UInt64> {
      var random = RandomKey(seed: seed, for: .shuffle).generator()
      let order = random.permutation(of: 6)
      #expect(order.sorted() == Array(0..<6))
      first[order[0]] += 1
    }
    for count in first { #expect(abs(count - 1000) < 150) }  // five deviations, √(6000 · 1/6 · 5/6) = 29 each
    var random = RandomKey(seed: 0, for: .shuffle).generator()
    #expect(random.permutation(of: 0) == [])
    #expect(random.permutation(of: 1) == [0])
  }
}
