internal import Networks
internal import Tensors

extension WeightGraph {
  /// What a .tflite file of anyone's computes, as far as it is convolutions, dense layers, sums and concatenations. Any
  /// other operator of several inputs is a layer without a like.
  ///
  /// Only what leads to its first output is looked at. Nothing that it says is believed.
  /// - Returns: the graph, and whether weights in it are integers; those are not read.
  static func reading(tflite bytes: [UInt8]) throws(Problem) -> (graph: WeightGraph, isQuantized: Bool) {
    var reader = try TFLiteGraphReader(bytes)
    return try reader.graph()
  }
}

/// Follows the values of a .tflite file from its input on.
private struct TFLiteGraphReader {
  /// What an operator gives: the layer that it comes from, and what happened to it since.
  private struct Value {
    var place: Int
    var zeros = Padding(0)
    var isChannelsLast = true
  }

  private let tensors, operators, buffers: [FlatTable]
  private let codes: [Int32]
  private let inputs, outputs: [Int32]
  private var values: [Int32: Value] = [:]
  /// Floats of 16 bits that an operator makes 32 of, by the tensor it gives.
  private var halves: [Int32: Int32] = [:]
  private var isQuantized = false
  /// How many elements may still be made: many operators may read one tensor.
  private var left: Int

  /// More tensors or operators than this are refused; the largest published classifiers have a few thousand.
  private static let most = 1 << 16

  init(_ bytes: [UInt8]) throws(Problem) {
    let root = try FlatTable(rootOf: bytes, identifier: TFLiteModel.identifier)
    guard let graph = try root.tables(2).first else { throw Problem("it has no graph") }
    (tensors, operators, buffers) = (try graph.tables(0), try graph.tables(3), try root.tables(4))
    (inputs, outputs) = (try graph.numbers(1), try graph.numbers(2))
    codes = try root.tables(1).map { table throws(Problem) in
      // Old files have a byte alone; new ones put 127 there where it does not suffice.
      max(Int32(try table.number(0) as Int8), try table.number(3))
    }
    guard tensors.count <= Self.most, operators.count <= Self.most, codes.count <= Self.most else {
      throw Problem("it has more than \(Self.most) tensors or operators")
    }
    left = max(1 << 22, bytes.count / 2)
  }

  mutating func graph() throws(Problem) -> (graph: WeightGraph, isQuantized: Bool) {
    var graph = WeightGraph()
    guard let input = inputs.first, let output = outputs.first else { throw Problem("it has no input or no output") }
    values[input] = Value(place: 0)
    for (number, table) in operators.enumerated() { try read(table, number, into: &graph) }
    guard let last = values[output] else { throw Problem("its output does not follow from its input") }
    graph.keep(leadingTo: last.place)
    return (graph, isQuantized)
  }

  /// The operators of TensorFlow Lite that matter, by their numbers.
  private enum Code {
    static let add: Int32 = 0, concatenation: Int32 = 2, convolution: Int32 = 3, depthwise: Int32 = 4
    static let dequantize: Int32 = 6, fullyConnected: Int32 = 9, pad: Int32 = 34, transpose: Int32 = 39
    /// MUL, SUB and DIV: on the image itself its normalization.
    static let arithmetic: Set<Int32> = [18, 41, 42]
    /// Activations, poolings, shapes, types: AVERAGE_POOL_2D, LOGISTIC, MAX_POOL_2D, RELU, RELU_N1_TO_1, RELU6, RESHAPE,
    /// SOFTMAX, TANH, MEAN, SQUEEZE, STRIDED_SLICE, LOG_SOFTMAX, CAST, PRELU, MAXIMUM, MINIMUM, PADV2, EXPAND_DIMS, SUM,
    /// REDUCE_MAX, LEAKY_RELU, ELU, QUANTIZE, HARD_SWISH, GELU.
    static let keeping: Set<Int32> = [
      1, 14, 17, 19, 20, 21, 22, 25, 28, 40, 43, 45, 50, 53, 54, 55, 57, 60, 70, 74, 82, 98, 111, 114, 117, 150,
    ]
  }

