/// A member of a tar file that a test makes.
struct TarMember {
  var name: String
  var bytes: [UInt8]
  var kind: UInt8 = UInt8(ascii: "0")
  /// Written with a first byte of 0x80 and base 256, as GNU tar writes sizes from 8 GiB on.
  var isBase256 = false
  /// What the header says instead of the true size.
  var claimedSize: Int?

  init(
    _ name: String, _ bytes: [UInt8], kind: Character = "0", isBase256: Bool = false, claimedSize: Int? = nil
  ) {
    (self.name, self.bytes, self.kind) = (name, bytes, kind.asciiValue!)
    (self.isBase256, self.claimedSize) = (isBase256, claimedSize)
  }

  /// The block before the contents, by POSIX's table.
  var header: [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at place: Int) { block.replaceSubrange(place..<place + text.utf8.count, with: text.utf8) }
    func octal(_ number: Int, digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    put(String(name.prefix(100)), at: 0)
    put("0000644", at: 100)
    let size = claimedSize ?? bytes.count
    if isBase256 {
      block[124] = 0x80
      for place in 0..<8 { block[135 - place] = UInt8(truncatingIfNeeded: size >> (8 * place)) }
    } else {
      put(octal(size, digits: 11), at: 124)
    }
    put("00000000000", at: 136)
    block[156] = kind
    put("ustar", at: 257)
    put("00", at: 263)
    let sum = block.reduce(0) { $0 + Int($1) } + 8 * 32
    put(octal(sum, digits: 6), at: 148)
    block[155] = 32
    return block
  }
}

/// The bytes of a tar file.
func tar(_ members: [TarMember], hasEnd: Bool = true) -> [UInt8] {
  var bytes: [UInt8] = []
  for member in members {
    bytes += member.header + member.bytes
    bytes += repeatElement(0, count: (512 - member.bytes.count % 512) % 512)
  }
  return hasEnd ? bytes + [UInt8](repeating: 0, count: 1024) : bytes
}
