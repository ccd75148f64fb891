package import Datasets

/// Which parts of each batch one of several processes computes.
///
/// All draw the same batches from the same keys. The first process takes the first rows of each, and so on: n processes
/// that compute b images each give what one gives that computes n·b in parts of b. Where batch norms are synchronized,
/// they share each part instead.
package struct Sharding {
  /// Samples that the process computes at once.
  package let rows: Int
  /// Parts of a batch, over all processes.
  package let partsOfBatch: Int
  /// Parts of a batch that are the process's own.
  package let parts: Int
  /// The ranks that repeated samples are dealt to: the parts of a batch whose batch norms see them together; and the
  /// samples of each.
  package let ranks, rankRows: Int
  /// Its own among all parts of an epoch.
  package let share: BatchShare

  package init(_ plan: TrainingPlan, rank: Int = 0, size: Int = 1) throws(TrainingError) {
    guard plan.batchSize % size == 0 else {
      throw .processes("a batch of \(plan.batchSize) cannot be shared evenly among \(size) processes")
    }
    guard !plan.synchronizesBatchNorm else {
      let part = plan.partSize ?? plan.batchSize
      guard part % size == 0 else {
        throw .processes("a part of \(part) images cannot be shared evenly among \(size) processes")
      }
      (rows, parts) = (part / size, plan.batchSize / part)
      partsOfBatch = parts * size
      (ranks, rankRows) = (parts, part)
      share = BatchShare(rank..<rank + 1, ofEach: size)
      return
    }
    let own = plan.batchSize / size
    rows = plan.partSize ?? own
    guard own % rows == 0 else {
      throw .processes("each of \(size) processes has \(own) of a batch of \(plan.batchSize), which is not made of parts of \(rows)")
    }
    (partsOfBatch, parts) = (plan.batchSize / rows, own / rows)
    (ranks, rankRows) = (partsOfBatch, rows)
    share = BatchShare(rank * parts..<(rank + 1) * parts, ofEach: partsOfBatch)
  }

  /// The place of a part in its batch, by its number in the epoch.
  func place(of part: Int) -> Int { part % partsOfBatch }
  /// The same among the process's own.
  package func ownPlace(of part: Int) -> Int {
    place(of: part) / share.group * share.own.count + place(of: part) % share.group - share.own.lowerBound
  }
}
