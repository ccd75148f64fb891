internal import Distribution
internal import Engine
internal import Networks
internal import Tensors

/// The running statistics of batch norms and the ranges of quantizers, where each process sees its own images: after
/// each step all have those that one process would have that computed all parts of the batch one after the other.
///
/// A part with the statistics s turns the running ones r into k r + (1 − k) s. So p parts of each of n processes, each
/// beginning at the same r, give together k^(pn) r + Σᵢ k^(p(n−1−i)) (rᵢ − k^p r).
final class SharedStatistics {
  private struct Segment {
    let range: Range<Int>
    /// Where it starts in the message.
    let place: Int
    let isNorms: Bool
    let keep, weight, keepAll: Double
  }

  private let plan: Plan
  private let segments: [Segment]
  private let communicator: Communicator
  private let before, message: AlignedBuffer
  private let messageCount: Int

  /// - Parameter isSynchronized: whether all processes have the same statistics of batch norms anyway.
  init(of plan: Plan, parts: Int, isSynchronized: Bool, _ communicator: Communicator) throws(TensorError) {
    (self.plan, self.communicator) = (plan, communicator)
    let keeps = plan.network.statisticKeeps
    var (segments, place) = ([Segment](), 0)
    for segment in plan.statisticSegments where !(isSynchronized && segment.rule.isNormStatistic) {
      let keep = Self.power(keeps[segment.name]!, parts)
      segments.append(
        Segment(
          range: segment.offset..<segment.offset + segment.count, place: place, isNorms: segment.rule.isNormStatistic,
          keep: keep, weight: Self.power(keep, communicator.size - 1 - communicator.rank),
          keepAll: Self.power(keep, communicator.size)))
      place += segment.count
    }
    (self.segments, messageCount) = (segments, place)
    before = try AlignedBuffer(byteCount: place * 4)
    message = try AlignedBuffer(byteCount: place * 4)
  }

  private static func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }

  /// Before the first part.
  func remember() {
    let numbers = plan.statistics
    for segment in segments {
      (before.floats + segment.place).update(
        from: numbers.baseAddress! + segment.range.lowerBound, count: segment.range.count)
    }
  }

  /// After the last part's forward pass.
  func startSum() {
    guard messageCount > 0 else { return }
    let (numbers, before, message) = (plan.statistics, before.floats, message.floats)
    for segment in segments {
      for (i, j) in zip(segment.range, segment.place...) {
        message[j] = Float(segment.weight * (Double(numbers[i]) - segment.keep * Double(before[j])))
      }
    }
    communicator.startSum(message, count: messageCount)
  }

  /// After the sum. What no part has moved stays to the bit.
  func take() {
    let (numbers, before, message) = (plan.statistics, before.floats, message.floats)
    let isFrozen = plan.freezesBatchNorm
    for segment in segments where !(isFrozen && segment.isNorms) {
      for (i, j) in zip(segment.range, segment.place...) {
        numbers[i] = Float(segment.keepAll * Double(before[j]) + Double(message[j]))
      }
    }
  }
}

extension ParameterRule {
  /// Whether it is a batch norm's running mean or variance.
  var isNormStatistic: Bool { role == .runningMean || role == .runningVariance }
}

extension Network {
  /// How much of them stays when a batch moves running statistics and ranges, by their names.
  fileprivate var statisticKeeps: [String: Double] {
    var keeps: [String: Double] = [:]
    for node in nodes {
      guard let keep = self[node].operation.statisticKeep else { continue }
      for parameter in parameters(of: node) where !parameter.rule.isTrainable { keeps[parameter.name] = keep }
    }
    return keeps
  }
}
