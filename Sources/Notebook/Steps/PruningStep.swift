internal import Compression
internal import Datasets
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// Taking channels out of a model.
struct PruningStep: Step {
  let model: ModelValue
  let data: Dataset
  let pruning: PruningSettings
  /// Channels of each group that stay.
  let counts: [Int]
  /// The network that is left.
  let narrow: Network

  struct Outcome: Codable {
    /// MACs and parameters that stay, as shares.
    var macsKept, parametersKept: Double
  }

  static let kind = "pruning"
  static var builtins: [Builtin] { [channelGroups, withChannels, prune] }

  var subject: (network: Network, weights: Weights?) { (model.network, model.weights) }
  var made: Network? { narrow }

  struct Settings: Encodable {
    var pruning: PruningSettings
    var counts: [Int]
  }

  var settings: Settings { Settings(pruning: pruning, counts: counts) }

  func show(_ outcome: Outcome, _ context: CallContext) {
    context.report(
      "pruned \(narrow.name): \(NumberText.fixed(outcome.macsKept * 100, 1)) % of its MACs, "
        + "\(NumberText.fixed(outcome.parametersKept * 100, 1)) % of its parameters")
  }

  func run(_ work: StepWork) throws -> StepResult<Outcome> {
    let weights = try work.pruner(of: model, data.train, data.normalization, pruning).pruned(to: counts).weights
    func share(_ count: (Network) -> Int) -> Double { Double(count(narrow)) / Double(max(count(model.network), 1)) }
    let outcome = Outcome(macsKept: share(\.macs), parametersKept: share(\.parameterCount))
    show(outcome, work.context)
    return StepResult(outcome: outcome, weights: weights)
  }

  static func facts(of outcome: Outcome) -> [RunStore.Run.Fact] {
    [
      .init(name: "MACs that stay", value: "\(NumberText.fixed(outcome.macsKept * 100, 1)) %"),
      .init(name: "parameters that stay", value: "\(NumberText.fixed(outcome.parametersKept * 100, 1)) %"),
    ]
  }

  static func points(of outcome: Outcome) -> [ScalarPoint] {
    [ScalarPoint("final/macsKept", outcome.macsKept), ScalarPoint("final/parametersKept", outcome.parametersKept)]
  }
}

extension StepWork {
  func pruner(
    of model: ModelValue, _ split: Split, _ normalization: Normalization, _ settings: PruningSettings
  ) throws -> ChannelPruner {
    let images = min(settings.images, split.count)
    try MemoryCheck.probe(model.network, batch: min(images, 50))
    try MemoryCheck.require(
      numbers: Double(images) * Double(split.imageShape.elementCount)
        + ChannelPruner.memory(model.network, settings, images: images))
    let pruner = try ChannelPruner(
      model.network, model.weights, on: split, normalization: normalization, settings, engine: notebook.engine(),
      isInterrupted: context.interrupts)
    if !pruner.unfitted.isEmpty {
      context.report(
        "not fitted again, for their rows are longer than \(FeatureSampler.longestRow): \(pruner.unfitted.joined(separator: ", "))"
      )
    }
    return pruner
  }
}
