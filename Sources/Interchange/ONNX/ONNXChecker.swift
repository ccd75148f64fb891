internal import Foundation
package import Networks
package import Tensors

/// Holds an ONNX model, as it was read back, against the network that it stands for.
///
/// Shapes are worked out again from each operator's attributes, as ONNX defines them, so that a wrong stride or padding
/// shows; and what is rounded, from the scales that stand in the file.
struct ONNXChecker {
  private let model: Onnx_ModelProto
  private var graph: Onnx_GraphProto { model.graph }

  init(_ model: Onnx_ModelProto) { self.model = model }

  func check(against network: Network, _ weights: Weights) throws(Problem) {
    guard model.irVersion == ONNXExport.irVersion, model.opsetImport.count == 1, model.opsetImport[0].domain == "",
      model.opsetImport[0].version == ONNXExport.operatorSet
    else { throw Problem("it names other versions than it is written for") }
    guard graph.input.count == 1, graph.output.count == 1 else { throw Problem("it needs one input and one output") }

    var constants = try initializers()
    for node in network.nodes { try check(node, of: network, weights, constants) }
    for (name, rule) in network.nodes.flatMap({ network.parameters(of: $0) }) where constants["\(name).levels"] == nil {
      if rule.role == .rangeLow || rule.role == .rangeHigh { continue }
      guard let data = constants[name]?.data, let tensor = weights[name] else {
        throw Problem("'\(name)' is not there")
      }
      guard tensor.shape == rule.shape, constants[name]!.extents == rule.shape.extents,
        constants[name]!.element == .float32,
        tensor.withUnsafeElements({ data.elementsEqual(UnsafeRawBufferPointer($0)) })
      else { throw Problem("'\(name)' is not what the network has") }
    }

    /// What is known so far: values by name with their shapes, the batch as −1.
    var shapes = [graph.input[0].name: try declaredShape(of: graph.input[0])]
    let declared = try Dictionary(
      graph.valueInfo.map { value throws(Problem) in (value.name, try declaredShape(of: value)) }
    ) { first, _ in first }
    var used: Set<String> = []
    var types = [graph.input[0].name: ONNXElement.float32]
    for node in graph.node {
      guard node.output.count == 1, node.name == node.output[0] else {
        throw Problem("'\(node.name)' needs one output")
      }
      used.formUnion(node.input)
      let type = try checkTypes(of: node, types, constants)
      if node.opType == "DequantizeLinear", let levels = constants[node.input[0]] {
        // Weights: from here on as good as an initializer.
        guard constants.updateValue((levels.extents, .float32, Data()), forKey: node.name) == nil else {
          throw Problem("'\(node.name)' comes twice")
        }
        continue
      }
      types[node.name] = type
      let inputs = try node.input.map { input throws(Problem) in
        guard let shape = shapes[input] ?? constants[input]?.extents else {
          throw Problem("'\(node.name)' reads '\(input)', which nothing before it gives")
        }
        return shape
      }
      let shape = try ONNXShapes(node).output(of: inputs)
      guard shapes[node.name] == nil, constants[node.name] == nil else { throw Problem("'\(node.name)' comes twice") }
      guard shape == declared[node.name] ?? shape else {
        throw Problem("'\(node.name)' has another shape than is said")
      }
      shapes[node.name] = shape
    }
    for layer in network.layers {
      guard let shape = shapes[layer.name], shape != [-1] + layer.shape.extents else { continue }
      throw Problem("'\(layer.name)' has the shape \(shape), the network \(layer.shape)")
    }
    let output = graph.output[0]
    guard let shape = shapes[output.name], types[output.name] == .float32, shape == (try declaredShape(of: output)),
      shape == [-1] + network.shape(of: network.output).extents,
      shapes[graph.input[0].name] == [-1] + network.shape(of: network.input).extents
    else { throw Problem("its input or output is not the network's") }
    guard let idle = constants.keys.filter({ !used.contains($0) }).min() else { return }
    throw Problem("nothing reads '\(idle)'")
  }

  private typealias Constant = (extents: [Int], element: ONNXElement, data: Data)

