internal import CKernels

/// How a network learns from another's answers (Hinton et al. 2015, arXiv:1503.02531):
/// `(1 − c) · loss + c · KL(teacher ‖ student)`, of softmax at a temperature.
public struct Distillation: Hashable, Sendable, Codable {
  /// `c`. SuperGradients: 0.8.
  public var weight = 0.8
  /// What both networks' logits are divided by.
  public var temperature = 1.0
  /// Whether the divergence is multiplied by the square of the temperature, as Hinton et al. advise; SuperGradients
  /// does not.
  public var scalesBySquare = false

  public init(weight: Double = 0.8, temperature: Double = 1, scalesBySquare: Bool = false) {
    (self.weight, self.temperature, self.scalesBySquare) = (weight, temperature, scalesBySquare)
  }

  var problem: String? {
    if !(weight >= 0 && weight <= 1) { return "a distillation's weight is from 0 to 1, not \(weight)" }
    return temperature > 0 && temperature.isFinite ? nil : "a temperature is positive, not \(temperature)"
  }

  /// Turns logits into shares, `share · softmax(logits / temperature)`. On the engine's thread.
  package func soften(
    _ logits: UnsafePointer<Float>, into shares: UnsafeMutablePointer<Float>, rows: Int, classes: Int, share: Float,
    adds: Bool
  ) {
    rk_softmax(logits, shares, Int64(rows), Int64(classes), Float(temperature), share, adds ? 1 : 0)
  }

  /// Mixes the divergence from the teacher's shares into each row's loss and into the gradient. On the engine's thread.
  package func mix(
    _ logits: UnsafePointer<Float>, _ shares: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    losses: UnsafeMutablePointer<Double>, rows: Int, classes: Int, scale: Float
  ) {
    rk_distill(
      logits, shares, gradient, losses, Int64(rows), Int64(classes), Float(temperature), Float(weight),
      Float(scalesBySquare ? temperature * temperature : 1), scale)
  }
}
