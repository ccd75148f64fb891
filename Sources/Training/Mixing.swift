internal import CKernels
internal import Datasets
internal import Foundation
package import Tensors

/// How the images of a batch are mixed with one another and their targets alike: timm's `Mixup` for whole batches.
///
/// One draw holds for the batch that is computed at once; each image's partner is the one at the same place from the
/// end. Mixup takes `λ x + (1 − λ) x′` (Zhang et al. 2018, arXiv:1710.09412), CutMix a box of the partner (Yun et al. 2019,
/// arXiv:1905.04899), with λ ~ Beta(α, α). A box that the border cuts makes λ the share of what is left.
public struct Mixing: Hashable, Sendable, Codable {
  /// α of mixup, and of CutMix; 0 is without.
  public var mixup = 0.0, cutmix = 0.0
  /// How often a batch is mixed.
  public var probability = 1.0
  /// How often it is CutMix, where both are in use.
  public var mixupSwitchProbability = 0.5

  public init(mixup: Double = 0, cutmix: Double = 0, probability: Double = 1, mixupSwitchProbability: Double = 0.5) {
    (self.mixup, self.cutmix) = (mixup, cutmix)
    (self.probability, self.mixupSwitchProbability) = (probability, mixupSwitchProbability)
  }

  var problem: String? {
    for (name, alpha) in [("mixup", mixup), ("cutmix", cutmix)] where !(alpha >= 0 && alpha <= 1000) {
      return "alpha of \(name) is from 0 to 1000, not \(alpha)"
    }
    if mixup == 0 && cutmix == 0 { return "mixing takes mixup, cutmix, or both" }
    for probability in [probability, mixupSwitchProbability] where !(probability >= 0 && probability <= 1) {
      return "a probability is from 0 to 1, not \(probability)"
    }
    return nil
  }

  /// What is done with one batch.
  package enum Draw: Hashable, Sendable {
    case none
    case blend(share: Double)
    /// Rows and columns of the partner.
    case paste(rows: Range<Int>, columns: Range<Int>, share: Double)

    /// λ: how much of a target is the image's own.
    package var share: Double {
      switch self {
      case .none: 1
      case .blend(let share), .paste(_, _, let share): share
      }
    }

    /// A box of the area `1 − share` around a pixel, as far as it is within the image. Where a side is odd, half of it
    /// is rounded down to both sides, as in timm until 2021 and in SuperGradients; timm's of today is a pixel longer.
    package static func box(share: Double, around center: (row: Int, column: Int), height: Int, width: Int) -> Draw {
      let side = (1 - share).squareRoot()
      func range(_ center: Int, _ extent: Int) -> Range<Int> {
        let half = Int(Double(extent) * side) / 2
        return max(center - half, 0)..<min(center + half, extent)
      }
      let (rows, columns) = (range(center.row, height), range(center.column, width))
      return .paste(
        rows: rows, columns: columns, share: 1 - Double(rows.count * columns.count) / Double(height * width))
    }
  }

  /// Draws for a batch of images.
  package func draw(height: Int, width: Int, using random: inout Philox) -> Draw {
    guard random.uniformDouble() < probability else { return .none }
    let isCutMix = cutmix > 0 && (mixup == 0 || random.uniformDouble() < mixupSwitchProbability)
    let share = random.beta(isCutMix ? cutmix : mixup)
    guard isCutMix else { return .blend(share: share) }
    let center = (row: random.integer(below: height), column: random.integer(below: width))
    return .box(share: share, around: center, height: height, width: width)
  }
}

/// Brings batches into a plan's input, mixed, and makes their targets.
package final class BatchMixer {
  private let mixing: Mixing?
  private let smoothing: Double
  private let seed: UInt64
  private let rows, classes: Int
  /// `C H W`.
  private let shape: Shape
  private var draw = Mixing.Draw.none
  private let memory: AlignedBuffer
  /// `N K`.
  package let targets: UnsafeMutablePointer<Float>
  /// The class with the larger share of each target: what counts as a hit.
  package let labels: UnsafeMutableBufferPointer<Int32>

  package init(_ mixing: Mixing?, smoothing: Double, seed: UInt64, rows: Int, classes: Int, shape: Shape)
    throws(TensorError)
  {
    (self.mixing, self.smoothing, self.seed) = (mixing, smoothing, seed)
    (self.rows, self.classes, self.shape) = (rows, classes, shape)
    memory = try AlignedBuffer(byteCount: rows * (classes + 1) * 4)
    targets = memory.floats
    labels = .init(
      start: (memory.pointer + rows * classes * 4).assumingMemoryBound(to: Int32.self), count: rows)
  }

  /// Draws for the batch of that number in an epoch, and makes its targets.
  package func prepare(_ labels: UnsafeMutableBufferPointer<Int32>, epoch: Int, batch: Int) {
    draw = .none
    if let mixing {
      var random = RandomKey(seed: seed, for: .mixing, epoch: epoch, sample: batch).generator()
      draw = mixing.draw(height: shape[1], width: shape[2], using: &random)
    }
    prepare(labels, draw)
  }

  package func prepare(_ labels: UnsafeMutableBufferPointer<Int32>, _ draw: Mixing.Draw) {
    self.draw = draw
    fillTargets(targets, labels: labels, rows: rows, classes: classes, smoothing: smoothing, share: draw.share)
    for row in 0..<rows { self.labels[row] = labels[draw.share >= 0.5 ? row : rows - 1 - row] }
  }

  /// Writes the mixed images. On the engine's thread.
  package func write(_ images: UnsafePointer<Float>, to input: UnsafeMutablePointer<Float>) {
    let (planes, height, width) = (Int64(shape[0]), Int64(shape[1]), Int64(shape[2]))
    switch draw {
    case .none: rk_copy(images, input, Int64(rows) * planes * height * width)
    case .blend(let share): rk_mix_rows(images, input, Int64(rows), planes * height * width, Float(share))
    case .paste(let lines, let columns, _):
      let box = rk_box(
        top: Int64(lines.lowerBound), bottom: Int64(lines.upperBound), left: Int64(columns.lowerBound),
        right: Int64(columns.upperBound))
      rk_paste_rows(images, input, Int64(rows), planes, height, width, box)
    }
  }
}

extension Philox {
  /// Draws from the beta distribution with both parameters `alpha`.
  package mutating func beta(_ alpha: Double) -> Double {
    let (a, b) = (logarithmOfGamma(alpha), logarithmOfGamma(alpha))
    // Where alpha is so small that both logarithms are infinite, a draw is 0 or 1, one as often as the other.
    let difference = b - a
    return difference.isNaN ? (uniformDouble() < 0.5 ? 0 : 1) : 1 / (1 + exp(difference))
  }

  /// The logarithm of a draw from the gamma distribution of a shape and scale 1: it stays finite for small shapes.
  ///
  /// Source: Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; shapes below 1 by its section 6.
  private mutating func logarithmOfGamma(_ shape: Double) -> Double {
    guard shape >= 1 else {
      let boost = log(1 - uniformDouble()) / shape
      return logarithmOfGamma(shape + 1) + boost
    }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let base = 1 + c * x
      guard base > 0 else { continue }
      let v = base * base * base
      let bound: Double = 0.5 * x * x + d - d * v + d * log(v)
      if log(1 - uniformDouble()) < bound { return log(d) + log(v) }
    }
  }
}
