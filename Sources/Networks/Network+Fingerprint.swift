extension Network {
  /// All that tells it from another network, as text: layers with their settings, and how weights start. The same in
  /// every process of one build.
  package var specification: String {
    let layers = layers.map { layer in
      "\(layer.name): \(layer.operation) of \(layer.inputs.map(\.index)) to \(layer.shape)"
    }
    var start = initialization
    start.zeroScales = []
    return (layers + ["\(start)", initialization.zeroScales.sorted().joined(separator: " ")]).joined(separator: "\n")
  }
}
