import CZlib
import Foundation
import Interchange
import Networks
import SwiftProtobuf
import Tensors
import Testing

@Suite("Files for other programs")
struct ExportTests {
  /// Weights of folded batch norms are rounded to 32 bits again, nothing else is.
  static let tolerance = 2e-6

  @Test(
    "what a file says, evaluated, is what the network answers",
    arguments: ExportSample.operations + ExportSample.families)
  func evaluation(_ sample: ExportSample) throws {
    let batch = try sample.batch(1)
    let expected = sample.reference(batch, try sample.weights())
    let wide = batch.map { Double($0) }
    let onnx = try Onnx_ModelProto(serializedBytes: sample.exported(as: .onnx))
    try expectClose(try onnx.evaluate(wide), expected)
    let lite = try TFLiteModel(reading: sample.exported(as: .tensorFlowLite))
    try expectClose(try lite.evaluate(wide), expected)
  }

  @Test("what has no exact equivalent is refused by the layer's name", arguments: ExportSample.refused, FileFormat.allCases)
  func refusals(_ sample: ExportSample, _ format: FileFormat) throws {
    do {
      _ = try sample.exported(as: format)
      Issue.record("\(sample) was written")
    } catch InterchangeError.unsupported(let layer, _, let found, _) {
      #expect(layer == "it")
      #expect(found == format)
    }
  }

