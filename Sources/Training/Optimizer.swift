internal import CKernels
internal import Engine
internal import Foundation
internal import Networks
internal import Tensors

/// How gradients move weights. All follow PyTorch's definitions, so that its numbers can be met.
public enum Optimizer: Hashable, Sendable, Codable {
  /// `v ← m v + g + λ w; w ← w − η v`, or `w ← w − η (g + λ w + m v)` with Nesterov's momentum. PyTorch `SGD`.
  case sgd(momentum: Double, nesterov: Bool)
  /// Kingma and Ba 2015 (arXiv:1412.6980), Algorithm 1; weight decay joins the gradient. PyTorch `Adam`.
  case adam(beta1: Double, beta2: Double, epsilon: Double)
  /// Loshchilov and Hutter 2019 (arXiv:1711.05101), Algorithm 2: weight decay apart from the gradient. PyTorch `AdamW`.
  case adamW(beta1: Double, beta2: Double, epsilon: Double)

  /// How many arrays of the parameters' size it keeps.
  var stateCount: Int {
    switch self {
    case .sgd(let momentum, _): momentum == 0 ? 0 : 1
    case .adam, .adamW: 2
    }
  }
}

/// The state of an optimizer over one plan's arenas.
final class OptimizerState {
  private let optimizer: Optimizer
  private let arenas: Plan.Arenas
  private let segments: UnsafeMutableBufferPointer<rk_segment>
  private let first: AlignedBuffer
  private let second: AlignedBuffer
  /// Steps made.
  var steps = 0
  /// What it keeps, in the plan's layout.
  var arrays: [UnsafeMutableBufferPointer<Float>] {
    [first.floats, second.floats].prefix(optimizer.stateCount)
      .map { UnsafeMutableBufferPointer(start: $0, count: arenas.count) }
  }

  init(_ optimizer: Optimizer, over plan: Plan, weightDecay: Double, decaysNormsAndBiases: Bool)
    throws(TensorError)
  {
    self.optimizer = optimizer
    arenas = plan.arenas
    first = try AlignedBuffer(byteCount: optimizer.stateCount > 0 ? arenas.count * 4 : 0)
    second = try AlignedBuffer(byteCount: optimizer.stateCount > 1 ? arenas.count * 4 : 0)
    let list = arenas.segments.map { segment in
      rk_segment(
        offset: Int64(segment.offset), count: Int64(segment.count),
        decay: segment.rule.role == .weight || decaysNormsAndBiases ? Float(weightDecay) : 0)
    }
    segments = .allocate(capacity: list.count)
    _ = segments.initialize(from: list)
  }
  deinit { segments.deallocate() }

  /// Moves the weights by the gradients. To be called on the engine's thread.
  func step(rate: Double) {
    steps += 1
    let count = Int64(segments.count)
    switch optimizer {
    case .sgd(let momentum, let nesterov):
      rk_sgd(
        arenas.values, arenas.gradients, first.floats, segments.baseAddress, count, Float(rate), Float(momentum),
        nesterov ? 1 : 0, steps == 1 ? 1 : 0)
    case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
      let isDecoupled = if case .adamW = optimizer { true } else { false }
      rk_adam(
        arenas.values, arenas.gradients, first.floats, second.floats, segments.baseAddress, count, Float(rate),
        Float(beta1), Float(beta2), Float(epsilon), 1 - pow(beta1, Double(steps)), 1 - pow(beta2, Double(steps)),
        isDecoupled ? 1 : 0)
    }
  }
}
