import CZlib
import Datasets
import Foundation
import Tensors
import Testing

/// Rows of `augment.json`, made by `Goldens/augment.py` with Pillow 13.0.0, timm 1.0.31 and torchvision 0.29.2.
private let rows = try! JSONDecoder().decode(Rows.self, from: Data(contentsOf: URL(filePath: golden("augment.json"))))

private struct Rows: Decodable {
  let operations: [Operation]
  let hues: [Hue]
  let tests: [Test]
  let samplers: [Sampler]

  struct Operation: Decodable {
    let scene, kind: String
    let isIncreasing: Bool
    let level: Double
    let isNegative: Bool
    let filter: String
    let sum: UInt
    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      (scene, kind) = (try row.decode(String.self), try row.decode(String.self))
      (isIncreasing, level) = (try row.decode(Bool.self), try row.decode(Double.self))
      (isNegative, filter) = (try row.decode(Bool.self), try row.decode(String.self))
      sum = try row.decode(UInt.self)
    }
  }
  struct Hue: Decodable {
    let scene: String
    let turn: Double
    let sum: UInt
    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      (scene, turn) = (try row.decode(String.self), try row.decode(Double.self))
      sum = try row.decode(UInt.self)
    }
  }
  struct Test: Decodable {
    let scene, filter: String
    let size: Int
    let crop: Double
    let sum: UInt
    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      (scene, filter) = (try row.decode(String.self), try row.decode(String.self))
      (size, crop) = (try row.decode(Int.self), try row.decode(Double.self))
      sum = try row.decode(UInt.self)
    }
  }
  struct Sampler: Decodable {
    let count, world, rank, length: Int
    let places: [Int]
    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      (count, world) = (try row.decode(Int.self), try row.decode(Int.self))
      (rank, length) = (try row.decode(Int.self), try row.decode(Int.self))
      places = try row.decode([Int].self)
    }
  }
}

private let scenes = Dictionary(
  uniqueKeysWithValues: ["china", "flower", "dark", "grey"].map { name in
    let array = try! NPY.read(golden("scene-\(name).npy"), as: UInt8.self)
    let image = Image(
      channels: array.shape[0], height: array.shape[1], width: array.shape[2], bytes: Array(array.elements))
    return (name, image)
  })

private func sum(_ bytes: [UInt8]) -> UInt { crc32(0, bytes, UInt32(bytes.count)) }

/// One image, shown at another size.
private struct Scene: ImageSource {
  let image: Image
  let imageShape: Shape
  var count: Int { 4000 }
  func label(at index: Int) -> Int { 0 }
  func withImage(at index: Int, _ body: (ImageView) -> Void) {
    image.bytes.withUnsafeBufferPointer {
      body(ImageView(channels: image.channels, height: image.height, width: image.width, bytes: $0))
    }
  }
}

extension Image {
  /// A square of it, from the top and left corner.
  fileprivate func corner(_ size: Int) -> Image {
    let bytes = (0..<channels * size).flatMap { row in
      let start = (row / size * height + row % size) * width
      return Array(self.bytes[start..<start + size])
    }
    return Image(channels: channels, height: size, width: size, bytes: bytes)
  }
}

@Suite struct ImageOperationTests {
  @Test("each operation of RandAugment gives Pillow's bytes", arguments: RandAugment.Kind.allCases)
  func operations(_ kind: RandAugment.Kind) throws {
    let mine = rows.operations.filter { $0.kind.replacing("Increasing", with: "") == kind.rawValue }
    #expect(mine.count >= 20)
    for row in mine {
      let isIncreasing = row.isIncreasing
      let operation = RandAugment(isIncreasing: isIncreasing).operation(
        kind, level: row.level, isNegative: row.isNegative)
      let scene = scenes[row.scene]!
      // As in `augment.py`.
      let fill: [UInt8] = scene.channels == 3 ? [124, 116, 104] : [117]
      let changed = scene.changed(by: operation, filter: Framing.Filter(rawValue: row.filter)!, fill: fill)
      #expect(sum(changed.bytes) == row.sum, "\(row)")
    }
  }

  @Test("a turned hue gives torchvision's bytes")
  func hues() {
    for row in rows.hues {
      #expect(sum(scenes[row.scene]!.changed(by: .hue(row.turn), fill: [0, 0, 0]).bytes) == row.sum, "\(row)")
    }
  }

