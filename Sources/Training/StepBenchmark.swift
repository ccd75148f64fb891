internal import CKernels
public import Engine
internal import Foundation
public import Networks
public import Tensors

/// How fast a network's steps run, without any data to wait for.
public struct StepBenchmark: Sendable {
  /// The time of one step of the plan within one pass.
  public struct StepTime: Hashable, Sendable {
    public let label: Plan.Label
    public let seconds: Double
    /// Bytes of the gradients that are whole after it.
    public let gradientBytes: Int
  }

  public let threads, batch: Int
  public let isTraining: Bool
  /// Of planning: formats, memory, kernels.
  public let compileSeconds: Double
  /// Of planning the same again.
  public let recompileSeconds: Double
  /// Of each timed pass: forward alone, or forward, loss, backward and SGD with momentum.
  public let seconds: [Double]
  /// Of the plan, in order: the mean over the timed passes; empty unless asked for.
  public let steps: [StepTime]
  /// What the plan took.
  public let planBytes: Int
  /// Floating-point operations of one pass: two per MAC, thrice over in training.
  public let operations: Double
  /// Operations a second of a large matrix product, timed beside the passes.
  public let peakRate: Double

  public var minimum: Double { seconds.min() ?? 0 }
  public var median: Double { seconds.isEmpty ? 0 : seconds.sorted()[seconds.count / 2] }
  /// Of the fastest pass.
  public var imagesPerSecond: Double { Double(batch) / minimum }
  public var rate: Double { operations / minimum }

  /// Compiles the network and times its passes on random images.
  /// - Parameters:
  ///   - weights: drawn again where nil.
  ///   - mode: what of the network is timed.
  ///   - precision: what is computed with.
  ///   - warmUp: passes before the first that is timed.
  ///   - profiles: times each step of the plan too.
  ///   - isInterrupted: asked before each step of the plan; once true, the work ends with `EngineError.interrupted`.
  /// - Throws: `TrainingError.engine`, `.tensor`.
  public init(
    _ network: Network, _ weights: Weights? = nil, on engine: Engine, batch: Int, mode: Plan.Mode,
    precision: Precision = .float32, passes: Int, warmUp: Int = 3, profiles: Bool = false,
    isInterrupted: @escaping () -> Bool = { false }
  ) throws(TrainingError) {
    let timer = try StepTimer(
      network, weights, on: engine, batch: batch, mode: mode, precision: precision, profiles: profiles,
      isInterrupted: isInterrupted)
    for pass in 0..<warmUp + passes { try timer.pass(isTimed: pass >= warmUp) }
    self = try timer.benchmark()
  }

  /// Times networks that take turns, so that what else the machine does meets all of them alike: their seconds at one place
  /// belong together.
  /// - Parameter isInterrupted: asked before each step of the plans; once true, the work ends with `EngineError.interrupted`.
  /// - Throws: `TrainingError.engine`, `.tensor`.
  public static func byTurns(
    _ networks: [Network], on engine: Engine, batch: Int, mode: Plan.Mode, precision: Precision, passes: Int,
    warmUp: Int, isInterrupted: @escaping () -> Bool
  ) throws(TrainingError) -> [StepBenchmark] {
    var timers: [StepTimer] = []
    for network in networks {
      timers.append(
        try StepTimer(
          network, nil, on: engine, batch: batch, mode: mode, precision: precision, profiles: false,
          isInterrupted: isInterrupted))
    }
    for pass in 0..<warmUp + passes {
      for timer in timers { try timer.pass(isTimed: pass >= warmUp) }
    }
    var results: [StepBenchmark] = []
    for timer in timers { results.append(try timer.benchmark()) }
    return results
  }

  fileprivate init(_ timer: StepTimer, peakRate: Double) {
    let (plan, seconds) = (timer.plan, timer.seconds)
    (threads, batch, isTraining) = (timer.engine.threads, plan.batch, timer.optimizer != nil)
    (compileSeconds, recompileSeconds, self.seconds) = (timer.compileSeconds, timer.recompileSeconds, seconds)
    var gradientBytes = [Int](repeating: 0, count: plan.labels.count)
    if isTraining { for segment in plan.arenas.segments { gradientBytes[segment.gradientStep] += segment.count * 4 } }
    steps =
      timer.profiles
      ? plan.labels.indices.map { i in
        StepTime(
          label: plan.labels[i], seconds: timer.stepTimes[i] / Double(max(seconds.count, 1)), gradientBytes: gradientBytes[i])
      } : []
    planBytes = plan.byteCount
    operations = Double(timer.network.macs) * 2 * Double(batch) * (isTraining ? 3 : 1)
    self.peakRate = peakRate
  }
}

