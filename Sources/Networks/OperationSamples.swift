package import Tensors

/// An operation with inputs to try it on. The suites of shape, cost, kernel and gradient run over these.
package struct OperationSample: Sendable, CustomStringConvertible {
  package let name: String
  package let operation: Operation
  /// The shape of one sample of each input.
  package let inputs: [Shape]
  package let batch: Int
  package var description: String {
    "\(name) of \(inputs.map { "(\($0))" }.joined(separator: " and ")), batch \(batch)"
  }

  init(_ name: String, _ operation: Operation, _ inputs: Shape..., batch: Int) {
    (self.name, self.operation, self.inputs, self.batch) = (name, operation, inputs, batch)
  }
}

/// Every operation, over the sizes that kernels treat differently: channels that fill vectors and that do not, odd
/// images, strides that leave a rest, padding on one side only.
package let operationSamples: [OperationSample] =
  convolutionSamples + normalizationSamples + elementwiseSamples + poolingSamples + featureSamples
  + tokenSamples

private func convolution(
  _ outputChannels: Int, _ kernel: Extent, stride: Extent = 1, padding: Padding = 0, dilation: Extent = 1,
  groups: Int = 1, hasBias: Bool = false
) -> Operation {
  .convolution(
    Convolution(
      to: outputChannels, Window(kernel: kernel, stride: stride, padding: padding, dilation: dilation), groups: groups,
      hasBias: hasBias))
}

private let convolutionSamples: [OperationSample] = [
  OperationSample("3x3 convolution", convolution(16, 3, padding: 1), [16, 8, 8], batch: 2),
  OperationSample("3x3 convolution of 64 channels", convolution(64, 3, padding: 1), [64, 14, 14], batch: 2),
  OperationSample("3x3 convolution with bias", convolution(32, 3, padding: 1, hasBias: true), [16, 7, 7], batch: 5),
  OperationSample("3x3 convolution of few channels", convolution(5, 3, padding: 1), [3, 9, 11], batch: 1),
  OperationSample("3x3 convolution of odd channels", convolution(24, 3, padding: 1), [17, 5, 7], batch: 2),
  OperationSample(
    "3x3 convolution from one channel", convolution(17, 3, padding: 1, hasBias: true), [1, 28, 28], batch: 2),
  OperationSample("3x3 convolution, stride 2", convolution(32, 3, stride: 2, padding: 1), [16, 9, 9], batch: 2),
  OperationSample(
    "3x3 convolution, stride 2 over an even picture", convolution(16, 3, stride: 2, padding: 1), [32, 8, 8], batch: 5),
  OperationSample(
    "3x3 convolution padded as TensorFlow does",
    convolution(16, 3, stride: 2, padding: Padding(top: 0, left: 0, bottom: 1, right: 1)), [16, 8, 8], batch: 2),
  OperationSample(
    "3x3 convolution, padding of four kinds",
    convolution(24, 3, padding: Padding(top: 0, left: 1, bottom: 2, right: 0), hasBias: true), [5, 6, 8], batch: 1),
  OperationSample("3x3 convolution, dilation 2", convolution(16, 3, padding: 2, dilation: 2), [16, 9, 9], batch: 2),
  OperationSample(
    "3x1 convolution, two strides",
    convolution(
      8, Extent(height: 3, width: 1), stride: Extent(height: 1, width: 2),
      padding: Padding(top: 1, left: 0, bottom: 1, right: 0)), [16, 7, 9], batch: 2),
  OperationSample("1x1 convolution", convolution(64, 1), [16, 7, 7], batch: 2),
  OperationSample("1x1 convolution of odd channels", convolution(17, 1, hasBias: true), [24, 5, 5], batch: 5),
  OperationSample("1x1 convolution, stride 2", convolution(64, 1, stride: 2), [32, 8, 8], batch: 2),
  OperationSample("1x1 convolution, stride 2 over an odd picture", convolution(24, 1, stride: 2), [5, 7, 7], batch: 1),
  OperationSample("1x1 convolution of a 1x1 picture", convolution(32, 1), [64, 1, 1], batch: 5),
  OperationSample("7x7 stem", convolution(64, 7, stride: 2, padding: 3), [3, 33, 33], batch: 2),
  OperationSample("7x7 convolution", convolution(16, 7, padding: 3, hasBias: true), [16, 7, 7], batch: 1),
  OperationSample("3x3 convolution, 4 groups", convolution(32, 3, padding: 1, groups: 4), [64, 7, 7], batch: 2),
  OperationSample(
    "3x3 convolution, 3 odd groups", convolution(15, 3, padding: 1, groups: 3, hasBias: true), [9, 5, 5], batch: 2),
  OperationSample("depthwise 3x3", convolution(32, 3, padding: 1, groups: 32), [32, 8, 8], batch: 2),
  OperationSample(
    "depthwise 3x3, stride 2", convolution(64, 3, stride: 2, padding: 1, groups: 64), [64, 9, 9], batch: 2),
  OperationSample("depthwise 3x3 of odd channels", convolution(17, 3, padding: 1, groups: 17), [17, 7, 5], batch: 5),
  OperationSample(
    "depthwise 3x3 with bias", convolution(24, 3, stride: 2, padding: 1, groups: 24, hasBias: true), [24, 8, 8],
    batch: 1),
  OperationSample("depthwise 3x3, two outputs each", convolution(16, 3, padding: 1, groups: 8), [8, 6, 6], batch: 2),
]

