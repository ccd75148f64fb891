internal import Tensors

/// A filter, or one of the two at random for each image.
public enum Interpolation: String, CaseIterable, Hashable, Sendable, Codable {
  case bilinear, bicubic, random

  /// Draws only where there is a choice.
  func drawn(using random: inout Philox) -> Framing.Filter {
    switch self {
    case .bilinear: .bilinear
    case .bicubic: .bicubic
    case .random: random.uniformDouble() < 0.5 ? .bilinear : .bicubic
    }
  }
}
