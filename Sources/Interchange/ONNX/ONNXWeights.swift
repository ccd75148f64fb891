internal import Foundation
public import Networks
internal import SwiftProtobuf
public import Tensors

/// The weights in an ONNX file: its initializers, by name.
///
/// PyTorch names them as its networks do (`layer1.0.conv1.weight`), as long as batch norms were not folded into
/// convolutions: exported by `torch.onnx.export(…, optimize=False)`, or by its older exporter with
/// `training=TrainingMode.PRESERVE, do_constant_folding=False`. Numbers of other types become 32-bit floats; arrays in a
/// second file beside the first are read from there. What other operators are told by initializers, such as the corners
/// of Clip and the shapes of Reshape, are no weights.
///
/// Nothing that a file says is believed: any bytes give weights or an error.
public struct ONNXWeights: Sendable {
  public let weights: Weights
  /// Whether the file computes batch norms, and whether it makes real numbers of levels.
  private let hasBatchNorms, hasLevels: Bool
  /// How many convolutions it computes, and whether the weights of one lost their name, as TorchScript's exporter names
  /// what it computed while it wrote: `onnx::Conv_497`.
  private let convolutionCount: Int
  private let hasNamelessWeights: Bool

  /// Reads a file.
  /// - Throws: `TensorError.file`, `.malformed`, `.unsupportedElementType`, `.outOfMemory`.
  public init(reading path: String) throws(TensorError) {
    let file = try InputFile(path)
    // What protocol buffers can address.
    guard file.byteCount <= 1 << 31 else {
      throw .malformed(path: path, problem: "it has \(file.byteCount) bytes, ONNX files have at most \(1 << 31)")
    }
    try self.init(parsing: file.bytes(at: 0, count: file.byteCount), path: path)
  }

  /// Reads a file's contents.
  /// - Parameter path: for errors, and where to look for numbers that lie in another file.
  package init(parsing bytes: [UInt8], path: String) throws(TensorError) {
    guard let model = try? Onnx_ModelProto(serializedBytes: bytes), model.hasGraph else {
      throw .malformed(path: path, problem: "it is no ONNX model")
    }
    var weights = Weights()
    for tensor in model.graph.initializer {
      guard !tensor.name.isEmpty else { throw .malformed(path: path, problem: "an initializer has no name") }
      let array = try Self.array(of: tensor, in: path)
      guard weights.updateValue(array, forKey: tensor.name) == nil else {
        throw .malformed(path: path, problem: "'\(tensor.name)' comes twice")
      }
    }
    // The older exporter writes equal arrays once, and the others as Identity of that one.
    for node in model.graph.node where node.opType == "Identity" && node.input.count == 1 && node.output.count == 1 {
      guard let original = weights[node.input[0]] else { continue }
      guard weights.updateValue(original, forKey: node.output[0]) == nil else {
        throw .malformed(path: path, problem: "'\(node.output[0])' comes twice")
      }
    }
    for name in Self.settings(of: model.graph) { weights[name] = nil }
    self.weights = weights
    hasBatchNorms = model.graph.node.contains { $0.opType == "BatchNormalization" }
    hasLevels = model.graph.node.contains { $0.opType == "DequantizeLinear" }
    let convolutions = model.graph.node.filter { $0.opType == "Conv" }
    convolutionCount = convolutions.count
    hasNamelessWeights = convolutions.contains { node in
      node.input.dropFirst().first.map { $0.hasPrefix("onnx::") || $0.allSatisfy(\.isNumber) } ?? false
    }
  }

  /// The weights, held against a network.
  /// - Parameter renamed: gives the weights the network's names.
  /// - Throws: `InterchangeError.weights`, or why a file of that kind can never hold them: `.foldedBatchNorms`,
  ///   `.roundedWeights`.
  public func weights(
    of network: Network, renamed: (Weights) -> Weights = { $0 }
  ) throws(InterchangeError) -> Weights {
    do throws(WeightError) {
      return try network.checked(renamed(weights))
    } catch {
      guard case .missing(let names) = error else { throw .weights(error) }
      if hasLevels { throw .roundedWeights }
      var ownConvolutions = 0
      for node in network.nodes { if case .convolution = network[node].operation { ownConvolutions += 1 } }
      let statistics = network.nodes.flatMap { node in
        if case .batchNorm = network[node].operation {
          network.parameters(of: node).map(\.name)
        } else {
          [] as [String]
        }
      }
      let isFolded =
        Set(names).isSubset(of: statistics)
        || hasNamelessWeights && convolutionCount == ownConvolutions && Set(statistics).isSubset(of: names)
      if !hasBatchNorms, !statistics.isEmpty, isFolded { throw .foldedBatchNorms }
      throw .weights(error)
    }
  }

