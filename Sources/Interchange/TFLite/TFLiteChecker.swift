package import Networks
package import Tensors

/// Holds a TensorFlow Lite model, as it was read back, against the rules of its operators.
///
/// Shapes are worked out again from each operator's options, as TensorFlow Lite defines them, so that a wrong stride or
/// padding shows; so are versions and types, and scales by the published specification of 8-bit quantization.
struct TFLiteChecker {
  private let model: TFLiteModel

  init(_ model: TFLiteModel) { self.model = model }

  /// - Parameter weights: of quantized layers, before they are rounded.
  func check(against network: Network, _ weights: Weights) throws(Problem) {
    try check(input: network.shape(of: network.input), output: network.shape(of: network.output))
    let tensors = Dictionary(model.tensors.map { ($0.name, $0) }) { first, _ in first }
    if let brought = try tensor(model.inputs[0]).quantization {
      guard
        network.nodes.contains(where: { node in
          network[node].inputs == [network.input]
            && network.quantizer(of: node, weights).map { TFLiteModel.Quantization($0) } == brought
        })
      else { throw Problem("it takes other levels than the network") }
    }
    for node in network.nodes {
      let layer = network[node]
      if case .fakeQuantize = layer.operation, let tensor = tensors[layer.name] {
        guard let quantizer = network.quantizer(of: node, weights), tensor.element == .int8,
          tensor.quantization == TFLiteModel.Quantization(quantizer)
        else { throw Problem("'\(layer.name)' has other levels than the network's") }
      }
      guard let filter = tensors["\(layer.name).weight"], filter.element == .int8 else { continue }
      guard let integers = network.integerLayer(of: node, weights),
        filter.quantization?.scales == integers.weights.quantizers.map(\.scale),
        levels(of: filter, at: node, in: network, transposed: { tensors["\($0).transposed"] != nil })
          == integers.weights.values,
        let bias = tensors["\(layer.name).bias"], bias.element == .int32,
        bias.numbers == (integers.bias ?? [Int32](repeating: 0, count: bias.numbers.count))
      else { throw Problem("'\(layer.name)' has other integers than the network's") }
    }
  }

  /// The integers of a filter, brought from the order that TensorFlow Lite documents for its operators to the
  /// network's, `O C H W`: convolutions have `O H W C`, depthwise ones `1 H W O`, dense layers `O F`, where a flattened
  /// image is `H W C`.
  /// - Parameter transposed: whether a flattened image, by the layer's name, was brought to `C H W` before.
  private func levels(
    of filter: TFLiteModel.Tensor, at node: Network.Node, in network: Network, transposed: (String) -> Bool
  ) -> [Int16]? {
    let data = Array(filter.data ?? [])
    var extents: (o: Int, c: Int, h: Int, w: Int)
    var isDepthwise = false
    switch network[node].operation {
    case .convolution(let rules):
      guard filter.shape.count == 4 else { return nil }
      isDepthwise = rules.groups > 1 && filter.shape[0] == 1
      extents = (
        rules.outputChannels, isDepthwise ? 1 : Int(filter.shape[3]), Int(filter.shape[1]), Int(filter.shape[2])
      )
    case .dense(let rules):
      extents = (rules.outputFeatures, data.count / max(rules.outputFeatures, 1), 1, 1)
      var before = node
      while let input = network[before].inputs.first, network.shape(of: before).rank == 1 {
        before = input
        if case .dense = network[before].operation { break }
        let image = network.shape(of: before)
        guard image.rank == 3 else { continue }
        let flatten = network.nodes.first { network[$0].inputs == [before] && network.shape(of: $0).rank == 1 }
        if let flatten, !transposed(network[flatten].name) {
          extents = (rules.outputFeatures, image[0], image[1], image[2])
        }
      }
    case .input, .batchNorm, .relu, .clip, .sigmoid, .tanh, .add, .concatenation, .maxPool, .averagePool,
      .globalAveragePool, .flatten, .dropout, .dropPath, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale,
      .attention, .fakeQuantize:
      return nil
    }
    let (outputs, channels, height, width) = extents
    guard outputs * channels * height * width == data.count else { return nil }
    var result: [Int16] = []
    result.reserveCapacity(data.count)
    for o in 0..<outputs {
      for c in 0..<channels {
        for y in 0..<height {
          for x in 0..<width {
            let pixel = y * width + x
            let index = isDepthwise ? pixel * outputs + o : (o * height * width + pixel) * channels + c
            result.append(Int16(Int8(bitPattern: data[index])))
          }
        }
      }
    }
    return result
  }

