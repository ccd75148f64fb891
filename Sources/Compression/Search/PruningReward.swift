internal import Foundation
public import Training

/// What a search makes large.
public enum PruningReward: String, Hashable, Sendable, Codable, CaseIterable {
  /// Top-1 accuracy, as a share.
  case top1
  /// Those with the right answer among the first five.
  case top5
  /// `−(1 − top-1) · ln(MACs)`: accuracy and cost. AMC (He et al. 2018, arXiv:1802.03494), eq. 5.
  case errorAndMACs
  /// `−max(0.15, 1 − top-5) · ln(MACs)`: PocketFlow's policy `flops`.
  case boundedErrorAndMACs

  public func value(_ evaluation: Evaluation, macs: Int) -> Double {
    switch self {
    case .top1: evaluation.top1
    case .top5: evaluation.top5
    case .errorAndMACs: -(1 - evaluation.top1) * log(Double(macs))
    case .boundedErrorAndMACs: -max(0.15, 1 - evaluation.top5) * log(Double(macs))
    }
  }
}
