public import Tensors

/// A network as a value: layers in an order in which each comes after its inputs.
///
/// Weights are a separate value (`Weights`), named `layer.parameter` as timm and torchvision name them.
public struct Network: Hashable, Sendable {
  /// A layer's place in its network.
  public struct Node: Hashable, Sendable, Comparable {
    public let index: Int
    package init(index: Int) { self.index = index }
    public static func < (a: Node, b: Node) -> Bool { a.index < b.index }
  }

  public struct Layer: Hashable, Sendable {
    /// Unique in its network; the prefix of its parameters' names.
    public let name: String
    public let operation: Operation
    public let inputs: [Node]
    /// The shape of one sample of its output.
    public let shape: Shape
  }

  /// The name people call it by: `resnet50`.
  public var name: String
  /// How its weights start.
  public var initialization: Initialization
  public private(set) var layers: [Layer]
  private var names: Set<String>

  /// Makes a network that holds only its input.
  public init(_ name: String, input: Shape, initialization: Initialization = Initialization()) {
    self.name = name
    self.initialization = initialization
    layers = [Layer(name: "input", operation: .input(Input(input)), inputs: [], shape: input)]
    names = ["input"]
  }

  public var input: Node { Node(index: 0) }
  /// The last layer: what the network answers.
  public var output: Node { Node(index: layers.count - 1) }
  public var nodes: [Node] { layers.indices.map(Node.init) }
  public subscript(node: Node) -> Layer { layers[node.index] }
  public func shape(of node: Node) -> Shape { layers[node.index].shape }

  /// The shapes of a layer's inputs.
  public func inputShapes(of node: Node) -> [Shape] { self[node].inputs.map { shape(of: $0) } }

  /// Adds a layer after the layers it reads.
  /// - Parameter name: unique; without one, a name is made from the operation's and the place.
  /// - Throws: `ShapeError` naming the layer, where the inputs do not fit or the name is taken.
  @discardableResult
  public mutating func append(_ operation: Operation, to inputs: Node..., named name: String? = nil)
    throws(ShapeError) -> Node
  { try append(operation, to: inputs, named: name) }

  @discardableResult
  public mutating func append(_ operation: Operation, to inputs: [Node], named name: String? = nil)
    throws(ShapeError) -> Node
  {
    if case .input = operation { throw ShapeError("a network has one input", layer: name) }
    let name = name ?? "\(operation.title.replacing(" ", with: "_"))_\(layers.count)"
    guard names.insert(name).inserted else { throw ShapeError("the name is taken", layer: name) }
    precondition(inputs.allSatisfy { $0.index < layers.count }, "an input of another network")
    do {
      let shape = try operation.rules.outputShape(of: inputs.map { self.shape(of: $0) })
      layers.append(Layer(name: name, operation: operation, inputs: inputs, shape: shape))
    } catch {
      throw ShapeError(error.problem, layer: name)
    }
    return output
  }

  /// A layer's parameters, by their full names.
  public func parameters(of node: Node) -> [(name: String, rule: ParameterRule)] {
    let layer = self[node]
    return layer.operation.rules.parameters(of: inputShapes(of: node)).map {
      ($0.name == ParameterRule.ownName ? layer.name : "\(layer.name).\($0.name)", $0)
    }
  }

  /// All parameters in the order of the layers.
  public var parameters: [(name: String, rule: ParameterRule)] { nodes.flatMap { parameters(of: $0) } }

  /// The number of trainable numbers.
  public var parameterCount: Int {
    parameters.reduce(0) { $0 + ($1.rule.isTrainable ? $1.rule.shape.elementCount : 0) }
  }

  /// MACs for one sample, of convolutions, dense layers and attention.
  public var macs: Int {
    nodes.reduce(0) { $0 + self[$1].operation.rules.macs(of: inputShapes(of: $1)) }
  }

  /// The layers that read each layer.
  public var consumers: [[Node]] {
    var consumers = [[Node]](repeating: [], count: layers.count)
    for node in nodes { for input in self[node].inputs { consumers[input.index].append(node) } }
    return consumers
  }
}
