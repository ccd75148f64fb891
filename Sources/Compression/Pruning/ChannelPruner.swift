public import Datasets
public import Engine
public import Networks
public import Tensors

/// How channels are chosen and what makes up for those that go.
public struct PruningSettings: Hashable, Sendable, Codable {
  public enum Selection: String, Hashable, Sendable, Codable, CaseIterable {
    /// By LASSO on what each channel adds to its readers' outputs (He et al. 2017, arXiv:1707.06168, eq. 2).
    case lasso
    /// The largest L1 norm of the readers' weights (AMC's release; Li et al. 2017, arXiv:1608.08710, for filters).
    case magnitude
    /// Drawn; a control.
    case random
  }

  public enum Features: String, Hashable, Sendable, Codable, CaseIterable {
    /// Each layer sees what the layers before it give after they were pruned, so that errors do not add up; as
    /// PocketFlow and He et al. do. Their correction of a residual branch by what its shortcut lost is not made.
    case pruned
    /// Each layer sees what the whole network gives, so that nothing is computed again for other ratios; as AMC does.
    case original
  }

  public var selection = Selection.lasso
  public var features = Features.pruned
  /// Whether readers' weights are fitted again to the outputs of the whole network, by least squares.
  public var reconstructs = true
  /// Training images that are looked at: the first of each class.
  public var images = 500
  /// Output pixels of each that make a row, of a convolution.
  public var points = 10
  /// Decides pixels, and what `random` draws.
  public var seed: UInt64 = 1

  public init() {}
}

/// Takes channels out of a trained network.
///
/// Group by group, from the input on: channels are chosen, and each layer that read them gets new weights that give the
/// whole network's outputs as well as the rest allows. What depends on the network alone is computed once and serves
/// every choice of ratios.
public final class ChannelPruner {
  public let network: Network
  public let weights: Weights
  public let groups: ChannelGroups
  public let settings: PruningSettings

  private let sampler: FeatureSampler?
  /// Layers whose rows are short enough to be fitted.
  private let fitted: Set<Network.Node>
  /// The names of those whose rows are too long: they keep their weights for the channels that stay, which are chosen
  /// by magnitude where no other layer reads them.
  public let unfitted: [String]
  /// What the whole network's layers give, as rows.
  private var targets: [Network.Node: [[Double]]] = [:]
  /// Of the whole network.
  private var statistics: [Network.Node: LayerStatistics] = [:]
  private var lassos: [Int: Lasso] = [:]
  private var selections: [Int: [Int: [Int]]] = [:]
  let isInterrupted: () -> Bool

  /// - Parameters:
  ///   - weights: of the trained network.
  ///   - split: the images that are looked at, chosen among its first ones of each class.
  ///   - isInterrupted: asked before each batch; once true, the work ends with `EngineError.interrupted`.
  /// - Throws: `EngineError`, `DatasetError`, `TensorError`; `WeightError.notFinite` for weights that are none.
  public init(
    _ network: Network, _ weights: Weights, on split: Split, normalization: Normalization,
    _ settings: PruningSettings, engine: Engine, isInterrupted: @escaping () -> Bool = { false }
  ) throws {
    let groups = ChannelGroups(of: network)
    self.isInterrupted = isInterrupted
    (self.network, self.weights, self.groups, self.settings) = (network, try network.checked(weights), groups, settings)
    try self.weights.requireFinite()
    let readers = Set(groups.prunable.flatMap { groups.groups[$0].consumers })
    let needsFeatures = settings.reconstructs || settings.selection == .lasso
    fitted = readers.filter {
      needsFeatures && network.parameters(of: $0)[0].rule.shape.sample.elementCount <= FeatureSampler.longestRow
    }
    let fitted = fitted
    unfitted = needsFeatures ? readers.subtracting(fitted).sorted().map { network[$0].name } : []
    sampler =
      fitted.isEmpty
      ? nil
      : try FeatureSampler(
        network, readers: fitted,
        images: try split.first(whole(settings.images, of: split.count)).tensor(normalization),
        points: settings.points,
        seed: settings.seed, engine: engine, isInterrupted: isInterrupted)
    guard let sampler else { return }
    try sampler.load(weights)
    for reader in fitted where settings.features == .original {
      statistics[reader] = try LayerStatistics(
        columns: sampler.columns(of: reader), outputs: network.shape(of: reader)[0])
    }
    try sampler.forEachBatch { first in
      for reader in fitted.sorted() {
        let y = try sampler.outputs(of: reader, firstImage: first, bias: bias(of: reader))
        switch settings.features {
        case .pruned: targets[reader, default: []].append(y)
        case .original:
          statistics[reader]!.add(
            try sampler.inputs(of: reader, firstImage: first), y, rows: sampler.rowsPerBatch(of: reader))
        }
      }
    }
    for reader in statistics.keys { statistics[reader]!.finish() }
  }

