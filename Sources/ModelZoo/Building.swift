import Networks
import Tensors

extension Network {
  /// Starts a network on images.
  init(image input: Shape, named name: String, initialization: Initialization = Initialization()) throws(ShapeError) {
    guard input.rank == 3, input.elementCount > 0 else {
      throw ShapeError("\(name) takes images C x H x W, \(input) was given")
    }
    self.init(name, input: input, initialization: initialization)
  }

  /// A convolution padded to keep the image's size (divided by the stride), its batch norm, and its activation where
  /// that has a name. Without a batch norm the convolution has a bias.
  mutating func convNorm(
    _ x: Node, to channels: Int, kernel: Int, stride: Int = 1, groups: Int = 1, hasBatchNorm: Bool = true,
    activation: Operation = .relu(ReLU()), named names: (convolution: String, norm: String, activation: String?)
  ) throws(ShapeError) -> Node {
    let window = Window(kernel: Extent(kernel), stride: Extent(stride), padding: Padding(kernel / 2))
    let convolution = Convolution(to: channels, window, groups: groups, hasBias: !hasBatchNorm)
    var y = try append(.convolution(convolution), to: x, named: names.convolution)
    if hasBatchNorm { y = try append(.batchNorm(BatchNorm()), to: y, named: names.norm) }
    if let name = names.activation { y = try append(activation, to: y, named: name) }
    return y
  }

  /// This network with a global average pool and a dense layer as its end.
  consuming func classified(
    _ x: Node, classes: Int, dropout: Float = 0, by name: String
  ) throws(ShapeError) -> Network {
    var network = self
    var y = try network.append(.globalAveragePool(GlobalAveragePool()), to: x, named: "avgpool")
    y = try network.append(.flatten(Flatten()), to: y, named: "flatten")
    if dropout != 0 { y = try network.append(.dropout(Dropout(rate: dropout)), to: y, named: "dropout") }
    try network.append(.dense(Dense(to: classes)), to: y, named: name)
    return network
  }
}
