import Foundation
import Interchange
import Networks
import SwiftProtobuf
import Tensors

// What a file says, evaluated in 64 bits by the definitions of our own operations: slow, and only for what is exported.

struct Unsupported: Error { let text: String }

private func apply(
  _ rules: some OperationRules, _ inputs: [NDArray<Double>], _ parameters: [NDArray<Double>] = []
) -> NDArray<Double> { rules.reference(inputs, parameters, .inference) }

extension TFLiteModel {
  /// - Parameter batch: `N C H W` or `N F`.
  /// - Returns: as the network would: images as `N C H W`.
  func evaluate(_ batch: NDArray<Double>) throws -> NDArray<Double> {
    var values: [Int32: NDArray<Double>] = [inputs[0]: tensors[Int(inputs[0])].rounded(batch)]
    for step in operators {
      let x = try required(values[step.inputs[0]], "a value that is not there")
      let result = tensors[Int(step.outputs[0])]
      values[step.outputs[0]] = result.rounded(
        try step.evaluate(x, step.inputs.map { values[$0] }, step.inputs.map { tensors[Int($0)] }))
    }
    return try required(values[outputs[0]], "no output")
  }
}

extension TFLiteModel.Tensor {
  /// What the numbers stand for.
  fileprivate var floats: [Double] {
    (data ?? []).withUnsafeBytes { raw in
      guard let quantization else {
        return (0..<raw.count / 4).map { Double(raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)) }
      }
      let scales = quantization.scales
      let inner = extents.dropFirst(Int(quantization.axis) + 1).reduce(1, *)
      return (0..<raw.count / element.byteCount).map { i in
        let level = element == .int8 ? Int32(raw.loadUnaligned(fromByteOffset: i, as: Int8.self)) : Int32(ints[i])
        return Double(
          scales[scales.count == 1 ? 0 : i / inner % scales.count] * Float(Int64(level) - quantization.zeroPoints[0]))
      }
    }
  }
  /// The reals that are left of some where the tensor holds levels.
  fileprivate func rounded(_ reals: NDArray<Double>) -> NDArray<Double> {
    guard let quantization else { return reals }
    let quantizer = Quantizer(
      scale: quantization.scales[0], zero: Int(quantization.zeroPoints[0]), levels: -128...127)
    return reals.map { Double(quantizer.rounded(Float($0))) }
  }
  fileprivate var ints: [Int] {
    (data ?? []).withUnsafeBytes { raw in
      (0..<raw.count / 4).map { Int(raw.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
    }
  }
  fileprivate var extents: [Int] { shape.map { Int($0) } }
}

extension TFLiteModel.Operator {
  /// Images come and go as `N C H W`, though the model has them as `N H W C`.
  fileprivate func evaluate(
    _ x: NDArray<Double>, _ values: [NDArray<Double>?], _ tensors: [TFLiteModel.Tensor]
  ) throws -> NDArray<Double> {
    switch code {
    case .convolution:
      let (o, h, w, i) = (tensors[1].extents[0], tensors[1].extents[1], tensors[1].extents[2], tensors[1].extents[3])
      let filter = tensors[1].floats
      let weight = try NDArray(
        (0..<filter.count).map { p in
          let (c, y, z) = (p / (h * w) % i, p / w % h, p % w)
          return filter[((p / (i * h * w) * h + y) * w + z) * i + c]
        }, shape: [o, i, h, w])
      let rules = Convolution(
        to: o, window(h, w, over: x), groups: x.shape[1] / i, hasBias: true)
      return activated(apply(rules, [x], [weight, try NDArray(tensors[2].floats, shape: [o])]))
    case .depthwiseConvolution:
      let (h, w, o) = (tensors[1].extents[1], tensors[1].extents[2], tensors[1].extents[3])
      let filter = tensors[1].floats
      let weight = try NDArray(
        (0..<filter.count).map { p in filter[p % (h * w) * o + p / (h * w)] }, shape: [o, 1, h, w])
      let rules = Convolution(to: o, window(h, w, over: x), groups: x.shape[1], hasBias: true)
      return activated(apply(rules, [x], [weight, try NDArray(tensors[2].floats, shape: [o])]))
    case .maxPool:
      return activated(apply(MaxPool(window(Int(options[.filterHeight]), Int(options[.filterWidth]), over: x)), [x]))
    case .averagePool:
      let window = window(Int(options[.filterHeight]), Int(options[.filterWidth]), over: x)
      return activated(apply(AveragePool(window, countsPadding: false), [x]))
    case .fullyConnected:
      let weight = try NDArray(tensors[1].floats, shape: Shape(tensors[1].extents))
      let bias = try NDArray(tensors[2].floats, shape: Shape(tensors[2].extents))
      return activated(apply(Dense(to: weight.shape[0]), [x], [weight, bias]))
    case .add, .multiply:
      let area = x.shape.rank == 4 ? x.shape[2] * x.shape[3] : 1
      let other =
        values[1].map { value in { value[flat: $0] } }
        ?? {
          let constant = tensors[1].floats
          return { constant[$0 / area % constant.count] }
        }()
      return activated(
        try NDArray(
          (0..<x.count).map { code == .add ? x[flat: $0] + other($0) : x[flat: $0] * other($0) }, shape: x.shape))
    case .maximum: return x.map { max($0, tensors[1].floats[0]) }
    case .minimum: return x.map { min($0, tensors[1].floats[0]) }
    case .relu: return apply(ReLU(), [x])
    case .relu6: return apply(Clip.relu6, [x])
    case .reluMinus1To1: return apply(Clip(low: -1, high: 1), [x])
    case .logistic: return apply(Sigmoid(), [x])
    case .tanh: return apply(Tanh(), [x])
    case .quantize, .dequantize: return x
    case .concatenation: return apply(Concatenation(), values.map { $0! })
    case .mean: return apply(GlobalAveragePool(), [x])
    case .pad, .padWith:
      let sides = tensors[1].ints
      let fill = code == .pad ? 0 : tensors[2].floats[0]
      let (height, width) = (x.shape[2] + sides[2] + sides[3], x.shape[3] + sides[4] + sides[5])
      let shape: Shape = [x.shape[0], x.shape[1], height, width]
      return try NDArray(
        (0..<shape.elementCount).map { p in
          let (row, column) = (p / width % height - sides[2], p % width - sides[4])
          guard (0..<x.shape[2]).contains(row), (0..<x.shape[3]).contains(column) else { return fill }
          return x[flat: (p / (height * width) * x.shape[2] + row) * x.shape[3] + column]
        }, shape: shape)
    case .transpose:
      // `N H W C` to `N C H W`: as the values lie here already. Marked by a fifth axis, for the reshape after it.
      return try x.reshaped(to: Shape(x.shape.extents + [1]))
    case .reshape:
      let count = x.shape.sample.elementCount
      guard x.shape.rank == 4 else { return try x.reshaped(to: [x.shape[0], count]) }
      let (channels, area) = (x.shape[1], x.shape[2] * x.shape[3])
      return try NDArray(
        (0..<x.count).map { p in
          let (n, pixel, c) = (p / count, p % count / channels, p % channels)
          return x[flat: (n * channels + c) * area + pixel]
        }, shape: [x.shape[0], count])
    }
  }

  private func window(_ height: Int, _ width: Int, over x: NDArray<Double>) -> Window {
    let dilation =
      [.convolution, .depthwiseConvolution].contains(code)
      ? Extent(height: Int(options[.dilationHeight]), width: Int(options[.dilationWidth])) : 1
    var window = Window(
      kernel: Extent(height: height, width: width),
      stride: Extent(height: Int(options[.strideHeight]), width: Int(options[.strideWidth])), dilation: dilation)
    if options[.padding] == TFLiteModel.Padding.same.rawValue {
      window.padding = Padding.same(x.shape.sample, window: window)
    }
    return window
  }

  private func activated(_ y: NDArray<Double>) -> NDArray<Double> {
    switch TFLiteModel.Activation(rawValue: options[.activation]) {
    case .relu: apply(ReLU(), [y])
    case .relu6: apply(Clip.relu6, [y])
    case .reluMinus1To1: apply(Clip(low: -1, high: 1), [y])
    default: y
    }
  }
}

extension Onnx_ModelProto {
  func evaluate(_ batch: NDArray<Double>) throws -> NDArray<Double> {
    var values = [graph.input[0].name: batch]
    for tensor in graph.initializer {
      let floats = tensor.rawData.withUnsafeBytes { raw in
        switch tensor.dataType {
        case 2: raw.map { Double($0) }
        case 3: raw.map { Double(Int8(bitPattern: $0)) }
        case 6: (0..<raw.count / 4).map { Double(raw.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
        default: (0..<raw.count / 4).map { Double(raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)) }
        }
      }
      values[tensor.name] = try NDArray(floats, shape: Shape(tensor.dims.map { Int($0) }))
    }
    for node in graph.node {
      values[node.output[0]] = try node.evaluate(node.input.map { try required(values[$0], $0) })
    }
    return try required(values[graph.output[0].name], "no output")
  }
}

extension Onnx_NodeProto {
  private func ints(_ name: String) -> [Int] { attribute.first { $0.name == name }?.ints.map { Int($0) } ?? [] }
  private func int(_ name: String) -> Int { Int(attribute.first { $0.name == name }?.i ?? 0) }

  private var window: Window {
    let (kernel, strides, pads, dilations) = (ints("kernel_shape"), ints("strides"), ints("pads"), ints("dilations"))
    return Window(
      kernel: Extent(height: kernel[0], width: kernel[1]), stride: Extent(height: strides[0], width: strides[1]),
      padding: Padding(top: pads[0], left: pads[1], bottom: pads[2], right: pads[3]),
      dilation: dilations.isEmpty ? 1 : Extent(height: dilations[0], width: dilations[1]))
  }

  fileprivate func evaluate(_ inputs: [NDArray<Double>]) throws -> NDArray<Double> {
    let x = inputs[0]
    switch opType {
    case "Conv":
      let rules = Convolution(to: inputs[1].shape[0], window, groups: int("group"), hasBias: inputs.count == 3)
      return apply(rules, [x], Array(inputs[1...]))
    case "BatchNormalization":
      let epsilon = attribute.first { $0.name == "epsilon" }!.f
      return apply(BatchNorm(epsilon: epsilon), [x], Array(inputs[1...]))
    case "Relu": return apply(ReLU(), [x])
    case "Clip": return x.map { min(max($0, inputs[1][flat: 0]), inputs[2][flat: 0]) }
    case "Sigmoid": return apply(Sigmoid(), [x])
    case "Tanh": return apply(Tanh(), [x])
    case "Identity": return x
    case "QuantizeLinear":
      let quantizer = Quantizer(scale: Float(inputs[1][flat: 0]), zero: Int(inputs[2][flat: 0]), levels: 0...255)
      return x.map { Double(quantizer.stored(Float($0))) }
    case "DequantizeLinear":
      let count = x.count / inputs[1].count
      return try NDArray(
        (0..<x.count).map { i in
          let channel = inputs[1].count == 1 ? 0 : i / count
          return Double(Float(inputs[1][flat: channel]) * Float(x[flat: i] - inputs[2][flat: channel]))
        }, shape: x.shape)
    case "Add": return apply(Add(), inputs)
    case "Concat": return apply(Concatenation(), inputs)
    case "MaxPool": return apply(MaxPool(window), [x])
    case "AveragePool": return apply(AveragePool(window, countsPadding: int("count_include_pad") == 1), [x])
    case "GlobalAveragePool": return apply(GlobalAveragePool(), [x])
    case "Flatten": return apply(Flatten(), [x])
    case "Gemm":
      return apply(Dense(to: inputs[1].shape[0], hasBias: inputs.count == 3), [x], Array(inputs[1...]))
    default: throw Unsupported(text: opType)
    }
  }
}

/// The value, or an error that names it.
private func required<Value>(_ value: Value?, _ name: String) throws -> Value {
  guard let value else { throw Unsupported(text: name) }
  return value
}
