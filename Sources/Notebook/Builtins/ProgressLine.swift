internal import Script
internal import Training

/// Tells how far a training run is: a line that changes where there is a display for it, else a line for each epoch.
struct ProgressLine {
  private let display: (@Sendable (String?) -> Void)?
  private let context: CallContext
  private var shownAt: ContinuousClock.Instant?
  private var reportedEpoch = 0
  /// The losses of the steps, and the accuracies on the validation set after each epoch, in per cent.
  private var losses = Sparkline(columns: 12)
  private var accuracies = Sparkline(columns: 12)
  private var accuracy: Double?

  /// The display is not asked more often than that.
  private static let interval = Duration.milliseconds(100)

  init(_ display: (@Sendable (String?) -> Void)?, _ context: CallContext) {
    (self.display, self.context) = (display, context)
  }

  mutating func show(_ step: Progress) {
    losses.add(step.stepLoss)
    guard let display else {
      // Once per epoch, when its speed is known.
      guard step.step >= step.steps, step.epoch != reportedEpoch else { return }
      reportedEpoch = step.epoch
      return context.report(text(step))
    }
    let now = ContinuousClock.now
    if let shownAt, now - shownAt < Self.interval { return }
    shownAt = now
    display(text(step) + curves)
  }

  /// Takes what an epoch came to.
  mutating func note(_ epoch: EpochRecord) {
    accuracy = epoch.validation.top1 * 100
    accuracies.add(epoch.validation.top1)
  }

  mutating func clear() {
    guard shownAt != nil else { return }
    shownAt = nil
    display?(nil)
  }

  private func text(_ step: Progress) -> String {
    "epoch \(step.epoch)/\(step.epochs), step \(step.step)/\(step.steps), loss \(NumberText.fixed(step.loss, 4)), "
      + "\(NumberText.fixed(step.imagesPerSecond, 0)) images/s, \(NumberText.duration(step.secondsLeft)) left"
  }

  /// Behind the words, as a narrow terminal shows the beginning of a line: the loss, then the accuracy.
  private var curves: String {
    var text = losses.text.isEmpty ? "" : "  " + losses.text
    if let accuracy { text += "  top-1 \(NumberText.fixed(accuracy, 1)) % \(accuracies.text)" }
    return text
  }
}
