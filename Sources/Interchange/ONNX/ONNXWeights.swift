internal import Foundation
internal import Networks
internal import SwiftProtobuf
public import Tensors

/// The weights in an ONNX file: its initializers and constants, by name, and the layers that read them.
///
/// PyTorch names them as its networks do (`layer1.0.conv1.weight`), as long as batch norms were not folded into
/// convolutions. Other names (`onnx::Conv_497`, TensorFlow's, Keras') say nothing; then layers are paired by the structure
/// of the graph, see `Network.weights(matching:)`. Numbers of other types become 32-bit floats; arrays in files beside the
/// first, or in folders beside it, are read from there. What other operators are told by initializers, such as the corners
/// of Clip and the shapes of Reshape, are no weights.
///
/// Nothing that a file says is believed: any bytes give weights or an error.
public struct ONNXWeights: Sendable {
  public let weights: Weights
  /// Its layers; nil where nothing follows from an input.
  package let graph: WeightGraph?
  /// Whether it makes floats of integers.
  private let isQuantized: Bool

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
    var constants = Weights()
    for node in model.graph.node where node.opType == "Constant" && node.output.count == 1 {
      guard let tensor = node.attribute.first(where: { $0.name == "value" && $0.hasT })?.t,
        ONNXElement(rawValue: tensor.dataType) != nil
      else { continue }
      constants[node.output[0]] = try Self.array(of: tensor, in: path)
    }
    guard constants.keys.allSatisfy({ weights[$0] == nil }) else {
      throw .malformed(path: path, problem: "a constant has the name of an initializer")
    }
    graph = WeightGraph(model.graph, weights.merging(constants) { first, _ in first })
    for name in Self.settings(of: model.graph) { weights[name] = nil }
    // Of the constants, what layers compute with.
    let layers: Set = ["BatchNormalization", "Conv", "Gemm", "MatMul"]
    for node in model.graph.node where layers.contains(node.opType) {
      for input in node.input.dropFirst() { if let constant = constants[input] { weights[input] = constant } }
    }
    self.weights = weights
    isQuantized = model.graph.node.contains { $0.opType == "DequantizeLinear" }
  }

  /// The weights for a network: by their names, else by the structure of the graph. Where the file's batch norms are folded
  /// into its convolutions, they are for the network whose are.
  /// - Parameter renamed: gives the weights the network's names.
  /// - Throws: `InterchangeError`: `.weights`, `.structure`, `.quantizedWeights`.
  func found(
    for network: Network, renamed: (Weights) -> Weights = { $0 }
  ) throws(InterchangeError) -> WeightsFile.Found {
    let named = renamed(weights)
    let missing: WeightError
    do throws(WeightError) {
      return WeightsFile.Found(network: network, weights: try network.checked(named))
    } catch {
      guard case .missing = error else { throw .weights(error) }
      missing = error
    }
    guard !isQuantized else { throw .quantizedWeights }
    guard let graph else { throw .weights(missing) }
    let (target, isFolded) = try graph.target(for: network)
    if isFolded, let weights = try? target.checked(named) {
      return WeightsFile.Found(network: target, weights: weights, isFolded: true)
    }
    do throws(InterchangeError) {
      return try graph.found(for: network)
    } catch {
      // Where names are the network's, what is missing says more.
      let own = network.parameters.map(\.name)
      if case .structure = error, own.count(where: { named[$0] != nil }) * 2 > own.count { throw .weights(missing) }
      throw error
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
    // A place below this file's folder, whatever system it was written on.
    guard let name = entry("location"),
      name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy({ !["", ".", ".."].contains($0) }),
      !name.contains("\\"), !name.utf8.contains(0)
    else { throw malformed("lies in a file that is not beside this one") }
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
