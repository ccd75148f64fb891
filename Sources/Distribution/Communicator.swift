internal import Foundation

/// The processes that work on the same, and what goes between them. Alone, all of it does nothing.
///
/// Every process calls the same methods in the same order. Sums are taken in a fixed order: they are the same on every
/// process, and from run to run with the same processes. All of MPI runs on one thread of its own, so that what was
/// started goes on while others compute, and a library of the least thread support will do.
public final class Communicator: Sendable {
  /// This process's number, from 0, and how many there are.
  public let rank, size: Int
  private let thread: CommunicationThread?

  /// A process that works alone.
  public static let alone = Communicator()

  private init() {
    (rank, size) = (0, 1)
    thread = nil
  }

  /// Loads Open MPI and joins the others.
  /// - Throws: `DistributionError.unusable`.
  public init(joining launch: Launch) throws(DistributionError) {
    let thread = CommunicationThread()
    (rank, size) = try thread.join()
    self.thread = thread
  }

  public var isAlone: Bool { size == 1 }
  /// Whether this is the process that speaks and writes.
  public var isFirst: Bool { rank == 0 }

  // MARK: Sums

  /// Starts to sum an array over all processes, in place. It must stay until `wait` has returned.
  public func startSum(_ numbers: UnsafeMutablePointer<Float>, count: Int) {
    guard let thread, count > 0 else { return }
    thread.start(.sumOfFloats(numbers, Self.counted(count)))
  }

  public func startSum(_ numbers: UnsafeMutablePointer<Double>, count: Int) {
    guard let thread, count > 0 else { return }
    thread.start(.sumOfDoubles(numbers, Self.counted(count)))
  }

  /// Waits for all that was started.
  public func wait() { thread?.wait() }

  /// Sums a few numbers in place, while what was started before may go on.
  public func sumNow(_ numbers: UnsafeMutablePointer<Double>, count: Int) {
    guard let thread, count > 0 else { return }
    thread.start(.sumOfDoubles(numbers, Self.counted(count)), .urgent)
    thread.wait(.urgent)
  }

  /// Sums an array over all processes.
  public func sum(_ numbers: inout [Double]) {
    guard thread != nil else { return }
    numbers.withUnsafeMutableBufferPointer { numbers in
      guard let start = numbers.baseAddress else { return }
      startSum(start, count: numbers.count)
      wait()
    }
  }

  // MARK: What the first process has

  /// Copies memory of the first process to all.
  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let thread, let start = bytes.baseAddress else { return }
    // MPI counts with 32 bits.
    let largest = 1 << 28
    for offset in stride(from: 0, to: bytes.count, by: largest) {
      thread.start(.broadcast(start + offset, Int32(min(largest, bytes.count - offset))))
    }
    thread.wait()
  }

  public func broadcast(_ numbers: inout [Double]) {
    guard thread != nil else { return }
    numbers.withUnsafeMutableBytes { broadcast($0) }
  }

  /// - Returns: the first process's text, whatever the others give.
  public func broadcast(_ text: String?) -> String? {
    guard thread != nil else { return text }
    var bytes = isFirst ? Array((text ?? "").utf8) : []
    var head = [text == nil ? -1 : Double(bytes.count)]
    broadcast(&head)
    guard head[0] >= 0 else { return nil }
    if !isFirst { bytes = Array(repeating: 0, count: Int(head[0])) }
    bytes.withUnsafeMutableBytes { broadcast($0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  // MARK: The end

  /// Waits for the others to be here too, and leaves them.
  /// - Parameter seconds: how long to wait at most; nil for as long as it takes.
  /// - Returns: false where not all came; nothing has ended then.
  public func leave(within seconds: Double? = nil) -> Bool {
    guard let thread else { return true }
    thread.start(.farewell)
    guard thread.wait(until: seconds.map { Date(timeIntervalSinceNow: $0) }) else { return false }
    thread.start(.leave)
    thread.wait()
    return true
  }

  /// Ends all processes at once.
  public func abort(status: Int32) -> Never {
    thread?.abort(status: status)
    exit(status)
  }

  private static func counted(_ count: Int) -> Int32 {
    precondition(count <= Int(Int32.max), "MPI counts with 32 bits")
    return Int32(count)
  }
}
