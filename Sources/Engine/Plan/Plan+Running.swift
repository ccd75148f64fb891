internal import CDNNL
internal import CKernels
internal import Dispatch

extension Plan {
  /// What can be done within one turn of the engine's thread. Valid only inside `perform`.
  package struct Execution: ~Escapable {
    fileprivate let plan: Plan
    fileprivate var failure: EngineError?

    @_lifetime(immortal)
    fileprivate init(_ plan: Plan) { self.plan = plan }

    /// From the input to the logits.
    ///
    /// In training NaN goes through to the logits. In inference oneDNN's fused activations, and integers, would hide
    /// it, so it is an error: weights are looked through when they are loaded, the input here, and the steps between where
    /// the processor noted NaN and the logits do not show it.
    /// - Parameter seconds: where each step's time is added, one place per label.
    package mutating func forward(timing seconds: UnsafeMutablePointer<Double>? = nil) {
      run(0..<plan.forwardCount, seconds)
      let logits = plan.logits
      guard plan.watches, failure == nil, rk_saw_invalid() != 0,
        rk_all_finite(logits.baseAddress, Int64(logits.count)) != 0
      else { return }
      if let layer = plan.firstNotFinite() { failure = .notFinite(layer: layer) } else { plan.watches = plan.hasHugeWeights }
    }
    /// From the gradient of the logits to every parameter's.
    package mutating func backward(timing seconds: UnsafeMutablePointer<Double>? = nil) {
      run(plan.backwardSteps, seconds)
    }
    /// Some of the steps, for whoever has something to do between them.
    package mutating func run(_ range: Range<Int>) { run(range, nil) }

    private mutating func run(_ range: Range<Int>, _ seconds: UnsafeMutablePointer<Double>?) {
      guard plan.isReady else {
        if failure == nil { failure = .noWeights }
        return
      }
      if range.lowerBound == 0, !plan.mode.isTraining {
        let input = plan.input
        guard rk_all_finite(input.baseAddress, Int64(input.count)) != 0 else {
          if failure == nil { failure = .inputNotFinite }
          return
        }
        if plan.watches { rk_forget_invalid() }
      }
      let stream = plan.engine.device.stream
      for i in range {
        if let isInterrupted = plan.isInterrupted, isInterrupted() {
          if failure == nil { failure = .interrupted }
          return
        }
        let begun = seconds == nil ? 0 : DispatchTime.now().uptimeNanoseconds
        defer { if let seconds { seconds[i] += Double(DispatchTime.now().uptimeNanoseconds - begun) * 1e-9 } }
        switch plan.steps[i] {
        case .call(let call):
          let status = call.execute(on: stream)
          if status != dnnl_success, failure == nil {
            failure = .library(
              call: "dnnl_primitive_execute", status: String(cString: dnnl_status2str(status)),
              layer: plan.labels[i].layer)
          }
        case .kernel(let kernel): kernel()
        }
      }
    }
  }

  struct StepTraffic {
    var reads, writes: [UnsafeBufferPointer<Float>]
  }

  /// The layer of the first step in which numbers outgrow floats: computes all again. On the engine's thread.
  ///
  /// Where a fused activation hides them, what the step reads tells whether what the processor noted was in places that
  /// mean nothing.
  private func firstNotFinite() -> String? {
    func largest(_ arrays: [UnsafeBufferPointer<Float>]) -> Float {
      arrays.reduce(0) { largest, array in
        let own = rk_largest_magnitude(array.baseAddress, Int64(array.count))
        return own <= largest ? largest : own
      }
    }
    for (i, arrays) in traffic.enumerated() {
      let read = largest(arrays.reads)
      rk_forget_invalid()
      switch steps[i] {
      case .call(let call): _ = call.execute(on: engine.device.stream)
      case .kernel(let kernel): kernel()
      }
      if !largest(arrays.writes).isFinite || rk_saw_invalid() != 0 && read > Self.harmless { return labels[i].layer }
    }
    return nil
  }

  /// Runs work on the engine's thread, where kernels of ours may be called too.
  /// - Throws: `EngineError.library` where a step failed.
  package func perform<Result>(_ work: (inout Execution) -> Result) throws(EngineError) -> Result {
    let (result, failure) = engine.compute.run {
      var execution = Execution(self)
      let result = work(&execution)
      return (result, execution.failure)
    }
    if let failure { throw failure }
    return result
  }

  /// Work for the engine's thread that is done again and again, and takes memory only once.
  package func prepare<Result>(_ work: @escaping (inout Execution) -> Result) -> Prepared<Result> {
    Prepared(self, work)
  }

  /// See `Plan.prepare`.
  package final class Prepared<Result> {
    private let compute: ComputeThread
    private var job: (() -> Void)?
    private var result: Result?
    private var failure: EngineError?

    fileprivate init(_ plan: Plan, _ work: @escaping (inout Execution) -> Result) {
      compute = plan.engine.compute
      job = { [unowned self] in
        var execution = Execution(plan)
        result = work(&execution)
        failure = execution.failure
      }
    }

    /// - Throws: `EngineError.library` where a step of the plan failed.
    package func callAsFunction() throws(EngineError) -> Result {
      compute.perform(job!)
      if let failure { throw failure }
      return result!
    }
  }

  /// Computes the logits of what `input` holds.
  public func forward() throws(EngineError) { try perform { $0.forward() } }
  /// Computes every gradient from that of the logits. `forward` comes first.
  public func backward() throws(EngineError) {
    precondition(mode.isTraining, "an inference plan has no way back")
    try perform { $0.backward() }
  }

  /// What dropout and stochastic depth draw from in the next steps.
  /// - Parameter row: the place of the plan's first sample in its batch, so that a sample's draws are the same in however
  ///   many parts, or by however many processes, a batch is computed.
  public func setRandom(seed: UInt64, step: Int, row: Int = 0) {
    memory.random.pointee = rk_random_state(
      seed: seed, step: UInt32(truncatingIfNeeded: step), row: UInt32(truncatingIfNeeded: row))
  }

  /// Whether batch norms normalize by their running statistics in training too, and leave them as they are.
  public var freezesBatchNorm: Bool {
    get { memory.areNormsFrozen.pointee != 0 }
    set { memory.areNormsFrozen.pointee = newValue ? 1 : 0 }
  }

  /// The steps that take the gradient of the logits back.
  package var backwardSteps: Range<Int> { forwardCount..<steps.count }
}
