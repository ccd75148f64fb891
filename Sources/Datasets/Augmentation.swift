internal import Glibc
internal import Tensors

/// A random change to a training image that keeps its label and its size.
public enum Augmentation: Hashable, Sendable, Codable {
  /// A part of the image scaled to the whole: its share of the area and its width to height are drawn, then its place
  /// (Szegedy et al. 2015, arXiv:1409.4842, section 6; drawn as torchvision draws). A random filter is drawn first. Happens before all others, as the
  /// image is read.
  case randomResizedCrop(
    area: ClosedRange<Double> = 0.08...1, aspect: ClosedRange<Double> = 0.75...(4.0 / 3),
    filter: Interpolation = .bilinear)
  /// Moves the image by up to `padding` pixels each way; black comes in at the edges.
  case randomCrop(padding: Int)
  /// Mirrors left and right, with this probability.
  case horizontalFlip(probability: Float = 0.5)

  /// Random operations, see `RandAugment`.
  case randAugment(RandAugment)
  /// Random changes of colour, see `ColorJitter`.
  case colorJitter(ColorJitter)
  /// The whole image scaled so that its shorter side is drawn from a range of pixels, then a part of the wanted size
  /// drawn from it (Simonyan and Zisserman 2015, arXiv:1409.1556, section 3.1; He et al. 2015, arXiv:1512.03385, section
  /// 3.4: 256...480). Where even the longest drawn side is too short, the image is scaled just as far as is needed.
  case scaleJitter(shortSide: ClosedRange<Int> = 256...480, filter: Interpolation = .bilinear)
  /// Adds to all pixels of an image one colour along the principal components of ImageNet's colours, each times its
  /// eigenvalue times a number of mean 0 and this std (Krizhevsky et al. 2012, section 4.1). Added to the
  /// normalized numbers, so that nothing is rounded or cut; only of colour.
  case colorNoise(std: Double = 0.1)
  /// Erases a random rectangle, see `RandomErasing`. After normalization.
  case randomErasing(RandomErasing)
  /// Takes each image several times, each copy changed in its own way, in as many steps as before: see `RepeatedSamples`.
  /// Only where the order is shuffled.
  case repeated(times: Int = 3)

  /// Tells the draws of one kind from those of another, so that adding one moves nothing else. 1 to 15.
  private var lane: Int {
    switch self {
    case .randomCrop: 1
    case .horizontalFlip: 2
    case .randomResizedCrop: 3
    case .randAugment: 4
    case .colorJitter: 5
    case .scaleJitter: 6
    case .colorNoise: 7
    case .randomErasing: 8
    case .repeated: 9
    }
  }

  /// The generator of each augmentation's draws lies on its own lane: the kind, and how many of that kind came before.
  /// The copy of a repeated image stands above them, in four bits.
  static func lanes(of augmentations: [Augmentation]) -> [Int] {
    augmentations.indices.map { position in
      let kind = augmentations[position].lane
      return kind << 8 | augmentations[..<position].count { $0.lane == kind } & 0xFF
    }
  }

  /// Changes the bytes of an image.
  func apply(to canvas: inout Canvas, using random: inout Philox) {
    switch self {
    case .randomResizedCrop, .scaleJitter: break  // see `framing(using:)`
    case .colorNoise, .randomErasing: break  // see `finish(_:)`
    case .repeated: break  // see `Loader`
    case .randomCrop(let padding):
      guard padding > 0 else { return }
      let left = random.integer(below: 2 * padding + 1) - padding
      let top = random.integer(below: 2 * padding + 1) - padding
      guard left != 0 || top != 0 else { return }
      canvas.change { shift($0, left: left, top: top, into: $1) }
    case .horizontalFlip(let probability):
      guard random.uniform() < probability else { return }
      canvas.change { mirror($0, into: $1) }
    case .randAugment(let change): change.apply(to: &canvas, using: &random)
    case .colorJitter(let jitter):
      for operation in jitter.draw(using: &random) { canvas.change(operation, filter: .bilinear) }
    }
  }

