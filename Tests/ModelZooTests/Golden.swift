import Foundation
import Testing

/// The files in `Goldens/`.
enum Golden {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens")

  static func data(_ path: String) throws -> Data { try Data(contentsOf: folder.appending(path: path)) }
  static func text(_ path: String) throws -> String { String(decoding: try data(path), as: UTF8.self) }

  /// Holds a text against a file. `REPRISE_RECORD=1` rewrites the file, and fails.
  static func expect(
    _ text: String, equals path: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    if ProcessInfo.processInfo.environment["REPRISE_RECORD"] == "1" {
      try Data(text.utf8).write(to: folder.appending(path: path))
      Issue.record("recorded \(path)", sourceLocation: sourceLocation)
      return
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let expected = try Self.text(path).split(separator: "\n", omittingEmptySubsequences: false)
    let different = zip(lines, expected).enumerated().first { $1.0 != $1.1 }
    if let (line, (found, expected)) = different {
      Issue.record("\(path), line \(line + 1):\n\(found)\nwas\n\(expected)", sourceLocation: sourceLocation)
    } else {
      #expect(lines.count == expected.count, "\(path) has another number of lines", sourceLocation: sourceLocation)
    }
  }
}