  /// Holds the integers of a layer, or the levels of a quantizer, against the network's.
  private func check(
    _ node: Network.Node, of network: Network, _ weights: Weights, _ constants: [String: Constant]
  ) throws(Problem) {
    let name = network[node].name
    if case .fakeQuantize = network[node].operation, let quantizer = network.quantizer(of: node, weights) {
      guard let scale = constants["\(name).scale"], let zero = constants["\(name).zero"],
        scale.data.floats == [quantizer.scale], zero.data.elementsEqual([UInt8(quantizer.zero)])
      else { throw Problem("'\(name)' has other levels than the network's") }
    }
    guard let integers = network.integerLayer(of: node, weights) else { return }
    func constant(_ name: String, _ element: ONNXElement) throws(Problem) -> Data {
      guard let constant = constants[name], constant.element == element else { throw Problem("'\(name)' is not there") }
      return constant.data
    }
    let (weight, bias) = ("\(name).weight", "\(name).bias")
    let scales = try constant("\(weight).scale", .float32).floats
    guard try constant("\(weight).levels", .int8).map({ Int16(Int8(bitPattern: $0)) }) == integers.weights.values,
      scales == integers.weights.quantizers.map(\.scale),
      try constant("\(weight).zero", .int8).map({ Int(Int8(bitPattern: $0)) })
        == integers.weights.quantizers.map(\.zero)
    else { throw Problem("'\(weight)' has other levels than the network's") }
    guard let levels = integers.bias, let input = integers.input else { return }
    guard try constant("\(bias).levels", .int32).elementsEqual(levels.withUnsafeBytes { Array($0) }),
      try constant("\(bias).scale", .float32).floats == scales.map({ input.scale * $0 }),
      try constant("\(bias).zero", .int32).allSatisfy({ $0 == 0 })
    else { throw Problem("'\(bias)' has other units than its sums") }
  }

  /// - Returns: the type that an operator gives.
  private func checkTypes(
    of node: Onnx_NodeProto, _ types: [String: ONNXElement], _ constants: [String: Constant]
  ) throws(Problem) -> ONNXElement {
    let inputs = node.input.map { types[$0] ?? constants[$0]?.element }
    switch node.opType {
    case "QuantizeLinear", "DequantizeLinear":
      let isBack = node.opType == "DequantizeLinear"
      guard inputs.count == 3, let levels = inputs[2], inputs[1] == .float32, inputs[0] == (isBack ? levels : .float32),
        isBack || levels == .uint8, let scale = constants[node.input[1]], let zero = constants[node.input[2]],
        scale.extents == zero.extents, scale.data.floats.allSatisfy({ $0 > 0 && $0.isFinite })
      else { throw Problem("'\(node.name)' has scales that do not fit it") }
      let axis = node.attribute.first { $0.name == "axis" }.map { Int($0.i) }
      let extent = constants[node.input[0]]?.extents.first
      guard scale.extents.isEmpty ? axis == nil : axis == 0 && scale.extents == [extent] else {
        throw Problem("'\(node.name)' has scales along another axis")
      }
      return isBack ? .float32 : levels
    default:
      guard inputs.allSatisfy({ $0 == .float32 }) else { throw Problem("'\(node.name)' reads no 32-bit numbers") }
      return .float32
    }
  }

  private func initializers() throws(Problem) -> [String: Constant] {
    var constants: [String: Constant] = [:]
    for tensor in graph.initializer {
      guard let shape = Shape(checking: tensor.dims.map { Int($0) }),
        let element = ONNXElement(rawValue: tensor.dataType),
        [.float32, .uint8, .int8, .int32].contains(element),
        tensor.rawData.count == shape.elementCount * element.elementType.byteCount
      else { throw Problem("'\(tensor.name)' has other bytes than its shape needs") }
      guard constants.updateValue((shape.extents, element, tensor.rawData), forKey: tensor.name) == nil else {
        throw Problem("'\(tensor.name)' comes twice")
      }
    }
    return constants
  }

  private func declaredShape(of value: Onnx_ValueInfoProto) throws(Problem) -> [Int] {
    let type = value.type.tensorType
    guard type.elemType == ONNXElement.float32.rawValue, let batch = type.shape.dim.first,
      batch.value == .dimParam(ONNXExport.batch)
    else { throw Problem("'\(value.name)' is no batch of 32-bit numbers") }
    return [-1] + type.shape.dim.dropFirst().map { Int($0.dimValue) }
  }
}

/// The shape that an operator gives, by ONNX's definition of it. Extents that are −1 are the batch's.
private struct ONNXShapes {
  private let node: Onnx_NodeProto

  init(_ node: Onnx_NodeProto) { self.node = node }

