internal import Datasets
internal import Distribution
internal import Engine
internal import Tensors

/// What the processes of a training tell each other in a step: gradients while the backward pass goes on, how the
/// step went, and batch norms' running statistics.
///
/// Everything is started in one fixed order, by every process and in every step.
final class StepExchange {
  private let communicator: Communicator
  private let plan: Plan
  private let gradients: GradientSum
  private let buckets: [GradientBuckets.Bucket]
  private let statistics: SharedStatistics
  private let message: UnsafeMutablePointer<Double>
  private static let messageCount = 6

  /// This process's own part of the step.
  private var own = Evaluation()
  private var isSound = true
  /// The whole step, after its end.
  private(set) var whole = Evaluation()
  /// The sum of the step's losses, over all processes.
  private(set) var lossSum = 0.0
  /// Whether some process was asked to stop.
  private(set) var stops = false

  init(_ state: TrainingState, _ sharding: Sharding, isSynchronized: Bool, _ communicator: Communicator, bucketBytes: Int)
    throws(TensorError)
  {
    (self.communicator, plan, gradients) = (communicator, state.compiled, state.gradients)
    buckets = GradientBuckets(plan.arenas, byteCount: bucketBytes).list
    statistics = try SharedStatistics(of: plan, parts: sharding.parts, isSynchronized: isSynchronized, communicator)
    message = .allocate(capacity: Self.messageCount)
    message.initialize(repeating: 0, count: Self.messageCount)
  }
  deinit { message.deallocate() }

  /// Before the first part.
  func begin() {
    (own, isSound) = (Evaluation(), true)
    statistics.remember()
  }

  /// Takes in what a part gave.
  func note(_ part: (inout Evaluation) -> Void, isSound: Bool) {
    part(&own)
    if !isSound { self.isSound = false }
  }

  /// After the last part's forward pass: its backward pass, with all that goes between the processes. What is no number
  /// is passed on all the same, since the others wait for it; no weight moves then.
  /// - Returns: whether every process's losses are numbers.
  func backward(_ execution: inout Plan.Execution, stops: Bool) -> Bool {
    message[0] = own.loss * Double(own.count)
    (message[1], message[2], message[3]) = (Double(own.correct), Double(own.hitsAmongFive), Double(own.count))
    (message[4], message[5]) = (stops ? 1 : 0, isSound ? 0 : 1)
    communicator.startSum(message, count: Self.messageCount)
    statistics.startSum()

    var next = plan.backwardSteps.lowerBound
    func run(to end: Int) {
      guard end > next else { return }
      execution.run(next..<end)
      next = end
    }
    let start = plan.arenas.gradients
    for bucket in buckets {
      run(to: bucket.lastStep + 1)
      gradients.finish(bucket.range)
      communicator.startSum(start + bucket.range.lowerBound, count: bucket.range.count)
    }
    run(to: plan.backwardSteps.upperBound)
    communicator.wait()

    statistics.take()
    lossSum = message[0]
    whole.count = Int(message[3])
    whole.loss = lossSum / message[3]
    (whole.correct, whole.hitsAmongFive) = (Int(message[1]), Int(message[2]))
    self.stops = message[4] > 0
    return message[5] == 0
  }
}
