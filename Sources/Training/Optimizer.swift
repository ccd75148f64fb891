internal import CKernels
internal import Engine
internal import Foundation
package import Tensors

/// How gradients move weights. Each follows a published program's definition, so that its numbers can be met.
public enum Optimizer: Hashable, Sendable, Codable {
  /// `v ← m v + g + λ w; w ← w − η v`, or `w ← w − η (g + λ w + m v)` with Nesterov's momentum. PyTorch `SGD`.
  case sgd(momentum: Double, nesterov: Bool)
  /// Kingma and Ba 2015 (arXiv:1412.6980), Algorithm 1; weight decay joins the gradient. PyTorch `Adam`.
  case adam(beta1: Double, beta2: Double, epsilon: Double)
  /// Loshchilov and Hutter 2019 (arXiv:1711.05101), Algorithm 2: weight decay apart from the gradient. PyTorch `AdamW`.
  case adamW(beta1: Double, beta2: Double, epsilon: Double)
  /// You et al. 2020 (arXiv:1904.00962), Algorithm 2: Adam's step with `λ w` added, scaled for each tensor by the norm
  /// of its weights over that of the step. timm `Lamb`.
  ///
  /// As there, gradients are first divided by the excess of their common norm over `clip`, the moments are corrected
  /// for their bias, and tensors that do not decay take Adam's step as it is.
  case lamb(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-6, clip: Double? = 1)
  /// You et al. 2017 (arXiv:1708.03888), eq. 6: SGD on `g + λ w`, scaled for each tensor by
  /// `trust |w| / (|g| + λ |w| + ε)`. timm `Lars`; tensors that do not decay take SGD's step as it is.
  case lars(momentum: Double, nesterov: Bool = false, trust: Double = 0.001, epsilon: Double = 1e-8)
  /// `v ← α v + (1 − α) d²; b ← m b + d / (√v + ε); w ← w − η b` with `d = g + λ w`. PyTorch `RMSprop`.
  case rmsProp(decay: Double, momentum: Double, epsilon: Double)
  /// The same with ε below the root, `v` from 1 on, and the rate within `b`: TensorFlow's; timm `RMSpropTF`.
  case rmsPropTF(decay: Double, momentum: Double, epsilon: Double)

  /// How many arrays of the parameters' size it keeps.
  var stateCount: Int {
    switch self {
    case .sgd(let momentum, _), .lars(let momentum, _, _, _): momentum == 0 ? 0 : 1
    case .rmsProp(_, let momentum, _), .rmsPropTF(_, let momentum, _): momentum == 0 ? 1 : 2
    case .adam, .adamW, .lamb: 2
    }
  }

  var problem: String? {
    func share(_ number: Double, _ name: String) -> String? {
      number >= 0 && number < 1 ? nil : "\(name) is at least 0 and below 1, not \(number)"
    }
    func positive(_ number: Double, _ name: String) -> String? {
      number > 0 && number.isFinite ? nil : "\(name) is positive, not \(number)"
    }
    switch self {
    case .sgd(let momentum, _): return share(momentum, "a momentum")
    case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
      return share(beta1, "beta1") ?? share(beta2, "beta2") ?? positive(epsilon, "epsilon")
    case .lamb(let beta1, let beta2, let epsilon, let clip):
      return share(beta1, "beta1") ?? share(beta2, "beta2") ?? positive(epsilon, "epsilon")
        ?? clip.flatMap { positive($0, "lamb's clip") }
    case .lars(let momentum, _, let trust, let epsilon):
      return share(momentum, "a momentum") ?? positive(trust, "the trust coefficient") ?? positive(epsilon, "epsilon")
    case .rmsProp(let decay, let momentum, let epsilon), .rmsPropTF(let decay, let momentum, let epsilon):
      return share(decay, "the decay of the mean square") ?? share(momentum, "a momentum")
        ?? positive(epsilon, "epsilon")
    }
  }
}

/// The state of an optimizer over one plan's arenas.
package final class OptimizerState {
  private let optimizer: Optimizer
  private let segments: ParameterSegments
  private let first: AlignedBuffer
  private let second: AlignedBuffer
  /// Steps made.
  var steps = 0
  /// What it keeps, in the plan's layout.
  var arrays: [UnsafeMutableBufferPointer<Float>] {
    [first.floats, second.floats].prefix(optimizer.stateCount)
      .map { UnsafeMutableBufferPointer(start: $0, count: segments.arenas.count) }
  }

  package init(_ optimizer: Optimizer, over segments: ParameterSegments) throws(TensorError) {
    self.optimizer = optimizer
    self.segments = segments
    first = try AlignedBuffer(byteCount: optimizer.stateCount > 0 ? segments.arenas.count * 4 : 0)
    second = try AlignedBuffer(byteCount: optimizer.stateCount > 1 ? segments.arenas.count * 4 : 0)
    if case .rmsPropTF = optimizer { arrays[0].update(repeating: 1) }
  }

  /// Moves the weights by the gradients. To be called on the engine's thread.
  package func step(rate: Double) {
    steps += 1
    func correction(_ beta: Double) -> Double { 1 - pow(beta, Double(steps)) }
    func moments(_ beta1: Double, _ beta2: Double, _ epsilon: Double) -> rk_moments {
      rk_moments(
        beta1: beta1, beta2: beta2, correction1: correction(beta1), correction2: correction(beta2),
        epsilon: Float(epsilon))
    }
    var parameters = rk_parameters(
      w: segments.arenas.values, g: segments.arenas.gradients, first: first.floats, second: second.floats,
      segments: segments.list.baseAddress, segment_count: segments.count, partial: segments.partial,
      ratios: segments.ratios)
    let isStart: Int32 = steps == 1 ? 1 : 0
    switch optimizer {
    case .sgd(let momentum, let nesterov):
      rk_sgd(&parameters, Float(rate), Float(momentum), nesterov ? 1 : 0, isStart)
    case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
      let isDecoupled = if case .adamW = optimizer { true } else { false }
      rk_adam(&parameters, rate, moments(beta1, beta2, epsilon), isDecoupled ? 1 : 0)
    case .lamb(let beta1, let beta2, let epsilon, let clip):
      let divisor = clip.map { max(segments.gradientNorm() / $0, 1) } ?? 1
      rk_lamb(&parameters, Float(rate), moments(beta1, beta2, epsilon), Float(divisor))
    case .lars(let momentum, let nesterov, let trust, let epsilon):
      rk_lars(&parameters, Float(rate), Float(momentum), nesterov ? 1 : 0, isStart, trust, epsilon)
    case .rmsProp(let decay, let momentum, let epsilon), .rmsPropTF(let decay, let momentum, let epsilon):
      let isTensorFlows = if case .rmsPropTF = optimizer { true } else { false }
      if momentum == 0 { parameters.second = nil }
      rk_rms_prop(&parameters, Float(rate), decay, Float(momentum), Float(epsilon), isTensorFlows ? 1 : 0)
    }
  }
}
