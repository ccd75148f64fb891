internal import CKernels
internal import Foundation

/// The one thread that runs plans, so that there is one OpenMP team.
///
/// A team belongs to the thread that calls; a second caller would start a second team, and both would spin for the
/// same cores. Denormals are flushed to zero on the thread and on each of its workers.
final class ComputeThread: @unchecked Sendable {  // Sendable: all state is guarded by the condition
  private let condition = NSCondition()
  private var job: (() -> Void)?
  private var isFinished = false
  private var isClosed = false
  private let turn = NSLock()

  init(threads: Int) {
    let thread = Thread { self.work(threads: threads) }
    thread.name = "compute"
    thread.stackSize = 16 << 20
    thread.start()
  }

  private func work(threads: Int) {
    rk_prepare_team(Int32(threads))
    condition.lock()
    while true {
      while job == nil && !isClosed { condition.wait() }
      guard let job else { break }  // closed
      condition.unlock()
      job()
      condition.lock()
      self.job = nil
      isFinished = true
      condition.broadcast()
    }
    condition.unlock()
  }

  /// Runs work on the thread and waits for it.
  func run<Result>(_ work: () -> Result) -> Result {
    withoutActuallyEscaping(work) { work in
      var result: Result?
      perform { result = work() }
      return result!
    }
  }

  /// Runs a job on the thread and waits for it. Takes no memory.
  func perform(_ job: @escaping () -> Void) {
    turn.lock()
    condition.lock()
    isFinished = false
    self.job = job
    condition.broadcast()
    while !isFinished { condition.wait() }
    condition.unlock()
    turn.unlock()
  }

  /// Ends the thread, which lets go of this object.
  func close() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }
}
