internal import Foundation
internal import Networks
internal import Tensors

/// Holds an ONNX model, as it was read back, against the network that it stands for.
///
/// Shapes are worked out anew from each operator's attributes, as ONNX defines them, so that a wrong stride or padding
/// shows.
struct ONNXChecker {
  private let model: Onnx_ModelProto
  private var graph: Onnx_GraphProto { model.graph }

  init(_ model: Onnx_ModelProto) { self.model = model }

  func check(against network: Network, _ weights: Weights) throws(Problem) {
    guard model.irVersion == ONNXExport.irVersion, model.opsetImport.count == 1, model.opsetImport[0].domain == "",
      model.opsetImport[0].version == ONNXExport.operatorSet
    else { throw Problem("it names other versions than it is written for") }
    guard graph.input.count == 1, graph.output.count == 1 else { throw Problem("it needs one input and one output") }

    let constants = try initializers()
    for (name, rule) in network.parameters {
      guard let data = constants[name]?.data, let tensor = weights[name] else {
        throw Problem("'\(name)' is not there")
      }
      guard tensor.shape == rule.shape, constants[name]!.extents == rule.shape.extents,
        tensor.withUnsafeElements({ data.elementsEqual(UnsafeRawBufferPointer($0)) })
      else { throw Problem("'\(name)' is not what the network has") }
    }

    /// What is known so far: values by name with their shapes, the batch as −1.
    var shapes = [graph.input[0].name: try declaredShape(of: graph.input[0])]
    let declared = try Dictionary(
      graph.valueInfo.map { value throws(Problem) in (value.name, try declaredShape(of: value)) }
    ) { first, _ in first }
    var used: Set<String> = []
    for node in graph.node {
      guard node.output.count == 1, node.name == node.output[0] else {
        throw Problem("'\(node.name)' needs one output")
      }
      let inputs = try node.input.map { input throws(Problem) in
        guard let shape = shapes[input] ?? constants[input]?.extents else {
          throw Problem("'\(node.name)' reads '\(input)', which nothing before it gives")
        }
        return shape
      }
      used.formUnion(node.input)
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
    guard let shape = shapes[output.name], shape == (try declaredShape(of: output)),
      shape == [-1] + network.shape(of: network.output).extents,
      shapes[graph.input[0].name] == [-1] + network.shape(of: network.input).extents
    else { throw Problem("its input or output is not the network's") }
    guard let idle = constants.keys.filter({ !used.contains($0) }).min() else { return }
    throw Problem("nothing reads '\(idle)'")
  }

  private func initializers() throws(Problem) -> [String: (extents: [Int], data: Data)] {
    var constants: [String: (extents: [Int], data: Data)] = [:]
    for tensor in graph.initializer {
      guard let shape = Shape(checking: tensor.dims.map { Int($0) }), tensor.dataType == ONNXElement.float32.rawValue,
        tensor.rawData.count == shape.elementCount * ElementType.float32.byteCount
      else { throw Problem("'\(tensor.name)' has other bytes than its shape needs") }
      guard constants.updateValue((shape.extents, tensor.rawData), forKey: tensor.name) == nil else {
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
      guard inputs.count == 1, x.count == 4 else { throw wrong("it takes one picture") }
      return [-1, x[1]] + (try window(over: x, dilations: [1, 1]))
    case "BatchNormalization":
      guard inputs.count == 5, x.count >= 2, inputs[1...].allSatisfy({ $0 == [x[1]] }) else {
        throw wrong("its weights do not fit")
      }
      return x
    case "Relu", "Sigmoid", "Tanh", "Identity":
      guard inputs.count == 1 else { throw wrong("it takes one input") }
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
      guard inputs.count == 1, x.count == 4 else { throw wrong("it takes one picture") }
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
