public import Datasets
public import Engine
public import Networks
public import Tensors
public import Training

/// Which layer costs the accuracy: each in few bits alone, and each in float32 among the others.
public struct LayerSensitivity: Hashable, Sendable, Codable {
  public struct Layer: Hashable, Sendable, Codable {
    public let layer: String
    /// With this layer alone in few bits, and with all but it.
    public let only, without: Evaluation
  }
  public let float, quantized: Evaluation
  /// In the order of the layers.
  public let layers: [Layer]
  /// Layers that together, in float32, make up for most of what is lost; those that make up for most first.
  public let worst: [String]
  /// With those in float32.
  public let mixed: Evaluation

  /// The names in files, which are older than those here.
  private enum CodingKeys: String, CodingKey {
    case float, quantized, worst, mixed
    case layers = "rungs"
  }

  /// The layers by how much smaller the loss is where each stays in float32, the largest gain first.
  public var byGain: [Layer] { layers.sorted { ($0.without.loss, $0.layer) < ($1.without.loss, $1.layer) } }
}

/// What was measured of layers, so that a study that was stopped goes on.
public final class LayerSensitivityLedger {
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
  /// Measures the sensitivity of each layer. Ranges are found once, with all layers rounded; biases are left as they are.
  ///
  /// - Parameters:
  ///   - split: what ranges are found on.
  ///   - judged: what accuracy is measured on.
  ///   - share: how much of the lost accuracy the worst layers are to make up for.
  ///   - ledger: of this study; what it holds is not measured again.
  ///   - report: called after each layer.
  /// - Throws: as `quantized`, `TrainingError`, and `TensorError` where the ledger cannot be written.
  public func layerSensitivity(
    _ network: Network, _ weights: Weights, on split: Split, judgedOn judged: Split, normalization: Normalization,
    _ scheme: QuantizationScheme, _ settings: CalibrationSettings, share: Double = 0.9, mostKept: Int = 8,
    ledger: LayerSensitivityLedger, report: (_ done: Int, _ count: Int) -> Void = { _, _ in }
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
    var layers: [LayerSensitivity.Layer] = []
    for name in candidates {
      layers.append(
        LayerSensitivity.Layer(
          layer: name, only: try measure(keeping: names.filter { $0 != name }),
          without: try measure(keeping: scheme.kept + [name])))
      report(layers.count, candidates.count)
    }
    var sensitivity = LayerSensitivity(float: float, quantized: all, layers: layers, worst: [], mixed: all)
    let lost = float.correct - all.correct
    for count in 1...max(1, min(mostKept, layers.count))
    where lost > 0 && Double(sensitivity.mixed.correct - all.correct) < share * Double(lost) {
      let worst = sensitivity.byGain.prefix(count).map(\.layer)
      sensitivity = LayerSensitivity(
        float: float, quantized: all, layers: layers, worst: worst, mixed: try measure(keeping: scheme.kept + worst))
    }
    return sensitivity
  }
}
