import Datasets
import Testing

@Suite struct StableHasherTests {
  /// From the documentation of xxHash and of its Python binding.
  @Test(
    "XXH64 gives the published hashes",
    arguments: [
      ("", "ef46db3751d8e999"), ("a", "d24ec4f1a98c6e5b"), ("abc", "44bc2cf5ad770999"),
      ("Nobody inspects the spammish repetition", "fbcea83c8a378bf1"),
    ])
  func published(_ text: String, _ hash: String) {
    var hasher = StableHasher()
    hasher.combine(bytes: Array(text.utf8))
    #expect(hasher.hexadecimal == hash)
  }

  @Test("the hash does not depend on how the bytes are cut", arguments: [1, 3, 8, 31, 32, 33, 64, 100])
  func pieces(_ size: Int) {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var whole = StableHasher()
    whole.combine(bytes: bytes)
    var cut = StableHasher()
    for start in stride(from: 0, to: bytes.count, by: size) {
      cut.combine(bytes: Array(bytes[start..<min(bytes.count, start + size)]))
    }
    #expect(cut.value == whole.value)
  }
}
