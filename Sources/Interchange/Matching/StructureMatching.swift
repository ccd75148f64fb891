package import Networks
package import Tensors

/// Why the layers of a file could not be paired with those of a network.
public enum MatchError: Error, Hashable, Sendable {
  /// A layer of the network; what the file has in its place, if anything.
  case noPartner(layer: String, kind: String, found: String?)
  /// A layer of the file for which the network has none.
  case leftOver(source: String, kind: String)
  /// Layers that their place and shape do not tell apart.
  case ambiguous(layers: [String], sources: [String])
  /// Layers that stand for each other but compute something else: how, and what the two have.
  case differs(layer: String, source: String, what: String, expected: String, found: String)
}

extension MatchError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noPartner(let layer, let kind, let found):
      "'\(layer)' is \(kind); the file has \(found ?? "nothing") in its place"
    case .leftOver(let source, let kind): "the file has \(kind), '\(source.shown)', which the network has no place for"
    case .ambiguous(let layers, let sources):
      "the file's \(Self.list(sources)) could each be any of \(Self.list(layers)): nothing tells them apart"
    case .differs(let layer, let source, let what, let expected, let found):
      "'\(source.shown)' in the place of '\(layer)' has \(what) \(found), the network \(expected)"
    }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(3).map { "'\($0.shown)'" }.joined(separator: ", ")
    return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
  }
}

/// Where a parameter came from.
public struct WeightSource: Hashable, Sendable {
  /// As the network calls it.
  public let parameter: String
  /// As the file does.
  public let source: String
}

extension Network {
  /// Takes weights from a file whose names are foreign: layers are paired by what they are and by how data flows to and
  /// from them, so that neither names nor the order of branches count.
  ///
  /// Two layers are one where each is the only one of its kind with the same layers before and behind it, all the way to
  /// the input and to the output. Sums do not tell their inputs apart, concatenations do.
  /// - Returns: the weights, and where each came from in the order of the network.
  /// - Throws: `MatchError`; no pair is guessed.
  package func weights(matching file: WeightGraph) throws(MatchError) -> (weights: Weights, sources: [WeightSource]) {
    let own = WeightGraph(self)
    var weights = Weights()
    var sources: [WeightSource] = []
    /// Biases of convolutions that have none here, by their place; a batch norm behind takes them in.
    var biases: [Int: (array: Tensor, source: String)] = [:]
    var readerCounts = [Int](repeating: 0, count: own.layers.count)
    for input in own.layers.flatMap(\.inputs) { readerCounts[input] += 1 }
    for (place, partner) in try own.pairs(with: file).enumerated() {
      let (layer, theirs) = (own[place], file[partner])
      guard let node = layer.node, !parameters(of: node).isEmpty else { continue }
      try check(layer, theirs)
      let rules = parameters(of: node)
      for (name, rule) in rules {
        let key = rule.name
        guard let found = theirs.arrays[key] else {
          // A layer without a bias adds 0.
          if key == "bias", let zeros = try? Tensor(zeros: rule.shape) {
            weights[name] = zeros
            continue
          }
          throw .differs(layer: layer.name, source: theirs.name, what: "\(key)", expected: "one", found: "none")
        }
        var array = found.array
        if key == "weight", theirs.readsChannelsLast, let image = layer.flattened, image.rank == 3 {
          let (c, h, w) = (image[0], image[1], image[2])
          let shape: Shape = [array.shape[0], c, h, w]
          if shape.elementCount == array.count, let turned = try? array.strided([c * h * w, 1, w * c, c], shape: shape) {
            array = turned
          }
        }
        guard let shaped = try? array.reshaped(to: rule.shape) else {
          throw .differs(
            layer: layer.name, source: theirs.name, what: "\(key) of", expected: "\(rule.shape)", found: "\(array.shape)")
        }
        weights[name] = shaped
        sources.append(WeightSource(parameter: name, source: found.name.shown))
      }
      if let bias = theirs.arrays["bias"], !rules.contains(where: { $0.rule.name == "bias" }) {
        biases[place] = (bias.array, theirs.name)
      }
      // What a convolution before adds, the mean takes off.
      if case .batchNorm = layer.kind, readerCounts[layer.inputs[0]] == 1,
        let name = rules.first(where: { $0.rule.role == .runningMean })?.name, var mean = weights[name],
        let bias = biases[layer.inputs[0]]?.array, mean.count == bias.count
      {
        mean.withUnsafeMutableElements { mean in for i in mean.indices { mean[i] -= bias[flat: i] } }
        weights[name] = mean
        biases[layer.inputs[0]] = nil
      }
    }
    for (place, bias) in biases.sorted(by: { $0.key < $1.key }) where bias.array.elements.contains(where: { $0 != 0 }) {
      throw .differs(layer: own[place].name, source: bias.source, what: "bias", expected: "none", found: "one")
    }
    return (weights, sources)
  }

