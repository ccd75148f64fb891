import Foundation
import Synchronization
import Tensors

/// A batch of prepared samples. The memory is the loader's: it is valid until the next batch is asked for.
public struct Batch {
  /// The number of the batch in its epoch.
  public let index: Int
  /// How many samples are real. The last batch of an epoch may have fewer than the capacity; the rest is zeros.
  public let count: Int
  /// Float32 `N C H W`, normalized, for the whole capacity; 64-byte aligned. May be changed in place.
  public let images: UnsafeMutableBufferPointer<Float>
  /// A label for the whole capacity; 0 beyond `count`.
  public let labels: UnsafeMutableBufferPointer<Int32>
  /// The samples' numbers in their source (see `Split.sourceIndex(at:)`); 0 beyond `count`.
  public let samples: UnsafeBufferPointer<Int32>
  /// Keeps the memory, so that a batch that is kept too long shows other numbers at worst.
  fileprivate let memory: AnyObject
}

/// Prepares batches on other threads while one thread works on those before.
///
///     let loader = Loader(data.train, batchSize: 128, normalization: data.normalization,
///                         augmentations: [.randomCrop(padding: 2), .horizontalFlip()], order: .shuffled, seed: 1)
///     try loader.forEachBatch(epoch: 0) { batch in try step(batch.images, batch.labels, batch.count) }
///
/// The batches follow from the split, the augmentations, the seed and the epoch: never from the number of threads.
public struct Loader: Sendable {
  public enum Order: Hashable, Sendable {
    /// As the split has them; for evaluation.
    case plain
    /// A new permutation each epoch, from `RandomKey(seed:, for: .shuffle, epoch:)`.
    case shuffled
  }

  public let split: Split
  public let batchSize: Int
  public let normalization: Normalization
  public let augmentations: [Augmentation]
  public let order: Order
  public let seed: UInt64
  /// Whether a last batch that is not full is left out.
  public let dropsLast: Bool
  /// Threads that prepare batches, at least 1; at a lower priority, so as many as there are cores do little harm.
  public let workers: Int
  /// The ranks that repeated samples are dealt to, and how many samples each of them computes at once.
  public let ranks, rankRows: Int
  /// Which of the batches are prepared; all unless several processes share them.
  public let share: BatchShare
  /// Batches that may be ready or in the making at once; bounds the memory.
  public let prefetched: Int

  /// - Precondition: The batch size is at least 1, the normalization has the images' number of channels, and several
  ///   ranks go with `dropsLast`.
  public init(
    _ split: Split, batchSize: Int, normalization: Normalization, augmentations: [Augmentation] = [],
    order: Order = .plain, seed: UInt64 = 0, dropsLast: Bool = false, workers: Int = 1,
    ranks: Int = 1, rankRows: Int? = nil, share: BatchShare = .all
  ) {
    precondition(batchSize >= 1 && normalization.mean.count == split.imageShape[0])
    precondition(ranks == 1 || (ranks > 1 && dropsLast))
    self.split = split
    self.batchSize = batchSize
    self.normalization = normalization
    self.augmentations = augmentations
    self.order = order
    self.seed = seed
    self.dropsLast = dropsLast
    self.workers = max(1, workers)
    (self.ranks, self.rankRows, self.share) = (ranks, rankRows ?? batchSize, share)
    prefetched = self.workers + 2
  }

  /// How the samples are repeated, if they are.
  private var repetition: RepeatedSamples? {
    guard order == .shuffled else { return nil }
    for case .repeated(let times) in augmentations {
      return RepeatedSamples(count: split.count, times: times, ranks: ranks, rows: rankRows)
    }
    return nil
  }

  /// Places of repeated samples in an epoch, before whole batches are counted; nil where none are repeated.
  public var repeatedCount: Int? { repetition.map { $0.selected * $0.ranks } }

  /// Samples in an epoch.
  public var sampleCount: Int { repetition?.placeCount ?? split.count }

  /// Batches in an epoch.
  public var batchCount: Int { dropsLast ? sampleCount / batchSize : (sampleCount + batchSize - 1) / batchSize }

  /// Which position of the split comes at each place of an epoch, and which copy of its sample; nil where the split has
  /// its own order.
  func places(epoch: Int) -> [(position: Int, copy: Int)]? {
    guard order == .shuffled else { return nil }
    var random = RandomKey(seed: seed, for: .shuffle, epoch: epoch).generator()
    let shuffled = random.permutation(of: split.count)
    guard let repetition else { return shuffled.map { ($0, 0) } }
    return (0..<repetition.placeCount).map { place in
      let (item, copy) = repetition[place]
      return (shuffled[item], copy)
    }
  }

  /// Starts the threads and gives the batches of one epoch in order.
  /// - Parameter first: The batch to begin with, for a run that is taken up again within an epoch: the first of a group
  ///   where batches are shared.
  /// - Throws: `DatasetError.unreadable` where there is no memory for the batches.
  public func batches(epoch: Int, from first: Int = 0) throws(DatasetError) -> BatchStream {
    do { return try BatchStream(self, epoch: epoch, from: first) } catch { throw .unreadable(error) }
  }

