public import Tensors

/// Weights that are not this network's.
public enum WeightError: Error, Hashable, Sendable {
  case missing([String])
  case extra([String])
  case wrongShape(name: String, expected: Shape, found: Shape)
  case notFinite(name: String)
}

extension WeightError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let names): "the file lacks the weights \(Self.list(names))"
    case .extra(let names): "the network has no parameters \(Self.list(names))"
    case .wrongShape(let name, let expected, let found):
      "'\(name)' has the shape \(found), the network needs \(expected)"
    case .notFinite(let name): "'\(name)' contains NaN or infinities"
    }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.sorted().prefix(3).map { "'\($0)'" }.joined(separator: ", ")
    return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
  }
}

extension [String: Tensor] {
  /// The arrays that hold a NaN or an infinity, by name.
  public var notFinite: [String] {
    filter { !$0.value.withUnsafeElements { $0.allSatisfy(\.isFinite) } }.keys.sorted()
  }

  /// - Throws: `WeightError.notFinite` for the first array that holds a NaN or an infinity.
  public func requireFinite() throws(WeightError) {
    if let name = notFinite.first { throw .notFinite(name: name) }
  }
}

extension Network {
  /// What says nothing about a network: PyTorch's counters, and what it works out from a shape.
  private static func isPassedOver(_ name: String) -> Bool {
    ["num_batches_tracked", "relative_position_index"].contains { name.hasSuffix($0) } || name == "n_averaged"
  }

  /// Weights without what wrappers put before every name: `module.` (DataParallel and AveragedModel of PyTorch),
  /// `_orig_mod.` (`torch.compile`), `model.` (a module that holds the network), also one inside the other. Names of the
  /// network itself stay.
  /// - Returns: the weights, and what was taken off; empty where nothing was.
  public func withoutPrefix(_ weights: Weights) -> (weights: Weights, prefix: String) {
    let own = parameters.map(\.name)
    var prefix = ""
    let names = weights.keys.filter { !Self.isPassedOver($0) || $0.contains(".") }
    guard !names.isEmpty else { return (weights, "") }
    while let next = ["module.", "_orig_mod.", "model."].first(where: { wrapper in
      names.allSatisfy { $0.hasPrefix(prefix + wrapper) } && !own.allSatisfy { $0.hasPrefix(wrapper) }
    }) { prefix += next }
    guard !prefix.isEmpty else { return (weights, "") }
    return (
      Weights(
        weights.map { ($0.key.hasPrefix(prefix) ? String($0.key.dropFirst(prefix.count)) : $0.key, $0.value) },
        uniquingKeysWith: { first, _ in first }), prefix
    )
  }

  /// Holds weights against the network: each parameter there, of its shape, and nothing else.
  ///
  /// PyTorch's counters (`num_batches_tracked`, `n_averaged`) and what it works out from a shape
  /// (`relative_position_index`) are passed over; they say nothing about the network.
  /// - Returns: the weights without those.
  /// - Throws: `WeightError` for the first kind of mismatch found: missing, then extra, then shape.
  public func checked(_ weights: Weights) throws(WeightError) -> Weights {
    let weights = weights.filter { !Self.isPassedOver($0.key) }
    let expected = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.rule.shape) })
    let missing = expected.keys.filter { weights[$0] == nil }
    guard missing.isEmpty else { throw .missing(missing.sorted()) }
    let extra = weights.keys.filter { expected[$0] == nil }
    guard extra.isEmpty else { throw .extra(extra.sorted()) }
    for (name, shape) in expected.sorted(by: { $0.key < $1.key }) where weights[name]!.shape != shape {
      throw .wrongShape(name: name, expected: shape, found: weights[name]!.shape)
    }
    return weights
  }
}
