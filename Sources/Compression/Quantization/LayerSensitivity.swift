public import Datasets
public import Engine
public import Networks
public import Tensors
public import Training

/// Which layer costs the accuracy: each in few bits alone, and each in float32 among the others.
public struct LayerSensitivity: Hashable, Sendable, Codable {
  public struct Rung: Hashable, Sendable, Codable {
    public let layer: String
    /// With this layer alone in few bits, and with all but it.
    public let only, without: Evaluation
  }
  public let float, quantized: Evaluation
  /// In the order of the layers.
  public let rungs: [Rung]
  /// Layers that together, in float32, make up for most of what is lost; those that make up for most first.
  public let worst: [String]
  /// With those in float32.
  public let mixed: Evaluation

  /// The layers by how much smaller the loss is where each stays in float32, the largest gain first.
  public var byGain: [Rung] { rungs.sorted { ($0.without.loss, $0.layer) < ($1.without.loss, $1.layer) } }
}

/// What a ladder has measured, so that one that was stopped goes on.
public final class LadderLedger {
  private struct Measurement: Codable {
    /// The layers in float32; nil where nothing is rounded.
    var kept: [String]?
    var evaluation: Evaluation
  }
  private let file: LineFile<Measurement>
  private var known: [[String]?: Evaluation] = [:]

  /// Opens a ledger, or begins one; nil for one in memory alone. A last line that was not finished is passed over.
  /// - Throws: `TensorError.file` where the system refuses; `.malformed` for a line that is no measurement.
  public init(at path: String?) throws(TensorError) {
    file = try LineFile(at: path, of: "measurement") { $0.evaluation.isPossible && $0.evaluation.count > 0 }
    for line in file.entries { known[line.kept] = line.evaluation }
  }

  fileprivate func evaluation(keeping kept: [String]?, _ measure: () throws -> Evaluation) throws -> Evaluation {
    let kept = kept?.sorted()
    if let evaluation = known[kept] { return evaluation }
    let evaluation = try measure()
    try file.append(Measurement(kept: kept, evaluation: evaluation))
    known[kept] = evaluation
    return evaluation
  }
}

extension PostTrainingQuantizer {
  /// Measures the ladder of a network. Ranges are found once, with all layers rounded; biases are left as they are.
  ///
  /// - Parameters:
  ///   - split: what ranges are found on.
  ///   - judged: what accuracy is measured on.
  ///   - share: how much of the lost accuracy the worst layers are to make up for.
  ///   - ledger: of this ladder; what it holds is not measured again.
  ///   - report: called after each layer.
  /// - Throws: as `quantized`, `TrainingError`, and `TensorError` where the ledger cannot be written.
  public func layerSensitivity(
    _ network: Network, _ weights: Weights, on split: Split, judgedOn judged: Split, normalization: Normalization,
    _ scheme: QuantizationScheme, _ settings: CalibrationSettings, share: Double = 0.9, mostKept: Int = 8,
    ledger: LadderLedger, report: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> LayerSensitivity {
    var settings = settings
    settings.correctsBias = false
    let evaluator = Evaluator(engine: engine, isInterrupted: isInterrupted)
    let (base, baseWeights) = settings.equalizes ? try EqualizeLayers()(network, weights) : (network, weights)
    settings.equalizes = false
    var ranges: Weights?
    func measure(keeping kept: [String]) throws -> Evaluation {
      try ledger.evaluation(keeping: kept) {
        if isInterrupted() { throw EngineError.interrupted }
        let whole =
          try ranges
          ?? quantized(base, baseWeights, on: split, normalization: normalization, scheme, settings).weights
        ranges = whole
        var scheme = scheme
        scheme.kept = kept
        let (network, start) = try InsertQuantizers(scheme)(base, baseWeights)
        let weights = start.merging(whole.filter { start[$0.key] != nil }) { $1 }
        return try evaluator.evaluate(network, weights, on: judged, normalization: normalization)
      }
    }
    let float = try ledger.evaluation(keeping: nil) {
      try evaluator.evaluate(base, baseWeights, on: judged, normalization: normalization)
    }
    let all = try measure(keeping: scheme.kept)
    let names = base.quantizableLayers.map(\.name)
    let candidates = names.filter { !scheme.kept.contains($0) }
    var rungs: [LayerSensitivity.Rung] = []
    for name in candidates {
      rungs.append(
        LayerSensitivity.Rung(
          layer: name, only: try measure(keeping: names.filter { $0 != name }),
          without: try measure(keeping: scheme.kept + [name])))
      report(rungs.count, candidates.count)
    }
    var ladder = LayerSensitivity(float: float, quantized: all, rungs: rungs, worst: [], mixed: all)
    let lost = float.correct - all.correct
    for count in 1...max(1, min(mostKept, rungs.count))
    where lost > 0 && Double(ladder.mixed.correct - all.correct) < share * Double(lost) {
      let worst = ladder.byGain.prefix(count).map(\.layer)
      ladder = LayerSensitivity(
        float: float, quantized: all, rungs: rungs, worst: worst, mixed: try measure(keeping: scheme.kept + worst))
    }
    return ladder
  }
}