  private mutating func read(_ table: FlatTable, _ number: Int, into graph: inout WeightGraph) throws(Problem) {
    let index: Int32 = try table.number(0)
    guard codes.indices.contains(Int(index)) else { throw Problem("there is no operator code \(index)") }
    let code = codes[Int(index)]
    let (read, given): ([Int32], [Int32]) = (try table.numbers(1), try table.numbers(2))
    guard let output = given.first else { return }
    let inputs = read.compactMap { values[$0] }
    guard let x = inputs.first else {
      if code == Code.dequantize, let half = read.first { halves[output] = half }
      return
    }
    let options = try table.table(4)
    let name = "operator \(number)"
    switch code {
    case Code.convolution, Code.depthwise:
      values[output] = try convolution(read, x, options, isDepthwise: code == Code.depthwise, name, &graph)
    case Code.fullyConnected:
      guard let weight = try array(read.dropFirst().first), weight.array.shape.rank == 2 else {
        return values[output] = other(code, [x], name, &graph)
      }
      var layer = WeightGraph.Layer(
        .product(outputs: weight.array.shape[0], inputs: weight.array.shape[1]), [x.place], name: weight.name)
      layer.readsChannelsLast = x.isChannelsLast
      layer.arrays["weight"] = weight
      layer.arrays["bias"] = try array(read.dropFirst(2).first)
      values[output] = Value(place: graph.append(layer), isChannelsLast: x.isChannelsLast)
    case Code.add where inputs.count > 1:
      values[output] = Value(place: graph.append(.init(.add, inputs.map(\.place), name: name)), isChannelsLast: x.isChannelsLast)
    case Code.concatenation:
      let places = inputs.map(\.place)
      let place = Set(places).count == 1 ? places[0] : graph.append(.init(.concatenation, places, name: name))
      values[output] = Value(place: place, isChannelsLast: x.isChannelsLast)
    case Code.pad:
      var value = x
      let pads = try integers(read.dropFirst().first)
      // Rows of before and after, for N H W C; what is no border of an image fits no convolution.
      let isBorder = pads.count == 8 && pads.allSatisfy((0...1 << 20).contains)
      value.zeros = isBorder ? Padding(top: pads[2], left: pads[4], bottom: pads[3], right: pads[5]) : Padding(-1)
      values[output] = value
    case Code.transpose:
      var value = x
      switch try integers(read.dropFirst().first) {
      case [0, 3, 1, 2]: value.isChannelsLast = false
      case [0, 2, 3, 1]: value.isChannelsLast = true
      default: break
      }
      values[output] = value
    default:
      let isArithmetic = Code.arithmetic.contains(code) || code == Code.add
      if inputs.count == 1, isArithmetic ? x.place == 0 : Code.keeping.contains(code) || code == Code.dequantize {
        values[output] = Value(place: x.place, isChannelsLast: x.isChannelsLast)
      } else {
        values[output] = other(code, inputs, name, &graph)
      }
    }
  }

  private func other(_ code: Int32, _ inputs: [Value], _ name: String, _ graph: inout WeightGraph) -> Value {
    Value(place: graph.append(.init(.other("operator \(code) of TensorFlow Lite"), inputs.map(\.place), name: name)))
  }

