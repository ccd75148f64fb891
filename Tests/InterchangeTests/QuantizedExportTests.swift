import Foundation
import Interchange
import ModelZoo
import Networks
import SwiftProtobuf
import Tensors
import Testing

@Suite("Quantized files for other programs")
struct QuantizedExportTests {
  @Test("what a file says, evaluated, is what the network answers, to the level", arguments: QuantizedSample.all)
  func evaluation(_ sample: QuantizedSample) throws {
    let batch = try sample.plain.batch(1)
    let weights = try sample.weights()
    let expected = try sample.reference(batch, weights)
    let wide = batch.map { Double($0) }
    for format in sample.formats {
      let bytes = try sample.exported(as: format)
      let found =
        switch format {
        case .onnx: try Onnx_ModelProto(serializedBytes: bytes).evaluate(wide)
        case .tensorFlowLite: try TFLiteModel(reading: bytes).evaluate(wide)
        }
      try #require(found.shape == expected.shape)
      let largest = zip(found.elements, expected.elements).map { abs($0 - $1) }.max() ?? 0
      #expect(largest <= 1e-5 * max(1, expected.elements.map(abs).max() ?? 0), "\(format)")
    }
  }

  private static func sample(_ name: String) throws -> QuantizedSample {
    try #require(QuantizedSample.all.first { $0.name == name })
  }

