import Foundation
import Interchange
import Networks
import SwiftProtobuf
import Tensors
import Testing

@Suite("Weights of files whose names are foreign")
struct StructureMatchingTests {
  private func golden(_ name: String) -> String {
    ONNXWeightsTests.goldens.appending(path: name).path(percentEncoded: false)
  }

  /// The network of `make_foreign.py`.
  private func network(stride: Int = 2, epsilon: Float = 1e-5, right: Int = 3) throws -> Network {
    var network = Network("branches", input: [2, 6, 6])
    func layer(_ to: Int, _ x: Network.Node, _ window: Window, groups: Int = 1, _ name: String, _ norm: String) throws -> Network.Node {
      let y = try network.append(.convolution(Convolution(to: to, window, groups: groups)), to: x, named: name)
      return try network.append(.batchNorm(BatchNorm(epsilon: epsilon)), to: y, named: norm)
    }
    let first = Window(kernel: 3, stride: Extent(stride), padding: 1)
    let same = Window(kernel: 3, padding: 1)
    var x = try network.append(.relu(ReLU()), to: layer(4, network.input, first, "conv1", "bn1"))
    let left = try layer(6, x, Window(kernel: 1), "left", "left_bn")
    x = try network.append(
      .add(Add()), to: left,
      layer(6, x, Window(kernel: Extent(right), padding: Padding(right / 2)), "right", "right_bn"))
    x = try layer(6, network.append(.relu(ReLU()), to: x), same, groups: 6, "depthwise", "depthwise_bn")
    x = try network.append(.flatten(Flatten()), to: network.append(.relu(ReLU()), to: x))
    try network.append(.dense(Dense(to: 5)), to: x, named: "fc")
    return network
  }