  /// Calls `body` with each batch of an epoch in order.
  /// - Throws: What `body` throws, and `DatasetError` for a sample that cannot be read. The threads end in either case.
  public func forEachBatch(epoch: Int, from first: Int = 0, _ body: (Batch) throws -> Void) throws {
    let stream = try batches(epoch: epoch, from: first)
    while let batch = try stream.next() { try body(batch) }
  }
}

/// The batches of one epoch, for one thread. Letting go of it ends the threads that prepare them.
public final class BatchStream {
  private let ring: Ring
  private var isFinished = false

  init(_ loader: Loader, epoch: Int, from first: Int) throws(TensorError) {
    ring = try Ring(loader, epoch: epoch, from: first)
    ring.start()
  }

  deinit { ring.stop() }

  /// The next batch, or nil after the last. The batch given before is no longer valid.
  /// - Parameter isInterrupted: Asked while the batch is not ready yet; once true, the stream ends with `.interrupted`.
  /// - Throws: A `DatasetError` where a sample of this batch could not be read; the stream is then finished.
  public func next(isInterrupted: (() -> Bool)? = nil) throws(DatasetError) -> Batch? {
    guard !isFinished else { return nil }
    do throws(DatasetError) {
      let batch = try ring.next(isInterrupted)
      if batch == nil { isFinished = true }
      return batch
    } catch {
      isFinished = true
      ring.stop()
      throw error
    }
  }
}

/// The buffers and the bookkeeping that worker threads and the consumer share.
///
/// Batches are counted among those of this process's share: `b` lives in slot `b % slots.count`. Workers take the batches by number; a slot belongs to one worker from the
/// moment the batch is taken until it is ready, then to the consumer until it asks for the next.
private final class Ring: @unchecked Sendable {  // what several threads touch is guarded by `condition`, see above
  final class Slot {
    let images, labels, samples: AlignedBuffer
    init(capacity: Int, sampleSize: Int) throws(TensorError) {
      images = try AlignedBuffer(byteCount: capacity * sampleSize * MemoryLayout<Float>.stride)
      labels = try AlignedBuffer(byteCount: capacity * MemoryLayout<Int32>.stride)
      samples = try AlignedBuffer(byteCount: capacity * MemoryLayout<Int32>.stride)
    }
  }

  private let loader: Loader
  private let epoch: Int
  private let order: [(position: Int, copy: Int)]?
  private let table: [Float]
  private let sampleSize: Int
  private let slots: [Slot]
  /// One per worker.
  private let chains: [AugmentationChain]
  private let last: Int
  private let count: Int
  private let isStopped = Atomic<Bool>(false)

  private let condition = NSCondition()
  /// The next batch that no worker has taken.
  private var nextToPrepare: Int
  /// The batch the consumer gets next.
  private var nextToGive: Int
  /// Batches before this one are no longer used by the consumer.
  private var released: Int
  /// For each slot, the batch that is ready in it.
  private var ready: [Int?]
  private var failures: [Int: DatasetError] = [:]
  private var activeWorkers = 0
  /// Whether the consumer prepares batches itself, since the system gives no thread.
  private var isAlone = false

  init(_ loader: Loader, epoch: Int, from first: Int) throws(TensorError) {
    self.loader = loader
    self.epoch = epoch
    order = loader.places(epoch: epoch)
    table = loader.normalization.table
    sampleSize = loader.split.imageShape.elementCount
    last = loader.share.count(of: loader.batchCount)
    count = loader.sampleCount
    let start = min(max(loader.share.count(of: first), 0), last)
    (nextToPrepare, nextToGive, released) = (start, start, start)
    var slots: [Slot] = []
    for _ in 0..<max(1, min(loader.prefetched, last - start)) {
      slots.append(try Slot(capacity: loader.batchSize, sampleSize: sampleSize))
    }
    self.slots = slots
    ready = Array(repeating: nil, count: slots.count)
    var chains: [AugmentationChain] = []
    for _ in 0..<min(loader.workers, last - start) {
      chains.append(
        try AugmentationChain(
          loader.augmentations, seed: loader.seed, imageShape: loader.split.imageShape,
          normalization: loader.normalization))
    }
    self.chains = chains
  }

  func start() {
    var started = 0
    for number in chains.indices {
      guard systemGivesThread() else { break }
      condition.lock()
      activeWorkers += 1
      condition.unlock()
      let thread = Thread {
        // They compute mostly in what time the engine's threads leave: those wait for one another, so a core taken from
        // one of them is lost to all. The lowest priority would be too low: beside another program, training would wait
        // for data. Linux has a priority for each thread.
        let thread = __priority_which_t(PRIO_PROCESS.rawValue)
        _ = setpriority(thread, 0, min(getpriority(thread, 0) + 5, 19))
        self.work(self.chains[number])
      }
      thread.name = "loader \(number)"
      thread.start()
      started += 1
    }
    isAlone = started == 0
  }