  private func check(_ layer: WeightGraph.Layer, _ theirs: WeightGraph.Layer) throws(MatchError) {
    if let window = layer.window, let node = layer.node {
      let zeros = switch theirs.zeros {
      case .given(let padding): padding
      case .same: Padding.same(inputShapes(of: node)[0], window: window)
      }
      // Some exporters leave out zeros that no window reaches, below and to the right of images that are even.
      var found = window
      found.padding = zeros
      let image = inputShapes(of: node)[0]
      let isSame = zeros.top == window.padding.top && zeros.left == window.padding.left && image.rank == 3
        && found.count(of: image) == window.count(of: image)
      guard isSame else {
        func text(_ padding: Padding) -> String {
          "\(padding.top) \(padding.left) \(padding.bottom) \(padding.right)"
        }
        throw .differs(
          layer: layer.name, source: theirs.name, what: "padding (top, left, bottom, right)",
          expected: text(window.padding), found: text(zeros))
      }
    }
    if let own = layer.epsilon, let found = theirs.epsilon, own != found {
      throw .differs(layer: layer.name, source: theirs.name, what: "epsilon", expected: "\(own)", found: "\(found)")
    }
  }
}

extension Window {
  /// How often it fits on an image with its zeros, down and across; 0 where it does not fit.
  fileprivate func count(of image: Shape) -> Extent {
    func count(_ extent: Int, _ zeros: Int, _ kernel: Int, _ stride: Int, _ dilation: Int) -> Int {
      let rest = extent + zeros - dilation * (kernel - 1) - 1
      return zeros < 0 || rest < 0 ? 0 : rest / stride + 1
    }
    return Extent(
      height: count(image[1], padding.top + padding.bottom, kernel.height, stride.height, dilation.height),
      width: count(image[2], padding.left + padding.right, kernel.width, stride.width, dilation.width))
  }
}

extension WeightGraph {
  /// The network that a file's weights can be for: where it has no batch norms, the one whose are folded.
  func target(for network: Network) throws(InterchangeError) -> (network: Network, isFolded: Bool) {
    func hasBatchNorms(_ graph: WeightGraph) -> Bool {
      graph.layers.contains { if case .batchNorm = $0.kind { true } else { false } }
    }
    guard !hasBatchNorms(self), hasBatchNorms(WeightGraph(network)) else { return (network, false) }
    do { return (try FoldBatchNorm()(network, [:]).0, true) } catch { throw .shape(error) }
  }

  /// A file's weights for a network, by structure alone.
  /// - Throws: `InterchangeError`: `.structure`, `.weights`, `.shape`.
  func found(for network: Network) throws(InterchangeError) -> WeightsFile.Found {
    let (target, isFolded) = try self.target(for: network)
    let matched: (weights: Weights, sources: [WeightSource])
    do { matched = try target.weights(matching: self) } catch { throw .structure(error) }
    do {
      return WeightsFile.Found(
        network: target, weights: try target.checked(matched.weights), sources: matched.sources, isFolded: isFolded)
    } catch { throw .weights(error) }
  }

