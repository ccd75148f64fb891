internal import Foundation
internal import Networks
internal import SwiftProtobuf
internal import Tensors

/// Writes a network as an ONNX model: operator set 17, images `N C H W` with the batch open.
///
/// Values bear the names of their layers, initializers those of the weights.
///
/// A quantizer is a QuantizeLinear and a DequantizeLinear; rounded weights and biases are integers with a
/// DequantizeLinear. Runtimes take these pairs, and what lies between them, for operators in integers. They look for
/// pairs on both sides, so there are some behind poolings by maximum too, where they change nothing; and activations are
/// left out that a quantizer makes superfluous.
struct ONNXExport {
  static let operatorSet: Int64 = 17
  static let irVersion: Int64 = 8
  /// The symbolic size of the batch.
  static let batch = "N"

  private let network: Network
  /// Those of quantized layers before they are rounded.
  private let weights: Weights
  private let consumers: [[Network.Node]]
  private var graph = Onnx_GraphProto()
  /// The value that each layer gives.
  private var values: [String] = []

  static func bytes(
    of network: Network, _ weights: Weights, _ description: ModelDescription
  ) throws(InterchangeError) -> [UInt8] {
    var export = ONNXExport(network, weights)
    let model = try export.model(description)
    let bytes: [UInt8]
    do { bytes = try model.serializedBytes() } catch { throw .notAsMeant(.onnx, problem: "\(error)") }
    do throws(Problem) {
      guard let read = try? Onnx_ModelProto(serializedBytes: bytes) else { throw Problem("it cannot be parsed") }
      guard read == model else { throw Problem("it reads back as another model") }
      try ONNXChecker(read).check(against: network, weights)
    } catch {
      throw .notAsMeant(.onnx, problem: error.text)
    }
    return bytes
  }

  private init(_ network: Network, _ weights: Weights) {
    (self.network, self.weights, consumers) = (network, weights, network.consumers)
  }

  private mutating func model(_ description: ModelDescription) throws(InterchangeError) -> Onnx_ModelProto {
    for node in network.nodes { values.append(try add(node)) }
    graph.name = network.name
    let input = values[network.input.index]
    var output = values[network.output.index]
    if output == input {
      // A graph's output must not be its input.
      output = "output"
      graph.node.append(node("Identity", [input], output: output))
    }
    graph.input = [info(input, network.shape(of: network.input))]
    graph.output = [info(output, network.shape(of: network.output))]

    var model = Onnx_ModelProto()
    model.irVersion = Self.irVersion
    model.opsetImport = [Onnx_OperatorSetIdProto.with { $0.version = Self.operatorSet }]
    model.producerName = ModelDescription.producer
    model.producerVersion = description.producerVersion
    model.graph = graph
    model.metadataProps = Self.properties(description)
    return model
  }

  /// Lists and names in the forms that are easiest to take apart: a name a line, numbers with commas.
  private static func properties(_ description: ModelDescription) -> [Onnx_StringStringEntryProto] {
    func numbers(_ list: [Float]) -> String { list.map { "\($0)" }.joined(separator: ",") }
    return [
      ("classes", description.classes.joined(separator: "\n")), ("mean", numbers(description.mean)),
      ("deviation", numbers(description.std)),
    ]
    .filter { !$0.1.isEmpty }
    .map { entry in Onnx_StringStringEntryProto.with { ($0.key, $0.value) = entry } }
  }

  /// Adds a layer to the graph.
  /// - Returns: the value that it gives.
  private mutating func add(_ node: Network.Node) throws(InterchangeError) -> String {
    let layer = network[node]
    let inputs = layer.inputs.map { values[$0.index] }
    switch layer.operation {
    case .input(let input):
      guard [1, 3].contains(input.shape.rank) else { throw layer.unsupported(in: .onnx) }
      return layer.name
    case .convolution(let rules):
      let window = rules.window
      append(
        node, "Conv", inputs + addParameters(of: node),
        windowAttributes(window) + [
          ints("dilations", [window.dilation.height, window.dilation.width]), int("group", rules.groups),
        ])
    case .batchNorm(let rules):
      append(node, "BatchNormalization", inputs + addParameters(of: node), [float("epsilon", rules.epsilon)])
    case .relu:
      if isSuperfluous(Clip(low: 0, high: .infinity), at: node) { return inputs[0] }
      append(node, "Relu", inputs)
    case .clip(let rules):
      if isSuperfluous(rules, at: node) { return inputs[0] }
      let low = addInitializer("\(layer.name).low", [rules.low], shape: [])
      let high = addInitializer("\(layer.name).high", [rules.high], shape: [])
      append(node, "Clip", inputs + [low, high])
    case .sigmoid: append(node, "Sigmoid", inputs)
    case .tanh: append(node, "Tanh", inputs)
    case .add: append(node, "Add", inputs)
    case .concatenation: append(node, "Concat", inputs, [int("axis", 1)])
    case .maxPool(let rules):
      append(node, "MaxPool", inputs, windowAttributes(rules.window))
      return addPair(behind: node)
    case .averagePool(let rules):
      append(
        node, "AveragePool", inputs,
        windowAttributes(rules.window) + [int("count_include_pad", rules.countsPadding ? 1 : 0)])
    case .globalAveragePool: append(node, "GlobalAveragePool", inputs)
    case .flatten:
      append(node, "Flatten", inputs, [int("axis", 1)])
      return addPair(behind: node)
    case .dense where layer.shape.rank == 1:
      append(node, "Gemm", inputs + addParameters(of: node), [int("transB", 1)])
    // After training nothing is dropped.
    case .dropout, .dropPath: return inputs[0]
    case .fakeQuantize: addQuantizer(at: node, of: inputs[0])
    case .dense, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale, .attention: throw layer.unsupported(in: .onnx)
    }
    return layer.name
  }