  @Test("a test image has the bytes of timm's transform, for any crop and filter")
  func tests() throws {
    for row in rows.tests {
      let image = scenes[row.scene]!
      let shape: Shape = [image.channels, row.size, row.size]
      let transform = TestTransform(crop: row.crop, filter: Framing.Filter(rawValue: row.filter)!)
      var shown: [UInt8] = []
      try Scene(image: image, imageShape: shape).withImage(at: 0, transform.framing(for: shape)) {
        shown = Array($0.bytes)
      }
      #expect(sum(shown) == row.sum, "\(row)")
    }
  }

  @Test("repeated samples are dealt as timm's sampler deals them")
  func repeated() {
    for row in rows.samplers {
      let samples = RepeatedSamples(count: row.count, times: 3, ranks: row.world)
      #expect(samples.selected == row.length)
      let places = (0..<samples.selected).map { samples.sample(at: $0, of: row.rank).item }
      #expect(places.prefix(20) + places.suffix(20) == row.places[...], "\(row)")
    }
  }

  @Test(
    "what comes in from outside has the mean of the data",
    arguments: [
      ([0.485, 0.456, 0.406], [124, 116, 104]), ([0.3], [76]), ([0.5], [128]), ([0.286], [73]),
      ([0, 1, 2, -1, .nan], [0, 255, 255, 0, 0]),
    ] as [([Float], [UInt8])])
  func fill(_ mean: [Float], _ fill: [UInt8]) throws {
    let normalization = Normalization(mean: mean, std: mean.map { _ in 1 })
    #expect(normalization.fill == fill)
    guard mean.count < 4, mean.allSatisfy({ (0...1).contains($0) }) else { return }
    let white = Image(channels: mean.count, height: 8, width: 8, bytes: Array(repeating: 255, count: 64 * mean.count))
    let change = RandAugment(magnitude: 10, std: 0, layers: 1, probability: 1)
    let loader = Loader(
      Split(Scene(image: white, imageShape: white.shape)), batchSize: 64, normalization: normalization,
      augmentations: [.randAugment(change)], seed: 1)
    let expected = zip(fill, mean).map { Float($0) / 255 - $1 }
    let stream = try loader.batches(epoch: 0)
    let batch = try #require(try stream.next())
    // Some of the 64 were turned, sheared or moved so that this corner shows what is outside.
    for channel in mean.indices {
      let corners = (0..<64).map { batch.images[$0 * white.shape.elementCount + channel * 64] }
      #expect(corners.contains { abs($0 - expected[channel]) < 1e-6 })
    }
  }