  @Test("between 8-bit input and answer nothing has 32 bits but sums' biases, in the operators' versions for 8 bits")
  func whole() throws {
    let sample = try Self.sample("int8-mobilenetV1-25")
    let (model, weights) = (try TFLiteModel(reading: sample.exported(as: .tensorFlowLite)), try sample.weights())
    let versions = Dictionary(grouping: model.operators, by: \.code).mapValues { Set($0.map(\.version)) }
    #expect(
      versions == [
        .pad: [2], .convolution: [3], .depthwiseConvolution: [3], .mean: [2], .reshape: [1], .fullyConnected: [4],
      ])
    #expect(model.operators.filter { $0.options.kind == .depthwiseConvolution }.count == 13)
    for tensor in model.tensors where tensor.data == nil { #expect(tensor.element == .int8, "\(tensor.name)") }
    let input = model.tensors[Int(model.inputs[0])]
    let quantizer = try #require(sample.network.quantizer(of: Network.Node(index: 1), weights))
    #expect(input.name == "input")
    #expect(input.quantization?.scales == [quantizer.scale])
    #expect(input.quantization?.zeroPoints == [Int64(quantizer.zero) - 128])
    for step in model.operators where [.convolution, .depthwiseConvolution, .fullyConnected].contains(step.code) {
      let (x, filter, bias) = (
        model.tensors[Int(step.inputs[0])], model.tensors[Int(step.inputs[1])], model.tensors[Int(step.inputs[2])]
      )
      let axis = step.code == .depthwiseConvolution ? 3 : 0
      #expect(filter.element == .int8 && bias.element == .int32)
      #expect(
        filter.quantization.map { Int($0.axis) } == axis && filter.quantization?.scales.count == Int(filter.shape[axis])
      )
      #expect(bias.quantization?.scales == filter.quantization?.scales.map { x.quantization!.scales[0] * $0 })
      #expect(bias.quantization?.zeroPoints.allSatisfy { $0 == 0 } == true)
    }
    // Kernels before it take the first channel's scale of a dense layer for all.
    #expect(model.metadata.first.map { String(decoding: $0.data.prefix(7), as: UTF8.self) } == "2.10.0\0")
  }

  @Test("where a layer stays in float32, operators between it and 8 bits convert")
  func mixed() throws {
    let kept = try TFLiteModel(reading: Self.sample("int8 but the first and last layer").exported(as: .tensorFlowLite))
    let codes = kept.operators.map(\.code)
    #expect(codes.contains(.quantize) && codes.contains(.dequantize))
    #expect(kept.tensors[Int(kept.inputs[0])].element == .float32)
    #expect(kept.tensors[Int(kept.outputs[0])].element == .float32)
    let logits = try TFLiteModel(reading: Self.sample("int8 but logits in 32 bits").exported(as: .tensorFlowLite))
    #expect(logits.operators.suffix(2).map(\.code) == [.dequantize, .fullyConnected])
    #expect(logits.operators.first?.code == .quantize)
    #expect(logits.operators.last?.version == 1)
  }

  @Test("a concatenation gets one scale, a max pool gives the scale that it gets")
  func scales() throws {
    let model = try TFLiteModel(reading: Self.sample("int8 concatenation").exported(as: .tensorFlowLite))
    let joined = try #require(model.operators.first { $0.code == .concatenation })
    #expect(joined.version == 2)
    #expect(Set((joined.inputs + joined.outputs).map { model.tensors[Int($0)].quantization }).count == 1)
    let pool = try #require(model.operators.first { $0.code == .maxPool })
    #expect(model.tensors[Int(pool.inputs[0])].quantization == model.tensors[Int(pool.outputs[0])].quantization)
    let pooled = try TFLiteModel(reading: Self.sample("int8 pools and a flatten").exported(as: .tensorFlowLite))
    let fill = try #require(pooled.operators.first { $0.code == .padWith }).inputs[2]
    #expect(pooled.tensors[Int(fill)].data.map(Array.init) == [0x80])
  }

  @Test(
    "a QDQ file has a pair for each quantizer and around what passes numbers on, and no activation that rounding replaces"
  )
  func pairs() throws {
    let sample = try Self.sample("int8-mobilenetV1-25")
    let graph = try Onnx_ModelProto(serializedBytes: sample.exported(as: .onnx)).graph
    let counts = Dictionary(grouping: graph.node, by: \.opType).mapValues(\.count)
    let quantizers = sample.network.layers.filter { $0.operation.title == FakeQuantize.title }.count
    // Weights and biases of 27 convolutions and a dense layer; the flatten.
    #expect(counts["QuantizeLinear"] == quantizers + 1)
    #expect(counts["DequantizeLinear"] == quantizers + 1 + 2 * 28)
    #expect(counts["Clip"] == nil && counts["Relu"] == nil)
    let types = Dictionary(uniqueKeysWithValues: graph.initializer.map { ($0.name, $0.dataType) })
    #expect(types["conv_stem.weight.levels"] == 3 && types["conv_stem.bias.levels"] == 6)
    #expect(types["input.quantized.zero"] == 2 && types["conv_stem.weight.scale"] == 1)
    let axes = graph.node.filter { $0.name == "conv_stem.weight" }.flatMap(\.attribute).map(\.i)
    #expect(axes == [0])
  }

  @Test("what TensorFlow Lite has no exact equivalent of is refused by the layer's name")
  func refusals() throws {
    #expect(
      throws: InterchangeError.unsupported(
        layer: "input.quantized", operation: "fake quantization to 4 bits", format: .tensorFlowLite,
        reason: "(it has 8 bits)")
    ) { try Self.sample("activations of 4 bits").exported(as: .tensorFlowLite) }
    #expect {
      try Self.sample("asymmetric weights").exported(as: .tensorFlowLite)
    } throws: { error in
      guard case .unsupported("a", _, .tensorFlowLite, "(its weights are symmetric)") = error as? InterchangeError
      else {
        return false
      }
      return true
    }
  }

  @Test("scales, zeros, units and orders that were changed are found by the checkers")
  func corrupted() throws {
    let sample = try Self.sample("int8 pools and a flatten")
    let (network, weights) = try FoldBatchNorm()(sample.network, sample.weights())
    let model = try TFLiteModel(reading: sample.exported(as: .tensorFlowLite))
    try model.check(against: network, weights)
    for place in model.tensors.indices {
      guard model.tensors[place].quantization != nil else { continue }
      var scaled = model
      scaled.tensors[place].quantization!.scales[0] *= 1.5
      #expect(throws: Problem.self, "\(model.tensors[place].name)") { try scaled.check(against: network, weights) }
      var moved = model
      moved.tensors[place].quantization!.zeroPoints[0] += 1
      #expect(throws: Problem.self, "\(model.tensors[place].name)") { try moved.check(against: network, weights) }
      // The same integers in another order.
      guard let data = model.tensors[place].data, let last = data.lastIndex(where: { $0 != data.first }) else {
        continue
      }
      var swapped = model
      swapped.tensors[place].data!.swapAt(data.startIndex, last)
      #expect(throws: Problem.self, "\(model.tensors[place].name)") { try swapped.check(against: network, weights) }
    }
    for place in model.operators.indices {
      var other = model
      other.operators[place].version += 1
      #expect(throws: Problem.self) { try other.check(against: network, weights) }
    }
    let onnx = try Onnx_ModelProto(serializedBytes: sample.exported(as: .onnx))
    try onnx.check(against: network, weights)
    for place in onnx.graph.initializer.indices where !onnx.graph.initializer[place].rawData.isEmpty {
      var other = onnx
      other.graph.initializer[place].rawData[0] ^= 1
      #expect(throws: Problem.self, "\(onnx.graph.initializer[place].name)") {
        try other.check(against: network, weights)
      }
    }
  }

  @Test("a file of integers says that the network's weights are not in it") func importing() throws {
    let sample = try Self.sample("int8-resnet8")
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(sample.exported(as: .onnx)).write(to: URL(filePath: path))
    #expect(throws: InterchangeError.quantizedWeights) { try WeightsFile.read(path, for: sample.plain.network) }
  }

  @Test("no change of a byte ends the process that reads it")
  func damage() throws {
    let sample = try Self.sample("int8 concatenation")
    for format in sample.formats {
      let bytes = try sample.exported(as: format)
      for place in bytes.indices {
        var damaged = bytes
        damaged[place] ^= 0x80
        _ = try? TFLiteModel(reading: damaged)
        _ = try? ONNXWeights(parsing: damaged, path: "damaged.onnx")
      }
    }
  }
}
