/// How ranges are estimated in post-training quantization (PTQ).
public struct CalibrationSettings: Hashable, Sendable, Codable {
  /// How the range of a layer's numbers is found.
  public enum Method: String, Hashable, Sendable, Codable, CaseIterable {
    /// From the smallest to the largest.
    case minMax
    /// The ends of each batch of fifty, averaged: a tenth of the way to those of the next each time.
    case movingAverage
    /// All but a small share at each end.
    case percentile
    /// So that the mean squared error is least.
    case mse
    /// So that Kullback and Leibler's divergence is least.
    case kl
  }
  public var method = Method.minMax
  /// Of `percentile`: per cent of the numbers below the upper end.
  public var percentile = 99.99
  /// Images that are looked at.
  public var images = 300
  /// Whether the channels of neighbouring layers are scaled to like ranges first; ReLU6 becomes ReLU on the way.
  public var equalizes = false
  /// Whether biases make up for what rounded weights add on average.
  public var correctsBias = false

  public init() {}
}
