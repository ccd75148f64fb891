import Synchronization

/// A wish that whatever runs should stop. May be raised from a signal handler and from any thread.
public final class Interruption: Sendable {
  private let count = Atomic<Int>(0)

  public init() {}

  public var isRaised: Bool { count.load(ordering: .relaxed) > 0 }
  /// Whether somebody asked again: what is done at an end, such as measuring, is to be left out too.
  public var isHurried: Bool { count.load(ordering: .relaxed) > 1 }
  public func raise() { count.add(1, ordering: .relaxed) }
  public func clear() { count.store(0, ordering: .relaxed) }
}
