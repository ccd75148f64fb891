import Foundation
import Testing

/// Golden files of this target, each made by the script beside it.
enum CompressionGolden {
  static func read<Content: Decodable>(_ type: Content.Type, _ name: String) -> Content {
    let place = Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Goldens")!
    return try! JSONDecoder().decode(type, from: Data(contentsOf: place))
  }
}

struct TruncatedNormalGolden: Decodable, Sendable {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var mean, std, low, high: Double
    /// Of ten equal parts of the range.
    var shares: [Double]
    var testDescription: String { "\(mean) ± \(std) in \(low) to \(high)" }
  }
  var cases: [Case]
  static let file = CompressionGolden.read(TruncatedNormalGolden.self, "truncated-normal")
}
