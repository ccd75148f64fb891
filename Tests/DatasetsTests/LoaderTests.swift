import Datasets
import Foundation
import Synchronization
import Tensors
import Testing

@Suite struct LoaderTests {
  let data: Dataset
  init() throws { data = try Dataset.synthetic(classes: 3, shape: [3, 10, 12], train: 103, validation: 20) }

  private func loader(_ workers: Int, batchSize: Int = 16, seed: UInt64 = 1, dropsLast: Bool = false) -> Loader {
    Loader(
      data.train, batchSize: batchSize, normalization: data.normalization,
      augmentations: [.randomCrop(padding: 2), .horizontalFlip()], order: .shuffled, seed: seed, dropsLast: dropsLast,
      workers: workers)
  }

  /// A hash of all that the batches of an epoch hold.
  private func fingerprint(_ loader: Loader, epoch: Int, from first: Int = 0) throws -> String {
    var hasher = StableHasher()
    try loader.forEachBatch(epoch: epoch, from: first) { batch in
      hasher.combine(batch.index)
      hasher.combine(batch.count)
      hasher.combine(UnsafeRawBufferPointer(batch.images))
      hasher.combine(UnsafeRawBufferPointer(batch.labels))
      hasher.combine(UnsafeRawBufferPointer(batch.samples))
    }
    return hasher.hexadecimal
  }

  @Test("any number of threads gives the same bytes", arguments: [2, 4])
  func threads(_ workers: Int) throws {
    for epoch in 0..<3 {
      #expect(try fingerprint(loader(workers), epoch: epoch) == fingerprint(loader(1), epoch: epoch))
    }
  }

  @Test("order and changes follow from seed and epoch alone")
  func seedAndEpoch() throws {
    let first = try fingerprint(loader(1), epoch: 3)
    #expect(try fingerprint(loader(1), epoch: 4) != first)
    #expect(try fingerprint(loader(1, seed: 2), epoch: 3) != first)
    #expect(try fingerprint(loader(1), epoch: 3) == first)
  }

  @Test("every sample comes once an epoch, and the last batch says how many it has")
  func coverage() throws {
    var numbers: [Int] = []
    var counts: [Int] = []
    try loader(2).forEachBatch(epoch: 0) { batch in
      counts.append(batch.count)
      #expect(Int(bitPattern: batch.images.baseAddress).isMultiple(of: 64))
      #expect(batch.images.count == 16 * 360 && batch.labels.count == 16)
      numbers += batch.samples.prefix(batch.count).map(Int.init)
      for row in 0..<batch.count { #expect(Int(batch.labels[row]) == data.train.label(at: Int(batch.samples[row]))) }
      #expect(batch.images[(batch.count * 360)...].allSatisfy { $0 == 0 })
    }
    #expect(numbers.sorted() == Array(0..<103))
    #expect(counts == [16, 16, 16, 16, 16, 16, 7])
    var kept = 0
    try loader(1, dropsLast: true).forEachBatch(epoch: 0) { kept += $0.count }
    #expect(kept == 96)
    #expect(loader(1, dropsLast: true).batchCount == 6 && loader(1).batchCount == 7)
  }

  @Test("an epoch that is taken up again goes on with the same batches")
  func resumed() throws {
    var hasher = StableHasher()
    try loader(1).forEachBatch(epoch: 2) { batch in
      guard batch.index >= 4 else { return }
      hasher.combine(UnsafeRawBufferPointer(batch.images))
    }
    var resumed = StableHasher()
    try loader(2).forEachBatch(epoch: 2, from: 4) { resumed.combine(UnsafeRawBufferPointer($0.images)) }
    #expect(resumed.value == hasher.value)
    try loader(2).forEachBatch(epoch: 2, from: 7) { _ in Issue.record("there is no batch 7") }
  }

  @Test("evaluation has the images in order, normalized and unchanged")
  func evaluation() throws {
    let normalization = Normalization(mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2])
    try Loader(data.validation, batchSize: 8, normalization: normalization).forEachBatch(epoch: 0) { batch in
      for row in 0..<batch.count {
        #expect(batch.samples[row] == Int32(batch.index * 8 + row))
        let image = try data.validation.image(at: batch.index * 8 + row)
        for (i, byte) in image.bytes.enumerated() {
          let channel = i / 120
          let expected = (Float(byte) / 255 - normalization.mean[channel]) / normalization.std[channel]
          #expect(batch.images[row * 360 + i] == expected)
        }
      }
    }
  }

  @Test("a consumer that leaves early ends the threads", arguments: [0, 1, 3])
  func abandoned(_ taken: Int) throws {
    let counter = CountingSource()
    let loader = Loader(
      Split(counter), batchSize: 4, normalization: Normalization(mean: [0], std: [1]), workers: 3)
    do {
      let stream = try loader.batches(epoch: 0)
      for _ in 0..<taken { _ = try stream.next() }
    }
    let after = counter.reads.load(ordering: .sequentiallyConsistent)
    Thread.sleep(forTimeInterval: 0.05)
    #expect(counter.reads.load(ordering: .sequentiallyConsistent) == after, "no thread reads on")
    // Bounded: what was taken, and what may be ready or in the making.
    #expect(after <= (taken + loader.prefetched) * 4)

    struct Stop: Error {}
    #expect(throws: Stop.self) { try loader.forEachBatch(epoch: 0) { _ in throw Stop() } }
  }

