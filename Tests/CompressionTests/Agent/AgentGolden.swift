import Foundation
import Testing

/// Golden files of the agent's tests; see `Goldens/make.py`.
enum AgentGolden {
  static func read<Content: Decodable>(_ type: Content.Type, _ name: String) -> Content {
    let place = Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Goldens")!
    return try! JSONDecoder().decode(type, from: Data(contentsOf: place))
  }
}

struct TruncatedNormalGolden: Decodable, Sendable {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var mean, deviation, low, high: Double
    /// Of ten equal parts of the range.
    var shares: [Double]
    var testDescription: String { "\(mean) ± \(deviation) in \(low) to \(high)" }
  }
  var cases: [Case]
  static let file = AgentGolden.read(TruncatedNormalGolden.self, "truncated-normal")
}
