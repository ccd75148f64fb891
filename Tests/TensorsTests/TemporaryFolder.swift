import Foundation

/// A new empty folder that goes when its owner goes.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/reprise-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in the folder, with these bytes.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = self[name]
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  subscript(_ name: String) -> String { path + "/" + name }

  var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}

/// The path of a golden file.
func golden(_ name: String) -> String { Bundle.module.path(forResource: "Goldens/" + name, ofType: nil)! }
