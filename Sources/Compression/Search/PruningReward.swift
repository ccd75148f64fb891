internal import Foundation
public import Training

/// What a search makes large.
public enum PruningReward: String, Hashable, Sendable, Codable, CaseIterable {
  /// Pictures whose first answer is right, a share.
  case top1
  /// Those with the right answer among the first five.
  case top5
  /// `−(1 − top-1) · ln(multiply-adds)`: accuracy and cost. AMC (He et al. 2018, arXiv:1802.03494), eq. 5.
  case errorAndMacs
  /// `−max(0.15, 1 − top-5) · ln(multiply-adds)`: PocketFlow's policy `flops`.
  case boundedErrorAndMacs

  public func value(_ evaluation: Evaluation, macs: Int) -> Double {
    switch self {
    case .top1: evaluation.top1
    case .top5: evaluation.top5
    case .errorAndMacs: -(1 - evaluation.top1) * log(Double(macs))
    case .boundedErrorAndMacs: -max(0.15, 1 - evaluation.top5) * log(Double(macs))
    }
  }
}
