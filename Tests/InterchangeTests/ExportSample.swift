import Interchange
import ModelZoo
import Networks
import Tensors

/// A network to export, small enough for its definition to be evaluated.
struct ExportSample: Sendable, CustomStringConvertible {
  let name: String
  let network: Network
  var description: String { name }

  /// Numbers that follow from the name of each parameter without a logarithm or a cosine, so that their bits, and those
  /// of the files, are the same on every machine.
  func weights() throws -> Weights {
    var weights = Weights()
    let isResidual = network.layers.contains { $0.operation == .add(Add()) }
    for (place, (name, rule)) in network.parameters.enumerated() {
      let inputs = rule.shape.sample.elementCount
      weights[name] = try uniform(rule.shape, place: place) { u in
        switch rule.role {
        case .weight: u * (6 / Double(inputs)).squareRoot()
        // Small where sums of residual branches would grow; elsewhere what the first layers do would be lost.
        case .scale: (1 + u / 2) * (isResidual ? 0.5 : 1)
        case .bias, .shift, .runningMean: u / 8
        case .runningVariance: 1 + u / 2
        case .rangeLow: -6
        case .rangeHigh: 6
        }
      }
    }
    return weights
  }

  /// What its files tell besides.
  var facts: ModelDescription {
    let input = network.shape(of: network.input)
    let channels = input.rank == 3 ? input[0] : 1
    return ModelDescription(
      classes: (0..<network.shape(of: network.output).elementCount).map { "class \($0)" },
      mean: [Float](repeating: 0.5, count: channels), std: [Float](repeating: 0.25, count: channels),
      producerVersion: "1.0.0")
  }

  func exported(as format: FileFormat) throws -> [UInt8] { try network.exported(weights(), as: format, facts) }

  func batch(_ count: Int) throws -> Tensor {
    try uniform(network.shape(of: network.input).batched(count), place: -1) { $0 }
  }

  /// The network's answers by its definition, in 64 bits.
  func reference(_ batch: Tensor, _ weights: Weights) -> NDArray<Double> {
    network.reference(batch.map { Double($0) }, weights: weights.mapValues { $0.map { Double($0) } })
  }

  private func uniform(_ shape: Shape, place: Int, _ value: (_ u: Double) -> Double) throws -> Tensor {
    var random = RandomKey(seed: 7, for: .initialization, sample: place).generator()
    var tensor = try Tensor(zeros: shape)
    tensor.withUnsafeMutableElements { elements in
      for i in elements.indices { elements[i] = Float(value(2 * random.uniformDouble() - 1)) }
    }
    return tensor
  }
}

extension ExportSample {
  static let families: [ExportSample] = {
    do {
      return try [
        ExportSample(name: "resnet8", network: CIFARResNet(depth: 8).network(input: [3, 32, 32], classes: 10)),
        ExportSample(
          name: "resnet18", network: ResNet(.resnet18, dropPath: 0.1).network(input: [3, 16, 16], classes: 10)),
        ExportSample(
          name: "resnet18-stem", network: ResNet(.resnet18).network(input: [3, 72, 66], classes: 10)),
        ExportSample(
          name: "resnet50", network: ResNet(.resnet50).network(input: [1, 8, 8], classes: 10)),
        ExportSample(
          name: "mobilenetV1-25",
          network: MobileNetV1(width: 0.25, dropout: 0.1).network(input: [1, 28, 28], classes: 10)),
        ExportSample(
          name: "mobilenetV1-25-stem", network: MobileNetV1(width: 0.25).network(input: [3, 96, 96], classes: 10)),
        ExportSample(
          name: "vgg11BN",
          network: VGG(.vgg11, hasBatchNorm: true, hiddenFeatures: 32).network(input: [1, 28, 28], classes: 10)),
        ExportSample(
          name: "vgg11-wide", network: VGG(.vgg11, hiddenFeatures: 32).network(input: [3, 64, 64], classes: 10)),
        pruned("resnet8-pruned", CIFARResNet(depth: 8).network(input: [1, 28, 28], classes: 10)),
        pruned("mobilenetV1-25-pruned", MobileNetV1(width: 0.25).network(input: [1, 28, 28], classes: 10)),
        pruned(
          "vgg11BN-pruned",
          VGG(.vgg11, hasBatchNorm: true, hiddenFeatures: 32).network(input: [3, 32, 64], classes: 10)),
      ]
    } catch {
      fatalError("\(error)")
    }
  }()

