import Interchange
import ModelZoo
import Networks
import Synchronization
import Tensors

/// A network with quantizers, whose ranges are those of a few images.
struct QuantizedSample: Sendable, CustomStringConvertible {
  /// The network in float32.
  let plain: ExportSample
  let scheme: QuantizationScheme
  let network: Network
  /// Nil where both formats can hold it.
  let onlyFormat: FileFormat?
  var name: String { plain.name }
  var description: String { name }
  var formats: [FileFormat] { onlyFormat.map { [$0] } ?? FileFormat.allCases }

  init(
    _ name: String, _ network: Network, only format: FileFormat? = nil,
    _ change: (inout QuantizationScheme) -> Void = { _ in }
  ) {
    plain = ExportSample(name: name, network: network)
    var scheme = QuantizationScheme()
    change(&scheme)
    self.scheme = scheme
    onlyFormat = format
    do { self.network = try InsertQuantizers(scheme)(network, [:]).0 } catch { fatalError("\(name): \(error)") }
  }

  /// The numbers of `ExportSample`, and ranges by the definitions in 64 bits: the same on every machine.
  func weights() throws -> Weights {
    if let known = Self.known.withLock({ $0[name] }) { return known }
    let weights = try referenceWeights()
    Self.known.withLock { $0[name] = weights }
    return weights
  }

  private static let known = Mutex<[String: Weights]>([:])

  private func referenceWeights() throws -> Weights {
    let (weights, batch) = (try plain.weights(), try plain.batch(2))
    let activations = plain.network.referenceActivations(
      batch.map { Double($0) }, weights: weights.mapValues { $0.map { Double($0) } })
    return try ranged(weights) { node in
      let elements = activations[node.index].elements
      return (Float(elements.min() ?? 0), Float(elements.max() ?? 0))
    }
  }

  /// Adds the ranges of layers of the plain network.
  func ranged(_ weights: Weights, _ range: (Network.Node) throws -> (Float, Float)) throws -> Weights {
    var weights = weights
    for layer in network.layers where layer.operation.title == FakeQuantize.title {
      let read = network[layer.inputs[0]].name
      let node = plain.network.nodes.first { plain.network[$0].name == read }!
      let (low, high) = try range(node)
      weights["\(layer.name).min"] = try Tensor([low], shape: [1])
      weights["\(layer.name).max"] = try Tensor([high], shape: [1])
    }
    return weights
  }

  func exported(as format: FileFormat) throws -> [UInt8] { try network.exported(weights(), as: format, plain.facts) }

  /// The answers of the network with its weights and biases rounded, by its definition in 64 bits.
  func reference(_ batch: Tensor, _ weights: Weights) throws -> NDArray<Double> {
    let (folded, foldedWeights) = try FoldBatchNorm()(network, weights)
    return folded.reference(
      batch.map { Double($0) }, weights: try folded.roundedWeights(foldedWeights).mapValues { $0.map { Double($0) } })
  }

  /// The step of the answer; nil where that is not rounded.
  func step(_ weights: Weights) -> Float? { network.quantizer(of: network.output, weights)?.scale }
}

extension QuantizedSample {
  static let families: [QuantizedSample] = {
    do {
      return try [
        QuantizedSample("int8-resnet8", CIFARResNet(depth: 8).network(input: [3, 32, 32], classes: 10)),
        QuantizedSample(
          "int8-mobilenetV1-25", MobileNetV1(width: 0.25, dropout: 0.1).network(input: [1, 28, 28], classes: 10)),
        QuantizedSample(
          "int8-mobilenetV1-25-stem", MobileNetV1(width: 0.25).network(input: [3, 38, 34], classes: 10)),
      ]
    } catch {
      fatalError("\(error)")
    }
  }()

