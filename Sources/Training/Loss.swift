internal import CKernels

/// What a training makes small.
public enum Loss: Hashable, Sendable, Codable {
  /// `−Σ t log softmax(z)`, the mean over the batch; targets may be mixed or smoothed.
  case crossEntropy
  /// `−(t log σ(z) + (1 − t) log(1 − σ(z)))`, the mean over batch and classes: each class is a question of its own.
  ///
  /// With a threshold, targets above it count as 1 and all others as 0. timm's `BinaryCrossEntropy`, the loss of
  /// Wightman et al. 2021 (arXiv:2110.00476).
  case binaryCrossEntropy(threshold: Double?)

  /// Fills in each row's loss and the gradient of the mean over `1 / scale` rows. On the engine's thread.
  package func evaluate(
    _ logits: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    losses: UnsafeMutablePointer<Double>, rows: Int, classes: Int, scale: Float
  ) {
    switch self {
    case .crossEntropy:
      rk_soft_cross_entropy(logits, targets, gradient, losses, Int64(rows), Int64(classes), scale)
    case .binaryCrossEntropy(let threshold):
      rk_binary_cross_entropy(
        logits, targets, threshold.map(Float.init) ?? .nan, gradient, losses, Int64(rows), Int64(classes), scale)
    }
  }

  var problem: String? {
    if case .binaryCrossEntropy(let threshold?) = self, !(threshold >= 0 && threshold < 1) {
      return "a target's threshold is at least 0 and below 1, not \(threshold)"
    }
    return nil
  }
}