  /// Changes the normalized numbers of an image, `C x H x W`.
  func finish(
    _ numbers: UnsafeMutablePointer<Float>, shape: Shape, normalization: Normalization, using random: inout Philox
  ) {
    switch self {
    case .colorNoise(let std):
      guard shape[0] == 3 else { return }
      let plane = shape[1] * shape[2]
      let shift = ColorNoise.shift(std: std, using: &random)
      for channel in 0..<3 {
        let amount = Float(shift[channel]) / normalization.std[channel]
        for i in 0..<plane { numbers[channel * plane + i] += amount }
      }
    case .randomErasing(let erasing): erasing.apply(to: numbers, shape: shape, using: &random)
    case .randomResizedCrop, .scaleJitter, .randomCrop, .horizontalFlip, .randAugment, .colorJitter, .repeated: break
    }
  }
}

extension Augmentation {
  /// What decides the part of the image that is read, or nil for other kinds.
  func framing(for shape: Shape, using random: Philox) -> Framing? {
    var random = random
    switch self {
    case .randomResizedCrop(let area, let aspect, let filter):
      let filter = filter.drawn(using: &random)
      return Self.randomResizedCrop(area: area, aspect: aspect, filter: filter, random)
    case .scaleJitter(let shortSide, let filter):
      let filter = filter.drawn(using: &random)
      let drawn = shortSide.lowerBound + random.integer(below: shortSide.count)
      let rest = random
      return Framing(filter: filter, allowsReduction: true) { height, width in
        var random = rest
        let scaled = ScaledSize(ofHeight: height, width: width, shortSide: drawn, for: shape)
        let top = random.integer(below: scaled.height - shape[1] + 1)
        let left = random.integer(below: scaled.width - shape[2] + 1)
        return scaled.window(top: top, left: left, height: shape[1], width: shape[2])
      }
    default: return nil
    }
  }

  private static func randomResizedCrop(
    area: ClosedRange<Double>, aspect: ClosedRange<Double>, filter: Framing.Filter, _ random: Philox
  ) -> Framing {
    Framing(filter: filter, allowsReduction: true) { height, width in
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

/// Writes the image as seen through a window moved to `left` and `top`; outside the image is 0.
private func shift(_ image: ImageView, left: Int, top: Int, into target: UnsafeMutablePointer<UInt8>) {
  let (width, height) = (image.width, image.height)
  let source = image.bytes.baseAddress!
  let columns = max(0, left)..<max(max(0, left), min(width, width + left))
  let before = max(0, -left)
  for row in 0..<image.channels * height {
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

private func mirror(_ image: ImageView, into target: UnsafeMutablePointer<UInt8>) {
  let width = image.width
  let source = image.bytes.baseAddress!
  for row in 0..<image.channels * image.height {
    let line = source + row * width
    let out = target + row * width
    for x in 0..<width { out[x] = line[width - 1 - x] }
  }
}

/// An image that is changed step by step, from one of two buffers into the other.
struct Canvas {
  private(set) var image: ImageView
  private let buffers: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt8>)
  private let fill: [UInt8]
  private var side = 0

  init(
    _ image: ImageView, _ buffers: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt8>), fill: [UInt8]
  ) {
    (self.image, self.buffers, self.fill) = (image, buffers, fill)
  }

  /// Writes the changed image, of the same shape.
  mutating func change(_ write: (ImageView, UnsafeMutablePointer<UInt8>) -> Void) {
    let target = side == 0 ? buffers.0 : buffers.1
    write(image, target)
    took(target)
  }

  mutating func change(_ operation: ImageOperation, filter: Framing.Filter) {
    let target = side == 0 ? buffers.0 : buffers.1
    if operation.apply(to: image, into: target, filter: filter, fill: fill) { took(target) }
  }

  private mutating func took(_ target: UnsafeMutablePointer<UInt8>) {
    image = ImageView(
      channels: image.channels, height: image.height, width: image.width,
      bytes: UnsafeBufferPointer(start: target, count: image.bytes.count))
    side = 1 - side
  }
}

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
