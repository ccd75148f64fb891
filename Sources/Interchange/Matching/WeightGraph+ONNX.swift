internal import Foundation
internal import Networks
package import Tensors

extension WeightGraph {
  /// What a graph of ONNX's computes, as far as it is convolutions, dense layers, batch norms, sums and concatenations.
  /// Any other operator of several inputs is a layer without a like.
  /// - Parameter arrays: its initializers by name.
  /// - Returns: nil where it has no output that follows from an input.
  package init?(_ graph: Onnx_GraphProto, _ arrays: Weights) {
    self.init()
    var reader = ONNXGraphReader(arrays)
    guard let input = graph.input.first(where: { arrays[$0.name] == nil }), let output = graph.output.first else { return nil }
    reader.values[input.name] = ONNXGraphReader.Value(place: 0)
    for node in graph.node { reader.read(node, into: &self) }
    guard let last = reader.values[output.name] else { return nil }
    keep(leadingTo: last.place)
  }
}

/// Follows the values of an ONNX graph from its input on. Values that do not follow from the input, such as shapes, are
/// not followed.
struct ONNXGraphReader {
  /// What an operator gives: the layer that it comes from, and what happened to it since.
  struct Value {
    var place: Int
    /// Zeros that were put around it.
    var zeros = Padding(0)
    /// Whether channels are its last axis, as far as transpositions tell.
    var isChannelsLast = false
    /// Whether nothing was computed on it since.
    var isUntouched = false
  }

  var values: [String: Value] = [:]
  /// Initializers, and what follows from them alone.
  private var arrays: Weights
  /// How arrays are called in the file.
  private var sources: [String: String] = [:]
  /// How many elements transpositions may still make: many of them may read one array.
  private var left: Int

  init(_ arrays: Weights) {
    self.arrays = arrays
    left = max(1 << 22, 2 * arrays.values.reduce(0) { $0 + $1.count })
  }

  /// An array with its axes in another order; nil where that is too much.
  private mutating func transposed(_ array: Tensor, _ order: [Int]) -> Tensor? {
    guard array.count <= left else { return nil }
    left -= array.count
    return try? array.transposed(order)
  }

  private func named(_ name: String) -> WeightGraph.Named? {
    arrays[name].map { WeightGraph.Named(name: sources[name] ?? name, array: $0) }
  }

  mutating func read(_ node: Onnx_NodeProto, into graph: inout WeightGraph) {
    guard let output = node.output.first else { return }
    let inputs = node.input.compactMap { values[$0] }
    guard let first = inputs.first else { return readConstant(node, output) }
    switch node.opType {
    case "Conv": values[output] = convolution(node, first, &graph)
    case "Gemm", "MatMul": values[output] = dense(node, first, &graph)
    case "BatchNormalization": values[output] = batchNorm(node, first, &graph)
    case "Add", "Sum": values[output] = sum(node, inputs, &graph)
    case "Concat":
      let places = inputs.map(\.place)
      if Set(places).count == 1 {
        values[output] = Value(place: places[0], isChannelsLast: first.isChannelsLast)
      } else {
        append(.init(.concatenation, places, name: output), as: output, &graph, isChannelsLast: first.isChannelsLast)
      }
    case "Pad": values[output] = padded(node, first)
    case "Transpose":
      var value = first
      switch node.integers("perm") {
      case [0, 2, 3, 1]: value.isChannelsLast = true
      case [0, 3, 1, 2]: value.isChannelsLast = false
      default: break
      }
      values[output] = value
    default:
      // Arithmetic on the image itself is its normalization.
      let isArithmetic = ["Sub", "Mul", "Div"].contains(node.opType)
      if inputs.count == 1, first.place == 0 || !isArithmetic, Self.keeping.contains(node.opType) || isArithmetic {
        values[output] = Value(place: first.place, isChannelsLast: first.isChannelsLast)
      } else {
        append(.init(.other(node.opType), inputs.map(\.place), name: output), as: output, &graph)
      }
    }
  }

  /// Operators that leave a value the like of what it was: activations, poolings, shapes, types.
  private static let keeping: Set = [
    "AveragePool", "Cast", "Celu", "Clip", "DequantizeLinear", "Dropout", "Elu", "Erf", "Flatten", "Gelu",
    "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "LogSoftmax", "Max",
    "MaxPool", "Min", "Mish", "PRelu", "QuantizeLinear", "ReduceMax", "ReduceMean", "ReduceSum", "Relu", "Reshape", "Selu",
    "Sigmoid", "Slice", "Softmax", "Softplus", "Squeeze", "Tanh", "Unsqueeze",
  ]

