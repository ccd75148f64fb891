import Datasets
import Tensors
import Testing

@Suite("batches that several processes share")
struct BatchShareTests {
  /// Images, labels and numbers of each row of a batch.
  struct Row: Hashable { let images: [Float], label: Int32, sample: Int32 }

  private func loader(batchSize: Int, share: BatchShare = .all, repeated: Bool = false) throws -> Loader {
    let data = try Dataset.synthetic(classes: 3, shape: [3, 8, 9], train: 300, validation: 20)
    return Loader(
      data.train, batchSize: batchSize, normalization: data.normalization,
      augmentations: [.randomCrop(padding: 2), .horizontalFlip()] + (repeated ? [.repeated(times: 3)] : []), order: .shuffled, seed: 4,
      dropsLast: true, workers: 2, share: share)
  }

  private func rows(_ loader: Loader, from first: Int = 0) throws -> [Int: [Row]] {
    var rows: [Int: [Row]] = [:]
    try loader.forEachBatch(epoch: 1, from: first) { batch in
      let size = batch.images.count / loader.batchSize
      rows[batch.index] = (0..<batch.count).map { row in
        Row(
          images: Array(batch.images[row * size..<(row + 1) * size]), label: batch.labels[row], sample: batch.samples[row])
      }
    }
    return rows
  }

  @Test(
    "the rows of all processes together are those of one, row for row",
    arguments: [(processes: 2, parts: 1), (4, 1), (2, 3), (3, 2)], [false, true])
  func union(_ setting: (processes: Int, parts: Int), _ repeated: Bool) throws {
    let (processes, parts) = setting
    let whole = try rows(loader(batchSize: 24, repeated: repeated))
    let size = 24 / processes / parts
    var joined: [Int: [Row]] = [:]
    for rank in 0..<processes {
      let share = BatchShare(rank * parts..<(rank + 1) * parts, ofEach: processes * parts)
      let own = try rows(loader(batchSize: size, share: share, repeated: repeated))
      #expect(own.keys.allSatisfy { share.own.contains($0 % share.group) })
      joined.merge(own) { _, _ in preconditionFailure("two processes have one part") }
    }
    for (batch, expected) in whole {
      let found = (0..<processes * parts).flatMap { joined[batch * processes * parts + $0] ?? [] }
      #expect(found == expected)
    }
  }

  @Test("an epoch is taken up again where a group begins")
  func resumed() throws {
    let share = BatchShare(2..<4, ofEach: 4)
    let (whole, rest) = (try rows(loader(batchSize: 6, share: share)), try rows(loader(batchSize: 6, share: share), from: 20))
    #expect(rest == whole.filter { $0.key >= 20 })
    #expect(rest.keys.min() == 22)
  }

  @Test("each batch is one process's", arguments: 1...5)
  func partition(_ processes: Int) {
    for batches in 0...17 {
      var taken: [Int] = []
      for rank in 0..<processes {
        let share = BatchShare(rank..<rank + 1, ofEach: processes)
        taken += (0..<share.count(of: batches)).map { share[$0] }
      }
      #expect(taken.sorted() == Array(0..<batches))
    }
  }
}
