public import Datasets
public import Engine
public import Networks
public import Tensors
public import Training

/// Which layer costs the accuracy: each in few bits alone, and each in 32 bits among the others.
public struct QuantizationLadder: Sendable {
  public struct Rung: Hashable, Sendable {
    public let layer: String
    /// With this layer alone in few bits, and with all but it.
    public let only, without: Evaluation
  }
  public let float, quantized: Evaluation
  /// In the order of the layers.
  public let rungs: [Rung]
  /// Layers that together, in 32 bits, make up for most of what is lost; those that make up for most first.
  public let worst: [String]
  /// With those in 32 bits.
  public let mixed: Evaluation

  /// The layers by how much smaller the loss is where each stays in 32 bits, the largest gain first.
  public var byGain: [Rung] { rungs.sorted { ($0.without.loss, $0.layer) < ($1.without.loss, $1.layer) } }
}

extension PostTrainingQuantizer {
  /// Measures the ladder of a network. Ranges are found once, with all layers rounded; biases are left as they are.
  ///
  /// - Parameters:
  ///   - split: what ranges are found on.
  ///   - judged: what accuracy is measured on.
  ///   - share: how much of the lost accuracy the worst layers are to make up for.
  ///   - report: called after each layer.
  /// - Throws: as `quantized`, and `TrainingError`.
  public func ladder(
    _ network: Network, _ weights: Weights, on split: Split, judgedOn judged: Split, normalization: Normalization,
    _ scheme: QuantizationScheme, _ settings: CalibrationSettings, share: Double = 0.9, mostKept: Int = 8,
    report: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> QuantizationLadder {
    var settings = settings
    settings.correctsBias = false
    let evaluator = Evaluator(engine: engine)
    let (base, baseWeights) = settings.equalizes ? try EqualizeLayers()(network, weights) : (network, weights)
    settings.equalizes = false
    let (whole, wholeWeights) = try quantized(
      base, baseWeights, on: split, normalization: normalization, scheme, settings)
    func measure(keeping kept: [String]) throws -> Evaluation {
      if isInterrupted() { throw ActivationReader.Interrupted() }
      var scheme = scheme
      scheme.kept = kept
      let (network, start) = try InsertQuantizers(scheme)(base, baseWeights)
      let weights = start.merging(wholeWeights.filter { start[$0.key] != nil }) { $1 }
      return try evaluator.evaluate(network, weights, on: judged, normalization: normalization)
    }
    let float = try evaluator.evaluate(base, baseWeights, on: judged, normalization: normalization)
    let all = try evaluator.evaluate(whole, wholeWeights, on: judged, normalization: normalization)
    let names = base.quantizableLayers.map(\.name)
    let candidates = names.filter { !scheme.kept.contains($0) }
    var rungs: [QuantizationLadder.Rung] = []
    for name in candidates {
      rungs.append(
        QuantizationLadder.Rung(
          layer: name, only: try measure(keeping: names.filter { $0 != name }),
          without: try measure(keeping: scheme.kept + [name])))
      report(rungs.count, candidates.count)
    }
    var ladder = QuantizationLadder(float: float, quantized: all, rungs: rungs, worst: [], mixed: all)
    let lost = float.hits - all.hits
    for count in 1...max(1, min(mostKept, rungs.count))
    where lost > 0 && Double(ladder.mixed.hits - all.hits) < share * Double(lost) {
      let worst = ladder.byGain.prefix(count).map(\.layer)
      ladder = QuantizationLadder(
        float: float, quantized: all, rungs: rungs, worst: worst, mixed: try measure(keeping: scheme.kept + worst))
    }
    return ladder
  }
}
