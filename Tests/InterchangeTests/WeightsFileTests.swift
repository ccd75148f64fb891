import Foundation
import Interchange
import ModelZoo
import Networks
import Tensors
import Testing

@Suite("Weights in files of every kind")
struct WeightsFileTests {
  private let folder: URL
  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { folder.appending(path: name).path(percentEncoded: false) }
  private static func network() throws -> Network { try CIFARResNet(depth: 8).network(input: [1, 8, 8], classes: 4) }
  private static func weights() throws -> Weights {
    try ExportSample(name: "small", network: network()).weights()
  }

  @Test(
    "what wrappers put before each name is taken off, also one inside of another, and told",
    arguments: ["", "module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.", "model.module."])
  func prefixes(_ prefix: String) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (network, weights) = (try Self.network(), try Self.weights())
    var wrapped = Weights(uniqueKeysWithValues: weights.map { (prefix + $0.key, $0.value) })
    wrapped[prefix + "bn1.num_batches_tracked"] = try Tensor([3], shape: [])
    wrapped["n_averaged"] = try Tensor([3], shape: [])
    try SafeTensors(weights: wrapped).write(to: path("w"))
    let read = try WeightsFile.read(path("w"), for: network)
    #expect(read.prefix == prefix)
    #expect(read.weights == weights)
  }

  @Test("a prefix that only some names have is no wrapper") func somePrefixes() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let network = try Self.network()
    var weights = try Self.weights()
    weights["module.fc.weight"] = weights.removeValue(forKey: "fc.weight")
    try SafeTensors(weights: weights).write(to: path("w"))
    #expect(throws: InterchangeError.weights(.missing(["fc.weight"]))) { try WeightsFile.read(path("w"), for: network) }
  }

  @Test("a network's own names are not taken for a wrapper's") func ownNames() throws {
    var network = Network("wrapped", input: [3])
    try network.append(.dense(Dense(to: 2)), to: network.input, named: "model.fc")
    let weights = ["model.fc.weight": try Tensor(zeros: [2, 3]), "model.fc.bias": try Tensor(zeros: [2])]
    #expect(network.withoutPrefix(weights).prefix == "")
    let twice = Weights(uniqueKeysWithValues: weights.map { ("module." + $0.key, $0.value) })
    let (unwrapped, prefix) = network.withoutPrefix(twice)
    #expect(prefix == "module." && unwrapped == weights)
  }

  @Test("a file's contents tell its kind, whatever it is called", arguments: [
    ("a zip of Keras's", zip("metadata.json"), WeightsFile.Kind.keras),
    ("a zip of NumPy's", zip("a.npy"), .npz), ("some zip", zip("a"), .zip),
    ("HDF5", [0x89] + Array("HDF\r\n\u{1A}\n\0".utf8), .hdf5),
    ("NumPy", [0x93] + Array("NUMPY\u{1}\0".utf8), .npy), ("GGUF", Array("GGUF\u{3}".utf8), .gguf),
    ("gzip", [0x1F, 0x8B, 8], .gzip), ("a page", Array("\n<!DOCTYPE HTML><html>".utf8), .page),
    ("a pointer", Array("version https://git-lfs.github.com/spec/v1".utf8), .pointer), ("nothing", [], .empty),
  ] as [(String, [UInt8], WeightsFile.Kind)])
  func kinds(_ name: String, _ bytes: [UInt8], _ kind: WeightsFile.Kind) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let network = try Self.network()
    for ending in ["safetensors", "onnx", "tflite", "pth"] {
      let path = path("w.\(ending)")
      try Data(bytes).write(to: URL(filePath: path))
      #expect(throws: InterchangeError.notWeights(path: path, kind)) { try WeightsFile.read(path, for: network) }
    }
  }

  @Test("PyTorch's files are known whatever they are called", arguments: [zip("model/data.pkl"), [0x80, 2, 0x8A, 0x0A]])
  func pyTorch(_ bytes: [UInt8]) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let network = try Self.network()
    for ending in ["safetensors", "onnx", "pth"] {
      try Data(bytes).write(to: URL(filePath: path("w.\(ending)")))
      #expect {
        try WeightsFile.read(path("w.\(ending)"), for: network)
      } throws: { error in
        if case .pyTorch(.file(.malformed))? = error as? InterchangeError { true } else { false }
      }
    }
  }

  @Test("safetensors, ONNX and TensorFlow Lite are read under any name, and what is none is told without figures of a header")
  func names() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let network = try CIFARResNet(depth: 8, hasBatchNorm: false).network(input: [3, 32, 32], classes: 10)
    let sample = ExportSample(name: "plain", network: network)
    let weights = try sample.weights()
    try SafeTensors(weights: weights).write(to: path("a.onnx"))
    try Data(sample.exported(as: .onnx)).write(to: URL(filePath: path("b.safetensors")))
    for name in ["a.onnx", "b.safetensors"] { #expect(try WeightsFile.read(path(name), for: network).weights == weights) }
    try Data(sample.exported(as: .tensorFlowLite)).write(to: URL(filePath: path("c.safetensors")))
    #expect(try WeightsFile.read(path("c.safetensors"), for: network).weights == weights)
    try Data("\u{1C}\0\0\0TFL3\0\0".utf8).write(to: URL(filePath: path("e")))
    #expect {
      try WeightsFile.read(path("e"), for: network)
    } throws: { error in
      if case .file(.malformed)? = error as? InterchangeError { true } else { false }
    }
    try Data("these are no weights".utf8).write(to: URL(filePath: path("d")))
    #expect(
      throws: InterchangeError.file(
        .malformed(path: path("d"), problem: "it is no safetensors file: no header begins at its byte 8"))
    ) { try WeightsFile.read(path("d"), for: network) }
  }

  @Test("weights that hold no numbers are found, and exported only where that is asked for", arguments: [Float.nan, .infinity])
  func notFinite(_ number: Float) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let network = try Self.network()
    var weights = try Self.weights()
    #expect(weights.notFinite.isEmpty)
    weights["fc.bias"]!.withUnsafeMutableElements { $0[1] = number }
    #expect(weights.notFinite == ["fc.bias"])
    let facts = ModelDescription(producerVersion: "1")
    for format in FileFormat.allCases {
      let path = path("m.\(format.rawValue)")
      #expect(throws: InterchangeError.weights(.notFinite(name: "fc.bias"))) {
        try network.export(weights, as: format, to: path, facts)
      }
      #expect(!FileManager.default.fileExists(atPath: path))
    }
    try network.export(weights, as: .onnx, to: path("m.onnx"), facts, allowsNotFinite: true)
    #expect(FileManager.default.fileExists(atPath: path("m.onnx")))
  }
}

/// The beginning of a zip archive whose first file is called so.
private func zip(_ name: String) -> [UInt8] {
  Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 22) + [UInt8(name.utf8.count), 0, 0, 0] + Array(name.utf8)
    + [1, 2, 3]
}