  /// Without about a third of the channels of every other group that can do without.
  private static func pruned(_ name: String, _ network: Network) throws -> ExportSample {
    let groups = ChannelGroups(of: network)
    let kept = Dictionary(
      uniqueKeysWithValues: groups.prunable.enumerated().filter { $0.offset % 2 == 0 }.map { _, group in
        (group, (0..<groups.groups[group].channels).filter { $0 % 3 != 1 })
      })
    return ExportSample(name: name, network: try PruneChannels(keeping: kept, of: groups)(network, [:]).0)
  }

  /// Every operation that is written, over the sizes that kernels treat differently; and combinations that an exporter
  /// may get wrong.
  static let operations: [ExportSample] =
    operationSamples.compactMap { sample in
      guard !sample.inputs.contains(where: { $0.rank == 2 }), !isRefused(sample.operation) else { return nil }
      return alone(sample)
    } + combinations

  /// Operations of which the formats have no exact equivalent here.
  static let refused: [ExportSample] = operationSamples.compactMap { sample in
    isRefused(sample.operation) && sample.inputs[0].rank != 2 ? alone(sample) : nil
  }

  private static func isRefused(_ operation: Operation) -> Bool {
    switch operation {
    case .tokens, .tokenMean, .layerNorm, .gelu, .layerScale, .attention: true
    default: false
    }
  }

  /// A network of one operation; what it needs as further inputs is made of the first.
  private static func alone(_ sample: OperationSample) -> ExportSample {
    do {
      var network = Network(sample.name, input: sample.inputs[0])
      guard sample.operation.title != Input.title else { return ExportSample(name: sample.name, network: network) }
      let inputs = try sample.inputs.enumerated().map { i, shape in
        guard i > 0 else { return network.input }
        let maker: Operation =
          shape.rank == 3
          ? .convolution(Convolution(to: shape[0], Window(kernel: 1), hasBias: true)) : .dense(Dense(to: shape[0]))
        return try network.append(maker, to: network.input)
      }
      try network.append(sample.operation, to: inputs, named: "it")
      return ExportSample(name: sample.name, network: network)
    } catch {
      fatalError("\(sample): \(error)")
    }
  }

  private static let combinations: [ExportSample] = {
    func sample(_ name: String, _ input: Shape, _ build: (inout Network) throws -> Void) -> ExportSample {
      var network = Network(name, input: input)
      do { try build(&network) } catch { fatalError("\(name): \(error)") }
      return ExportSample(name: name, network: network)
    }
    let convolution = Operation.convolution(Convolution(to: 6, Window(kernel: 3, stride: 2, padding: 1)))
    return [
      sample("a relu that two read", [3, 9, 9]) { network in
        let x = try network.append(convolution, to: network.input)
        let y = try network.append(.relu(ReLU()), to: x)
        try network.append(.add(Add()), to: x, y)
      },
      sample("a batch norm after an add, and relu6", [3, 6, 6]) { network in
        var x = try network.append(.batchNorm(BatchNorm(epsilon: 1e-3)), to: network.input)
        x = try network.append(.add(Add()), to: x, network.input)
        x = try network.append(.batchNorm(BatchNorm()), to: x)
        try network.append(.clip(.relu6), to: x)
      },
      sample("a flatten that stays", [3, 4, 5]) { network in
        let x = try network.append(convolution, to: network.input)
        try network.append(.flatten(Flatten()), to: x)
      },
      sample("a flatten, activations, and two dense layers", [3, 4, 5]) { network in
        var x = try network.append(.flatten(Flatten()), to: network.input)
        x = try network.append(.dropout(Dropout(rate: 0.5)), to: x)
        x = try network.append(.tanh(Tanh()), to: x)
        let y = try network.append(.dense(Dense(to: 7)), to: x)
        let z = try network.append(.dense(Dense(to: 7, hasBias: false)), to: x)
        let sum = try network.append(.add(Add()), to: y, z)
        try network.append(.clip(Clip(low: -1, high: 1)), to: sum)
      },
      sample("a flatten of what was flattened", [3, 4, 5]) { network in
        var x = try network.append(.flatten(Flatten()), to: network.input)
        x = try network.append(.flatten(Flatten()), to: x)
        try network.append(.dense(Dense(to: 3)), to: x)
      },
      sample("a max pool of what is not below 0", [3, 8, 8]) { network in
        let x = try network.append(.sigmoid(Sigmoid()), to: network.input)
        try network.append(.maxPool(MaxPool(Window(kernel: 3, stride: 2, padding: 1))), to: x)
      },
      sample("dropout at the end", [3, 4, 4]) { network in
        let x = try network.append(.relu(ReLU()), to: network.input)
        try network.append(.dropout(Dropout(rate: 0.5)), to: x)
      },
    ]
  }()
}
