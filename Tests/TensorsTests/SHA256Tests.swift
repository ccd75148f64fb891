import Tensors
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  @Test(
    "the examples of FIPS 180-4, and all lengths around a block, in one piece or in many",
    arguments: [
      ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
      ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
  func known(_ text: String, _ times: Int, _ expected: String) {
    let bytes = Array(String(repeating: text, count: times).utf8)
    #expect(bytes.withUnsafeBytes { SHA256.digest(of: $0) }.hexadecimal == expected)
    for length in [0, 1, 55, 56, 63, 64, 65, 127, 128, 129] where length <= bytes.count {
      let part = Array(bytes.prefix(length))
      var whole = SHA256()
      var pieces = SHA256()
      whole.update(part)
      for byte in part { pieces.update([byte]) }
      let (together, apart) = (whole.finalize(), pieces.finalize())
      #expect(together == apart)
    }
  }
}