  @Test("a pool that neither counts its padding nor pads as TensorFlow does is refused for TensorFlow Lite alone")
  func oddPool() throws {
    var network = Network("odd", input: [3, 8, 8])
    let pool = AveragePool(Window(kernel: 3, stride: 2, padding: 1), countsPadding: false)
    try network.append(.averagePool(pool), to: network.input, named: "pool")
    let sample = ExportSample(name: "odd", network: network)
    _ = try sample.exported(as: .onnx)
    #expect(
      throws: InterchangeError.unsupported(
        layer: "pool", operation: "average pool 3x3, stride 2, padding 1, padding not counted",
        format: .tensorFlowLite, reason: "other than TensorFlow pads")
    ) { try sample.exported(as: .tensorFlowLite) }
  }

  @Test("symmetric padding at stride 2 is an operator of its own exactly where TensorFlow's SAME is another")
  func padding() throws {
    func codes(_ extent: Int, _ stride: Int) throws -> [TFLiteModel.Code] {
      var network = Network("padded", input: [3, extent, extent])
      let window = Window(kernel: 3, stride: Extent(stride), padding: 1)
      try network.append(.convolution(Convolution(to: 4, window)), to: network.input)
      return try TFLiteModel(reading: ExportSample(name: "", network: network).exported(as: .tensorFlowLite))
        .operators.map(\.code)
    }
    #expect(try codes(8, 1) == [.convolution])
    #expect(try codes(7, 2) == [.convolution])
    #expect(try codes(8, 2) == [.pad, .convolution])
  }

  @Test("activations lie within the operators before them, and a batch norm in its convolution")
  func fusion() throws {
    let sample = try #require(ExportSample.families.first { $0.name == "mobilenetV1-25" })
    let model = try TFLiteModel(reading: sample.exported(as: .tensorFlowLite))
    #expect(
      Set(model.operators.map(\.code)) == [.pad, .convolution, .depthwiseConvolution, .mean, .reshape, .fullyConnected])
    let activations = model.operators.filter { [.convolution, .depthwiseConvolution].contains($0.code) }
      .map { $0.options[.activation] }
    #expect(activations == [Int32](repeating: TFLiteModel.Activation.relu6.rawValue, count: 27))
  }

  @Test("both formats carry the classes and the normalization")
  func metadata() throws {
    let sample = try #require(ExportSample.families.first { $0.name == "resnet8" })
    let description = ModelDescription(
      classes: (0..<10).map { "class \($0)" }, mean: [0.5, 0.25, 0.125], std: [0.25, 0.5, 1],
      producerVersion: "1.2.3")
    let weights = try sample.weights()
    let onnx = try Onnx_ModelProto(serializedBytes: sample.network.exported(weights, as: .onnx, description))
    #expect(onnx.producerName == "Reprise")
    #expect(onnx.producerVersion == "1.2.3")
    #expect(onnx.metadataProps.map(\.key) == ["classes", "mean", "std"])
    #expect(onnx.metadataProps[1].value == "0.5,0.25,0.125")
    let file = try sample.network.exported(weights, as: .tensorFlowLite, description)
    let lite = try TFLiteModel(reading: file)
    #expect(lite.metadata.map(\.name) == ["min_runtime_version", "TFLITE_METADATA", "producer"])
    // The file of labels that the metadata names lies in an archive behind the model.
    let labels = Array(((0..<10).map { "class \($0)" }.joined(separator: "\n") + "\n").utf8)
    let end = file.count - 22
    #expect(file[end...].starts(with: "PK\u{5}\u{6}".utf8))
    func number(_ place: Int, _ count: Int) -> Int { file[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) } }
    let directory = number(end + 16, 4)
    #expect(number(end + 8, 2) == 1 && number(end + 12, 4) == end - directory)
    #expect(file[directory...].starts(with: "PK\u{1}\u{2}".utf8))
    let entry = number(directory + 42, 4)
    #expect(file[entry...].starts(with: "PK\u{3}\u{4}".utf8))
    #expect(file[(entry + 30)...].starts(with: Array("labels.txt".utf8) + labels))
    #expect(number(entry + 14, 4) == Int(crc32(0, labels, UInt32(labels.count))))
    #expect(number(entry + 18, 4) == labels.count && number(entry + 22, 4) == labels.count)
    #expect(Array(lite.metadata[1].data).firstRange(of: Array("labels.txt".utf8)) != nil)
    #expect(lite.metadata[0].data.count == 16)
    #expect(lite.metadata[1].data.dropFirst(4).prefix(4).elementsEqual("M001".utf8))
  }

  @Test("facts that do not fit the network are refused")
  func misfits() throws {
    let sample = try #require(ExportSample.families.first { $0.name == "resnet8" })
    let weights = try sample.weights()
    func export(_ description: ModelDescription) throws {
      _ = try sample.network.exported(weights, as: .onnx, description)
    }
    #expect(throws: InterchangeError.description(.classes, expected: 10, found: 1)) {
      try export(ModelDescription(classes: ["one"], producerVersion: "1"))
    }
    #expect(throws: InterchangeError.description(.std, expected: 3, found: 0)) {
      try export(ModelDescription(mean: [0, 0, 0], producerVersion: "1"))
    }
    #expect(throws: InterchangeError.weights(.missing(["fc.bias"]))) {
      _ = try sample.network.exported(
        weights.filter { $0.key != "fc.bias" }, as: .onnx, ModelDescription(producerVersion: "1"))
    }
  }

  @Test("a file's ending says its format")
  func endings() {
    #expect(FileFormat(ofFile: "a/m.onnx") == .onnx)
    #expect(FileFormat(ofFile: "m.TFLITE") == .tensorFlowLite)
    #expect(FileFormat(ofFile: "tflite") == nil)
    #expect(FileFormat(ofFile: "m.h5") == nil)
  }

  @Test("no change of a byte, and no shorter file, ends the process that reads it")
  func damage() throws {
    let sample = try #require(ExportSample.operations.first { $0.name == "a batch norm after an add, and relu6" })
    for format in FileFormat.allCases {
      let bytes = try sample.exported(as: format)
      for place in bytes.indices {
        for change: UInt8 in [1, 0x80, 0xFF] {
          var damaged = bytes
          damaged[place] ^= change
          read(damaged)
        }
        read(Array(bytes[..<place]))
      }
    }
  }

  private func read(_ bytes: [UInt8]) {
    _ = try? TFLiteModel(reading: bytes)
    _ = try? ONNXWeights(parsing: bytes, path: "damaged.onnx")
  }
}

/// Compares by shape, then by the worst element; distances are relative to the largest expected one, or to 1.
private func expectClose(
  _ found: NDArray<Double>, _ expected: NDArray<Double>, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try #require(found.shape == expected.shape, sourceLocation: sourceLocation)
  let scale = max(1, expected.elements.map(abs).max() ?? 0)
  let distances = zip(found.elements, expected.elements).map { abs($0 - $1) / scale }
  let worst = distances.indices.max { distances[$0] < distances[$1] } ?? 0
  #expect(
    distances.isEmpty || distances[worst] <= ExportTests.tolerance,
    "element \(worst) is \(found[flat: worst]), \(expected[flat: worst]) was expected", sourceLocation: sourceLocation)
}