private let normalizationSamples: [OperationSample] = [
  OperationSample("batch norm", .batchNorm(BatchNorm()), [16, 7, 7], batch: 2),
  OperationSample("batch norm of 64 channels", .batchNorm(BatchNorm()), [64, 14, 14], batch: 5),
  OperationSample("batch norm of odd channels", .batchNorm(BatchNorm()), [17, 5, 3], batch: 2),
  OperationSample(
    "batch norm of few channels", .batchNorm(BatchNorm(epsilon: 1e-3, momentum: 0.01)), [3, 9, 9], batch: 5),
  OperationSample("batch norm of one sample", .batchNorm(BatchNorm()), [24, 4, 4], batch: 1),
]

private let elementwiseSamples: [OperationSample] = [
  OperationSample("relu", .relu(ReLU()), [16, 7, 7], batch: 2),
  OperationSample("relu of odd channels", .relu(ReLU()), [17, 5, 3], batch: 5),
  OperationSample("relu of a vector", .relu(ReLU()), [10], batch: 1),
  OperationSample("relu6", .clip(.relu6), [32, 7, 7], batch: 2),
  OperationSample("clip", .clip(Clip(low: -1, high: 0.5)), [5, 3, 9], batch: 5),
  OperationSample("clip of a vector", .clip(Clip(low: 0, high: 1)), [17], batch: 1),
  OperationSample("sigmoid", .sigmoid(Sigmoid()), [16, 5, 5], batch: 2),
  OperationSample("sigmoid of a vector", .sigmoid(Sigmoid()), [3], batch: 5),
  OperationSample("tanh", .tanh(Tanh()), [24, 5, 5], batch: 2),
  OperationSample("tanh of a vector", .tanh(Tanh()), [17], batch: 1),
  OperationSample("add", .add(Add()), [64, 7, 7], [64, 7, 7], batch: 2),
  OperationSample("add of odd channels", .add(Add()), [5, 3, 7], [5, 3, 7], batch: 5),
  OperationSample("add of vectors", .add(Add()), [17], [17], batch: 1),
  OperationSample("concatenation", .concatenation(Concatenation()), [16, 5, 5], [32, 5, 5], batch: 2),
  OperationSample(
    "concatenation of three", .concatenation(Concatenation()), [3, 4, 6], [5, 4, 6], [17, 4, 6], batch: 5),
  OperationSample("concatenation of vectors", .concatenation(Concatenation()), [10], [7], batch: 2),
  OperationSample("dropout", .dropout(Dropout(rate: 0.5)), [16, 5, 5], batch: 2),
  OperationSample("dropout of a vector", .dropout(Dropout(rate: 0.2)), [101], batch: 5),
  OperationSample("dropout that drops nothing", .dropout(Dropout(rate: 0)), [17], batch: 1),
  OperationSample("drop path", .dropPath(DropPath(rate: 0.5)), [16, 3, 3], batch: 5),
  OperationSample("drop path of odd channels", .dropPath(DropPath(rate: 0.2)), [5, 7, 3], batch: 2),
]

