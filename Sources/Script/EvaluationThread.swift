import Foundation
internal import Tensors

/// One thread with a deep stack that does one job after the other.
///
/// Always the same thread, because math libraries keep a team of workers per thread that calls them. Where the system
/// gives no stack so deep it is less deep, and where it gives no thread jobs are done on the caller's.
public final class EvaluationThread: @unchecked Sendable {  // Sendable: the queue is guarded by the condition
  private let condition = NSCondition()
  private var jobs: [@Sendable () -> Void] = []

  private let isRunning: Bool

  /// Bytes, the first that the system gives; only what is used is ever taken from the machine.
  private static let stackSizes = [512 << 20, 64 << 20, 8 << 20, 1 << 20]

  public init() {
    let stackSize = Self.stackSizes.first { systemGivesThread(stackSize: $0) }
    isRunning = stackSize != nil
    guard let stackSize else { return }
    let thread = Thread { [self] in
      while true {
        condition.lock()
        while jobs.isEmpty { condition.wait() }
        let job = jobs.removeFirst()
        condition.unlock()
        job()
      }
    }
    thread.stackSize = stackSize
    thread.name = "evaluation"
    thread.start()
  }

  /// Does a job on the thread and waits for what it gives.
  public func run<Result: Sendable>(_ job: @escaping @Sendable () -> Result) -> Result {
    guard isRunning else { return job() }
    let done = NSCondition()
    nonisolated(unsafe) var result: Result?  // written before `done` is signalled, read after
    let wrapped: @Sendable () -> Void = {
      let value = job()
      done.lock()
      result = value
      done.signal()
      done.unlock()
    }
    condition.lock()
    jobs.append(wrapped)
    condition.signal()
    condition.unlock()
    done.lock()
    while result == nil { done.wait() }
    done.unlock()
    return result!
  }
}
