import Foundation
import Interchange
import Testing

@Suite("event files of TensorBoard")
struct EventFileTests {
  private struct Golden: Decodable {
    var program: String
    var records: [String: String]
  }

  /// By `Goldens/make_tensorboard.py`.
  private static let events: [(name: String, step: Int, event: TensorBoardEvent)] = [
    ("version", 0, .version), ("start", 0, .start), ("scalar", 300, .scalar(tag: "loss/train", value: 0.25)),
    ("image", 2, .image(tag: "plots/a.png", width: 300, height: 3, png: Array(0..<200))),
    ("text", 0, .text(tag: "script", markdown: "    x = 1 # é")),
    ("settings", 0, .settings(["optimizer": .text("sgd"), "lr": .number(0.05), "batchSize": .number(128), "nesterov": .flag(true)])),
    ("end", 0, .end(succeeded: true)),
  ]

  private func golden() throws -> Golden {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/tensorboard.json")
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
  }

  private func hexadecimal(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }

  /// RFC 3720, B.4, and the check value of the Rocksoft model.
  @Test("checksums are those of Castagnoli's polynomial")
  func checksums() {
    #expect(RecordFrame.crc32c(Array("123456789".utf8)) == 0xE306_9283)
    #expect(RecordFrame.crc32c(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(RecordFrame.crc32c(Array(repeating: 255, count: 32)) == 0x62A8_AB43)
    #expect(RecordFrame.crc32c(Array(0..<32)) == 0x46DD_794E)
  }

  @Test("each kind of event has the bytes that TensorBoard's own writer gives it")
  func records() throws {
    let golden = try golden()
    #expect(golden.records.count == Self.events.count)
    for (name, step, event) in Self.events {
      #expect(hexadecimal(RecordFrame.framed(event.bytes(step: step, time: 1.5))) == golden.records[name], "\(name)")
    }
  }

  @Test("a file holds its records from the first on, and takes the place of older ones of this program alone")
  func file() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "reprise-events-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let first = try EventFile(in: folder, at: 1.5)
    FileManager.default.createFile(atPath: folder + "/events.out.tfevents.1.host", contents: Data())
    // The same time, and one before: the names go on.
    let second = try EventFile(in: folder, at: 1.5)
    for (_, step, event) in Self.events.dropFirst(2) {
      try second.add(event, step: step, at: 1.5)
      // Another reader sees it at once.
      let bytes = try Data(contentsOf: URL(filePath: second.path))
      #expect(hexadecimal([UInt8](bytes)).hasSuffix(hexadecimal(RecordFrame.framed(event.bytes(step: step, time: 1.5)))))
    }
    let golden = try golden()
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: second.path)))
    #expect(hexadecimal(bytes) == Self.events.map { golden.records[$0.name] ?? "" }.joined())
    #expect(first.path < second.path)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(Set(names) == ["events.out.tfevents.1.host", (second.path as NSString).lastPathComponent])
  }

  @Test("a folder that cannot be made is an error with the system's reason")
  func failure() throws {
    #expect(throws: (any Error).self) { try EventFile(in: "/dev/null/events", at: 0) }
  }
}