  @Test("a sample that cannot be read stops the epoch at its batch", arguments: [1, 2, 4])
  func failure(_ workers: Int) throws {
    let source = CountingSource(broken: 9)
    let loader = Loader(
      Split(source), batchSize: 4, normalization: Normalization(mean: [0], std: [1]), workers: workers)
    var seen: [Int] = []
    #expect(throws: DatasetError.undecodable(path: "9", reason: "test")) {
      try loader.forEachBatch(epoch: 0) { seen.append($0.index) }
    }
    #expect(seen == [0, 1])
  }
}

/// Grey images of one pixel that count how often they are read.
private final class CountingSource: ImageSource {
  let reads = Atomic<Int>(0)
  let broken: Int?
  init(broken: Int? = nil) { self.broken = broken }
  var count: Int { 1000 }
  var imageShape: Shape { [1, 1, 1] }
  func label(at index: Int) -> Int { 0 }
  func withImage(at index: Int, _ body: (ImageView) -> Void) throws(DatasetError) {
    reads.add(1, ordering: .sequentiallyConsistent)
    guard index != broken else { throw .undecodable(path: "\(index)", reason: "test") }
    [UInt8(truncatingIfNeeded: index)].withUnsafeBufferPointer {
      body(ImageView(channels: 1, height: 1, width: 1, bytes: $0))
    }
  }
}

@Suite struct AugmentationTests {
  /// One image of 1 x 3 x 4 with bytes 1 to 12.
  private final class OneImage: ImageSource {
    var count: Int { 4000 }
    var imageShape: Shape { [1, 3, 4] }
    func label(at index: Int) -> Int { 0 }
    func withImage(at index: Int, _ body: (ImageView) -> Void) {
      Array(1...12 as ClosedRange<UInt8>).withUnsafeBufferPointer {
        body(ImageView(channels: 1, height: 3, width: 4, bytes: $0))
      }
    }
  }

  /// How often each outcome came up.
  private func outcomes(_ augmentations: [Augmentation]) throws -> [[Int]: Int] {
    let loader = Loader(
      Split(OneImage()), batchSize: 100, normalization: Normalization(mean: [0], std: [1]),
      augmentations: augmentations, seed: 5)
    var counts: [[Int]: Int] = [:]
    try loader.forEachBatch(epoch: 1) { batch in
      for row in 0..<batch.count {
        counts[batch.images[row * 12..<row * 12 + 12].map { Int(($0 * 255).rounded()) }, default: 0] += 1
      }
    }
    return counts
  }

  @Test("half of the images are mirrored")
  func flip() throws {
    let counts = try outcomes([.horizontalFlip()])
    #expect(counts.count == 2)
    // Five deviations of 4000 fair coins.
    #expect(abs(counts[[4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9]]! - 2000) < 158)
    #expect(try outcomes([.horizontalFlip(probability: 0)]).count == 1)
    #expect(try outcomes([.horizontalFlip(probability: 1)]).count == 1)
  }

  @Test("a crop moves the image every way alike, and black comes in", arguments: [1, 2, 6])
  func crop(_ padding: Int) throws {
    let side = 2 * padding + 1
    var expected: [[Int]: Int] = [:]
    for top in -padding...padding {
      for left in -padding...padding {
        let image = (0..<12).map { i in
          let (y, x) = (i / 4 + top, i % 4 + left)
          return (0..<3).contains(y) && (0..<4).contains(x) ? y * 4 + x + 1 : 0
        }
        expected[image, default: 0] += 1
      }
    }
    let counts = try outcomes([.randomCrop(padding: padding)])
    #expect(Set(counts.keys).isSubset(of: expected.keys))
    for (image, ways) in expected {
      let mean = 4000 * Double(ways) / Double(side * side)
      #expect(abs(Double(counts[image] ?? 0) - mean) < 5.5 * mean.squareRoot())
    }
  }

  @Test("adding an augmentation does not move the draws of another")
  func lanes() throws {
    func mirrored(_ augmentations: [Augmentation]) throws -> [Bool] {
      let loader = Loader(
        Split(OneImage()), batchSize: 100, normalization: Normalization(mean: [0], std: [1]),
        augmentations: augmentations, seed: 5)
      var result: [Bool] = []
      try loader.forEachBatch(epoch: 0) { batch in
        for row in 0..<batch.count {
          let row = batch.images[row * 12..<row * 12 + 12].filter { $0 > 0 }
          result.append(row.count > 1 && row[0] > row[1])
        }
      }
      return result
    }
    #expect(try mirrored([.horizontalFlip()]) == mirrored([.randomCrop(padding: 1), .horizontalFlip()]))
  }
}
