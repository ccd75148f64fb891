import Glibc
public import Tensors

extension Dataset {
  /// Draws a dataset of striped images that needs no file: the class is how steep the stripes are, and how fine.
  ///
  /// Stripes lean left or right at random, so a mirrored image keeps its class; phase, contrast and noise are random
  /// too. A small network learns it in a few passes; at 28 x 28, with the default noise, not perfectly at once.
  ///
  /// The images follow from `RandomKey(seed:, for: .synthetic)` alone. Their labels take turns: 0, 1, 2, …
  /// - Parameters:
  ///   - shape: `C x H x W`; 1 to 4 channels, height and width 8 to 1024.
  ///   - noise: Standard deviation, where black to white is 1.
  /// - Throws: `DatasetError.outOfRange` for a number that cannot be, `.unreadable` where memory does not suffice.
  public static func synthetic(
    classes: Int = 10, shape: Shape = [1, 28, 28], train: Int = 4000, validation: Int = 1000, noise: Double = 0.2,
    seed: UInt64 = 0
  ) throws(DatasetError) -> Dataset {
    func require(_ what: String, _ value: Int, in allowed: ClosedRange<Int>) throws(DatasetError) {
      guard allowed.contains(value) else { throw .outOfRange(what: what, value: value, allowed: allowed) }
    }
    try require("the number of classes", classes, in: 2...64)
    try require("the number of axes of the images", shape.rank, in: 3...3)
    try require("the number of channels", shape[0], in: 1...4)
    try require("the height", shape[1], in: 8...1024)
    try require("the width", shape[2], in: 8...1024)
    try require("the number of samples to train on", train, in: 1...10_000_000)
    try require("the number of samples to test on", validation, in: 1...10_000_000)
    guard noise >= 0, noise <= 10 else {
      throw .invalid(what: "a noise of \(noise)", problem: "it lies between 0 and 10")
    }
    let pattern = Stripes(classes: classes, shape: shape, noise: noise, seed: seed)
    return Dataset(
      name: "synthetic", classes: (0..<classes).map { "pattern \($0)" },
      train: Split(try pattern.samples(train, part: 0)), validation: Split(try pattern.samples(validation, part: 1)),
      normalization: Normalization(
        mean: Array(repeating: 0.5, count: shape[0]), std: Array(repeating: 0.25, count: shape[0])))
  }
}

private struct Stripes {
  let classes: Int
  let shape: Shape
  let noise: Double
  let seed: UInt64

  /// Steepness (0 upright, 1 lying) and the number of stripes across the shorter side, for each class.
  private func kind(of label: Int) -> (steepness: Double, stripes: Double) {
    let levels = min(classes, 5)
    let fineness = (classes + levels - 1) / levels
    let finest = Double(min(shape[1], shape[2])) / 4
    let coarsest = min(2.5, finest)
    let share = fineness > 1 ? Double(label / levels) / Double(fineness - 1) : 0
    return (Double(label % levels) / Double(max(levels - 1, 1)), coarsest * pow(finest / coarsest, share))
  }

  func samples(_ count: Int, part: Int) throws(DatasetError) -> MemoryImages {
    let (channels, height, width) = (shape[0], shape[1], shape[2])
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: shape.elementCount)
    guard !overflow, byteCount <= 1 << 36 else { throw .unreadable(.outOfMemory(byteCount: byteCount)) }
    let images = try buffer(byteCount)
    let out = images.pointer.assumingMemoryBound(to: UInt8.self)
    let labels = (0..<count).map { UInt8($0 % classes) }
    var wave = [Double](repeating: 0, count: height * width)
    for sample in 0..<count {
      var random = RandomKey(seed: seed, for: .synthetic, epoch: part, sample: sample).generator()
      let kind = kind(of: Int(labels[sample]))
      let angle = kind.steepness * .pi / 2 * (random.uniform() < 0.5 ? -1 : 1)
      let frequency = 2 * .pi * kind.stripes / Double(min(height, width))
      let phase = 2 * .pi * random.uniformDouble()
      let (dx, dy) = (cos(angle) * frequency, sin(angle) * frequency)
      for y in 0..<height {
        for x in 0..<width { wave[y * width + x] = sin(phase + dx * Double(x) + dy * Double(y)) }
      }
      for channel in 0..<channels {
        let contrast = 0.25 + 0.2 * random.uniformDouble()
        let brightness = 0.5 + 0.1 * (random.uniformDouble() - 0.5)
        let start = (sample * channels + channel) * height * width
        for i in wave.indices {
          // The sum of four bytes is close to normal: mean 510, variance 4 (256² - 1) / 12.
          let word = random.nextWord()
          let sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + word >> 24
          let value = brightness + contrast * wave[i] + noise * (Double(sum) - 510) / 147.80
          out[start + i] = UInt8(max(0, min(255, (value * 255).rounded())))
        }
      }
    }
    return MemoryImages(shape: shape, images: images, labels: labels)
  }
}