private let poolingSamples: [OperationSample] = [
  OperationSample(
    "max pool 3x3, stride 2", .maxPool(MaxPool(Window(kernel: 3, stride: 2, padding: 1))), [64, 16, 16], batch: 2),
  OperationSample(
    "max pool 3x3, stride 2 over an odd picture", .maxPool(MaxPool(Window(kernel: 3, stride: 2, padding: 1))),
    [17, 7, 9],
    batch: 5),
  OperationSample("max pool 2x2", .maxPool(MaxPool(Window(kernel: 2, stride: 2))), [32, 8, 8], batch: 2),
  OperationSample("max pool 2x2 with a rest", .maxPool(MaxPool(Window(kernel: 2, stride: 2))), [5, 7, 9], batch: 1),
  OperationSample(
    "max pool padded on one side",
    .maxPool(MaxPool(Window(kernel: 3, stride: 2, padding: Padding(top: 0, left: 0, bottom: 1, right: 1)))),
    [16, 8, 8],
    batch: 2),
  OperationSample("average pool 2x2", .averagePool(AveragePool(Window(kernel: 2, stride: 2))), [16, 8, 8], batch: 2),
  OperationSample(
    "average pool that counts its padding", .averagePool(AveragePool(Window(kernel: 3, stride: 2, padding: 1))),
    [24, 7, 7], batch: 5),
  OperationSample(
    "average pool that does not",
    .averagePool(AveragePool(Window(kernel: 3, stride: 2, padding: 1), countsPadding: false)),
    [17, 7, 5], batch: 1),
  OperationSample(
    "average pool of what is left of an odd picture",
    .averagePool(
      AveragePool(
        Window(kernel: 2, stride: 2, padding: Padding(top: 0, left: 0, bottom: 1, right: 1)), countsPadding: false)),
    [32, 7, 9], batch: 2),
  OperationSample("global average pool", .globalAveragePool(GlobalAveragePool()), [64, 7, 7], batch: 2),
  OperationSample(
    "global average pool of odd channels", .globalAveragePool(GlobalAveragePool()), [17, 3, 5], batch: 5),
  OperationSample(
    "global average pool of a 1x1 picture", .globalAveragePool(GlobalAveragePool()), [24, 1, 1], batch: 1),
]

private let featureSamples: [OperationSample] = [
  OperationSample("input", .input(Input([3, 5, 5])), [3, 5, 5], batch: 2),
  OperationSample("flatten", .flatten(Flatten()), [16, 3, 3], batch: 2),
  OperationSample("flatten of odd channels", .flatten(Flatten()), [5, 7, 3], batch: 5),
  OperationSample("dense", .dense(Dense(to: 10)), [64], batch: 2),
  OperationSample("dense of odd features", .dense(Dense(to: 5)), [17], batch: 5),
  OperationSample("dense without bias", .dense(Dense(to: 24, hasBias: false)), [32], batch: 1),
]

private let tokenSamples: [OperationSample] = [
  OperationSample("dense of tokens", .dense(Dense(to: 48)), [17, 32], batch: 2),
  OperationSample("dense of odd tokens", .dense(Dense(to: 5, hasBias: false)), [3, 17], batch: 1),
  OperationSample("layer norm", .layerNorm(LayerNorm()), [64], batch: 5),
  OperationSample("layer norm of tokens", .layerNorm(LayerNorm(epsilon: 1e-6)), [17, 32], batch: 2),
  OperationSample("layer norm of odd tokens", .layerNorm(LayerNorm()), [3, 17], batch: 1),
  OperationSample("gelu", .gelu(GELU()), [16, 5, 5], batch: 2),
  OperationSample("gelu of odd tokens", .gelu(GELU()), [5, 17], batch: 5),
  OperationSample("tokens", .tokens(Tokens()), [32, 4, 4], batch: 2),
  OperationSample("tokens of odd channels", .tokens(Tokens()), [5, 3, 7], batch: 1),
  OperationSample("token mean", .tokenMean(TokenMean()), [17, 32], batch: 2),
  OperationSample("token mean of odd tokens", .tokenMean(TokenMean()), [4, 77], batch: 5),
  OperationSample("layer scale", .layerScale(LayerScale()), [17, 32], batch: 2),
  OperationSample("layer scale of an odd vector", .layerScale(LayerScale()), [77], batch: 5),
  OperationSample("attention", .attention(Attention(heads: 4, grid: 4)), [17, 192], batch: 2),
  OperationSample(
    "attention over an odd picture", .attention(Attention(heads: 3, grid: Extent(height: 3, width: 2))), [7, 45],
    batch: 5),
  OperationSample(
    "attention of one head", .attention(Attention(heads: 1, grid: Extent(height: 5, width: 7))), [36, 24], batch: 1),
  OperationSample("attention of one pixel", .attention(Attention(heads: 2, grid: 1)), [2, 42], batch: 2),
]

/// Quantizers, apart from the others: their gradients are no slopes, and files for other programs hold them only behind
/// layers.
package let quantizerSamples: [OperationSample] = [
  OperationSample("8 bits", .fakeQuantize(FakeQuantize(decay: 0.9)), [16, 7, 7], batch: 2),
  OperationSample("4 bits", .fakeQuantize(FakeQuantize(bits: 4, decay: 0.75)), [64, 9, 9], batch: 5),
  OperationSample("2 bits of odd channels", .fakeQuantize(FakeQuantize(bits: 2, decay: 0.5)), [17, 5, 3], batch: 5),
  OperationSample("8 bits of a vector", .fakeQuantize(FakeQuantize(decay: 0)), [101], batch: 3),
  OperationSample("8 bits with a fixed range", .fakeQuantize(FakeQuantize(decay: 1)), [3, 5, 9], batch: 1),
  OperationSample("8 bits, delayed", .fakeQuantize(FakeQuantize(decay: 0.9, delay: 4)), [24, 5, 5], batch: 2),
]
