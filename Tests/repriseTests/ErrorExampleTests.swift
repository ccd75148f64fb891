import Foundation
import Testing

@Suite("examples/errors")
struct ErrorExampleTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "examples/errors")
  static let scripts = try! FileManager.default.contentsOfDirectory(atPath: folder.path)
    .filter { $0.hasSuffix(".reprise") }.sorted()

  @Test("each script is answered as the .expected file beside it says, down to the exit status", arguments: scripts)
  func golden(_ name: String) throws {
    let script = Self.folder.appending(path: name)
    let here = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: here) }
    try FileManager.default.createDirectory(at: here, withIntermediateDirectories: true)
    try Data(contentsOf: script).write(to: here.appending(path: name))
    let result = try Program.run(arguments: ["run", name, "--threads", "1"], in: here)
    let path = here.resolvingSymlinksInPath().path
    let actual = result.errors.replacingOccurrences(of: path, with: "FOLDER") + "exit status \(result.status)\n"
    let expected = script.deletingPathExtension().appendingPathExtension("expected")
    if ProcessInfo.processInfo.environment["REPRISE_RECORD"] == "1" {
      try Data(actual.utf8).write(to: expected)
      Issue.record("recorded \(expected.lastPathComponent)")
      return
    }
    #expect(actual == (try String(contentsOf: expected, encoding: .utf8)))
    #expect((2...4).contains(result.status))
  }
}
