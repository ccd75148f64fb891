package import Tensors

extension Split {
  /// All its images as a network sees them, `N C H W`.
  /// - Throws: `DatasetError` for one that cannot be read, `TensorError.outOfMemory`.
  package func tensor(_ normalization: Normalization) throws -> Tensor {
    var result = try Tensor(zeros: imageShape.batched(count))
    let size = imageShape.elementCount
    var done = 0
    try Loader(self, batchSize: min(max(count, 1), 256), normalization: normalization).forEachBatch(epoch: 0) { batch in
      result.withUnsafeMutableElements { all in
        _ = UnsafeMutableBufferPointer(rebasing: all[done * size..<(done + batch.count) * size])
          .update(fromContentsOf: batch.images.prefix(batch.count * size))
      }
      done += batch.count
    }
    return result
  }
}
