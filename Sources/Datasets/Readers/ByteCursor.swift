/// Why an image cannot be decoded.
struct Undecodable: Error {
  let reason: String

  static let endsEarly = Undecodable(reason: "its data ends early")

  init(reason: String) { self.reason = reason }

  /// A size that is no size, or that is refused.
  init(height: Int, width: Int, ofBytes count: Int) {
    reason = "its header says \(width) x \(height) pixels, the file has \(count) bytes"
  }
}

/// A place in the bytes of a file, from which numbers are read, the lowest byte first.
struct ByteCursor {
  let bytes: [UInt8]
  var place: Int

  init(_ bytes: [UInt8], at place: Int = 0) { (self.bytes, self.place) = (bytes, place) }

  /// - Throws: `Undecodable.endsEarly` where there are fewer.
  mutating func take(_ count: Int) throws(Undecodable) -> ArraySlice<UInt8> {
    guard count >= 0, place >= 0, place <= bytes.count, count <= bytes.count - place else { throw .endsEarly }
    defer { place += count }
    return bytes[place..<place + count]
  }

  mutating func byte() throws(Undecodable) -> Int { Int(try take(1).first!) }

  /// An unsigned number of 1 to 4 bytes.
  mutating func number(_ count: Int) throws(Undecodable) -> Int {
    try take(count).reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
