/// Finds a part of a text in time proportional to both, whatever they hold: a text of millions of equal letters is no
/// reason to wait for hours.
///
/// By Knuth, Morris and Pratt. Bytes are compared, so a letter and its accent that are written apart can be parted.
struct Search {
  private let part: [UInt8]
  /// For each beginning of the part the length of the longest beginning that it ends with, itself left out.
  private let borders: [Int]

  /// - Parameter part: What to find; not empty.
  init(_ part: String) {
    self.part = Array(part.utf8)
    var borders = [0]
    var length = 0
    for byte in self.part.dropFirst() {
      while length > 0, byte != self.part[length] { length = borders[length - 1] }
      if byte == self.part[length] { length += 1 }
      borders.append(length)
    }
    self.borders = borders
  }

  /// Calls with the end of each place where the part stands, from the left and without overlaps, until it is told to stop.
  private func forEachEnd(in text: UnsafeBufferPointer<UInt8>, _ body: (Int) -> Bool) {
    var length = 0
    for (index, byte) in text.enumerated() {
      while length > 0, byte != part[length] { length = borders[length - 1] }
      if byte == part[length] { length += 1 }
      guard length == part.count else { continue }
      length = 0
      if !body(index + 1) { return }
    }
  }

  /// How often the part stands in a text.
  func count(in text: String) -> Int {
    var text = text
    var count = 0
    text.withUTF8 { bytes in
      forEachEnd(in: bytes) { _ in
        count += 1
        return true
      }
    }
    return count
  }

  /// Whether the part stands in a text.
  func isFound(in text: String) -> Bool {
    var text = text
    var found = false
    text.withUTF8 { bytes in
      forEachEnd(in: bytes) { _ in
        found = true
        return false
      }
    }
    return found
  }

  /// What stands before, between and behind the parts of a text.
  func pieces(of text: String) -> [String] {
    var text = text
    return text.withUTF8 { bytes in
      var pieces: [String] = []
      var start = 0
      forEachEnd(in: bytes) { end in
        pieces.append(String(decoding: bytes[start..<(end - part.count)], as: UTF8.self))
        start = end
        return true
      }
      pieces.append(String(decoding: bytes[start...], as: UTF8.self))
      return pieces
    }
  }
}
