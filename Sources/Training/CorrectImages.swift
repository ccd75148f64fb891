public import Foundation

/// Which images of a split a model gets right: a bit for each, in the split's order.
public struct CorrectImages: Hashable, Sendable {
  public let count: Int
  /// Eight images to a byte, the first in the lowest bit.
  private var bytes: [UInt8]

  public init(count: Int) {
    self.count = count
    bytes = [UInt8](repeating: 0, count: (count + 7) / 8)
  }

  /// - Precondition: 0 ≤ position < count.
  public subscript(position: Int) -> Bool {
    get { bytes[position / 8] & 1 << UInt8(position % 8) != 0 }
    set {
      let bit: UInt8 = 1 << UInt8(position % 8)
      if newValue { bytes[position / 8] |= bit } else { bytes[position / 8] &= ~bit }
    }
  }

  public var correct: Int { bytes.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// How many images only this, and only the other gets right.
  /// - Precondition: Both are of as many images.
  public func onlyRight(beside other: CorrectImages) -> (here: Int, there: Int) {
    precondition(count == other.count)
    return zip(bytes, other.bytes).reduce(into: (here: 0, there: 0)) { sums, pair in
      sums.here += (pair.0 & ~pair.1).nonzeroBitCount
      sums.there += (pair.1 & ~pair.0).nonzeroBitCount
    }
  }

  /// The bytes as numbers: processes that have noted different images add them up.
  var numbers: [Double] {
    get { bytes.map(Double.init) }
    set { bytes = newValue.map { UInt8($0) } }
  }
}

extension CorrectImages: Codable {
  private enum CodingKeys: CodingKey { case count, bits }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(count, forKey: .count)
    try container.encode(Data(bytes).base64EncodedString(), forKey: .bits)
  }

  /// - Throws: `DecodingError` where there are not as many bits as images.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let (count, text) = (try container.decode(Int.self, forKey: .count), try container.decode(String.self, forKey: .bits))
    guard (0...1 << 48).contains(count), let bits = Data(base64Encoded: text), bits.count == (count + 7) / 8,
      count % 8 == 0 || bits[bits.count - 1] >> UInt8(count % 8) == 0
    else {
      throw DecodingError.dataCorruptedError(forKey: .bits, in: container, debugDescription: "not a bit for each image")
    }
    (self.count, bytes) = (count, [UInt8](bits))
  }
}