  /// Ends the threads and waits until they have ended.
  func stop() {
    isStopped.store(true, ordering: .relaxed)
    condition.lock()
    condition.broadcast()
    while activeWorkers > 0 { condition.wait() }
    condition.unlock()
  }

  func next(_ isInterrupted: (() -> Bool)?) throws(DatasetError) -> Batch? {
    condition.lock()
    defer { condition.unlock() }
    released = nextToGive
    condition.broadcast()
    guard nextToGive < last, !isStopped.load(ordering: .relaxed) else { return nil }
    let index = nextToGive
    let place = index % slots.count
    if isAlone, ready[place] != index {
      nextToPrepare = index + 1
      failures[index] = nil
      do throws(DatasetError) { try prepare(index, chains[0]) } catch { failures[index] = error }
      ready[place] = index
    }
    while ready[place] != index {
      guard let isInterrupted else {
        condition.wait()
        continue
      }
      if isInterrupted() { throw .interrupted }
      _ = condition.wait(until: Date(timeIntervalSinceNow: 0.05))
    }
    nextToGive += 1
    if let failure = failures[index] { throw failure }
    let capacity = loader.batchSize
    let slot = slots[place]
    return Batch(
      index: loader.share[index], count: samples(in: index).count,
      images: UnsafeMutableBufferPointer(start: slot.images.floats, count: capacity * sampleSize),
      labels: UnsafeMutableBufferPointer(
        start: slot.labels.pointer.assumingMemoryBound(to: Int32.self), count: capacity),
      samples: UnsafeBufferPointer(
        start: slot.samples.pointer.assumingMemoryBound(to: Int32.self), count: capacity), memory: slot)
  }

  private func samples(in batch: Int) -> Range<Int> {
    let start = loader.share[batch] * loader.batchSize
    return start..<min(start + loader.batchSize, count)
  }

  private func work(_ augment: AugmentationChain) {
    defer {
      condition.lock()
      activeWorkers -= 1
      condition.broadcast()
      condition.unlock()
    }
    while let batch = take() {
      var failure: DatasetError?
      do throws(DatasetError) { try prepare(batch, augment) } catch { failure = error }
      condition.lock()
      failures[batch] = failure
      ready[batch % slots.count] = batch
      condition.broadcast()
      condition.unlock()
    }
  }

  /// The next batch to prepare, once its slot is free; nil when there is no more to do.
  private func take() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    guard nextToPrepare < last, !isStopped.load(ordering: .relaxed) else { return nil }
    let batch = nextToPrepare
    nextToPrepare += 1
    while batch - released >= slots.count {
      condition.wait()
      if isStopped.load(ordering: .relaxed) { return nil }
    }
    return isStopped.load(ordering: .relaxed) ? nil : batch
  }

  private func prepare(_ batch: Int, _ augment: AugmentationChain) throws(DatasetError) {
    let slot = slots[batch % slots.count]
    let images = slot.images.floats
    let labels = slot.labels.pointer.assumingMemoryBound(to: Int32.self)
    let numbers = slot.samples.pointer.assumingMemoryBound(to: Int32.self)
    let positions = samples(in: batch)
    let split = loader.split
    for (row, position) in positions.enumerated() {
      guard !isStopped.load(ordering: .relaxed) else { return }
      let place = order?[position] ?? (position: position, copy: 0)
      let index = split.sourceIndex(at: place.position)
      let sample = AugmentationChain.Sample(epoch: epoch, index: index, copy: place.copy)
      labels[row] = Int32(split.source.label(at: index))
      numbers[row] = Int32(index)
      let target = images + row * sampleSize
      func take(_ image: ImageView) {
        precondition(image.bytes.count == sampleSize)
        normalize(augment(image, sample), into: target)
      }
      if let framing = augment.framing(of: sample) {
        try split.source.withImage(at: index, framing, take)
      } else {
        try split.source.withImage(at: index, take)
      }
      augment.finish(target, sample)
    }
    let empty = loader.batchSize - positions.count
    if empty > 0 {
      (images + positions.count * sampleSize).update(repeating: 0, count: empty * sampleSize)
      (labels + positions.count).update(repeating: 0, count: empty)
      (numbers + positions.count).update(repeating: 0, count: empty)
    }
  }

  private func normalize(_ image: ImageView, into target: UnsafeMutablePointer<Float>) {
    let plane = image.width * image.height
    let bytes = image.bytes.baseAddress!
    table.withUnsafeBufferPointer { table in
      for channel in 0..<image.channels {
        let numbers = table.baseAddress! + 256 * channel
        let (from, to) = (bytes + channel * plane, target + channel * plane)
        for i in 0..<plane { to[i] = numbers[Int(from[i])] }
      }
    }
  }
}
