internal import Glibc
internal import Tensors

/// A random change to a training picture that keeps its label and its size.
public enum Augmentation: Hashable, Sendable, Codable {
  /// A part of the picture scaled to the whole: its share of the area and its width to height are drawn, then its place
  /// (Szegedy et al. 2015, arXiv:1409.4842, section 6; drawn as torchvision draws). Happens before all others, as the
  /// picture is read.
  case randomResizedCrop(
    area: ClosedRange<Double> = 0.08...1, aspect: ClosedRange<Double> = 0.75...(4.0 / 3),
    filter: Framing.Filter = .bilinear)
  /// Moves the picture by up to `padding` pixels each way; black comes in at the edges.
  case randomCrop(padding: Int)
  /// Mirrors left and right, with this probability.
  case horizontalFlip(probability: Float = 0.5)

  /// Tells the draws of one kind from those of another, so that adding one moves nothing else.
  private var lane: Int {
    switch self {
    case .randomCrop: 1
    case .horizontalFlip: 2
    case .randomResizedCrop: 3
    }
  }

  /// The generator of each augmentation's draws lies on its own lane: the kind, and how many of that kind came before.
  static func lanes(of augmentations: [Augmentation]) -> [Int] {
    augmentations.indices.map { position in
      let kind = augmentations[position].lane
      return kind << 8 | augmentations[..<position].count { $0.lane == kind } & 0xFF
    }
  }

  /// Writes the changed picture to `target`, which has room for it.
  /// - Returns: False where nothing was written because the picture stays as it is.
  func apply(
    to picture: PictureView, into target: UnsafeMutablePointer<UInt8>, using random: inout Philox
  ) -> Bool {
    switch self {
    case .randomResizedCrop: return false  // see `framing(using:)`
    case .randomCrop(let padding):
      guard padding > 0 else { return false }
      let left = random.integer(below: 2 * padding + 1) - padding
      let top = random.integer(below: 2 * padding + 1) - padding
      guard left != 0 || top != 0 else { return false }
      shift(picture, left: left, top: top, into: target)
      return true
    case .horizontalFlip(let probability):
      guard random.uniform() < probability else { return false }
      mirror(picture, into: target)
      return true
    }
  }
}

extension Augmentation {
  /// What decides the part of the picture that is read, or nil for other kinds.
  func framing(using random: Philox) -> Framing? {
    guard case .randomResizedCrop(let area, let aspect, let filter) = self else { return nil }
    return Framing(filter: filter, allowsReduction: true) { height, width in
      var random = random
      func draw(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * random.uniformDouble()
      }
      let logarithms = log(aspect.lowerBound)...log(aspect.upperBound)
      for _ in 0..<10 {
        let size = Double(height * width) * draw(area)
        let ratio = exp(draw(logarithms))
        let cropWidth = Int((size * ratio).squareRoot().rounded(.toNearestOrEven))
        let cropHeight = Int((size / ratio).squareRoot().rounded(.toNearestOrEven))
        guard (1...width).contains(cropWidth), (1...height).contains(cropHeight) else { continue }
        let top = random.integer(below: height - cropHeight + 1)
        let left = random.integer(below: width - cropWidth + 1)
        return Window(
          top: Double(top), left: Double(left), height: Double(cropHeight), width: Double(cropWidth), seesBeyond: false)
      }
      // No such part fits: the largest in the middle whose proportions do.
      let ratio = min(max(Double(width) / Double(height), aspect.lowerBound), aspect.upperBound)
      let cropWidth = max(1, min(width, Int((Double(height) * ratio).rounded(.toNearestOrEven))))
      let cropHeight = max(1, min(height, Int((Double(width) / ratio).rounded(.toNearestOrEven))))
      return Window(
        top: Double((height - cropHeight) / 2), left: Double((width - cropWidth) / 2), height: Double(cropHeight),
        width: Double(cropWidth), seesBeyond: false)
    }
  }
}

/// Writes the picture as seen through a window moved to `left` and `top`; outside the picture is 0.
private func shift(_ picture: PictureView, left: Int, top: Int, into target: UnsafeMutablePointer<UInt8>) {
  let (width, height) = (picture.width, picture.height)
  let source = picture.bytes.baseAddress!
  let columns = max(0, left)..<max(max(0, left), min(width, width + left))
  let before = max(0, -left)
  for row in 0..<picture.channels * height {
    let y = row % height + top
    let out = target + row * width
    guard (0..<height).contains(y), !columns.isEmpty else {
      out.update(repeating: 0, count: width)
      continue
    }
    let line = source + (row - row % height + y) * width
    if before > 0 { out.update(repeating: 0, count: min(before, width)) }
    (out + before).update(from: line + columns.lowerBound, count: columns.count)
    let after = width - before - columns.count
    if after > 0 { (out + before + columns.count).update(repeating: 0, count: after) }
  }
}

private func mirror(_ picture: PictureView, into target: UnsafeMutablePointer<UInt8>) {
  let width = picture.width
  let source = picture.bytes.baseAddress!
  for row in 0..<picture.channels * picture.height {
    let line = source + row * width
    let out = target + row * width
    for x in 0..<width { out[x] = line[width - 1 - x] }
  }
}

/// Applies a list of augmentations one after another, in two buffers that are made once. For one thread.
final class AugmentationChain {
  private let steps: [(augmentation: Augmentation, lane: Int)]
  private let seed: UInt64
  private let buffers: AlignedBuffer
  private let half: Int

  init(_ augmentations: [Augmentation], seed: UInt64, pictureShape: Shape) throws(TensorError) {
    steps = Array(zip(augmentations, Augmentation.lanes(of: augmentations)))
    self.seed = seed
    half = AlignedBuffer.rounded(pictureShape.elementCount)
    buffers = try AlignedBuffer(byteCount: 2 * half)
  }

  private func random(_ lane: Int, _ epoch: Int, _ sample: Int) -> Philox {
    RandomKey(seed: seed, for: .augmentation, epoch: epoch, sample: sample, lane: lane).generator()
  }

  /// How the picture is to be read, where one of the augmentations decides that.
  func framing(epoch: Int, sample: Int) -> Framing? {
    for step in steps {
      if let framing = step.augmentation.framing(using: random(step.lane, epoch, sample)) { return framing }
    }
    return nil
  }

  /// The changed picture, valid until the next call.
  func callAsFunction(_ picture: PictureView, epoch: Int, sample: Int) -> PictureView {
    var current = picture
    var side = 0
    for step in steps {
      var random = random(step.lane, epoch, sample)
      let target = (buffers.pointer + side * half).assumingMemoryBound(to: UInt8.self)
      guard step.augmentation.apply(to: current, into: target, using: &random) else { continue }
      current = PictureView(
        channels: current.channels, height: current.height, width: current.width,
        bytes: UnsafeBufferPointer(start: target, count: current.bytes.count))
      side = 1 - side
    }
    return current
  }
}