  private func weightName(of reader: Network.Node) -> String { network.parameters(of: reader)[0].name }

  private func bias(of reader: Network.Node) -> Tensor? {
    network.parameters(of: reader).first { $0.rule.role == .bias }.map { weights[$0.name]! }
  }

  /// A smaller network.
  /// - Parameters:
  ///   - counts: how many channels stay in each group; of one that cannot be pruned all.
  /// - Returns: the network, its weights, and for each group that lost some the channels that stayed.
  public func pruned(to counts: [Int]) throws -> (network: Network, weights: Weights, kept: [Int: [Int]]) {
    let (kept, weights) = try masked(to: counts)
    let (network, small) = try PruneChannels(keeping: kept, of: groups)(network, weights)
    return (network, small, kept)
  }

  /// The same in the whole network's shape: readers have zeros for what is gone.
  package func masked(to counts: [Int]) throws -> (kept: [Int: [Int]], weights: Weights) {
    precondition(counts.count == groups.groups.count)
    var kept: [Int: [Int]] = [:]
    var current = weights
    let pruned = groups.prunable.filter { counts[$0] < groups.groups[$0].channels }
    // Each reader is fitted when all that lies before it is decided, whoever else reads the same channels.
    for reader in Set(pruned.flatMap { groups.groups[$0].consumers }).sorted() {
      var own = statistics
      for group in pruned where kept[group] == nil && groups.groups[group].consumers.contains(reader) {
        if settings.features == .pruned {
          own = try statistics(of: groups.groups[group].consumers.filter { fitted.contains($0) }, with: current)
        }
        kept[group] = try select(counts[group], of: group, kept, current, own)
      }
      let columns = columns(of: reader, keeping: kept)
      let name = weightName(of: reader)
      if settings.reconstructs, fitted.contains(reader) {
        if own[reader] == nil { own = try statistics(of: [reader], with: current) }
        current[name] = try own[reader]!.reconstruction(from: columns).reshaped(to: current[name]!.shape)
      } else {
        current[name] = current[name]!.keeping(columns)
      }
    }
    return (kept, current)
  }

  /// Numbers of 32 bits that pruning keeps at the same time, beside the network: rows and products.
  package static func memory(_ network: Network, _ settings: PruningSettings, images: Int) -> Double {
    let groups = ChannelGroups(of: network)
    var (rows, products, largest, batch) = (0.0, 0.0, 0.0, 0.0)
    for reader in Set(groups.prunable.flatMap { groups.groups[$0].consumers }) {
      let shape = network.shape(of: reader)
      let points = Double(shape.rank == 3 ? min(settings.points, shape[1] * shape[2]) : 1)
      let columns = Double(network.parameters(of: reader)[0].rule.shape.sample.elementCount)
      guard columns <= Double(FeatureSampler.longestRow) else { continue }
      rows += 2 * Double(images) * points * Double(shape[0])
      batch = max(batch, 2 * Double(min(images, 50)) * points * columns)
      let own = 2 * columns * (columns + Double(shape[0]))
      (products, largest) = (products + own, max(largest, own))
    }
    return batch + 3 * largest + (settings.features == .original ? products : rows)
  }

  /// Products of what layers see in a network that is partly pruned with what they should give.
  private func statistics(
    of readers: [Network.Node], with current: Weights
  ) throws -> [Network.Node: LayerStatistics] {
    guard let sampler, let last = readers.max() else { return [:] }
    var result: [Network.Node: LayerStatistics] = [:]
    for reader in readers {
      result[reader] = try LayerStatistics(
        columns: sampler.columns(of: reader), outputs: network.shape(of: reader)[0])
    }
    try sampler.load(current)
    var batch = 0
    try sampler.forEachBatch(before: last) { first in
      for reader in readers {
        result[reader]!.add(
          try sampler.inputs(of: reader, firstImage: first), targets[reader]![batch],
          rows: sampler.rowsPerBatch(of: reader))
      }
      batch += 1
    }
    for reader in readers { result[reader]!.finish() }
    return result
  }

