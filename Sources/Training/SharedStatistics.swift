internal import Distribution
internal import Engine
internal import Networks
internal import Tensors

/// The running statistics of batch norms, where each process sees its own pictures: after each step all have those that
/// one process would have that computed all parts of the batch one after the other.
///
/// A part with the statistics s turns the running ones r into k r + m s, k = 1 − m. So p parts of each of n processes,
/// each beginning at the same r, give together k^(pn) r + Σᵢ k^(p(n−1−i)) (rᵢ − k^p r).
final class SharedStatistics {
  private let numbers: UnsafeMutableBufferPointer<Float>
  private let segments: [(range: Range<Int>, keep: Double, weight: Double, keepAll: Double)]
  private let communicator: Communicator
  private let before, message: AlignedBuffer

  /// - Parameter isSynchronized: whether all processes have the same statistics anyway.
  init(of plan: Plan, parts: Int, isSynchronized: Bool, _ communicator: Communicator) throws(TensorError) {
    self.communicator = communicator
    numbers = isSynchronized ? .init(start: nil, count: 0) : plan.statistics
    before = try AlignedBuffer(byteCount: numbers.count * 4)
    message = try AlignedBuffer(byteCount: numbers.count * 4)
    let momenta = plan.network.statisticMomenta
    segments = (isSynchronized ? [] : plan.statisticSegments).map { segment in
      let keep = Self.power(1 - momenta[segment.name]!, parts)
      return (
        segment.offset..<segment.offset + segment.count, keep,
        Self.power(keep, communicator.size - 1 - communicator.rank), Self.power(keep, communicator.size)
      )
    }
  }

  private static func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }

  /// Before the first part.
  func remember() {
    guard !numbers.isEmpty else { return }
    before.floats.update(from: numbers.baseAddress!, count: numbers.count)
  }

  /// After the last part's forward pass.
  func startSum() {
    let (before, message) = (before.floats, message.floats)
    for segment in segments {
      for i in segment.range {
        message[i] = Float(segment.weight * (Double(numbers[i]) - segment.keep * Double(before[i])))
      }
    }
    communicator.startSum(message, count: numbers.count)
  }

  /// After the sum.
  func take() {
    let (before, message) = (before.floats, message.floats)
    for segment in segments {
      for i in segment.range { numbers[i] = Float(segment.keepAll * Double(before[i]) + Double(message[i])) }
    }
  }
}

extension Network {
  /// How much of a batch's statistics goes into the running ones, by the name of those.
  fileprivate var statisticMomenta: [String: Double] {
    var momenta: [String: Double] = [:]
    for node in nodes {
      guard case .batchNorm(let rules) = self[node].operation else { continue }
      for parameter in parameters(of: node) where !parameter.rule.isTrainable {
        momenta[parameter.name] = Double(rules.momentum)
      }
    }
    return momenta
  }
}