  /// Initializers that nothing computes with, by the operators that alone read them.
  private static func settings(of graph: Onnx_GraphProto) -> Set<String> {
    let readers: Set = [
      "Clip", "Expand", "Gather", "Pad", "ReduceMax", "ReduceMean", "ReduceSum", "Reshape", "Resize", "Slice", "Split",
      "Squeeze", "Tile", "Unsqueeze",
    ]
    var settings: Set<String> = []
    var others: Set<String> = []
    for node in graph.node {
      for (place, input) in node.input.enumerated() {
        if place > 0, readers.contains(node.opType) { settings.insert(input) } else { others.insert(input) }
      }
    }
    return settings.subtracting(others)
  }

  private static func array(of tensor: Onnx_TensorProto, in path: String) throws(TensorError) -> Tensor {
    func malformed(_ problem: String) -> TensorError {
      .malformed(path: path, problem: "'\(tensor.name)' \(problem)")
    }
    guard let element = ONNXElement(rawValue: tensor.dataType) else {
      throw .unsupportedElementType(path: path, name: "\(tensor.dataType) of ONNX")
    }
    guard tensor.dims.count <= 64, let shape = Shape(checking: tensor.dims.map { Int($0) }) else {
      throw malformed("has the shape \(tensor.dims.prefix(64).map { Int($0) })")
    }
    let type = element.elementType
    let (byteCount, overflow) = shape.elementCount.multipliedReportingOverflow(by: type.byteCount)
    guard !overflow else { throw malformed("is too large") }
    if tensor.dataLocation == .external {
      let bytes = try external(tensor, byteCount, in: path)
      return try converted(bytes, from: type, to: shape)
    }
    if tensor.hasRawData {
      guard tensor.rawData.count == byteCount else {
        throw malformed("has \(tensor.rawData.count) bytes, its shape \(shape) takes \(byteCount)")
      }
      return try converted(Array(tensor.rawData), from: type, to: shape)
    }
    func listed(_ numbers: some Collection, _ toFloat: (Int) -> Float) throws(TensorError) -> Tensor {
      guard numbers.count == shape.elementCount else {
        throw malformed("has \(numbers.count) numbers, its shape is \(shape)")
      }
      return try Tensor((0..<numbers.count).map(toFloat), shape: shape)
    }
    switch element {
    case .float32: return try listed(tensor.floatData) { tensor.floatData[$0] }
    case .float64: return try listed(tensor.doubleData) { Float(tensor.doubleData[$0]) }
    case .int64: return try listed(tensor.int64Data) { Float(tensor.int64Data[$0]) }
    case .uint32, .uint64: return try listed(tensor.uint64Data) { Float(tensor.uint64Data[$0]) }
    case .float16:
      return try listed(tensor.int32Data) {
        Float(Float16(bitPattern: UInt16(truncatingIfNeeded: tensor.int32Data[$0])))
      }
    case .bfloat16:
      return try listed(tensor.int32Data) { Float(bitPattern: UInt32(truncatingIfNeeded: tensor.int32Data[$0]) << 16) }
    case .uint8, .int8, .uint16, .int16, .int32, .bool:
      return try listed(tensor.int32Data) { Float(tensor.int32Data[$0]) }
    }
  }

  /// Reads numbers that lie in a file beside this one.
  private static func external(
    _ tensor: Onnx_TensorProto, _ byteCount: Int, in path: String
  ) throws(TensorError) -> [UInt8] {
    func malformed(_ problem: String) -> TensorError {
      .malformed(path: path, problem: "'\(tensor.name)' \(problem)")
    }
    func entry(_ key: String) -> String? { tensor.externalData.first { $0.key == key }?.value }
    guard let name = entry("location"), !name.isEmpty, name != ".", name != "..", !name.contains("/") else {
      throw malformed("lies in a file that is not beside this one")
    }
    guard let offset = Int(entry("offset") ?? "0"), offset >= 0, Int(entry("length") ?? "\(byteCount)") == byteCount
    else { throw malformed("lies at no place of '\(name)'") }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let file = try InputFile(folder + name)
    guard offset <= file.byteCount, byteCount <= file.byteCount - offset else {
      throw malformed("lies after the end of '\(name)'")
    }
    return try file.bytes(at: offset, count: byteCount)
  }

  private static func converted(
    _ bytes: [UInt8], from type: ElementType, to shape: Shape
  ) throws(TensorError) -> Tensor {
    var array = try Tensor(zeros: shape)
    bytes.withUnsafeBytes { bytes in
      array.withUnsafeMutableElements { target in
        // Every number has a nearest float.
        _ = type.convert(bytes, isBigEndian: false, into: target)
      }
    }
    return array
  }
}
