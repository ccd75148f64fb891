package import Engine

/// Stretches of the gradients that go between processes as one, in the order in which the backward pass ends them.
///
/// Small enough that most are on their way before the last layer is done, large enough that the network's latency
/// matters little (Li et al. 2020, arXiv:2006.15704, section 3.2.3).
package struct GradientBuckets {
  package struct Bucket: Hashable, Sendable {
    /// Of the plan's arenas, in floats.
    package let range: Range<Int>
    /// The last step of the plan that writes there.
    package let lastStep: Int
  }

  package static let standardByteCount = 4 << 20
  package let list: [Bucket]

  /// - Parameter byteCount: what a bucket holds at least, the last one excepted.
  package init(_ arenas: Plan.Arenas, byteCount: Int = standardByteCount) {
    self.init(arenas.segments.map { ($0.offset, $0.count, $0.gradientStep) }, byteCount: byteCount)
  }

  /// - Parameter segments: one after the other, without holes.
  package init(_ segments: [(offset: Int, count: Int, lastStep: Int)], byteCount: Int) {
    // The last parameters have their gradients first.
    var list: [Bucket] = []
    var end = segments.last.map { $0.offset + $0.count } ?? 0
    var lastStep = 0
    for segment in segments.reversed() {
      lastStep = max(lastStep, segment.lastStep)
      if (end - segment.offset) * 4 >= byteCount || segment.offset == 0 {
        list.append(Bucket(range: segment.offset..<end, lastStep: lastStep))
        end = segment.offset
      }
    }
    self.list = list
  }
}
