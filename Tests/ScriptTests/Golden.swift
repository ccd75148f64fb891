import Foundation
import Testing

/// A script and what is expected of it, in a file beside it.
struct Golden: CustomTestStringConvertible, Sendable {
  let script: URL
  var expected: URL { script.deletingPathExtension().appendingPathExtension("expected") }
  var testDescription: String { script.lastPathComponent }
  var name: String { script.deletingLastPathComponent().lastPathComponent + "/" + script.lastPathComponent }

  static func all(in folder: String) throws -> [Golden] {
    let goldens = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(folder)")
    return try FileManager.default.contentsOfDirectory(at: goldens, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "reprise" }
      .sorted { $0.path < $1.path }.map(Golden.init)
  }

  func bytes() throws -> [UInt8] { Array(try Data(contentsOf: script)) }

  /// Compares with the file; with `REPRISE_RECORD=1` rewrites it instead, and fails so that nobody takes that for a pass.
  func check(_ actual: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let actual = actual.hasSuffix("\n") || actual.isEmpty ? actual : actual + "\n"
    if ProcessInfo.processInfo.environment["REPRISE_RECORD"] == "1" {
      try Data(actual.utf8).write(to: expected)
      Issue.record("recorded \(name)", sourceLocation: sourceLocation)
      return
    }
    let wanted = try String(contentsOf: expected, encoding: .utf8)
    #expect(actual == wanted, "\(name)", sourceLocation: sourceLocation)
  }
}
