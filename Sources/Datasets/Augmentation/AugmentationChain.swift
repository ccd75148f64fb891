internal import Tensors

/// Applies a list of augmentations one after another, in two buffers that are made once. For one thread.
final class AugmentationChain {
  private let steps: [(augmentation: Augmentation, lane: Int)]
  private let seed: UInt64
  private let shape: Shape
  private let normalization: Normalization
  private let fill: [UInt8]
  private let buffers: AlignedBuffer
  private let half: Int

  init(
    _ augmentations: [Augmentation], seed: UInt64, imageShape: Shape, normalization: Normalization
  ) throws(TensorError) {
    steps = Array(zip(augmentations, Augmentation.lanes(of: augmentations)))
    (self.seed, shape, self.normalization) = (seed, imageShape, normalization)
    fill = normalization.fill
    half = AlignedBuffer.rounded(imageShape.elementCount)
    buffers = try AlignedBuffer(byteCount: 2 * half)
  }

  private func random(_ lane: Int, _ sample: Sample) -> Philox {
    RandomKey(
      seed: seed, for: .augmentation, epoch: sample.epoch, sample: sample.index, lane: sample.copy << 12 | lane
    ).generator()
  }

  /// What the draws for an image follow from: its number in the source, and which of its copies it is.
  struct Sample {
    let epoch, index, copy: Int
  }

  /// How the image is to be read, where one of the augmentations decides that.
  func framing(of sample: Sample) -> Framing? {
    for step in steps {
      if let framing = step.augmentation.framing(for: shape, using: random(step.lane, sample)) { return framing }
    }
    return nil
  }

  /// The changed image, valid until the next call.
  func callAsFunction(_ image: ImageView, _ sample: Sample) -> ImageView {
    let start = buffers.pointer.assumingMemoryBound(to: UInt8.self)
    var canvas = Canvas(image, (start, start + half), fill: fill)
    for step in steps {
      var random = random(step.lane, sample)
      step.augmentation.apply(to: &canvas, using: &random)
    }
    return canvas.image
  }

  /// Changes the numbers that the image became.
  func finish(_ numbers: UnsafeMutablePointer<Float>, _ sample: Sample) {
    for step in steps {
      var random = random(step.lane, sample)
      step.augmentation.finish(numbers, shape: shape, normalization: normalization, using: &random)
    }
  }
}