  /// Schemes, and layers that an exporter may get wrong.
  static let combinations: [QuantizedSample] = {
    func network(_ name: String, _ input: Shape, _ build: (inout Network) throws -> Void) -> Network {
      var network = Network(name, input: input)
      do { try build(&network) } catch { fatalError("\(name): \(error)") }
      return network
    }
    func convolution(_ channels: Int, _ network: inout Network, _ x: Network.Node, _ name: String) throws
      -> Network.Node
    {
      try network.append(
        .convolution(Convolution(to: channels, Window(kernel: 3, padding: 1), hasBias: true)), to: x, named: name)
    }
    let pooled = network("pooled", [3, 21, 22]) { network in
      var x = try convolution(6, &network, network.input, "a")
      x = try network.append(.maxPool(MaxPool(Window(kernel: 3, stride: 2, padding: 1))), to: x)
      x = try network.append(.relu(ReLU()), to: convolution(8, &network, x, "b"))
      x = try network.append(.maxPool(MaxPool(Window(kernel: 2, stride: 2))), to: x)
      x = try network.append(.flatten(Flatten()), to: x)
      x = try network.append(.relu(ReLU()), to: network.append(.dense(Dense(to: 16)), to: x, named: "fc1"))
      x = try network.append(.dropout(Dropout(rate: 0.5)), to: x)
      try network.append(.dense(Dense(to: 7)), to: x, named: "fc2")
    }
    let resnet: Network
    do { resnet = try CIFARResNet(depth: 8).network(input: [3, 16, 16], classes: 10) } catch { fatalError("\(error)") }
    let joined = network("joined", [3, 9, 9]) { network in
      let a = try convolution(4, &network, network.input, "a")
      let b = try network.append(.relu(ReLU()), to: convolution(6, &network, network.input, "b"))
      let both = try network.append(.concatenation(Concatenation()), to: a, b, named: "both")
      let pooled = try network.append(.maxPool(MaxPool(Window(kernel: 3, stride: 2, padding: 1))), to: both)
      let flat = try network.append(.flatten(Flatten()), to: pooled)
      try network.append(.dense(Dense(to: 5)), to: flat, named: "fc")
    }
    let clipped = network("clipped", [2, 12, 12]) { network in
      var x = try convolution(4, &network, network.input, "a")
      x = try network.append(.clip(Clip(low: -0.25, high: 0.5)), to: x)
      x = try network.append(.averagePool(AveragePool(Window(kernel: 2, stride: 2))), to: x)
      x = try network.append(.sigmoid(Sigmoid()), to: convolution(4, &network, x, "b"))
      x = try network.append(.convolution(Convolution(to: 4, Window(kernel: 3, dilation: 2), groups: 2)), to: x)
      x = try network.append(.batchNorm(BatchNorm()), to: x)
      x = try network.append(.convolution(Convolution(to: 8, Window(kernel: 2), groups: 4)), to: x)
      x = try network.append(.flatten(Flatten()), to: x)
      try network.append(.tanh(Tanh()), to: x)
    }
    return [
      QuantizedSample("int8 weights per tensor", resnet) { $0.weights.isPerChannel = false },
      QuantizedSample("weights of 7 bits", resnet) { $0.weights.bits = 7 },
      QuantizedSample("weights of 4 bits", resnet) { $0.weights.bits = 4 },
      QuantizedSample("int8 but logits in 32 bits", resnet) { $0.roundsOutput = false },
      QuantizedSample("int8 but the first and last layer", resnet) { $0.kept = ["conv1", "fc"] },
      QuantizedSample("int8 but the input", resnet) { $0.kept = ["input"] },
      QuantizedSample("int8 but a sum", resnet) {
        $0.kept = [resnet.layers.first { $0.operation == .add(Add()) }!.name]
      },
      QuantizedSample("int8 pools and a flatten", pooled),
      QuantizedSample("int8 concatenation", joined),
      QuantizedSample("int8 clips and what has no form in 8 bits", clipped),
      QuantizedSample("activations of 4 bits", joined, only: .onnx) { $0.activationBits = 4 },
      QuantizedSample("asymmetric weights", joined, only: .onnx) {
        $0.weights = WeightQuantization(isSymmetric: false, isNarrow: false)
      },
    ]
  }()
  static let all = families + combinations
}
