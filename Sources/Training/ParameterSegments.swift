internal import CKernels
package import Engine
internal import Networks
package import Tensors

/// Which parameters weight decay draws to zero.
public struct DecayedParameters: Hashable, Sendable, Codable {
  /// Of convolutions and dense layers.
  public var weights = true
  /// Of depthwise convolutions. MobileNet's paper (arXiv:1704.04861, section 3.2) decays them little or not at all.
  public var depthwise = true
  /// Batch norms' scales and shifts.
  public var norms = false
  /// Of convolutions and dense layers.
  public var biases = false

  public init(weights: Bool = true, depthwise: Bool = true, norms: Bool = false, biases: Bool = false) {
    (self.weights, self.depthwise, self.norms, self.biases) = (weights, depthwise, norms, biases)
  }

  /// All that a gradient changes, as in PyTorch's plain SGD.
  public static let all = DecayedParameters(norms: true, biases: true)

  func contains(_ role: ParameterRule.Role, isDepthwise: Bool) -> Bool {
    switch role {
    case .weight: isDepthwise ? depthwise : weights
    case .bias: biases
    case .scale, .shift: norms
    case .runningMean, .runningVariance, .rangeLow, .rangeHigh: false
    }
  }
}

/// The stretches of a plan's arenas, each with its weight decay, and room for sums over them.
package final class ParameterSegments {
  let arenas: Plan.Arenas
  let list: UnsafeMutableBufferPointer<rk_segment>
  var count: Int64 { Int64(list.count) }
  private let room: AlignedBuffer
  /// Two numbers for each block of a segment.
  let partial: UnsafeMutablePointer<Double>
  /// A number for each segment.
  let ratios: UnsafeMutablePointer<Double>

  package init(of plan: Plan, weightDecay: Double, decayed: DecayedParameters) throws(TensorError) {
    let arenas = plan.arenas
    self.arenas = arenas
    let depthwise = plan.network.depthwiseWeights
    let segments = arenas.segments.map { segment in
      let decays = decayed.contains(segment.rule.role, isDepthwise: depthwise.contains(segment.name))
      return rk_segment(
        offset: Int64(segment.offset), count: Int64(segment.count), decay: decays ? Float(weightDecay) : 0)
    }
    let blocks = Int(rk_block_count(segments, Int64(segments.count)))
    room = try AlignedBuffer(byteCount: (2 * blocks + segments.count) * MemoryLayout<Double>.stride)
    partial = room.pointer.assumingMemoryBound(to: Double.self)
    ratios = partial + 2 * blocks
    list = .allocate(capacity: segments.count)
    _ = list.initialize(from: segments)
  }
  deinit { list.deallocate() }

  /// Whether all gradients are finite: one reading pass. On the engine's thread.
  package func gradientsAreFinite() -> Bool { rk_all_finite(arenas.gradients, Int64(arenas.count)) != 0 }

  /// The first parameter whose gradient is not finite. On the engine's thread.
  func parameterWithoutFiniteGradient() -> String? {
    arenas.segments.first { rk_all_finite(arenas.gradients + $0.offset, Int64($0.count)) == 0 }?.name
  }

  /// The Euclidean norm of all gradients together. On the engine's thread.
  package func gradientNorm() -> Double { rk_squares(arenas.gradients, list.baseAddress, count, partial).squareRoot() }
}

extension Network {
  /// The names of weights of convolutions that read each channel by itself.
  fileprivate var depthwiseWeights: Set<String> {
    var names: Set<String> = []
    for node in nodes {
      guard case .convolution(let convolution) = self[node].operation, convolution.groups > 1,
        convolution.groups == inputShapes(of: node)[0][0]
      else { continue }
      names.formUnion(parameters(of: node).filter { $0.rule.role == .weight }.map(\.name))
    }
    return names
  }
}

/// How gradients that are too large are made smaller, before the optimizer sees them.
public enum GradientClipping: Hashable, Sendable, Codable {
  /// Scales all so that their common Euclidean norm is at most this. PyTorch `clip_grad_norm_`.
  case norm(Double)
  /// Moves each number into ±this. PyTorch `clip_grad_value_`.
  case value(Double)

  /// On the engine's thread.
  package func apply(to segments: ParameterSegments) {
    let arenas = segments.arenas
    switch self {
    case .norm(let limit):
      let factor = limit / (segments.gradientNorm() + 1e-6)
      if factor < 1 { rk_scale(arenas.gradients, Int64(arenas.count), Float(factor)) }
    case .value(let limit): rk_clamp(arenas.gradients, Int64(arenas.count), Float(limit))
    }
  }

  var problem: String? {
    switch self {
    case .norm(let limit), .value(let limit):
      limit > 0 && limit.isFinite ? nil : "gradients are clipped to a positive number, not to \(limit)"
    }
  }
}
