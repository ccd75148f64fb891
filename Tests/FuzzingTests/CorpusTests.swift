import Foundation
import Testing

@Suite("What was found by fuzzing, and what leads there")
struct CorpusTests {
  static let corpus = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

  @Test("every input of the corpus is answered or refused", arguments: FuzzTarget.all.map(\.name))
  func replay(_ name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let files = try FileManager.default.contentsOfDirectory(
      at: Self.corpus.appending(path: name), includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files { try? target.run(Array(try Data(contentsOf: file))) }
    try? FileManager.default.removeItem(atPath: Scratch(name).folder)
  }
}
