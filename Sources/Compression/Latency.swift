internal import Dispatch
public import Engine
public import Networks
public import Tensors

/// The latency of networks for one image. They are timed in turns, so that other work on the machine affects all alike.
public struct Latency: Hashable, Sendable {
  /// Milliseconds of each pass, in the order of the rounds: those at one place belong together.
  public let rounds: [Double]
  /// The same, sorted.
  public let milliseconds: [Double]

  init(rounds: [Double]) { (self.rounds, milliseconds) = (rounds, rounds.sorted()) }

  public var minimum: Double { milliseconds.first ?? .nan }
  public var median: Double { milliseconds.isEmpty ? .nan : milliseconds[milliseconds.count / 2] }
  /// A quarter of the passes took less, a quarter more.
  public var quartiles: ClosedRange<Double> {
    milliseconds.isEmpty
      ? 0...0 : milliseconds[milliseconds.count / 4]...milliseconds[milliseconds.count * 3 / 4]
  }

  /// Networks with quantizers run on integers.
  /// - Parameters:
  ///   - batch: images in a pass; 1 is what one waits for.
  ///   - rounds: passes of each network, after three that are not counted.
  /// - Throws: `EngineError`.
  public static func compared(
    _ models: [(network: Network, weights: Weights)], batch: Int = 1, rounds: Int = 30, engine: Engine,
    isInterrupted: () -> Bool = { false }
  ) throws(EngineError) -> [Latency] {
    var plans: [Plan] = []
    for model in models {
      let plan = try engine.compile(model.network, batch: batch, mode: model.network.isQuantized ? .int8 : .inference)
      try plan.load(model.weights)
      var random = RandomKey(seed: 1, for: .synthetic).generator()
      for i in plan.input.indices { plan.input[i] = Float(random.normal()) }
      plans.append(plan)
    }
    var times = plans.map { _ in [Double]() }
    for round in 0..<rounds + 3 where !isInterrupted() {
      for (place, plan) in plans.enumerated() {
        let seconds = try plan.perform { execution in
          let begun = DispatchTime.now().uptimeNanoseconds
          execution.forward()
          return Double(DispatchTime.now().uptimeNanoseconds - begun) * 1e-9
        }
        if round >= 3 { times[place].append(seconds * 1000) }
      }
    }
    return times.map(Latency.init(rounds:))
  }
}