  /// The inputs of a layer's weights that belong to each channel of a group.
  private func columns(of reader: Network.Node, in group: Int) -> [[Int]] {
    let area = network.parameters(of: reader)[0].rule.shape.extents.dropFirst(2).reduce(1, *)
    return groups.places(of: group, in: network[reader].inputs[0]).map { places in
      places.flatMap { $0 * area..<($0 + 1) * area }
    }
  }

  /// The inputs of a layer's weights that are there after some groups lost channels.
  private func columns(of reader: Network.Node, keeping kept: [Int: [Int]]) -> [Int] {
    var isThere = [Bool](repeating: true, count: network.parameters(of: reader)[0].rule.shape.sample.elementCount)
    for (group, channels) in kept where groups.groups[group].consumers.contains(reader) {
      let columns = columns(of: reader, in: group)
      let stays = Set(channels)
      for channel in columns.indices where !stays.contains(channel) {
        for column in columns[channel] { isThere[column] = false }
      }
    }
    return isThere.indices.filter { isThere[$0] }
  }

  private func select(
    _ count: Int, of group: Int, _ kept: [Int: [Int]], _ current: Weights, _ own: [Network.Node: LayerStatistics]
  ) throws -> [Int] {
    // Of the whole network, a choice is the same every time.
    let isShared = settings.features == .original || settings.selection != .lasso
    if isShared, let known = selections[group]?[count] { return known }
    let channels = groups.groups[group].channels
    let readers = groups.groups[group].consumers
    let result: [Int]
    switch settings.selection {
    case .random:
      var random = RandomKey(seed: settings.seed, for: .selection, epoch: group, lane: 1).generator()
      result = random.permutation(of: channels).prefix(count).sorted()
    case .lasso where readers.contains(where: { own[$0] != nil }):
      let lasso =
        try settings.features == .original
        ? lassos[group] ?? lasso(group, [:], weights, own) : lasso(group, kept, current, own)
      if settings.features == .original { lassos[group] = lasso }
      result = lasso.selection(count: count)
    case .magnitude, .lasso:
      var norms = [Double](repeating: 0, count: channels)
      for reader in readers {
        let columns = columns(of: reader, in: group)
        let weight = weights[weightName(of: reader)]!
        let all = weight.shape.sample.elementCount
        weight.withUnsafeElements { w in
          for channel in 0..<channels {
            for row in stride(from: 0, to: w.count, by: all) {
              for column in columns[channel] { norms[channel] += Double(abs(w[row + column])) }
            }
          }
        }
      }
      result = norms.largest(count)
    }
    if isShared { selections[group, default: [:]][count] = result }
    return result
  }

  /// The choice among a group's channels, over all the layers that read them.
  private func lasso(
    _ group: Int, _ kept: [Int: [Int]], _ current: Weights, _ own: [Network.Node: LayerStatistics]
  ) throws -> Lasso {
    let channels = groups.groups[group].channels
    var gram = try LinearAlgebra.zeros(channels, channels)
    var cross = [Double](repeating: 0, count: channels)
    var rows = 0.0
    for reader in groups.groups[group].consumers {
      guard let statistics = own[reader] else { continue }
      let columns = columns(of: reader, in: group)
      let mine = Set(columns.flatMap { $0 })
      let fixed = self.columns(of: reader, keeping: kept).filter { !mine.contains($0) }
      let weight = current[weightName(of: reader)]!
      let shares = try statistics.shares(
        try weight.reshaped(to: [weight.shape[0], weight.shape.sample.elementCount]), of: columns, fixed: fixed)
      shares.gram.withUnsafeElements { own in
        gram.withUnsafeMutableElements { for i in $0.indices { $0[i] += own[i] } }
      }
      for channel in cross.indices { cross[channel] += shares.cross[channel] }
      rows += Double(statistics.rows * statistics.outputs)
    }
    return Lasso(gram: gram.map { $0 / rows }, cross: cross.map { $0 / rows })
  }
}

/// At most so many images, in whole batches of 50 where there are enough.
private func whole(_ wanted: Int, of count: Int) -> Int {
  let number = min(wanted, count)
  return number > 50 ? number / 50 * 50 : number
}

extension Tensor {
  /// The same with zeros for all places along the axes behind the first that are not named.
  fileprivate func keeping(_ columns: [Int]) -> Tensor {
    let all = shape.sample.elementCount
    var isThere = [Bool](repeating: false, count: all)
    for column in columns { isThere[column] = true }
    var result = self
    result.withUnsafeMutableElements { w in for i in w.indices where !isThere[i % all] { w[i] = 0 } }
    return result
  }
}
