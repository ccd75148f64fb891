internal import CKernels
package import Engine
package import Networks
internal import Tensors
internal import Training

/// A network that learns, its optimizer, and the target network that follows it.
package final class LearningNetwork {
  /// What is learned.
  package let plan: Plan
  /// Compiled as `plan` was, so that parameters lie alike in both.
  package let target: Plan
  private let segments: ParameterSegments
  private let optimizer: OptimizerState
  private let rate, tau: Double
  private let arenas, targetArenas: Plan.Arenas

  /// Compiles both, and draws the weights that both begin with.
  package init(
    _ network: Network, batch: Int, inputGradient: Bool, rate: Double, tau: Double, seed: UInt64, on engine: Engine
  ) throws(AgentError) {
    (self.rate, self.tau) = (rate, tau)
    (plan, target) = try AgentError.wrapping { () throws(EngineError) in
      let mode = Plan.Mode.training(inputGradient: inputGradient)
      let plans = (
        try engine.compile(network, batch: batch, mode: mode), try engine.compile(network, batch: batch, mode: mode)
      )
      try plans.0.loadInitialWeights(seed: seed)
      try plans.1.loadInitialWeights(seed: seed)
      return plans
    }
    (arenas, targetArenas) = (plan.arenas, target.arenas)
    do {
      segments = try ParameterSegments(of: plan, weightDecay: 0, decayed: DecayedParameters())
      optimizer = try OptimizerState(.adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8), over: segments)
    } catch { throw .memory(error) }
  }

  /// Moves the weights by the gradients, where all of those are finite. On the engine's thread.
  /// - Returns: whether they are.
  package func step() -> Bool {
    guard segments.gradientsAreFinite() else { return false }
    optimizer.step(rate: rate)
    return true
  }

  /// Moves the target: `w′ ← τ w + (1 − τ) w′`. On the engine's thread.
  package func moveTarget() {
    rk_average(targetArenas.values, arenas.values, Int64(arenas.count), 1 - tau)
  }
}
