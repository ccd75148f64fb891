public import Tensors

/// How a convolution's or dense layer's weights are rounded to few levels. Their range is that of the weights as they
/// are, those of a following batch norm folded in.
///
/// - Source: Krishnamoorthi 2018 (arXiv:1806.08342), sections 2.1 to 2.4.
public struct WeightQuantization: Hashable, Sendable, Codable {
  /// 2 to 8.
  public var bits: Int
  /// Whether each output channel has a scale of its own.
  public var isPerChannel: Bool
  /// Whether 0 lies in the middle of the levels; integer kernels and TensorFlow Lite want that.
  public var isSymmetric: Bool
  /// Whether the lowest level is left out, as symmetric ones always do.
  public var isNarrow: Bool
  /// Steps of training before it begins.
  public var delay: Int

  public init(bits: Int = 8, isPerChannel: Bool = true, isSymmetric: Bool = true, isNarrow: Bool = true, delay: Int = 0)
  {
    (self.bits, self.isPerChannel, self.isSymmetric, self.isNarrow, self.delay) =
      (bits, isPerChannel, isSymmetric, isNarrow || isSymmetric, delay)
  }

  /// What a weight is stored as.
  package var levels: ClosedRange<Int> { Quantizer.signed(bits: bits, isNarrow: isNarrow) }

  /// The quantizer for weights between two numbers.
  public func quantizer(low: Float, high: Float) -> Quantizer {
    isSymmetric
      ? Quantizer(magnitude: max(-low, high, 0), levels: levels) : Quantizer(low: low, high: high, levels: levels)
  }

  /// - Parameter weight: the first axis is the output channels'.
  public func quantized(_ weight: Tensor) -> QuantizedWeights {
    let channels = weight.shape[0]
    return weight.withUnsafeElements { w in
      let count = max(w.count / max(channels, 1), 1)
      let parts =
        isPerChannel ? (0..<channels).map { w[$0 * count..<($0 + 1) * count] } : [w[w.startIndex..<w.endIndex]]
      let quantizers = parts.map { part in
        let range = part.rangeWithZero
        return quantizer(low: range.low, high: range.high)
      }
      let values = w.indices.map { i in Int16(quantizers[isPerChannel ? i / count : 0].stored(w[i])) }
      return QuantizedWeights(shape: weight.shape, values: values, quantizers: quantizers)
    }
  }

  var summary: String {
    "\(bits)-bit weights per \(isPerChannel ? "channel" : "tensor")\(isSymmetric ? "" : ", asymmetric")"
  }
}

/// Weights in integers.
public struct QuantizedWeights: Hashable, Sendable {
  public let shape: Shape
  /// Row-major.
  public let values: [Int16]
  /// One for all, or one for each place along the first axis.
  public let quantizers: [Quantizer]

  /// The step of an output channel's integers.
  public func scale(ofChannel channel: Int) -> Float { quantizers[quantizers.count == 1 ? 0 : channel].scale }

  /// The float32 values that the integers stand for.
  /// - Throws: `TensorError.outOfMemory`.
  public func floatValues() throws(TensorError) -> Tensor {
    let count = max(values.count / max(shape[0], 1), 1)
    var result = try Tensor(zeros: shape)
    result.withUnsafeMutableElements { elements in
      for i in elements.indices { elements[i] = quantizers[quantizers.count == 1 ? 0 : i / count].real(Int(values[i])) }
    }
    return result
  }
}