/// A network that is ready for its next pass.
private final class StepTimer {
  let network: Network
  let engine: Engine
  let plan: Plan
  let optimizer: OptimizerState?
  let profiles: Bool
  let compileSeconds, recompileSeconds: Double
  private(set) var seconds: [Double] = []
  private(set) var stepTimes: [Double]
  private let targets: [Float]
  private var losses: [Double]

  init(
    _ network: Network, _ weights: Weights?, on engine: Engine, batch: Int, mode: Plan.Mode, precision: Precision,
    profiles: Bool, isInterrupted: @escaping () -> Bool
  ) throws(TrainingError) {
    func compile() throws(TrainingError) -> (plan: Plan, seconds: Double) {
      let begun = DispatchTime.now().uptimeNanoseconds
      if isInterrupted() { throw .engine(.interrupted) }
      let plan = try Training.engine { () throws(EngineError) in
        try engine.compile(network, batch: batch, mode: mode, precision: precision)
      }
      plan.isInterrupted = isInterrupted
      return (plan, Double(DispatchTime.now().uptimeNanoseconds - begun) * 1e-9)
    }
    let plan: Plan
    (plan, compileSeconds) = try compile()
    recompileSeconds = try compile().seconds
    try Training.engine { () throws(EngineError) in
      if let weights { try plan.load(weights) } else { try plan.loadInitialWeights(seed: 1) }
    }
    let isTraining = mode != .inference && mode != .int8

    let classes = network.shape(of: network.output).elementCount
    var random = RandomKey(seed: 1, for: .synthetic).generator()
    for i in plan.input.indices { plan.input[i] = Float(random.normal()) }
    var labels = (0..<batch).map { Int32($0 % classes) }
    var targets = [Float](repeating: 0, count: batch * classes)
    targets.withUnsafeMutableBufferPointer { targets in
      labels.withUnsafeMutableBufferPointer {
        fillTargets(targets.baseAddress!, labels: $0, rows: batch, classes: classes, smoothing: 0)
      }
    }
    do {
      optimizer =
        isTraining
        ? try OptimizerState(
          .sgd(momentum: 0.9, nesterov: false), over: ParameterSegments(of: plan, weightDecay: 1e-4, decayed: .all))
        : nil
    } catch { throw .tensor(error) }
    (self.network, self.engine, self.plan, self.targets, self.profiles) = (network, engine, plan, targets, profiles)
    losses = [Double](repeating: 0, count: batch)
    stepTimes = [Double](repeating: 0, count: plan.labels.count)
  }

  /// Forward alone, or forward, loss, backward and SGD with momentum.
  func pass(isTimed: Bool) throws(TrainingError) {
    var times = [Double](repeating: 0, count: stepTimes.count)
    var passed = 0.0
    try Training.engine { () throws(EngineError) in
      try plan.perform { execution in
        times.withUnsafeMutableBufferPointer { times in
          let timing = profiles ? times.baseAddress : nil
          let begun = DispatchTime.now().uptimeNanoseconds
          execution.forward(timing: timing)
          if let gradient = plan.logitsGradient, let optimizer {
            rk_soft_cross_entropy(
              plan.logits.baseAddress, targets, gradient.baseAddress, &losses, Int64(plan.batch), Int64(targets.count / plan.batch),
              1 / Float(plan.batch))
            execution.backward(timing: timing)
            optimizer.step(rate: 1e-4)
          }
          passed = Double(DispatchTime.now().uptimeNanoseconds - begun) * 1e-9
        }
      }
    }
    guard isTimed else { return }
    seconds.append(passed)
    for i in times.indices { stepTimes[i] += times[i] }
  }

  func benchmark() throws(TrainingError) -> StepBenchmark {
    StepBenchmark(self, peakRate: try Training.engine { () throws(EngineError) in try engine.matrixProductRate() })
  }
}