  private func answers(_ found: WeightsFile.Found, are scores: Tensor, of images: Tensor) {
    let given = found.network.reference(images.map { Double($0) }, weights: found.weights.mapValues { $0.map { Double($0) } })
    #expect(given.shape == scores.shape)
    // ONNX Runtime sums in float32, and PyTorch folds in 32.
    for (a, b) in zip(given.elements, scores.elements) { #expect(abs(a - Double(b)) < 1e-5) }
  }

  @Test("a file as converters of TensorFlow's models write it gives each weight its place, to the bit") func foreign() throws {
    let expected = try SafeTensors(reading: golden("foreign.safetensors")).weights
    let network = try self.network()
    let found = try WeightsFile.read(golden("foreign.onnx"), for: network)
    #expect(!found.isFolded && found.network == network && found.prefix == "")
    for (name, array) in found.weights { #expect(expected[name] == array, "\(name)") }
    let sources = Dictionary(uniqueKeysWithValues: found.sources.map { ($0.parameter, $0.source) })
    #expect(sources.count == found.weights.count)
    #expect(sources["left.weight"] == "l/kernel" && sources["right.weight"] == "r/kernel")
    #expect(sources["fc.weight"] == "dense/kernel" && sources["fc.bias"] == "dense/bias")
    answers(found, are: try #require(expected["scores"]), of: try #require(expected["images"]))
  }

  @Test("a file whose batch norms are folded gives weights for the folded network") func folded() throws {
    let expected = try SafeTensors(reading: golden("foreign.safetensors")).weights
    let found = try WeightsFile.read(golden("torch-eval.onnx"), for: network())
    let network = try FoldBatchNorm()(self.network(), [:]).0
    #expect(found.isFolded && found.network == network)
    #expect(found.sources.contains { $0.parameter == "conv1.weight" && $0.source.hasPrefix("onnx::Conv_") })
    answers(found, are: try #require(expected["scores"]), of: try #require(expected["images"]))
  }

  /// One of each family, without those of more weights.
  static let families = ExportSample.families.filter {
    ["resnet8", "resnet18", "mobilenetV1-25", "vgg11-wide", "mobilenetV1-25-pruned"].contains($0.name)
  }

  @Test("what we exported comes back under any names, of every family", arguments: families)
  func renamed(_ sample: ExportSample) throws {
    var model = try Onnx_ModelProto(serializedBytes: sample.exported(as: .onnx))
    var names: [String: String] = [:]
    for place in model.graph.initializer.indices {
      names[model.graph.initializer[place].name] = "w_\(place)"
      model.graph.initializer[place].name = "w_\(place)"
    }
    for place in model.graph.node.indices {
      model.graph.node[place].input = model.graph.node[place].input.map { names[$0] ?? $0 }
    }
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let (network, weights) = try FoldBatchNorm()(sample.network, sample.weights())
    for bytes in [try model.serializedBytes() as [UInt8], try sample.exported(as: .tensorFlowLite)] {
      try Data(bytes).write(to: URL(filePath: path))
      let found = try WeightsFile.read(path, for: sample.network)
      #expect(found.network == network && !found.sources.isEmpty)
      for (name, array) in weights { #expect(found.weights[name] == array, "\(name)") }
    }
  }

  @Test("a network that is almost the file's is told where the two part", arguments: [
    (1, 1e-5, 3, "'conv1' is a convolution 3x3 of 2 to 4 channels at stride 1; the file has a convolution 3x3 of 2 to 4 channels at stride 2, 'a/kernel',"),
    (2, 1e-3, 3, "has epsilon 1e-05, the network 0.001"), (2, 1e-5, 5, "'right' is a convolution 5x5"),
  ] as [(Int, Float, Int, String)])
  func mismatch(_ stride: Int, _ epsilon: Float, _ right: Int, _ problem: String) throws {
    let other = try network(stride: stride, epsilon: epsilon, right: right)
    #expect {
      try WeightsFile.read(golden("foreign.onnx"), for: other)
    } throws: { error in
      if case .structure(let problems)? = error as? InterchangeError { "\(problems)".contains(problem) } else { false }
    }
  }

  // MARK: Graphs made here

  private func convolution(_ input: String, _ output: String, to outputs: Int, pads: [Int64]) throws -> (Onnx_NodeProto, Onnx_TensorProto) {
    var (node, tensor, attribute) = (Onnx_NodeProto(), Onnx_TensorProto(), Onnx_AttributeProto())
    (node.opType, node.input, node.output) = ("Conv", [input, output + "/w"], [output])
    (attribute.name, attribute.ints) = ("pads", pads)
    node.attribute = [attribute]
    let count = outputs * 2 * 9
    (tensor.name, tensor.dataType, tensor.dims) = (output + "/w", 1, [Int64(outputs), 2, 3, 3])
    tensor.floatData = (0..<count).map { Float($0) }
    return (node, tensor)
  }

  private func found(_ layers: [(Onnx_NodeProto, Onnx_TensorProto)], sum: [String]?, for network: Network) throws -> WeightsFile.Found {
    var model = Onnx_ModelProto()
    model.irVersion = 8
    model.producerName = "here"
    model.graph.node = layers.map(\.0)
    model.graph.initializer = layers.map(\.1)
    if let sum {
      var node = Onnx_NodeProto()
      (node.opType, node.input, node.output) = ("Add", sum, ["sum"])
      model.graph.node.append(node)
    }
    var (input, output) = (Onnx_ValueInfoProto(), Onnx_ValueInfoProto())
    (input.name, output.name) = ("x", model.graph.node.last?.output.first ?? "")
    (model.graph.input, model.graph.output) = ([input], [output])
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + ".onnx").path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(model.serializedBytes() as [UInt8]).write(to: URL(filePath: path))
    return try WeightsFile.read(path, for: network)
  }

  @Test("branches that nothing tells apart are not guessed") func ambiguous() throws {
    var network = Network("twins", input: [2, 4, 4])
    let window = Window(kernel: 3, padding: 1)
    let a = try network.append(.convolution(Convolution(to: 2, window)), to: network.input, named: "a")
    let b = try network.append(.convolution(Convolution(to: 2, window)), to: network.input, named: "b")
    try network.append(.add(Add()), to: a, b)
    let layers = [
      try convolution("x", "p", to: 2, pads: [1, 1, 1, 1]), try convolution("x", "q", to: 2, pads: [1, 1, 1, 1]),
    ]
    #expect(throws: InterchangeError.structure(.ambiguous(layers: ["a", "b"], sources: ["p/w", "q/w"]))) {
      try found(layers, sum: ["p", "q"], for: network)
    }
    // One behind the other they are told apart by their place.
    var chain = Network("chain", input: [2, 4, 4])
    let c = try chain.append(.convolution(Convolution(to: 2, window)), to: chain.input, named: "a")
    try chain.append(.convolution(Convolution(to: 2, window)), to: c, named: "b")
    let following = [
      try convolution("x", "p", to: 2, pads: [1, 1, 1, 1]), try convolution("p", "q", to: 2, pads: [1, 1, 1, 1]),
    ]
    #expect(try found(following, sum: nil, for: chain).sources.map(\.source) == ["p/w", "q/w"])
    #expect(throws: InterchangeError.structure(.leftOver(source: "q/w", kind: "a convolution 3x3 of 2 to 2 channels at stride 1"))) {
      try found(following, sum: nil, for: {
        var one = Network("one", input: [2, 4, 4])
        try one.append(.convolution(Convolution(to: 2, window)), to: one.input, named: "a")
        return one
      }())
    }
  }

  @Test("padding at the bottom and right is not padding around") func padding() throws {
    var network = Network("one", input: [2, 4, 4])
    try network.append(.convolution(Convolution(to: 2, Window(kernel: 3, padding: 1))), to: network.input, named: "a")
    let layers = [try convolution("x", "p", to: 2, pads: [0, 0, 2, 2])]
    #expect(
      throws: InterchangeError.structure(
        .differs(
          layer: "a", source: "p/w", what: "padding (top, left, bottom, right)", expected: "1 1 1 1", found: "0 0 2 2"))
    ) { try found(layers, sum: nil, for: network) }
  }
}
