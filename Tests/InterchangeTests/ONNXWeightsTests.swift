import Foundation
import Interchange
import ModelZoo
import Networks
import SwiftProtobuf
import Tensors
import Testing

@Suite("Weights from ONNX files")
struct ONNXWeightsTests {
  static let goldens = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens")

  private func golden(_ name: String) -> String { Self.goldens.appending(path: name).path(percentEncoded: false) }

  /// The network of `make.py`.
  private func small() throws -> Network {
    var network = Network("small", input: [1, 5, 5])
    func add(_ to: Int, _ x: Network.Node, _ convolution: String, _ norm: String) throws -> Network.Node {
      let y = try network.append(
        .convolution(Convolution(to: to, Window(kernel: 3, padding: 1))), to: x, named: convolution)
      return try network.append(.batchNorm(BatchNorm()), to: y, named: norm)
    }
    var x = try network.append(.relu(ReLU()), to: add(3, network.input, "conv1", "bn1"))
    let y = try network.append(.relu(ReLU()), to: add(3, x, "layer1.0.conv1", "layer1.0.bn1"))
    x = try network.append(.add(Add()), to: add(3, y, "layer1.0.conv2", "layer1.0.bn2"), x)
    x = try network.append(.globalAveragePool(GlobalAveragePool()), to: x)
    x = try network.append(.flatten(Flatten()), to: x)
    try network.append(.dense(Dense(to: 4)), to: x, named: "fc")
    return network
  }

  @Test(
    "files of PyTorch's exporters hold the weights under our names, to the bit",
    arguments: ["torch-script.onnx", "torch-dynamo.onnx"])
  func torch(_ file: String) throws {
    let network = try small()
    let weights = try network.checked(ONNXWeights(reading: golden(file)).weights)
    for (parameter, (name, rule)) in network.parameters.enumerated() {
      let offset: Float = rule.role == .runningVariance ? 1 : -1
      let expected = (0..<rule.shape.elementCount).map { Float((7 * $0 + parameter) % 32) / 16 + offset }
      #expect(weights[name]?.elements == expected, "\(name)")
    }
  }

  @Test("numbers of every type become 32-bit floats, as bytes or as lists, also under a second name")
  func types() throws {
    let weights = try ONNXWeights(reading: golden("types.onnx")).weights
    #expect(weights["float_list"]?.shape == [2, 2])
    #expect(weights["float_list"]?.elements == [1, 2.5, -3, 0])
    #expect(weights["half_raw"]?.elements == [0.5, -2, 65504])
    #expect(weights["half_list"]?.elements == [0.5, -2, 65504])
    #expect(weights["double_list"]?.elements == [0.1, -1e30])
    #expect(weights["bfloat16_list"]?.elements == [1, -0.5])
    #expect(weights["int64_list"]?.elements == [-7])
    #expect(weights["int64_list"]?.shape == [])
    #expect(weights["uint8_list"]?.elements == [0, 255])
    #expect(weights["same"] == weights["float_list"])
    #expect(weights.count == 8)
  }

  @Test("what was exported comes back to the bit where there is nothing to fold")
  func roundTrip() throws {
    let sample = ExportSample(
      name: "plain", network: try CIFARResNet(depth: 8, hasBatchNorm: false).network(input: [3, 32, 32], classes: 10))
    let weights = try sample.weights()
    let read = try ONNXWeights(parsing: sample.exported(as: .onnx), path: "plain.onnx").weights
    #expect(read == weights)
  }

  @Test(
    "a file whose numbers lie elsewhere is refused where that is no file beside it",
    arguments: ["", "../a", "/a", "..", "a/../b", "a//b", "a/", "./a", "a\\b"])
  func places(_ location: String) throws {
    var model = Onnx_ModelProto()
    var tensor = Onnx_TensorProto()
    (tensor.name, tensor.dataType, tensor.dims, tensor.dataLocation) = ("w", 1, [2], .external)
    var place = Onnx_StringStringEntryProto()
    (place.key, place.value) = ("location", location)
    tensor.externalData = [place]
    model.graph.initializer = [tensor]
    let bytes: [UInt8] = try model.serializedBytes()
    #expect(
      throws: TensorError.malformed(path: "m.onnx", problem: "'w' lies in a file that is not beside this one")
    ) { try ONNXWeights(parsing: bytes, path: "m.onnx") }
  }

  @Test("numbers that the second file does not have are missed, not read")
  func truncated() throws {
    let bytes = Array(try Data(contentsOf: URL(filePath: golden("torch-dynamo.onnx"))))
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "m.onnx").path(percentEncoded: false)
    #expect(throws: TensorError.self) { try ONNXWeights(parsing: bytes, path: path) }
    try Data(count: 100).write(to: folder.appending(path: "torch-dynamo.onnx.data"))
    #expect {
      try ONNXWeights(parsing: bytes, path: path)
    } throws: { error in
      "\(error)".contains("lies after the end of 'torch-dynamo.onnx.data'")
    }
  }

  @Test("no change of a byte ends the process", arguments: ["torch-script.onnx", "torch-dynamo.onnx", "types.onnx"])
  func damage(_ file: String) throws {
    let bytes = Array(try Data(contentsOf: URL(filePath: golden(file))))
    for place in bytes.indices {
      for change: UInt8 in [1, 0x80, 0xFF] {
        var damaged = bytes
        damaged[place] ^= change
        _ = try? ONNXWeights(parsing: damaged, path: golden(file))
      }
      _ = try? ONNXWeights(parsing: Array(bytes[..<place]), path: golden(file))
    }
  }
}