  @Test("an operation changes each channel as if it stood alone, with any number of them", arguments: 1...5)
  func channels(_ count: Int) throws {
    let operations: [ImageOperation] = [
      .autoContrast, .equalize, .invert, .rotate(degrees: 23), .shearX(0.2), .shearY(-0.3), .translateX(0.3),
      .translateY(-0.2), .posterize(bits: 3), .solarize(threshold: 100), .solarizeAdd(40), .brightness(1.4),
      .sharpness(1.7), .sharpness(0.2),
    ]
    for (height, width) in [(9, 7), (1, 1), (1, 6), (5, 1), (2, 2)] {
      let plane = height * width
      let bytes = (0..<count * plane).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / plane * 11) }
      let fill = (0..<count).map { UInt8(10 * $0 + 3) }
      let image = Image(channels: count, height: height, width: width, bytes: bytes)
      for operation in operations {
        let changed = image.changed(by: operation, fill: fill)
        #expect(changed.shape == image.shape)
        for channel in 0..<count {
          let own = channel * plane..<(channel + 1) * plane
          let alone = Image(channels: 1, height: height, width: width, bytes: Array(bytes[own]))
          #expect(
            changed.bytes[own].elementsEqual(alone.changed(by: operation, fill: [fill[channel]]).bytes),
            "\(operation) \(channel) of \(height) x \(width)")
        }
      }
      // Those that mix channels: never more nor less than an image of the same shape.
      for operation in [ImageOperation.color(1.7), .contrast(0.3), .contrast(1.9), .hue(0.3)] {
        #expect(image.changed(by: operation, fill: fill).shape == image.shape)
      }
    }
  }

  @Test("each channel is scaled as if it stood alone, with any number of them and any part", arguments: 1...5)
  func resampled(_ count: Int) throws {
    for (height, width) in [(13, 9), (1, 1), (1, 20), (20, 1), (3, 2)] {
      let plane = height * width
      let bytes = (0..<count * plane).map { UInt8(truncatingIfNeeded: $0 * 53 + $0 / plane * 19) }
      let image = Image(channels: count, height: height, width: width, bytes: bytes)
      for (outHeight, outWidth) in [(5, 8), (1, 1), (16, 16)] {
        let (h, w) = (Double(height), Double(width))
        let windows = [
          Window(top: 0, left: 0, height: h, width: w, seesBeyond: false),
          Window(top: h - 1, left: w - 1, height: 1, width: 1, seesBeyond: false),
          Window(top: h / 3, left: w / 5, height: h / 2, width: w / 2, seesBeyond: true),
        ]
        for (window, filter) in windows.flatMap({ window in Framing.Filter.allCases.map { (window, $0) } }) {
          func shown(_ image: Image) throws -> [UInt8] {
            var shown: [UInt8] = []
            try Scene(image: image, imageShape: [image.channels, outHeight, outWidth])
              .withImage(at: 0, Framing(filter: filter) { _, _ in window }) { shown = Array($0.bytes) }
            return shown
          }
          let all = try shown(image)
          #expect(all.count == count * outHeight * outWidth)
          for channel in 0..<count {
            let alone = Image(
              channels: 1, height: height, width: width, bytes: Array(bytes[channel * plane..<(channel + 1) * plane]))
            let own = channel * outHeight * outWidth..<(channel + 1) * outHeight * outWidth
            #expect(try all[own].elementsEqual(shown(alone)), "\(channel), \(window), \(filter)")
          }
        }
      }
    }
  }

  @Test(
    "images of any size and number of channels go through every augmentation, twice alike", arguments: 1...5,
    [(1, 1), (1, 7), (6, 1), (5, 9)])
  func everything(_ count: Int, _ size: (Int, Int)) throws {
    let (height, width) = size
    let bytes = (0..<count * height * width).map { UInt8(truncatingIfNeeded: $0 * 91 + 7) }
    let image = Image(channels: count, height: height, width: width, bytes: bytes)
    let augmentations: [[Augmentation]] = [
      [.randomResizedCrop()], [.randomResizedCrop(area: 1e-6...1e-5, aspect: 0.01...100)],
      [.scaleJitter(shortSide: 1...3)],
      [.scaleJitter(), .horizontalFlip(), .colorNoise(), .randomErasing(RandomErasing(probability: 1))],
      [.randomCrop(padding: 50), .horizontalFlip(probability: 1)],
      [.randAugment(RandAugment(magnitude: 10, std: 5, layers: 3, probability: 1))],
      [.colorJitter(ColorJitter(brightness: 1, contrast: 1, saturation: 1, hue: 0.5))],
      [.randomErasing(RandomErasing(probability: 1, area: 0.9...1, mode: .rand, most: 3))],
    ]
    for chain in augmentations {
      let loader = Loader(
        Split(Scene(image: image, imageShape: image.shape)), batchSize: 20,
        normalization: .centered(channels: count), augmentations: chain, seed: 2)
      var runs: [[Float]] = []
      for _ in 0..<2 {
        // Memory that was used before holds other numbers.
        let noise = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
        noise.initializeMemory(as: UInt8.self, repeating: UInt8(runs.count * 171 + 5))
        noise.deallocate()
        let stream = try loader.batches(epoch: 0)
        let batch = try #require(try stream.next())
        runs.append(Array(batch.images))
      }
      #expect(runs[0] == runs[1], "\(chain)")
      #expect(runs[0].allSatisfy { $0.isFinite })
    }
  }

  @Test(
    "copies are dealt to the parts of a batch in turn, each part as timm's rank of that number",
    arguments: [(1281, 3, 4, 8), (4000, 3, 3, 16), (600, 2, 5, 10), (300, 3, 8, 4), (100, 3, 2, 7)])
  func dealt(_ count: Int, _ times: Int, _ ranks: Int, _ rows: Int) {
    let samples = RepeatedSamples(count: count, times: times, ranks: ranks, rows: rows)
    #expect(samples.placeCount % (ranks * rows) == 0 && samples.placeCount <= samples.selected * ranks)
    #expect(samples.selected * ranks - samples.placeCount < ranks * rows)
    for place in 0..<samples.placeCount {
      let (batch, rank, row) = (place / (ranks * rows), place / rows % ranks, place % rows)
      #expect(samples[place] == samples.sample(at: batch * rows + row, of: rank))
    }
    // A batch norm sees copies of one sample no more often than `times` does not fit the ranks.
    for part in 0..<samples.placeCount / rows {
      let seen = (0..<rows).map { samples[part * rows + $0].item }
      let most = Dictionary(grouping: seen) { $0 }.values.map(\.count).max() ?? 0
      #expect(most <= (times + ranks - 1) / ranks)
    }
  }
}

