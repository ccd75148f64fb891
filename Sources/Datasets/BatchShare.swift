/// Which batches of an epoch fall to one of several processes: of each group of batches, those of a range.
public struct BatchShare: Hashable, Sendable {
  /// Batches in a group.
  public let group: Int
  /// Those of this process, among the group's.
  public let own: Range<Int>

  /// All batches.
  public static let all = BatchShare(0..<1, ofEach: 1)

  /// - Precondition: The range is not empty and within the group.
  public init(_ own: Range<Int>, ofEach group: Int) {
    precondition(!own.isEmpty && own.lowerBound >= 0 && own.upperBound <= group)
    (self.own, self.group) = (own, group)
  }

  /// The number in its epoch of a batch that is counted among this process's own.
  public subscript(number: Int) -> Int {
    number / own.count * group + own.lowerBound + number % own.count
  }

  /// How many of an epoch's first batches are this process's own.
  public func count(of batches: Int) -> Int {
    let rest = batches % group - own.lowerBound
    return batches / group * own.count + min(max(rest, 0), own.count)
  }
}
