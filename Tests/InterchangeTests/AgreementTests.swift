import CZlib
import Foundation
import Interchange
import Networks
import Tensors
import Testing

/// What was asked of other programs: `Benchmarks/interchange/compare.py` runs them on the files that the first test
/// writes, and records beside this file which bytes it ran and how far the answers were from the definitions.
@Suite("Agreement with other programs")
struct AgreementTests {
  static let samples = ExportSample.families + ExportSample.operations

  @Test(
    "the files, pictures and answers for compare.py are written where REPRISE_EXPORTS says",
    .enabled(if: ProcessInfo.processInfo.environment["REPRISE_EXPORTS"] != nil), arguments: samples)
  func write(_ sample: ExportSample) throws {
    let folder = try #require(ProcessInfo.processInfo.environment["REPRISE_EXPORTS"])
    let (weights, batch) = (try sample.weights(), try sample.batch(2))
    let base = "\(folder)/\(sample.fileName)"
    for format in FileFormat.allCases {
      try sample.network.export(weights, as: format, to: "\(base).\(format.rawValue)", sample.facts)
    }
    try NPY.write(batch, to: "\(base).input.npy")
    try NPY.write(sample.reference(batch, weights), to: "\(base).expected.npy")
  }
  @Test("the bytes that are written are those that other programs ran", arguments: samples)
  func recorded(_ sample: ExportSample) throws {
    for format in FileFormat.allCases {
      let name = "\(sample.fileName).\(format.rawValue)"
      let checksum = try #require(Self.checksums[name], "\(name) was not recorded")
      let bytes = try sample.exported(as: format)
      #expect(
        crc32(0, bytes, UInt32(bytes.count)) == checksum, "\(name) has other bytes than LiteRT or ONNX Runtime ran")
    }
  }

  /// By file.
  private static let checksums: [String: UInt] = {
    let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/agreement.txt")
    let lines = ((try? String(contentsOf: golden, encoding: .utf8)) ?? "").split(separator: "\n")
    return Dictionary(
      lines.filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }.map {
        (String($0[0]), UInt($0[1], radix: 16) ?? 0)
      }
    ) { first, _ in first }
  }()
}

extension ExportSample {
  fileprivate var fileName: String { name.replacing(" ", with: "_") }
}
