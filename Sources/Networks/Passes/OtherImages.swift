public import Tensors

extension Network {
  /// The same layers for images of another size; weights fit both. Networks that end in a global pool allow it.
  ///
  /// - Parameter images: `C x H x W`.
  /// - Throws: `ShapeError` naming the first layer that cannot take such images, or whose weights would have another
  ///   shape, as those of a dense layer behind a flatten.
  public func taking(images: Shape) throws(ShapeError) -> Network {
    guard images != shape(of: input) else { return self }
    var result = Network(name, input: images, initialization: initialization)
    for node in nodes.dropFirst() {
      let layer = self[node]
      // Layers are added in their order, so the places of their inputs stay.
      let added: Node
      do {
        added = try result.append(layer.operation, to: layer.inputs, named: layer.name)
      } catch {
        throw ShapeError("\(error.problem), for images of \(images)", layer: layer.name)
      }
      let (old, new) = (parameters(of: node), result.parameters(of: added))
      for (before, after) in zip(old, new) where before.rule.shape != after.rule.shape {
        throw ShapeError(
          "its \(after.name.split(separator: ".").last ?? "") would be \(after.rule.shape) for images of \(images), and is "
            + "\(before.rule.shape)", layer: layer.name)
      }
    }
    return result
  }
}
