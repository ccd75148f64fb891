/// The places of an epoch in which each sample comes several times, as timm's `RepeatAugSampler` deals them.
///
/// The shuffled samples stand one after the other, each `times` times, and are dealt to ranks in turn: so the copies of a
/// sample meet in one batch norm no more often than they must. Each rank stops after `count / 256 * 256 / ranks` of them,
/// so an epoch is as long as without repetition, and shows a `times`th of the samples.
///
/// Ranks need not be processes: each part of a batch that is computed by itself counts as one. With one rank the copies of
/// a sample lie side by side, as they do in timm.
///
/// Source: Hoffer et al. 2020, arXiv:1901.09335; Touvron et al. 2021, arXiv:2012.12877; timm 1.0.31,
/// `distributed_sampler.py` with `selected_round` 256.
public struct RepeatedSamples: Hashable, Sendable {
  /// `rows` is the number of samples that a rank computes at once.
  public let count, times, ranks, rows: Int

  /// - Precondition: `times` is 1 to 16, `ranks` and `rows` are at least 1.
  public init(count: Int, times: Int, ranks: Int = 1, rows: Int = 1) {
    precondition((1...16).contains(times) && ranks >= 1 && rows >= 1)
    (self.count, self.times, self.ranks, self.rows) = (count, times, ranks, rows)
  }

  /// Places of one rank in an epoch.
  public var selected: Int {
    let dealt = (count * times + ranks - 1) / ranks
    return min(dealt, count >= 256 ? count / 256 * 256 / ranks : (count + ranks - 1) / ranks)
  }

  /// Places of all ranks in an epoch. Of several, only those with a place in a whole batch of each: a batch is the `rows` of
  /// the first rank, then those of the second, and so on.
  public var placeCount: Int { ranks == 1 ? selected : selected / rows * rows * ranks }

  /// Which of the shuffled samples comes at a place of a rank, and which of its copies.
  public func sample(at place: Int, of rank: Int) -> (item: Int, copy: Int) {
    let dealt = (rank + place * ranks) % max(count * times, 1)
    return (dealt / times, dealt % times)
  }

  /// The same at a place among those of all ranks.
  public subscript(place: Int) -> (item: Int, copy: Int) {
    let (batch, inBatch) = place.quotientAndRemainder(dividingBy: ranks * rows)
    return sample(at: batch * rows + inBatch % rows, of: inBatch / rows)
  }
}
