internal import CMPI
internal import Foundation

/// The one thread that calls MPI.
///
/// It starts what it is told to in that order, and looks after all that is under way: seldom while others compute, so
/// that it takes little from them, and all the time once somebody waits.
final class CommunicationThread: @unchecked Sendable {  // Sendable: what others see is guarded by the condition
  enum Job {
    case sumOfFloats(UnsafeMutablePointer<Float>, Int32)
    case sumOfDoubles(UnsafeMutablePointer<Double>, Int32)
    case broadcast(UnsafeMutableRawPointer, Int32)
    case farewell
    case leave
  }

  /// What one waits for apart from the other: the sums of gradients, and those that a step cannot go on without.
  enum Lane: Int { case steady, urgent }

  /// Microseconds between two looks while nobody waits.
  private static let pause: UInt32 = 50

  private let condition = NSCondition()
  private var jobs: [(job: Job, lane: Lane)] = []
  /// Of each lane.
  private var started = [0, 0], finished = [0, 0]
  private var waiting = 0
  private var abortStatus: Int32?
  private var joined: Result<(rank: Int, size: Int), DistributionError>?
  /// The thread's own.
  private var underWay: [[cmpi_request?]] = [[], []]

  init() {
    jobs.reserveCapacity(1024)
    for lane in underWay.indices { underWay[lane].reserveCapacity(1024) }
  }

  /// Starts the thread and joins the other processes.
  func join() throws(DistributionError) -> (rank: Int, size: Int) {
    let thread = Thread { self.work() }
    thread.name = "communication"
    thread.start()
    condition.lock()
    while joined == nil { condition.wait() }
    let result = joined!
    condition.unlock()
    return try result.get()
  }

  func start(_ job: Job, _ lane: Lane = .steady) {
    condition.lock()
    jobs.append((job, lane))
    started[lane.rawValue] += 1
    condition.broadcast()
    condition.unlock()
  }

  /// Waits until all that was started in a lane is done.
  /// - Returns: false where it was not by then.
  @discardableResult
  func wait(_ lane: Lane = .steady, until limit: Date? = nil) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    let (lane, wanted) = (lane.rawValue, started[lane.rawValue])
    waiting += 1
    defer { waiting -= 1 }
    condition.broadcast()
    while finished[lane] < wanted {
      if let limit {
        if !condition.wait(until: limit), finished[lane] < wanted { return false }
      } else {
        condition.wait()
      }
    }
    return true
  }

  /// Ends all processes; returns only where that takes too long.
  func abort(status: Int32) {
    condition.lock()
    abortStatus = status
    condition.broadcast()
    condition.unlock()
    sleep(10)
  }

  private func work() {
    var (rank, size): (Int32, Int32) = (0, 0)
    var message = [CChar](repeating: 0, count: Int(CMPI_MESSAGE))
    let status = cmpi_join(&rank, &size, &message)
    condition.lock()
    joined =
      status == 0
      ? .success((Int(rank), Int(size)))
      : .failure(.unusable(String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)))
    condition.broadcast()
    while status == 0 {
      while jobs.isEmpty && underWay.allSatisfy(\.isEmpty) && abortStatus == nil { condition.wait() }
      if let abortStatus { cmpi_abort(abortStatus) }
      let taken = jobs.count
      for place in 0..<taken {
        let (job, lane) = jobs[place]
        condition.unlock()
        begin(job, lane)
        condition.lock()
      }
      jobs.removeFirst(taken)
      let isAwaited = waiting > 0
      condition.unlock()
      let done = (look(0), look(1))
      if done == (0, 0) && taken == 0 { _ = isAwaited ? sched_yield() : usleep(Self.pause) }
      condition.lock()
      if done != (0, 0) {
        finished[0] += done.0
        finished[1] += done.1
        condition.broadcast()
      }
    }
    condition.unlock()
  }

  private func begin(_ job: Job, _ lane: Lane) {
    var request: cmpi_request?
    switch job {
    case .sumOfFloats(let numbers, let count): must(cmpi_start_sum(numbers, count, Int32(cmpi_float), &request))
    case .sumOfDoubles(let numbers, let count): must(cmpi_start_sum(numbers, count, Int32(cmpi_double), &request))
    case .broadcast(let bytes, let count): must(cmpi_start_broadcast(bytes, count, &request))
    case .farewell: must(cmpi_start_farewell(&request))
    case .leave: must(cmpi_leave())
    }
    underWay[lane.rawValue].append(request)
  }

  /// - Returns: how many of a lane are done, in their order.
  private func look(_ lane: Int) -> Int {
    var count = 0
    while count < underWay[lane].count {
      if underWay[lane][count] != nil {
        var isDone: Int32 = 0
        must(cmpi_test(&underWay[lane][count], &isDone))
        if isDone == 0 { break }
      }
      count += 1
    }
    underWay[lane].removeFirst(count)
    return count
  }

  /// MPI ends all processes itself where it fails, with a message of its own, unless somebody told it not to.
  private func must(_ status: Int32) {
    if status != 0 { cmpi_abort(70) }
  }
}
