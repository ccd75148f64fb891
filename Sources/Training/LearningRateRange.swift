public import Datasets
internal import Engine
internal import Foundation
public import Networks
public import Tensors

/// How the loss moves while the learning rate rises from step to step: the range test of Smith 2017 (arXiv:1506.01186,
/// section 3.3), in the exponential form that is in use today.
public struct LearningRateRange: Hashable, Sendable {
  /// One for each step, rising.
  public private(set) var rates: [Double] = []
  /// Each step's mean loss, smoothed by an exponential average that is corrected for its start.
  public private(set) var losses: [Double] = []
  /// Whether the test ended before its last step because the loss had left its least value far behind, or was no number.
  public fileprivate(set) var diverged = false

  /// Of a step's loss in the average.
  private static let share = 0.1
  /// A loss of so many times the least ends the test.
  private static let limit = 4.0

  /// The rate at which the smoothed loss falls fastest over the logarithm of the rate, before its least value; nil where
  /// it never falls.
  public var steepest: Double? {
    guard let least = losses.indices.min(by: { losses[$0] < losses[$1] }), least >= 2 else { return nil }
    // Over a twentieth of the test, so that one lucky batch decides nothing.
    let reach = max(1, losses.count / 20)
    let slopes = (0..<least).map { place -> (rate: Double, slope: Double) in
      let (first, last) = (max(0, place - reach), min(least, place + reach))
      return (rates[place], (losses[last] - losses[first]) / (log(rates[last]) - log(rates[first])))
    }
    guard let best = slopes.min(by: { $0.slope < $1.slope }), best.slope < 0 else { return nil }
    return best.rate
  }

  fileprivate mutating func add(rate: Double, loss: Double) -> Bool {
    let weight = 1 - Foundation.pow(1 - Self.share, Double(losses.count + 1))
    let before = losses.last.map { $0 * (1 - Foundation.pow(1 - Self.share, Double(losses.count))) } ?? 0
    rates.append(rate)
    losses.append((before * (1 - Self.share) + loss * Self.share) / weight)
    diverged = !(losses[losses.count - 1] <= Self.limit * (losses.min() ?? .infinity))
    return diverged
  }
}

extension Trainer {
  /// Trains for some steps while the learning rate rises from one end of a range to the other, or until the loss has
  /// diverged; the weights are thrown away.
  ///
  /// - Parameters:
  ///   - plan: gives batch size, optimizer, weight decay, augmentations and seed; its rate and schedule are not used.
  ///   - isInterrupted: asked before each step; what was measured so far is the result then.
  /// - Throws: `TrainingError`.
  public func learningRateRange(
    _ network: Network, from weights: Weights? = nil, on dataset: Dataset, _ plan: TrainingPlan,
    over range: ClosedRange<Double>, steps: Int, isInterrupted: @escaping () -> Bool = { false }
  ) throws(TrainingError) -> LearningRateRange {
    var (plan, data) = (plan, dataset)
    data.validation = data.validation.empty
    let perEpoch = max(1, dataset.train.count / max(1, plan.batchSize))
    plan.epochs = (steps + perEpoch - 1) / perEpoch
    let total = Double(plan.epochs * perEpoch)
    plan.warmupEpochs = 0
    plan.learningRate = range.lowerBound * pow(range.upperBound / range.lowerBound, total / Double(steps))
    plan.schedule = .rising(start: range.lowerBound / plan.learningRate)
    var found = LearningRateRange()
    var isDone = false
    do throws(TrainingError) {
      _ = try train(
        network, from: weights, on: data, plan, isInterrupted: { isDone || isInterrupted() },
        report: { event in
          guard case .step(let step) = event, !isDone else { return }
          isDone = found.add(rate: step.learningRate, loss: step.stepLoss) || found.losses.count >= steps
        })
    } catch {
      // A loss without a value is where a range test may well end.
      guard case .notFinite = error, !found.losses.isEmpty else { throw error }
      found.diverged = true
    }
    return found
  }
}
