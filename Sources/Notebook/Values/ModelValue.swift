internal import Datasets
internal import Networks
internal import Script
internal import Tensors

/// A network with its weights in the language.
struct ModelValue: ScriptObject {
  let network: Network
  let weights: Weights
  /// What the store calls the run that made it; empty for none, as of a file's weights.
  var run = ""
  /// What its training run drew from; nil where that is not known, as of a file's weights.
  var seed: UInt64?
  /// The images by which it, or what it was made from, was chosen among others.
  var selectedBy: [Split] = []

  static let type = ObjectType(
    "model", "A network with weights.",
    fields: NetworkValue.type.fields + [.init("network", .network, "The network without weights.")])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  func field(_ name: String) throws -> Value? {
    guard name == "network" else { return network.scriptField(name) }
    let network = network
    return .object(try NetworkValue(for: network.shape(of: network.input), isFixed: true) { _ in network })
  }

  var summary: String { "\(network.description), with weights" }
  var text: String { pieces.text() }
  var pieces: [OutputPiece] { network.tablePieces + [.text("with weights")] }

  /// Equal where all weights are, bit for bit.
  func isEqual(to other: any ScriptObject) -> Bool {
    guard let other = other as? Self else { return false }
    return network == other.network && weights == other.weights
  }
}