  func output(of inputs: [[Int]]) throws(Problem) -> [Int] {
    guard let x = inputs.first, x.first == -1 else { throw wrong("it reads no batch") }
    switch node.opType {
    case "Conv":
      guard x.count == 4, (2...3).contains(inputs.count), inputs[1].count == 4, let group = int("group"), group > 0,
        inputs[1][1] * group == x[1], inputs[1][0] % group == 0, ints("kernel_shape") == Array(inputs[1][2...])
      else { throw wrong("its weights do not fit") }
      guard inputs.count == 2 || inputs[2] == [inputs[1][0]] else { throw wrong("its bias does not fit") }
      return [-1, inputs[1][0]] + (try window(over: x, dilations: ints("dilations")))
    case "MaxPool", "AveragePool":
      guard inputs.count == 1, x.count == 4 else { throw wrong("it takes one image") }
      return [-1, x[1]] + (try window(over: x, dilations: [1, 1]))
    case "BatchNormalization":
      guard inputs.count == 5, x.count >= 2, inputs[1...].allSatisfy({ $0 == [x[1]] }) else {
        throw wrong("its weights do not fit")
      }
      return x
    case "Relu", "Sigmoid", "Tanh", "Identity":
      guard inputs.count == 1 else { throw wrong("it takes one input") }
      return x
    case "QuantizeLinear", "DequantizeLinear":
      guard inputs.count == 3, inputs[1] == [], inputs[2] == [] else { throw wrong("it takes two scalars") }
      return x
    case "Clip":
      guard inputs.count == 3, inputs[1] == [], inputs[2] == [] else { throw wrong("it takes two scalars") }
      return x
    case "Add":
      guard inputs.count == 2, inputs[1] == x else { throw wrong("its inputs differ in shape") }
      return x
    case "Concat":
      guard int("axis") == 1, x.count >= 2, inputs.allSatisfy({ $0.count == x.count && $0[2...] == x[2...] }) else {
        throw wrong("its inputs do not fit")
      }
      return [-1, inputs.reduce(0) { $0 + $1[1] }] + x[2...]
    case "GlobalAveragePool":
      guard inputs.count == 1, x.count == 4 else { throw wrong("it takes one image") }
      return [-1, x[1], 1, 1]
    case "Flatten":
      guard inputs.count == 1, int("axis") == 1 else { throw wrong("it takes one input") }
      return [-1, x.dropFirst().reduce(1, *)]
    case "Gemm":
      guard (2...3).contains(inputs.count), x.count == 2, int("transB") == 1, inputs[1].count == 2,
        inputs[1][1] == x[1],
        inputs.count == 2 || inputs[2] == [inputs[1][0]]
      else { throw wrong("its weights do not fit") }
      return [-1, inputs[1][0]]
    default: throw wrong("there is no operator '\(node.opType)'")
    }
  }

  /// Height and width, rounded down, as without `auto_pad` and `ceil_mode`.
  private func window(over x: [Int], dilations: [Int]) throws(Problem) -> [Int] {
    let (kernel, strides, pads) = (ints("kernel_shape"), ints("strides"), ints("pads"))
    guard kernel.count == 2, strides.count == 2, pads.count == 4, dilations.count == 2,
      (kernel + strides + dilations).allSatisfy({ $0 > 0 }), pads.allSatisfy({ $0 >= 0 })
    else { throw wrong("its window is not whole") }
    return (0..<2).map { axis in
      let reach = dilations[axis] * (kernel[axis] - 1) + 1
      return (x[2 + axis] + pads[axis] + pads[2 + axis] - reach) / strides[axis] + 1
    }
  }

  private func int(_ name: String) -> Int? {
    node.attribute.first { $0.name == name && $0.type == .int }.map { Int($0.i) }
  }
  private func ints(_ name: String) -> [Int] {
    node.attribute.first { $0.name == name && $0.type == .ints }?.ints.map { Int($0) } ?? []
  }
  private func wrong(_ text: String) -> Problem { Problem("'\(node.name)': \(text)") }
}

extension Onnx_ModelProto {
  /// Holds the model against the network that it stands for.
  package func check(against network: Network, _ weights: Weights) throws(Problem) {
    try ONNXChecker(self).check(against: network, weights)
  }
}

extension Data {
  fileprivate var floats: [Float] {
    withUnsafeBytes { raw in
      (0..<raw.count / 4).map {
        Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
      }
    }
  }
}
