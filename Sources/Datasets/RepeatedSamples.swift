/// The places of an epoch in which each sample comes several times, as timm's `RepeatAugSampler` deals them.
///
/// The shuffled samples stand one after the other, each `times` times; they are dealt to the ranks in turn, and each
/// rank stops after `count / 256 * 256 / world` of them. So an epoch is as long as without repetition, and shows a
/// `times`th of the samples.
///
/// Source: Hoffer et al. 2020, arXiv:1901.09335; Touvron et al. 2021, arXiv:2012.12877; timm 1.0.31,
/// `distributed_sampler.py` with `selected_round` 256.
public struct RepeatedSamples: Hashable, Sendable {
  public let count, times, rank, world: Int

  /// - Precondition: `times` is 1 to 16, and the rank is below the world's size.
  public init(count: Int, times: Int, rank: Int = 0, world: Int = 1) {
    precondition((1...16).contains(times) && world >= 1 && (0..<world).contains(rank))
    (self.count, self.times, self.rank, self.world) = (count, times, rank, world)
  }

  /// Places of this rank in an epoch.
  public var selected: Int {
    let dealt = (count * times + world - 1) / world
    return min(dealt, count >= 256 ? count / 256 * 256 / world : (count + world - 1) / world)
  }

  /// Which of the shuffled samples comes at a place, and which of its copies.
  public subscript(place: Int) -> (item: Int, copy: Int) {
    let dealt = (rank + place * world) % max(count * times, 1)
    return (dealt / times, dealt % times)
  }
}
