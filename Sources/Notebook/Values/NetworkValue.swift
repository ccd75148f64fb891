internal import Datasets
internal import Networks
internal import Script
internal import Tensors

/// A network without weights in the language.
///
/// A network of the zoo that was asked for without `input:` is shown for the images of its paper, and built for the
/// data's when it is trained.
struct NetworkValue: ScriptObject {
  typealias Build = @Sendable (Shape) throws(ShapeError) -> Network

  let network: Network
  /// Makes the same network for images of another shape; nil where the script has fixed the shape.
  private let build: Build?

  /// Makes a network for images of a shape.
  /// - Parameter isFixed: Whether it stays with that shape whatever the data has.
  init(for input: Shape, isFixed: Bool, build: @escaping Build) throws(ShapeError) {
    network = try build(input)
    self.build = isFixed ? nil : build
  }

  static let type = ObjectType(
    "network", "A network: its layers, without weights.",
    fields: [
      .init("name", .string, "Name."),
      .init("parameters", .integer, "Number of trainable parameters."),
      .init("macs", .integer, "Multiply-accumulates (MACs) for one image, in convolutions and dense layers."),
      .init("classes", .integer, "Number of classes."),
      .init("shape", .list(of: .integer), "Input shape: channels, height, width."),
      .init(
        "layers",
        .list(
          of: .recordOf([
            "name": .string, "operation": .string, "shape": .list(of: .integer), "parameters": .integer, "macs": .integer,
          ])), "A record for each layer: name, operation, output shape, parameters, MACs."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }
  func field(_ name: String) -> Value? { network.scriptField(name) }
  var summary: String { network.description }

  var text: String { pieces.text() }
  var pieces: [OutputPiece] {
    guard build != nil else { return network.tablePieces }
    return network.tablePieces + [
      .text(
        "counted for images of \(network.shape(of: network.input)); "
          + "a training builds it for the images of its data")
    ]
  }

  func isEqual(to other: any ScriptObject) -> Bool {
    (other as? Self).map { $0.network == network && ($0.build == nil) == (build == nil) } ?? false
  }

  /// The network for the images and classes of a dataset.
  /// - Throws: `MismatchError` where the network has other classes, or a fixed shape that the images do not have;
  ///   `ShapeError` where it cannot take such images.
  func network(for data: Dataset) throws -> Network {
    guard let build, network.shape(of: network.input) != data.imageShape else {
      try network.check(against: data)
      return network
    }
    try network.checkClasses(against: data)
    return try build(data.imageShape)
  }
}

extension Network {
  /// How many classes it tells apart.
  var classCount: Int { shape(of: output).elementCount }

  func checkClasses(against data: Dataset) throws(MismatchError) {
    guard classCount == data.classes.count else {
      throw .classes(network: name, has: classCount, data: data.name, wants: data.classes.count)
    }
  }

  /// - Throws: `MismatchError` where the network does not fit the dataset's images or classes.
  func check(against data: Dataset) throws(MismatchError) {
    try checkClasses(against: data)
    guard shape(of: input) == data.imageShape else {
      throw .images(network: name, takes: shape(of: input), data: data.name, has: data.imageShape)
    }
  }

  /// The network for the images of a part of a dataset, which weights for this one fit: of another size where all its
  /// layers take them.
  /// - Throws: `MismatchError` where it has other classes, or its images have other channels or one size only.
  func fitted(to part: Split, of data: Dataset) throws(MismatchError) -> Network {
    try checkClasses(against: data)
    let (own, wanted) = (shape(of: input), part.imageShape)
    guard own[0] == wanted[0] else { throw .images(network: name, takes: own, data: data.name, has: wanted) }
    do { return try taking(images: wanted) } catch {
      throw .oneSize(network: name, takes: own, data: data.name, has: wanted, reason: "\(error)")
    }
  }

  /// The table of its layers.
  var tablePieces: [OutputPiece] {
    tableLines.enumerated().map { .line(cells: $1.cells, text: $1.text, isHead: $0 == 0) } + [.text(sizeLine)]
  }

  func scriptField(_ field: String) -> Value? {
    switch field {
    case "name": .string(name)
    case "parameters": .count(parameterCount)
    case "macs": .count(macs)
    case "classes": .count(classCount)
    case "shape": .shape(shape(of: input))
    case "layers": .list(nodes.map(layerRecord))
    default: nil
    }
  }

  private func layerRecord(_ node: Node) -> Value {
    let (layer, inputs) = (self[node], inputShapes(of: node))
    let rules = layer.operation.rules
    let parameters = rules.parameters(of: inputs).reduce(0) { $0 + ($1.isTrainable ? $1.shape.elementCount : 0) }
    return .record([
      "name": .string(layer.name), "operation": .string(layer.operation.title), "shape": .shape(layer.shape),
      "parameters": .count(parameters), "macs": .count(rules.macs(of: inputs)),
    ])
  }
}