  private mutating func convolution(
    _ read: [Int32], _ x: Value, _ options: FlatTable?, isDepthwise: Bool, _ name: String, _ graph: inout WeightGraph
  ) throws(Problem) -> Value {
    let code = isDepthwise ? Code.depthwise : Code.convolution
    guard var weight = try array(read.dropFirst().first), weight.array.shape.rank == 4, let options else {
      return other(code, [x], name, &graph)
    }
    // O H W I, and 1 H W O of depthwise convolutions.
    guard let turned = transposed(weight.array, isDepthwise ? [3, 0, 1, 2] : [0, 3, 1, 2]) else {
      throw Problem("its operators read more than it holds")
    }
    weight.array = turned
    let dilation = isDepthwise ? 5 : 4
    let numbers: [Int32] = [
      try options.number(1, default: 0), try options.number(2, default: 0), try options.number(dilation, default: 1),
      try options.number(dilation + 1, default: 1),
    ]
    guard numbers.allSatisfy({ (1...1_048_576).contains($0) }) else { throw Problem("a convolution has the strides \(numbers)") }
    let (stride, spread) = (
      Extent(height: Int(numbers[1]), width: Int(numbers[0])), Extent(height: Int(numbers[3]), width: Int(numbers[2]))
    )
    let isSame = (try options.number(0) as Int8) == 0
    if isSame, x.zeros != 0 { return other(code, [x], name, &graph) }
    let shape = turned.shape
    let window = Window(
      kernel: Extent(height: shape[2], width: shape[3]), stride: stride, padding: x.zeros, dilation: spread)
    var layer = WeightGraph.Layer(
      .convolution(outputs: shape[0], inputsPerGroup: shape[1], window: window), [x.place], name: weight.name)
    layer.zeros = isSame ? .same : .given(x.zeros)
    layer.arrays["weight"] = weight
    layer.arrays["bias"] = try array(read.dropFirst(2).first)
    return Value(place: graph.append(layer))
  }

  // MARK: Constants

  private func table(_ number: Int32?) throws(Problem) -> FlatTable? {
    guard let number, number >= 0 else { return nil }
    guard tensors.indices.contains(Int(number)) else { throw Problem("there is no tensor \(number)") }
    return tensors[Int(number)]
  }

  /// The bytes of a constant; nil for what an operator gives.
  private func bytes(of tensor: FlatTable) throws(Problem) -> ArraySlice<UInt8>? {
    let number: Int32 = try tensor.number(2)
    guard number > 0 else { return nil }
    guard buffers.indices.contains(Int(number)) else { throw Problem("there is no buffer \(number)") }
    return try buffers[Int(number)].bytes(0)
  }

  /// A constant of floats; nil for none, and for integers.
  private mutating func array(_ number: Int32?) throws(Problem) -> WeightGraph.Named? {
    guard let number, let named = try table(number), let tensor = try table(halves[number] ?? number),
      let bytes = try self.bytes(of: tensor)
    else { return nil }
    let types: [Int8: ElementType] = [0: .float32, 1: .float16, 10: .float64]
    guard let type = types[try tensor.number(1)] else {
      isQuantized = true
      return nil
    }
    let extents = (try tensor.numbers(0) as [Int32]).map { Int($0) }
    guard extents.count <= 8, let shape = Shape(checking: extents) else { throw Problem("a tensor has the shape \(extents.prefix(8))") }
    let (byteCount, overflow) = shape.elementCount.multipliedReportingOverflow(by: type.byteCount)
    guard !overflow, byteCount == bytes.count else {
      throw Problem("a tensor of \(shape) has \(bytes.count) bytes")
    }
    guard shape.elementCount <= left, var array = try? Tensor(zeros: shape) else {
      throw Problem("its operators read more than it holds")
    }
    left -= shape.elementCount
    bytes.withUnsafeBytes { bytes in
      array.withUnsafeMutableElements { target in
        // Every float has a nearest one of 32 bits.
        _ = type.convert(bytes, isBigEndian: false, into: target)
      }
    }
    return WeightGraph.Named(name: try named.text(3), array: array)
  }

  /// A short constant of 32-bit integers; empty for anything else.
  private func integers(_ number: Int32?) throws(Problem) -> [Int] {
    guard let tensor = try table(number), (try tensor.number(1) as Int8) == 2, let bytes = try self.bytes(of: tensor),
      bytes.count % 4 == 0, bytes.count <= 64
    else { return [] }
    return bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map { Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))) }
    }
  }

  private mutating func transposed(_ array: Tensor, _ order: [Int]) -> Tensor? {
    guard array.count <= left else { return nil }
    left -= array.count
    return try? array.transposed(order)
  }
}