  private mutating func append(
    _ layer: WeightGraph.Layer, as output: String, _ graph: inout WeightGraph, isChannelsLast: Bool = false
  ) {
    values[output] = Value(place: graph.append(layer), isChannelsLast: isChannelsLast)
  }

  /// Works out what follows from initializers alone, as far as weights go through it.
  private mutating func readConstant(_ node: Onnx_NodeProto, _ output: String) {
    guard let input = node.input.first, let array = arrays[input], arrays[output] == nil else { return }
    var result: Tensor?
    switch node.opType {
    case "Identity", "Cast": result = array
    case "Transpose":
      let rank = array.shape.rank
      let order = node.integers("perm") ?? (0..<rank).reversed()
      guard order.sorted() == Array(0..<rank) else { return }
      result = transposed(array, order)
    case "Reshape":
      guard node.input.count == 2, let wanted = arrays[node.input[1]]?.elements else { return }
      var extents = wanted.enumerated().map { axis, extent in
        extent == 0 && axis < array.shape.rank ? array.shape[axis] : Int(exactly: extent) ?? 0
      }
      if let open = extents.firstIndex(of: -1) {
        extents[open] = 1
        guard let rest = Shape(checking: extents)?.elementCount, rest > 0 else { return }
        extents[open] = array.count / rest
      }
      result = Shape(checking: extents).flatMap { try? array.reshaped(to: $0) }
    default: return
    }
    arrays[output] = result
    sources[output] = sources[input] ?? input
  }

  private func convolution(_ node: Onnx_NodeProto, _ x: Value, _ graph: inout WeightGraph) -> Value {
    guard node.input.count >= 2, let weight = named(node.input[1]), weight.array.shape.rank == 4 else {
      return other(node, x, &graph)
    }
    let shape = weight.array.shape
    func extent(_ name: String) -> Extent? {
      guard let numbers = node.integers(name) else { return 1 }
      guard numbers.count == 2, numbers.allSatisfy((1...1 << 20).contains) else { return nil }
      return Extent(height: numbers[0], width: numbers[1])
    }
    let pads = node.integers("pads") ?? [0, 0, 0, 0]
    guard let stride = extent("strides"), let dilation = extent("dilations"), pads.count == 4,
      pads.allSatisfy((0...1 << 20).contains)
    else { return other(node, x, &graph) }
    let padding = Padding(
      top: pads[0] + x.zeros.top, left: pads[1] + x.zeros.left, bottom: pads[2] + x.zeros.bottom,
      right: pads[3] + x.zeros.right)
    let kernel = Extent(height: shape[2], width: shape[3])
    var zeros = WeightGraph.Zeros.given(padding)
    switch node.text("auto_pad") ?? "NOTSET" {
    case "NOTSET": break
    case "VALID": zeros = .given(x.zeros)
    case "SAME_UPPER" where x.zeros == 0: zeros = .same
    default: return other(node, x, &graph)
    }
    // Of a kernel of one pixel at stride 1, SAME is nothing.
    let window = Window(
      kernel: kernel, stride: stride, padding: zeros == .same ? 0 : padding, dilation: dilation)
    var layer = WeightGraph.Layer(
      .convolution(outputs: shape[0], inputsPerGroup: shape[1], window: window), [x.place], name: weight.name)
    layer.zeros = zeros
    layer.arrays["weight"] = weight
    if node.input.count > 2, !node.input[2].isEmpty {
      guard let bias = named(node.input[2]) else { return other(node, x, &graph) }
      layer.arrays["bias"] = bias
    }
    return Value(place: graph.append(layer), isUntouched: true)
  }

  private mutating func dense(_ node: Onnx_NodeProto, _ x: Value, _ graph: inout WeightGraph) -> Value {
    guard node.input.count >= 2, var weight = named(node.input[1]), weight.array.shape.rank == 2,
      node.integer("transA") ?? 0 == 0, node.number("alpha") ?? 1 == 1, node.number("beta") ?? 1 == 1
    else { return other(node, x, &graph) }
    if node.integer("transB") ?? 0 == 0 {
      guard let array = transposed(weight.array, [1, 0]) else { return other(node, x, &graph) }
      weight.array = array
    }
    let shape = weight.array.shape
    var layer = WeightGraph.Layer(.product(outputs: shape[0], inputs: shape[1]), [x.place], name: weight.name)
    layer.readsChannelsLast = x.isChannelsLast
    layer.arrays["weight"] = weight
    if node.input.count > 2, !node.input[2].isEmpty {
      guard let bias = named(node.input[2]), bias.array.count == shape[0] else { return other(node, x, &graph) }
      layer.arrays["bias"] = bias
    }
    return Value(place: graph.append(layer), isUntouched: true)
  }

