internal import Foundation

/// How the learning rate falls after the warm-up.
public enum Schedule: Hashable, Sendable, Codable {
  case constant
  /// Times `factor` after each `every` epochs. slim's MobileNet: 0.94 after each 2.5.
  case step(every: Double, factor: Double)
  /// Times `factor` at each of these epochs.
  case steps(at: [Double], factor: Double)
  /// Times `factor` over each `every` epochs, without steps.
  case exponential(every: Double, factor: Double)
  /// Half a cosine from the peak to `final` of it (Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5).
  case cosine(final: Double)
  /// Rises from `start` of the peak to the peak, by the same factor in each step: the learning-rate range test of Smith
  /// 2017 (arXiv:1506.01186, section 3.3), in its exponential form.
  case rising(start: Double)

  /// The share of the peak at a time in epochs; cosine and rise end after `length`.
  /// - Parameter start: the time at which they begin.
  func factor(at time: Double, from start: Double, length: Double) -> Double {
    switch self {
    case .constant: return 1
    case .step(let every, let factor):
      // A little more, so that an epoch's own beginning is not taken for the end of the one before.
      return power(factor, ((time + 1e-9) / every).rounded(.down))
    case .steps(let epochs, let factor): return power(factor, Double(epochs.count { $0 <= time + 1e-9 }))
    case .exponential(let every, let factor): return pow(factor, time / every)
    case .cosine(let final):
      let done = length > 0 ? min((time - start) / length, 1) : 1
      let falling: Double = 0.5 * (1 + Foundation.cos(Double.pi * done))
      return final + (1 - final) * falling
    case .rising(let share): return pow(share, 1 - min((time - start) / length, 1))
    }
  }

  /// By multiplication, as published programs do it; a schedule of more steps than are told apart is not one of them.
  private func power(_ factor: Double, _ count: Double) -> Double {
    guard count <= 1e5 else { return pow(factor, count) }
    return (0..<Int(count)).reduce(1.0) { share, _ in share * factor }
  }

  var problem: String? {
    switch self {
    case .constant: return nil
    case .step(let every, let factor), .exponential(let every, let factor):
      if !(every > 0 && every.isFinite) { return "the rate falls every so many epochs, more than 0, not \(every)" }
      return factor > 0 && factor <= 1 ? nil : "the rate falls by a factor above 0 and at most 1, not \(factor)"
    case .steps(_, let factor):
      return factor > 0 && factor <= 1 ? nil : "the rate falls by a factor above 0 and at most 1, not \(factor)"
    case .rising(let start): return start > 0 && start <= 1 ? nil : "a rise begins above 0 and at most at the peak"
    case .cosine(let final): return final >= 0 && final <= 1 ? nil : "a cosine ends at 0 to 1 of the peak, not \(final)"
    }
  }
}

/// How the learning rate rises at the beginning.
public enum Warmup: Hashable, Sendable, Codable {
  /// From 0, step by step; the last step of the warm-up has the peak.
  case steps
  /// By whole epochs: the first at `from` of the peak, in equal parts up to the peak in the first epoch after them.
  /// timm's, where its `--warmup-lr` is `from` times the peak.
  case epochs(from: Double)

  /// SuperGradients' warm-up of so many epochs: epoch e, from 0, has (e + 1) / (epochs + 1) of the peak.
  public static func wholeEpochs(_ epochs: Double) -> Warmup { .epochs(from: 1 / (epochs + 1)) }
}

extension TrainingPlan {
  /// The learning rate of a step: warm-up first, then the schedule, then the cool-down, which keeps the rate at which
  /// the schedule ends.
  /// - Parameter step: from 0, over all epochs.
  public func learningRate(atStep step: Int, stepsPerEpoch: Int) -> Double {
    let time = Double(step) / Double(stepsPerEpoch)
    let epoch = Double(step / stepsPerEpoch)
    if time < warmupEpochs {
      switch warmup {
      case .steps:
        // A warm-up ends with its last step at the peak, so the first is not zero.
        let rising = Double(step + 1) / Double(stepsPerEpoch)
        return learningRate * (min(rising, warmupEpochs) / warmupEpochs)
      case .epochs(let from): return learningRate * (from + (1 - from) * epoch / warmupEpochs)
      }
    }
    let start = schedulesFromStart ? 0 : warmupEpochs
    let end = Double(epochs - cooldownEpochs)
    let place = min(schedulesByEpoch ? epoch : time, end)
    return learningRate * schedule.factor(at: place, from: start, length: end - start)
  }
}