  // MARK: Quantizers

  /// Whether rounding behind an activation alone does what the activation does.
  private func isSuperfluous(_ clip: Clip, at node: Network.Node) -> Bool {
    guard consumers[node.index].count == 1, case .fakeQuantize = network[consumers[node.index][0]].operation,
      let quantizer = network.quantizer(of: consumers[node.index][0], weights)
    else { return false }
    return quantizer.ends(within: clip)
  }

  private mutating func addQuantizer(at node: Network.Node, of value: String) {
    guard let quantizer = network.quantizer(of: node, weights) else {
      preconditionFailure("weights that were not checked against their network")
    }
    let name = network[node].name
    var value = value
    if quantizer.levels != Quantizer.unsigned(bits: 8) {
      // The type has more levels than the quantizer.
      let low = addInitializer("\(name).low", [quantizer.range.lowerBound], shape: [])
      let high = addInitializer("\(name).high", [quantizer.range.upperBound], shape: [])
      graph.node.append(self.node("Clip", [value, low, high], output: "\(name).clipped"))
      value = "\(name).clipped"
    }
    let scale = addInitializer("\(name).scale", [quantizer.scale], shape: [])
    let zero = addInitializer("\(name).zero", .uint8, [UInt8(quantizer.zero)], shape: [])
    graph.node.append(self.node("QuantizeLinear", [value, scale, zero], output: "\(name).levels"))
    append(node, "DequantizeLinear", ["\(name).levels", scale, zero])
  }

  /// Adds a pair behind a layer that passes rounded numbers on.
  /// - Returns: what the pair gives; what the layer gives where that is not rounded.
  private mutating func addPair(behind node: Network.Node) -> String {
    let name = network[node].name
    var source = node
    while network[source].operation.passesNumbersOn, let before = network[source].inputs.first { source = before }
    guard network.quantizer(of: node, weights) != nil else { return name }
    let parameters = ["scale", "zero"].map { "\(network[source].name).\($0)" }
    graph.node.append(self.node("QuantizeLinear", [name] + parameters, output: "\(name).levels"))
    graph.node.append(self.node("DequantizeLinear", ["\(name).levels"] + parameters, output: "\(name).passed"))
    return "\(name).passed"
  }

  private mutating func append(
    _ layer: Network.Node, _ type: String, _ inputs: [String], _ attributes: [Onnx_AttributeProto] = []
  ) {
    let name = network[layer].name
    graph.node.append(node(type, inputs, output: name, attributes))
    if layer != network.output { graph.valueInfo.append(info(name, network.shape(of: layer))) }
  }

  private func node(
    _ type: String, _ inputs: [String], output: String, _ attributes: [Onnx_AttributeProto] = []
  ) -> Onnx_NodeProto {
    Onnx_NodeProto.with {
      $0.opType = type
      $0.name = output
      ($0.input, $0.output, $0.attribute) = (inputs, [output], attributes)
    }
  }