  private func batchNorm(_ node: Onnx_NodeProto, _ x: Value, _ graph: inout WeightGraph) -> Value {
    let arrays = node.input.dropFirst().compactMap { named($0) }
    guard arrays.count == 4, let channels = arrays.first?.array.count,
      arrays.allSatisfy({ $0.array.shape.rank == 1 && $0.array.count == channels })
    else { return other(node, x, &graph) }
    var layer = WeightGraph.Layer(.batchNorm(channels: channels), [x.place], name: arrays[0].name)
    layer.epsilon = node.number("epsilon") ?? 1e-5
    for (name, array) in zip(["weight", "bias", "running_mean", "running_var"], arrays) { layer.arrays[name] = array }
    return Value(place: graph.append(layer), isChannelsLast: x.isChannelsLast)
  }

  /// A sum of two values, or a bias that is added behind a layer.
  private func sum(_ node: Onnx_NodeProto, _ inputs: [Value], _ graph: inout WeightGraph) -> Value {
    if inputs.count > 1 {
      let layer = WeightGraph.Layer(.add, inputs.map(\.place), name: node.output[0])
      return Value(place: graph.append(layer), isChannelsLast: inputs[0].isChannelsLast)
    }
    let x = inputs[0]
    if x.place == 0 { return Value(place: 0, isChannelsLast: x.isChannelsLast) }
    guard x.isUntouched, let bias = node.input.lazy.compactMap({ named($0) }).first, graph[x.place].arrays["bias"] == nil,
      let outputs = graph[x.place].arrays["weight"]?.array.shape[0], bias.array.count == outputs
    else { return other(node, x, &graph) }
    // Of images, one number for each channel: C x 1 x 1, or C where channels are last; of vectors, C.
    let extents = bias.array.shape.extents.drop { $0 == 1 }
    let axis = bias.array.shape.rank - (extents.isEmpty ? 1 : extents.count)
    let isVector = graph[x.place].arrays["weight"]?.array.shape.rank == 2
    let fits = isVector || x.isChannelsLast ? extents.count <= 1 : outputs == 1 || bias.array.shape.rank - axis == 3
    guard fits else { return other(node, x, &graph) }
    switch graph[x.place].kind {
    case .convolution, .product: graph[x.place].arrays["bias"] = bias
    default: return other(node, x, &graph)
    }
    return x
  }

  private func padded(_ node: Onnx_NodeProto, _ x: Value) -> Value {
    var value = x
    let pads = node.integers("pads") ?? (node.input.count > 1 ? arrays[node.input[1]]?.elements.map { Int(exactly: $0) ?? -1 } : nil)
    guard node.text("mode") ?? "constant" == "constant", let pads, pads.count == 8, pads.allSatisfy((0...1 << 20).contains)
    else {
      // No window takes such a border in; the next one will differ.
      value.zeros = Padding(-1)
      return value
    }
    let isChannelsLast = x.isChannelsLast || pads[1] + pads[5] > 0 && pads[3] + pads[7] == 0
    let (h, w) = isChannelsLast ? (1, 2) : (2, 3)
    value.zeros.top += pads[h]
    value.zeros.left += pads[w]
    value.zeros.bottom += pads[4 + h]
    value.zeros.right += pads[4 + w]
    return value
  }

  private func other(_ node: Onnx_NodeProto, _ x: Value, _ graph: inout WeightGraph) -> Value {
    Value(place: graph.append(.init(.other(node.opType), [x.place], name: node.output[0])))
  }
}

extension Onnx_NodeProto {
  private func attribute(_ name: String) -> Onnx_AttributeProto? { attribute.first { $0.name == name } }
  fileprivate func integers(_ name: String) -> [Int]? { attribute(name)?.ints.map { Int($0) } }
  fileprivate func integer(_ name: String) -> Int? { attribute(name).map { Int($0.i) } }
  fileprivate func number(_ name: String) -> Float? { attribute(name)?.f }
  fileprivate func text(_ name: String) -> String? { attribute(name).map { String(decoding: $0.s, as: UTF8.self) } }
}
