import Foundation

/// A golden file of this target; see `Goldens/make.py`.
enum TrainingGolden {
  static func read<Content: Decodable>(_ type: Content.Type, _ name: String) -> Content {
    let place = Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Goldens")!
    return try! JSONDecoder().decode(type, from: Data(contentsOf: place))
  }
}

/// The largest difference between two lists, in units of the largest number of the second.
func worstDifference(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / max(b.map(abs).max() ?? 1, 1e-30)
}