  /// - Parameters:
  ///   - input: one sample of the network's, `C H W` or `F`.
  ///   - output: one sample of the network's.
  private func check(input: Shape, output: Shape) throws(Problem) {
    for tensor in model.tensors {
      guard let shape = Shape(checking: tensor.shape.map { Int($0) }) else {
        throw Problem("'\(tensor.name)' has the shape \(tensor.shape)")
      }
      if let data = tensor.data {
        guard data.count == shape.elementCount * tensor.element.byteCount else {
          throw Problem("'\(tensor.name)' has other bytes than its shape needs")
        }
      }
      if let quantization = tensor.quantization { try check(quantization, of: tensor) }
      guard
        (tensor.element == .int8) == (tensor.quantization != nil) || (tensor.element == .int32 && tensor.data != nil)
      else { throw Problem("'\(tensor.name)' has scales, and needs none, or none, and needs some") }
    }
    guard model.inputs.count == 1, model.outputs.count == 1 else { throw Problem("it needs one input and one output") }
    guard try tensor(model.inputs[0]).shape == ordered(input), try tensor(model.outputs[0]).shape == ordered(output)
    else { throw Problem("its input or output is not the network's") }

    var known = Set(model.inputs)
    var used = Set(model.outputs)
    for step in model.operators {
      guard step.outputs.count == 1 else { throw Problem("an operator needs one output") }
      let result = try tensor(step.outputs[0])
      let inputs = try step.inputs.map { index throws(Problem) in
        let input = try tensor(index)
        guard input.data != nil || known.contains(index) else {
          throw Problem("'\(result.name)' reads '\(input.name)', which nothing before it gives")
        }
        used.insert(index)
        return input
      }
      guard result.data == nil, known.insert(step.outputs[0]).inserted else {
        throw Problem("'\(result.name)' comes twice")
      }
      do throws(Problem) {
        let shape = try TFLiteShapes(step, inputs).output()
        guard shape == result.shape.map({ Int($0) }) else { throw Problem("has another shape than \(shape)") }
        try TFLiteTypes(step, inputs, result).check()
      } catch {
        throw Problem("'\(result.name)': \(error.text)")
      }
    }
    guard known.contains(model.outputs[0]) else { throw Problem("nothing gives its output") }
    guard let idle = model.tensors.indices.first(where: { !used.contains(Int32($0)) }) else { return }
    throw Problem("nothing reads '\(model.tensors[idle].name)'")
  }

  private func tensor(_ index: Int32) throws(Problem) -> TFLiteModel.Tensor {
    guard model.tensors.indices.contains(Int(index)) else { throw Problem("there is no tensor \(index)") }
    return model.tensors[Int(index)]
  }

  private func ordered(_ sample: Shape) -> [Int32] {
    let extents = sample.rank == 3 ? [sample[1], sample[2], sample[0]] : sample.extents
    return ([1] + extents).map { Int32($0) }
  }

  private func check(_ quantization: TFLiteModel.Quantization, of tensor: TFLiteModel.Tensor) throws(Problem) {
    let count = quantization.scales.count
    guard quantization.zeroPoints.count == count, quantization.scales.allSatisfy({ $0 > 0 && $0.isFinite }),
      count == 1
        || (tensor.shape.indices.contains(Int(quantization.axis)) && count == Int(tensor.shape[Int(quantization.axis)]))
    else { throw Problem("'\(tensor.name)' has scales that do not fit it") }
  }
}

/// The shape that an operator gives, by TensorFlow Lite's definition of it.
private struct TFLiteShapes {
  private let step: TFLiteModel.Operator
  private let inputs: [TFLiteModel.Tensor]
  private let shapes: [[Int]]

  init(_ step: TFLiteModel.Operator, _ inputs: [TFLiteModel.Tensor]) {
    (self.step, self.inputs) = (step, inputs)
    shapes = inputs.map { $0.shape.map { Int($0) } }
  }

