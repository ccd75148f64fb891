package import Networks
package import Tensors

/// The layers of a network that hold weights, the joins between them, and how data flows from one to the next: what two
/// descriptions of one network have in common, whatever they call things.
///
/// Activations, poolings and changes of shape are left out: what follows one of them reads what the one before gives.
/// Channels that are added as zeros are left out too, a concatenation with itself among them.
package struct WeightGraph: Sendable {
  /// What a layer is, as far as two layers that stand for each other must agree.
  package enum Kind: Hashable, Sendable {
    case input
    case convolution(outputs: Int, inputsPerGroup: Int, kernel: Extent, stride: Extent, dilation: Extent)
    /// A dense layer, or a convolution of one pixel at stride 1: TensorFlow ends networks with one.
    case product(outputs: Int, inputs: Int)
    case batchNorm(channels: Int)
    case add
    /// In order.
    case concatenation
    case other(String)
  }

  /// The zeros around an image.
  package enum Zeros: Hashable, Sendable {
    case given(Padding)
    /// As many as TensorFlow's SAME needs at this size of image; the odd one at the end.
    case same
  }

  package struct Layer: Sendable {
    package var kind: Kind
    /// Places of layers before it.
    package var inputs: [Int]
    package var name: String
    /// Under the names of our parameters, `weight` or `running_var`; empty for a network of ours.
    package var arrays: [String: Named] = [:]
    package var zeros = Zeros.given(0)
    /// The window of a convolution of ours.
    package var window: Window?
    package var epsilon: Float?
    /// Whether a dense layer reads an image that was flattened with its channels last.
    package var readsChannelsLast = false
    /// The layer of a network of ours.
    package var node: Network.Node?
    /// The shape of the image that a dense layer of ours reads flattened.
    package var flattened: Shape?

    package init(_ kind: Kind, _ inputs: [Int], name: String) { (self.kind, self.inputs, self.name) = (kind, inputs, name) }
  }

  /// An array and what it is called in its file.
  package struct Named: Sendable {
    package var name: String
    package var array: Tensor
  }

  /// Each after those it reads; the first is the input.
  package private(set) var layers = [Layer(.input, [], name: "input")]

  package init() {}

  /// Adds a layer.
  /// - Returns: its place.
  @discardableResult
  package mutating func append(_ layer: Layer) -> Int {
    precondition(layer.inputs.allSatisfy { $0 < layers.count })
    layers.append(layer)
    return layers.count - 1
  }

  package subscript(place: Int) -> Layer {
    get { layers[place] }
    set { layers[place] = newValue }
  }

  /// Keeps what leads to a layer, and nothing else; the input stays.
  package mutating func keep(leadingTo output: Int) {
    var isKept = [Bool](repeating: false, count: layers.count)
    (isKept[0], isKept[output]) = (true, true)
    for place in layers.indices.reversed() where isKept[place] { for input in layers[place].inputs { isKept[input] = true } }
    var moved = [Int](repeating: 0, count: layers.count)
    var kept: [Layer] = []
    for place in layers.indices where isKept[place] {
      moved[place] = kept.count
      var layer = layers[place]
      layer.inputs = layer.inputs.map { moved[$0] }
      kept.append(layer)
    }
    layers = kept
  }
}

extension WeightGraph {
  package init(_ network: Network) {
    self.init()
    var places = [Int](repeating: 0, count: network.layers.count)
    var flattened = [Shape?](repeating: nil, count: network.layers.count)
    for node in network.nodes.dropFirst() {
      let layer = network[node]
      let inputs = layer.inputs.map { places[$0.index] }
      let shapes = network.inputShapes(of: node)
      var entry: Layer?
      switch layer.operation {
      case .input: preconditionFailure("a second input")
      case .convolution(let convolution):
        let window = convolution.window
        entry = Layer(
          .convolution(
            outputs: convolution.outputChannels, inputsPerGroup: shapes[0][0] / convolution.groups, window: window),
          inputs, name: layer.name)
        entry?.zeros = .given(window.padding)
        entry?.window = window
      case .dense(let dense):
        entry = Layer(.product(outputs: dense.outputFeatures, inputs: shapes[0].extents.last ?? 0), inputs, name: layer.name)
        entry?.flattened = flattened[layer.inputs[0].index]
      case .batchNorm(let norm):
        entry = Layer(.batchNorm(channels: shapes[0][0]), inputs, name: layer.name)
        entry?.epsilon = norm.epsilon
      case .add: entry = Layer(.add, inputs, name: layer.name)
      case .concatenation where Set(inputs).count == 1: places[node.index] = inputs[0]
      case .concatenation: entry = Layer(.concatenation, inputs, name: layer.name)
      case .flatten:
        places[node.index] = inputs[0]
        flattened[node.index] = shapes[0]
      case .relu, .clip, .sigmoid, .tanh, .gelu, .maxPool, .averagePool, .globalAveragePool, .dropout, .dropPath,
        .fakeQuantize:
        places[node.index] = inputs[0]
        flattened[node.index] = flattened[layer.inputs[0].index]
      case .layerNorm, .tokens, .tokenMean, .layerScale, .attention:
        entry = Layer(.other(layer.operation.title), inputs, name: layer.name)
      }
      entry?.node = node
      if let entry { places[node.index] = append(entry) }
    }
    keep(leadingTo: places[network.output.index])
  }
}

extension WeightGraph.Kind {
  /// A convolution; one of one pixel is a product.
  package static func convolution(outputs: Int, inputsPerGroup: Int, window: Window) -> Self {
    if window.kernel == 1, window.stride == 1, window.padding == 0 {
      return .product(outputs: outputs, inputs: inputsPerGroup)
    }
    return .convolution(
      outputs: outputs, inputsPerGroup: inputsPerGroup, kernel: window.kernel, stride: window.stride,
      dilation: window.dilation)
  }
}

extension WeightGraph.Kind: CustomStringConvertible {
  package var description: String {
    switch self {
    case .input: "the input"
    case .convolution(let outputs, let inputs, let kernel, let stride, let dilation):
      "a convolution \(kernel.height)x\(kernel.width) of \(inputs) to \(outputs) channels at stride \(stride.height)"
        + (stride.width == stride.height ? "" : "x\(stride.width)") + (dilation == 1 ? "" : ", dilated")
    case .product(let outputs, let inputs): "a product of \(inputs) to \(outputs)"
    case .batchNorm(let channels): "a batch norm of \(channels) channels"
    case .add: "a sum"
    case .concatenation: "a concatenation"
    case .other(let name): name
    }
  }
}