  /// Adds a layer's weights.
  /// - Returns: their names, in the order of the operation's rules, which is ONNX's.
  private mutating func addParameters(of node: Network.Node) -> [String] {
    let integers = network.integerLayer(of: node, weights)
    return network.parameters(of: node).map { name, rule in
      if let integers {
        let quantizers = integers.weights.quantizers
        let scales = quantizers.map(\.scale)
        switch rule.role {
        case .weight:
          let levels = integers.weights.values.map { UInt8(bitPattern: Int8($0)) }
          return addLevels(
            name, .int8, levels, shape: rule.shape, scales: scales,
            zeros: quantizers.map { UInt8(bitPattern: Int8($0.zero)) })
        case .bias:
          guard let bias = integers.bias, let input = integers.input else { break }
          return addLevels(
            name, .int32, bias.withUnsafeBytes { Array($0) }, shape: rule.shape,
            scales: scales.map { input.scale * $0 }, zeros: [UInt8](repeating: 0, count: 4 * scales.count))
        default: break
        }
      }
      return weights[name]!.withUnsafeElements { addInitializer(name, $0, shape: rule.shape) }
    }
  }

  /// Adds integers and what makes real ones of them.
  private mutating func addLevels(
    _ name: String, _ element: ONNXElement, _ bytes: [UInt8], shape: Shape, scales: [Float], zeros: [UInt8]
  ) -> String {
    let isPerChannel = scales.count > 1
    let each: Shape = isPerChannel ? [scales.count] : []
    let levels = addInitializer("\(name).levels", element, bytes, shape: shape)
    let scale = addInitializer("\(name).scale", scales, shape: each)
    let zero = addInitializer("\(name).zero", element, zeros, shape: each)
    graph.node.append(
      node("DequantizeLinear", [levels, scale, zero], output: name, isPerChannel ? [int("axis", 0)] : []))
    return name
  }

  private mutating func addInitializer(
    _ name: String, _ elements: some ContiguousElements, shape: Shape
  ) -> String { addInitializer(name, .float32, elements.withUnsafeBytes { Data($0) }, shape: shape) }

  private mutating func addInitializer(
    _ name: String, _ element: ONNXElement, _ bytes: some Sequence<UInt8>, shape: Shape
  ) -> String {
    graph.initializer.append(
      Onnx_TensorProto.with {
        $0.name = name
        $0.dataType = element.rawValue
        $0.dims = shape.extents.map(Int64.init)
        $0.rawData = Data(bytes)
      })
    return name
  }

  private func windowAttributes(_ window: Window) -> [Onnx_AttributeProto] {
    let padding = window.padding
    return [
      ints("kernel_shape", [window.kernel.height, window.kernel.width]),
      ints("pads", [padding.top, padding.left, padding.bottom, padding.right]),
      ints("strides", [window.stride.height, window.stride.width]),
    ]
  }

  private func info(_ name: String, _ sample: Shape) -> Onnx_ValueInfoProto {
    Onnx_ValueInfoProto.with { value in
      value.name = name
      value.type.tensorType.elemType = ONNXElement.float32.rawValue
      value.type.tensorType.shape.dim =
        [Onnx_TensorShapeProto.Dimension.with { $0.dimParam = Self.batch }]
        + sample.extents.map { extent in Onnx_TensorShapeProto.Dimension.with { $0.dimValue = Int64(extent) } }
    }
  }

  private func int(_ name: String, _ value: Int) -> Onnx_AttributeProto {
    Onnx_AttributeProto.with { ($0.name, $0.type, $0.i) = (name, .int, Int64(value)) }
  }
  private func ints(_ name: String, _ values: [Int]) -> Onnx_AttributeProto {
    Onnx_AttributeProto.with { ($0.name, $0.type, $0.ints) = (name, .ints, values.map(Int64.init)) }
  }
  private func float(_ name: String, _ value: Float) -> Onnx_AttributeProto {
    Onnx_AttributeProto.with { ($0.name, $0.type, $0.f) = (name, .float, value) }
  }
}

/// Floats that lie in memory one after the other.
private protocol ContiguousElements {
  func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R
}
extension UnsafeBufferPointer<Float>: ContiguousElements {
  func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { body(UnsafeRawBufferPointer(self)) }
}
extension [Float]: ContiguousElements {
  func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    withUnsafeBufferPointer { body(UnsafeRawBufferPointer($0)) }
  }
}

/// The element types of ONNX's tensors that are read, by their published numbers.
enum ONNXElement: Int32, Hashable, CaseIterable {
  case float32 = 1
  case uint8 = 2
  case int8 = 3
  case uint16 = 4
  case int16 = 5
  case int32 = 6
  case int64 = 7
  case bool = 9
  case float16 = 10
  case float64 = 11
  case uint32 = 12
  case uint64 = 13
  case bfloat16 = 16

  var elementType: ElementType {
    switch self {
    case .float32: .float32
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .bool: .bool
    case .float16: .float16
    case .float64: .float64
    case .uint32: .uint32
    case .uint64: .uint64
    case .bfloat16: .bfloat16
    }
  }
}