  /// The partner of each layer in another graph.
  /// - Throws: `MatchError`.
  fileprivate func pairs(with other: WeightGraph) throws(MatchError) -> [Int] {
    var colors = Colors()
    let own = (before: colors.before(self), after: colors.after(self))
    let theirs = (before: colors.before(other), after: colors.after(other))
    let theirBefore = Set(theirs.before)
    // The first layer whose like, with the like before it, the file does not have.
    if let place = layers.indices.first(where: { !theirBefore.contains(own.before[$0]) }) {
      let inputs = layers[place].inputs.map { own.before[$0] }
      let ownBefore = Set(own.before)
      let found = other.layers.indices.first {
        !ownBefore.contains(theirs.before[$0]) && other.layers[$0].inputs.map { theirs.before[$0] } == inputs
      }
      throw .noPartner(
        layer: layers[place].name, kind: "\(layers[place].kind)",
        found: found.map { "\(other.layers[$0].kind), '\(other.layers[$0].name.shown)'," })
    }
    let ownBefore = Set(own.before)
    if let place = other.layers.indices.first(where: { !ownBefore.contains(theirs.before[$0]) }) {
      throw .leftOver(source: other.layers[place].name, kind: "\(other.layers[place].kind)")
    }
    func groups(_ graph: WeightGraph, _ colors: (before: [Int], after: [Int])) -> [[Int]: [Int]] {
      Dictionary(grouping: graph.layers.indices) { [colors.before[$0], colors.after[$0]] }
    }
    let partners = groups(other, theirs)
    var result = [Int](repeating: 0, count: layers.count)
    for (color, places) in groups(self, own).sorted(by: { $0.value[0] < $1.value[0] }) {
      let found = partners[color] ?? []
      guard !found.isEmpty else {
        throw .noPartner(layer: layers[places[0]].name, kind: "\(layers[places[0]].kind)", found: nil)
      }
      if places.count == 1, found.count == 1 {
        result[places[0]] = found[0]
        continue
      }
      // Joins hold nothing: which is which does not matter.
      if places.allSatisfy({ parametersAreNone(layers[$0].kind) }) {
        for place in places { result[place] = found[0] }
        continue
      }
      throw .ambiguous(layers: places.map { layers[$0].name }, sources: found.map { other.layers[$0].name })
    }
    if let (_, places) = partners.first(where: { color, _ in !groups(self, own).keys.contains(color) }) {
      throw .leftOver(source: other.layers[places[0]].name, kind: "\(other.layers[places[0]].kind)")
    }
    return result
  }

  private func parametersAreNone(_ kind: Kind) -> Bool {
    switch kind {
    case .input, .add, .concatenation: true
    case .convolution, .product, .batchNorm, .other: false
    }
  }

  /// A number for each kind of layer together with all that leads to it, or all that follows; the same in both graphs.
  private struct Colors {
    private struct Sign: Hashable {
      let kind: Kind
      let isBefore: Bool
      let neighbours: [Int]
    }
    private var numbers: [Sign: Int] = [:]

    private mutating func number(_ sign: Sign) -> Int {
      if let number = numbers[sign] { return number }
      numbers[sign] = numbers.count
      return numbers.count - 1
    }

    mutating func before(_ graph: WeightGraph) -> [Int] {
      var colors: [Int] = []
      for layer in graph.layers {
        let inputs = layer.inputs.map { colors[$0] }
        colors.append(
          number(Sign(kind: layer.kind, isBefore: true, neighbours: layer.kind == .add ? inputs.sorted() : inputs)))
      }
      return colors
    }

    mutating func after(_ graph: WeightGraph) -> [Int] {
      var colors = [Int](repeating: 0, count: graph.layers.count)
      /// What reads each layer, with the place among its inputs; a sum has no such places.
      var readers = [[[Int]]](repeating: [], count: graph.layers.count)
      for place in graph.layers.indices.reversed() {
        let layer = graph.layers[place]
        let sorted = readers[place].sorted { $0.lexicographicallyPrecedes($1) }
        colors[place] = number(Sign(kind: layer.kind, isBefore: false, neighbours: sorted.flatMap { $0 }))
        for (slot, input) in layer.inputs.enumerated() {
          readers[input].append([colors[place], layer.kind == .add ? 0 : slot])
        }
      }
      return colors
    }
  }
}
