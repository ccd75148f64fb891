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