  func output() throws(Problem) -> [Int] {
    guard let x = shapes.first else { throw Problem("it reads nothing") }
    switch step.code {
    case .convolution:
      try takes(3, .convolution)
      let filter = shapes[1]
      guard x.count == 4, filter.count == 4, filter[3] > 0, x[3] % filter[3] == 0, shapes[2] == [filter[0]],
        filter[0] % (x[3] / filter[3]) == 0
      else { throw Problem("its weights do not fit") }
      return [1] + (try window(over: x, height: filter[1], width: filter[2], isDilated: true)) + [filter[0]]
    case .depthwiseConvolution:
      try takes(3, .depthwiseConvolution)
      let filter = shapes[1]
      guard x.count == 4, filter.count == 4, filter[0] == 1, filter[3] == x[3] * Int(step.options[.depthMultiplier]),
        shapes[2] == [filter[3]]
      else { throw Problem("its weights do not fit") }
      return [1] + (try window(over: x, height: filter[1], width: filter[2], isDilated: true)) + [filter[3]]
    case .maxPool, .averagePool:
      try takes(1, .pool)
      guard x.count == 4 else { throw Problem("it takes an image") }
      let (height, width) = (Int(step.options[.filterHeight]), Int(step.options[.filterWidth]))
      return [1] + (try window(over: x, height: height, width: width, isDilated: false)) + [x[3]]
    case .fullyConnected:
      try takes(3, .fullyConnected)
      guard x.count == 2, shapes[1].count == 2, shapes[1][1] == x[1], shapes[2] == [shapes[1][0]] else {
        throw Problem("its weights do not fit")
      }
      return [1, shapes[1][0]]
    case .add, .multiply:
      try takes(2, step.code == .add ? .add : .multiply)
      guard shapes[1] == x || shapes[1] == [x.last ?? 0] else { throw Problem("its inputs differ in shape") }
      return x
    case .maximum, .minimum:
      try takes(2, .maximumMinimum)
      guard shapes[1] == [1] else { throw Problem("its inputs differ in shape") }
      return x
    case .relu, .relu6, .reluMinus1To1, .logistic, .tanh:
      try takes(1, .none)
      return x
    case .quantize, .dequantize:
      try takes(1, step.code == .quantize ? .quantize : .dequantize)
      return x
    case .concatenation:
      try takes(shapes.count, .concatenation)
      let axis = Int(step.options[.axis])
      guard axis == x.count - 1, shapes.allSatisfy({ $0.count == x.count && $0[..<axis] == x[..<axis] }) else {
        throw Problem("its inputs do not fit")
      }
      return x[..<axis] + [shapes.reduce(0) { $0 + $1[axis] }]
    case .mean:
      try takes(2, .reducer)
      guard x.count == 4, try constant(1) == [1, 2], step.options[.keepsAxes] == 1 else {
        throw Problem("it takes the mean of something else than an image")
      }
      return [1, 1, 1, x[3]]
    case .pad, .padWith:
      try takes(step.code == .pad ? 2 : 3, step.code == .pad ? .pad : .padWith)
      let sides = try constant(1)
      guard x.count == 4, shapes[1] == [4, 2], sides.allSatisfy({ $0 >= 0 }), sides[0] == 0, sides[1] == 0,
        step.code == .pad || shapes[2] == [1]
      else { throw Problem("its padding does not fit") }
      return (0..<4).map { x[$0] + sides[2 * $0] + sides[2 * $0 + 1] }
    case .transpose:
      try takes(2, .transpose)
      let order = try constant(1)
      guard order.sorted() == Array(x.indices), order[0] == 0 else { throw Problem("its order is none of the axes") }
      return order.map { x[$0] }
    case .reshape:
      try takes(2, .reshape)
      let shape = try constant(1)
      let count = x.dropFirst().reduce(1, *)
      guard shape == [-1, count] else { throw Problem("it has another number of elements") }
      return [1, count]
    }
  }

  private func takes(_ count: Int, _ kind: TFLiteModel.Options.Kind) throws(Problem) {
    guard inputs.count == count else { throw Problem("it takes \(count) inputs, not \(inputs.count)") }
    guard step.options.kind == kind else { throw Problem("it has the options of another operator") }
  }

  /// Integers that are part of the model.
  private func constant(_ input: Int) throws(Problem) -> [Int] {
    guard inputs[input].element == .int32, inputs[input].data != nil else { throw Problem("it needs integers") }
    return inputs[input].numbers.map { Int($0) }
  }

  private func window(over x: [Int], height: Int, width: Int, isDilated: Bool) throws(Problem) -> [Int] {
    let options = step.options
    let strides = [Int(options[.strideHeight]), Int(options[.strideWidth])]
    let dilations = isDilated ? [Int(options[.dilationHeight]), Int(options[.dilationWidth])] : [1, 1]
    guard (strides + dilations + [height, width]).allSatisfy({ $0 > 0 }) else {
      throw Problem("its window is not whole")
    }
    guard let padding = TFLiteModel.Padding(rawValue: options[.padding]) else {
      throw Problem("its padding is unknown")
    }
    return zip([height, width], zip(strides, dilations)).enumerated().map { axis, window in
      let (kernel, (stride, dilation)) = window
      return switch padding {
      case .same: (x[1 + axis] + stride - 1) / stride
      case .valid: (x[1 + axis] - dilation * (kernel - 1) - 1 + stride) / stride
      }
    }
  }
}

