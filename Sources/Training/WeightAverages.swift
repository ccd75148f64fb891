internal import Engine
internal import Foundation
internal import Tensors

/// An exponential moving average of the weights and of the running statistics: `a ← d a + (1 − d) w` after a step.
///
/// It begins as the weights that the training begins with.
public struct MovingAverage: Hashable, Sendable, Codable {
  /// `d`.
  public var decay = 0.9999
  /// Where given, after step t of T the decay is `d (1 − exp(−ramp · t / T))`; SuperGradients: 15. Else it is constant,
  /// as in timm.
  public var ramp: Double?
  /// Steps between two updates; torchvision: 32.
  public var every = 1

  public init(decay: Double = 0.9999, ramp: Double? = nil, every: Int = 1) {
    (self.decay, self.ramp, self.every) = (decay, ramp, every)
  }

  /// The decay after a step, counted from 1, of so many in all.
  public func decay(after step: Int, of steps: Int) -> Double {
    guard let ramp else { return decay }
    return decay * (1 - exp(-ramp * Double(step) / Double(steps)))
  }

  var problem: String? {
    if !(decay >= 0 && decay < 1) { return "a moving average's decay is at least 0 and below 1, not \(decay)" }
    if let ramp, !(ramp > 0 && ramp.isFinite) { return "the ramp of a moving average is positive, not \(ramp)" }
    return every >= 1 ? nil : "a moving average moves every so many steps, at least 1, not \(every)"
  }
}

/// Which weights a training gives.
public enum ResultWeights: Hashable, Sendable, Codable {
  /// Those after the last step.
  case last
  case movingAverage
  /// The mean, statistics included, of so many snapshots taken at the ends of epochs: those with the most correct. They are
  /// of the moving average where there is one. A new one takes the place of the worst where it is strictly better.
  case meanOfBest(count: Int, by: Selection)

  /// The images by which the best snapshots are told.
  public enum Selection: Hashable, Sendable, Codable {
    /// A share of the training set, which is then not trained on: what is measured on the validation set stays a
    /// measurement.
    case heldOut(share: Double)
    /// The validation set itself, as SuperGradients does; the result is then chosen by what it is measured on.
    case validation
  }

  /// The share of the training set that is held out.
  var heldOutShare: Double {
    if case .meanOfBest(_, .heldOut(let share)) = self { share } else { 0 }
  }

  var problem: String? {
    guard case .meanOfBest(let count, let selection) = self else { return nil }
    if !(1...1000).contains(count) { return "the mean is taken of 1 to 1000 snapshots, not \(count)" }
    if case .heldOut(let share) = selection, !(share > 0 && share < 1) {
      return "the share that is held out is above 0 and below 1, not \(share)"
    }
    return nil
  }
}

/// The moving average of one training run.
final class MovingWeights {
  private let rule: MovingAverage
  private let totalSteps: Int
  let copy: WeightCopy

  init(_ rule: MovingAverage, of plan: Plan, totalSteps: Int) throws(TensorError) {
    (self.rule, self.totalSteps) = (rule, totalSteps)
    copy = try WeightCopy(for: plan)
  }

  /// On the engine's thread.
  func update(after step: Int) {
    guard step % rule.every == 0 else { return }
    copy.average(keep: rule.decay(after: step, of: totalSteps))
  }
}

/// The best snapshots of one training run.
final class BestSnapshots {
  struct Entry: Hashable, Codable {
    /// From 1.
    var epoch: Int
    var correct: Int
  }
  /// Each in the place it took.
  var entries: [Entry] = []
  private let copies: [WeightCopy]
  /// How many are kept.
  var capacity: Int { copies.count }

  init(count: Int, of plan: Plan) throws(TensorError) {
    var copies: [WeightCopy] = []
    for _ in 0..<count { copies.append(try WeightCopy(for: plan)) }
    self.copies = copies
  }

  /// The place for a snapshot with so many correct; nil where it is not among the best.
  private func place(for correct: Int) -> Int? {
    if entries.count < copies.count { return entries.count }
    let worst = entries.indices.min { entries[$0].correct < entries[$1].correct }!
    return correct > entries[worst].correct ? worst : nil
  }

  /// Keeps a snapshot where it is among the best. `take` is to fill the copy.
  func offer(_ entry: Entry, _ take: (WeightCopy) throws(EngineError) -> Void) throws(EngineError) {
    guard let place = place(for: entry.correct) else { return }
    try take(copies[place])
    if place == entries.count { entries.append(entry) } else { entries[place] = entry }
  }

  /// The copy, filled with the mean of those that are kept.
  func mean(into copy: WeightCopy) -> WeightCopy {
    copy.take(meanOf: Array(copies.prefix(entries.count)))
    return copy
  }

  func places(_ count: Int) -> [TrainingState.Place] {
    copies.prefix(count).enumerated().flatMap { $0.element.places("snapshot.\($0.offset)") }
  }
}
