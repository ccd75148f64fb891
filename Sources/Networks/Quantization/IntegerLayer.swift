public import Tensors

/// What a kernel that computes in integers needs of a convolution or a dense layer.
public struct IntegerLayer: Hashable, Sendable {
  public let weights: QuantizedWeights
  /// In units of the sums, `s_x s_w`, one for each output channel; nil where the layer has none or what it reads is not
  /// rounded.
  public let bias: [Int32]?
  /// What the layer reads; nil where that is not rounded.
  public let input: Quantizer?

  /// The unit of an output channel's sums.
  public func scale(ofChannel channel: Int) -> Float { (input?.scale ?? 1) * weights.scale(ofChannel: channel) }
}

extension Network {
  /// The quantizer that a layer's numbers obey; nil where they are not rounded.
  public func quantizer(of node: Node, _ weights: Weights) -> Quantizer? {
    var node = node
    while self[node].operation.passesNumbersOn, let before = self[node].inputs.first { node = before }
    guard case .fakeQuantize(let rules) = self[node].operation, let low = weights["\(self[node].name).min"],
      let high = weights["\(self[node].name).max"]
    else { return nil }
    return rules.quantizer(low: low[flat: 0], high: high[flat: 0])
  }

  /// A layer in integers; nil where its weights are not rounded.
  ///
  /// A batch norm behind it must be folded in already.
  /// - Parameter weights: every parameter, by its full name.
  public func integerLayer(of node: Node, _ weights: Weights) -> IntegerLayer? {
    guard let rules = weightQuantization(of: node), let weight = weights["\(self[node].name).weight"] else {
      return nil
    }
    let input = quantizer(of: self[node].inputs[0], weights)
    var quantized = rules.quantized(weight)
    guard let input, let bias = weights["\(self[node].name).bias"]?.elements else {
      return IntegerLayer(weights: quantized, bias: nil, input: input)
    }
    quantized = rules.quantized(weight, holding: bias, inUnitsOf: input.scale, quantized)
    let units = bias.indices.map { input.scale * quantized.scale(ofChannel: $0) }
    let levels = zip(bias, units).map { bias, unit in
      Int32(
        (Double(bias) / Double(unit)).level(within: -WeightQuantization.largestBias...WeightQuantization.largestBias)
          ?? 0)
    }
    return IntegerLayer(weights: quantized, bias: levels, input: input)
  }

  /// How a layer's weights are rounded; nil where they are not.
  public func weightQuantization(of node: Node) -> WeightQuantization? { self[node].operation.weightQuantization }

  /// The batch norm that alone reads a convolution, whose weights are rounded as its running statistics scale them.
  package func foldedNorm(behind node: Node) -> (node: Node, rules: BatchNorm)? {
    let readers = consumers[node.index]
    guard case .convolution = self[node].operation, readers.count == 1,
      case .batchNorm(let rules) = self[readers[0]].operation
    else { return nil }
    return (readers[0], rules)
  }

  /// Whether any weight or activation is rounded.
  public var isQuantized: Bool {
    nodes.contains {
      if case .fakeQuantize = self[$0].operation { return true }
      return weightQuantization(of: $0) != nil
    }
  }

  /// The weights as a network in integers sees them: rounded, as real numbers. Those of a convolution before a
  /// batch norm are rounded as the batch norm's running statistics scale them.
  /// - Throws: `TensorError.outOfMemory`.
  public func roundedWeights(_ weights: Weights) throws(TensorError) -> Weights {
    var result = weights
    for node in nodes {
      guard let rules = weightQuantization(of: node), let weight = weights["\(self[node].name).weight"] else {
        continue
      }
      let (name, biasName) = ("\(self[node].name).weight", "\(self[node].name).bias")
      if let norm = foldedNorm(behind: node) {
        let factors = norm.rules.preciseFactors(weights, named: self[norm.node].name)
        let scaled = weight.scalingRows(by: factors)
        var rounded = try rules.quantized(scaled).floatValues().scalingRows(by: factors.map { $0 == 0 ? 0 : Float(1 / $0) })
        // Nothing comes through a factor of 0; as in training, its row stays.
        rounded.withUnsafeMutableElements { elements in
          let count = elements.count / max(factors.count, 1)
          for i in elements.indices where factors[i / count] == 0 { elements[i] = weight[flat: i] }
        }
        result[name] = rounded
        continue
      }
      guard let layer = integerLayer(of: node, weights) else { continue }
      result[name] = try layer.weights.floatValues()
      guard let levels = layer.bias else { continue }
      result[biasName]?.withUnsafeMutableElements { bias in
        for c in bias.indices { bias[c] = Float(levels[c]) * layer.scale(ofChannel: c) }
      }
    }
    return result
  }
}

extension BatchNorm {
  /// What the running statistics scale each channel by: `γ / √(σ² + ε)`.
  package func factors(_ weights: Weights, named name: String) -> [Float] {
    preciseFactors(weights, named: name).map { Float($0) }
  }

  fileprivate func preciseFactors(_ weights: Weights, named name: String) -> [Double] {
    guard let scale = weights["\(name).weight"], let variance = weights["\(name).running_var"] else { return [] }
    return zip(scale.elements, variance.elements).map { Double($0) / (Double($1) + Double(epsilon)).squareRoot() }
  }
}

extension Tensor {
  /// Each part along the first axis times its factor.
  package func scalingRows(by factors: [Float]) -> Tensor { mappingRows(of: factors.count) { $0 * factors[$1] } }

  /// The same as `FoldBatchNorm` does it: rounded once, so that both get the same levels.
  fileprivate func scalingRows(by factors: [Double]) -> Tensor {
    mappingRows(of: factors.count) { Float(Double($0) * factors[$1]) }
  }

  private func mappingRows(of rows: Int, _ change: (Float, Int) -> Float) -> Tensor {
    var result = self
    result.withUnsafeMutableElements { elements in
      let count = max(elements.count / max(rows, 1), 1)
      for i in elements.indices { elements[i] = change(elements[i], i / count) }
    }
    return result
  }
}

extension WeightQuantization {
  /// Sums of products and a bias must stay within 32 bits.
  static let largestBias = 1 << 30

  /// Wider steps for channels whose weights are so small that the bias would not fit.
  fileprivate func quantized(
    _ weight: Tensor, holding bias: [Float], inUnitsOf input: Float, _ quantized: QuantizedWeights
  ) -> QuantizedWeights {
    let smallest = bias.map { abs($0) / Float(Self.largestBias) / input }
    let isPerChannel = quantized.quantizers.count > 1
    let needed = isPerChannel ? smallest : [smallest.max() ?? 0]
    guard zip(quantized.quantizers, needed).contains(where: { $0.scale < $1 }) else { return quantized }
    let quantizers = zip(quantized.quantizers, needed).map { quantizer, needed in
      Quantizer(scale: max(quantizer.scale, needed), zero: quantizer.zero, levels: quantizer.levels)
    }
    let values = weight.withUnsafeElements { w in
      let count = max(w.count / max(weight.shape[0], 1), 1)
      return w.indices.map { Int16(quantizers[isPerChannel ? $0 / count : 0].stored(w[$0])) }
    }
    return QuantizedWeights(shape: weight.shape, values: values, quantizers: quantizers)
  }
}