extension TFLiteModel {
  /// Holds the model against the network that it stands for.
  package func check(against network: Network, _ weights: Weights) throws(Problem) {
    try TFLiteChecker(self).check(against: network, weights)
  }
}

extension TFLiteModel.Tensor {
  /// Integers of 32 bits that are part of the model.
  fileprivate var numbers: [Int32] {
    guard element == .int32, let data else { return [] }
    return data.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { Int32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
    }
  }
}

/// The types, versions and scales that an operator asks for.
///
/// Source: TensorFlow Lite's 8-bit quantization specification, and the versions that its tool
/// (tensorflow/lite/tools/versioning/op_version.cc) gives operators.
private struct TFLiteTypes {
  private let step: TFLiteModel.Operator
  private let inputs: [TFLiteModel.Tensor]
  private let result: TFLiteModel.Tensor
  private var isWhole: Bool { result.element == .int8 }

  init(_ step: TFLiteModel.Operator, _ inputs: [TFLiteModel.Tensor], _ result: TFLiteModel.Tensor) {
    (self.step, self.inputs, self.result) = (step, inputs, result)
  }

  func check() throws(Problem) {
    guard result.element == .float32 || isWhole, let x = inputs.first else { throw Problem("it has another type") }
    guard step.version == version else { throw Problem("it needs version \(version), not \(step.version)") }
    for tensor in [result] + inputs where tensor.data == nil && tensor.element == .int8 {
      guard let quantization = tensor.quantization, quantization.scales.count == 1,
        (-128...127).contains(quantization.zeroPoints[0])
      else { throw Problem("it needs one scale, and a zero among its levels") }
    }
    switch step.code {
    case .quantize:
      guard isWhole, [.float32, .int8].contains(x.element) else { throw Problem("it gives 8-bit numbers") }
    case .dequantize:
      guard !isWhole, x.element == .int8 else { throw Problem("it gives 32-bit numbers") }
    case .convolution, .depthwiseConvolution, .fullyConnected:
      guard isWhole else { return try areAlike([x, inputs[1], inputs[2], result]) }
      try areAlike([x, inputs[1], result])
      try checkWholeWeights(axis: step.code == .depthwiseConvolution ? 3 : 0)
    case .maxPool, .averagePool, .pad, .transpose, .reshape:
      try areAlike([x, result])
      try passesScale(of: [x])
    case .padWith:
      try areAlike([x, inputs[2], result])
      try passesScale(of: [x, inputs[2]])
    case .concatenation:
      try areAlike(inputs + [result])
      try passesScale(of: inputs)
    case .add: try areAlike(inputs + [result])
    case .mean: try areAlike([x, result])
    case .multiply, .maximum, .minimum, .relu, .relu6, .reluMinus1To1, .logistic, .tanh:
      guard !isWhole else { throw Problem("it is written in float32 alone") }
      try areAlike(inputs + [result])
    }
  }

  private var version: Int32 {
    switch step.code {
    case .convolution:
      inputs.count > 1 && inputs[1].shape.last != inputs[0].shape.last ? 6 : isWhole ? 3 : 1
    case .depthwiseConvolution:
      isWhole ? 3 : step.options[.dilationWidth] == 1 && step.options[.dilationHeight] == 1 ? 1 : 2
    case .fullyConnected: isWhole ? 4 : 1
    case .dequantize: 2
    case .quantize, .reshape: 1
    default: isWhole ? 2 : 1
    }
  }

  private func areAlike(_ tensors: [TFLiteModel.Tensor]) throws(Problem) {
    guard tensors.allSatisfy({ $0.element == result.element }) else { throw Problem("its inputs have other types") }
  }

  private func passesScale(of tensors: [TFLiteModel.Tensor]) throws(Problem) {
    guard tensors.allSatisfy({ $0.quantization == result.quantization }) else {
      throw Problem("its levels are not those of what it reads")
    }
  }

  /// Levels around 0, without −128; sums of products in units that follow from both scales.
  private func checkWholeWeights(axis: Int) throws(Problem) {
    let (filter, bias) = (inputs[1], inputs[2])
    guard let read = inputs[0].quantization, let own = filter.quantization, let sums = bias.quantization,
      filter.data?.contains(0x80) == false, own.zeroPoints.allSatisfy({ $0 == 0 }),
      own.scales.count == 1 || Int(own.axis) == axis
    else { throw Problem("its weights are no symmetric levels") }
    guard bias.element == .int32, bias.data != nil, sums.zeroPoints.allSatisfy({ $0 == 0 }),
      sums.scales == own.scales.map({ read.scales[0] * $0 }), sums.axis == 0
    else { throw Problem("its bias has other units than its sums") }
  }
}