@Suite struct RandomChangeTests {
  private func numbers(_ augmentations: [Augmentation], of scene: String = "china", size: Int = 24) throws -> [[Float]] {
    let image = scenes[scene]!.corner(size)
    let zeros = [Float](repeating: 0, count: image.channels)
    let loader = Loader(
      Split(Scene(image: image, imageShape: [image.channels, size, size])), batchSize: 100,
      normalization: Normalization(mean: zeros, std: zeros.map { _ in 1 }), augmentations: augmentations,
      seed: 3)
    var result: [[Float]] = []
    let length = image.channels * size * size
    for batch in 0..<4 {
      let stream = try loader.batches(epoch: 1, from: batch)
      guard let batch = try stream.next() else { break }
      for row in 0..<batch.count { result.append(Array(batch.images[row * length..<(row + 1) * length])) }
    }
    return result
  }

  @Test("operations, their use, level, sign and filter are drawn at the stated frequencies")
  func draws() {
    var random = RandomKey(seed: 1, for: .augmentation).generator()
    let change = RandAugment(magnitude: 7, std: 0.5)
    let draws = (0..<30_000).map { _ in change.draw(using: &random) }
    func near(_ count: Int, _ probability: Double) -> Bool {
      let std = (30_000 * probability * (1 - probability)).squareRoot()
      return abs(Double(count) - 30_000 * probability) < 5 * std
    }
    for kind in RandAugment.Kind.allCases { #expect(near(draws.count { $0.kind == kind }, 1.0 / 15)) }
    #expect(near(draws.count(where: \.isApplied), 0.5))
    #expect(near(draws.count(where: \.isNegative), 0.5))
    #expect(near(draws.count { $0.filter == .bicubic }, 0.5))
    let mean = draws.reduce(0) { $0 + $1.level } / 30_000
    let variance = draws.reduce(0) { $0 + ($1.level - mean) * ($1.level - mean) } / 30_000
    #expect(abs(mean - 7) < 0.02 && abs(variance - 0.25) < 0.01)
    #expect(draws.allSatisfy { (0...10).contains($0.level) })
  }

  @Test("a level is cut to the scale")
  func cut() {
    var random = RandomKey(seed: 1, for: .augmentation).generator()
    let change = RandAugment(magnitude: 10, std: 3)
    let levels = (0..<2000).map { _ in change.draw(using: &random).level }
    #expect(levels.max() == 10 && abs(levels.count { $0 == 10 } - 1000) < 112)
  }

  @Test("an erased rectangle has its share of the area, its proportions, and 0 within")
  func erased() throws {
    let erasing = RandomErasing(probability: 0.5, area: 0.1...0.2, aspect: 0.5...2, mode: .const)
    let images = try numbers([.randomErasing(erasing)], of: "flower")
    let plain = try numbers([], of: "flower")[0]
    var areas: [Double] = []
    for image in images where image != plain {
      #expect(zip(image, plain).allSatisfy { $0 == $1 || $0 == 0 })
      // The rectangle around what changed in any channel.
      let changed = (0..<1728).filter { image[$0] != plain[$0] }.map { $0 % 576 }
      let (rows, columns) = (changed.map { $0 / 24 }, changed.map { $0 % 24 })
      areas.append(Double((rows.max()! - rows.min()! + 1) * (columns.max()! - columns.min()! + 1)) / 576)
    }
    #expect(abs(areas.count - 200) < 50)
    // Sides are whole pixels, of 5 at the least, and black pixels at an edge do not change.
    #expect(areas.allSatisfy { (0.07...0.24).contains($0) })
    #expect(abs(areas.reduce(0, +) / Double(areas.count) - 0.15) < 0.01)
  }

  @Test("noise along the colours' components adds one number to each channel")
  func colorNoise() throws {
    let images = try numbers([.colorNoise(std: 0.1)])
    let plain = try numbers([])[0]
    var squares = [0.0, 0.0, 0.0]
    for image in images {
      for channel in 0..<3 {
        let places = channel * 576..<(channel + 1) * 576
        let shifts = places.map { image[$0] - plain[$0] }
        #expect(shifts.max()! - shifts.min()! < 1e-5)
        squares[channel] += Double(shifts[0] * shifts[0]) / 400
      }
    }
    // The sum of (component * eigenvalue * 0.1) squared: red's is 1.54e-4 + ...
    let vectors = [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
    for channel in 0..<3 {
      let expected = zip(vectors[channel], [0.2175, 0.0188, 0.0045]).reduce(0.0) { sum, pair in
        let part = pair.0 * pair.1 * 0.1
        return sum + part * part
      }
      #expect(abs(squares[channel] / expected - 1) < 0.35, "five deviations of 400 squares")
    }
  }

  @Test("colour jitter draws an order and factors within their ranges, and leaves out what is 0")
  func jitter() {
    var random = RandomKey(seed: 2, for: .augmentation).generator()
    let jitter = ColorJitter(brightness: 0.4, contrast: 1.5, hue: 0.1)
    var first: Set<String> = []
    for _ in 0..<200 {
      let changes = jitter.draw(using: &random)
      #expect(changes.count == 3)
      for (place, change) in changes.enumerated() {
        switch change {
        case .brightness(let factor): #expect((0.6...1.4).contains(factor))
        case .contrast(let factor): #expect((0...2.5).contains(factor))
        case .hue(let turn): #expect(abs(turn) <= 0.1)
        default: Issue.record("\(change)")
        }
        if place == 0 { first.insert("\(change)".prefix { $0 != "(" }.description) }
      }
    }
    #expect(first.count == 3)
  }

  @Test("scale jitter shows parts of the wanted size at scales within its range")
  func scales() throws {
    let images = try numbers([.scaleJitter(shortSide: 24...40)])
    // Of 17 scales the k-th has k * k places: about 292 of 400 images differ.
    #expect((260...330).contains(Set(images).count))
    let mean = images.map { $0.reduce(0, +) / 1728 }.reduce(0, +) / 400
    let whole = try numbers([])[0].reduce(0, +) / 1728
    #expect(abs(mean - whole) < 0.05)
  }

  @Test("an added change moves the draws of no other")
  func lanes() throws {
    let alone = try numbers([.horizontalFlip()])
    let both = try numbers([.repeated(times: 1), .colorJitter(ColorJitter()), .horizontalFlip()])
    #expect(alone == both)
  }

  @Test("with repeated samples a third of them is seen, each three times and each otherwise")
  func copies() throws {
    let loader = Loader(
      Split(Scene(image: scenes["china"]!, imageShape: [3, 24, 24])), batchSize: 128,
      normalization: Normalization(mean: [0, 0, 0], std: [1, 1, 1]),
      augmentations: [.repeated(times: 3), .randomResizedCrop()], order: .shuffled, seed: 9)
    #expect(loader.sampleCount == 3840 && loader.batchCount == 30)
    var counts: [Int32: Int] = [:]
    var images: [Int32: Set<[Float]>] = [:]
    try loader.forEachBatch(epoch: 0) { batch in
      for row in 0..<batch.count {
        counts[batch.samples[row], default: 0] += 1
        images[batch.samples[row], default: []].insert(Array(batch.images[row * 1728..<(row + 1) * 1728]))
      }
    }
    #expect(counts.count == 1280 && counts.values.allSatisfy { $0 == 3 })
    // All samples are the same scene, so two copies may be the same part by chance.
    #expect(images.values.reduce(0) { $0 + $1.count } > 3830)
  }
}
