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
  private var handle: pthread_t = 0
  /// Threads of its team, which may be fewer than asked for.
  private(set) var threads = 0

  /// Starts the thread and its team.
  /// - Throws: `EngineError.noThread` where the system gives none.
  init(threads: Int) throws(EngineError) {
    let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
    pthread_attr_init(attributes)
    pthread_attr_setstacksize(attributes, 16 << 20)
    defer {
      pthread_attr_destroy(attributes)
      attributes.deallocate()
    }
    // The thread holds on to this object until it is closed.
    let own = Unmanaged.passRetained(self)
    let status = pthread_create(
      &handle, attributes,
      { argument in
        Unmanaged<ComputeThread>.fromOpaque(argument!).takeRetainedValue().work()
        return nil
      }, own.toOpaque())
    guard status == 0 else {
      own.release()
      throw .noThread(reason: String(cString: strerror(status)))
    }
    pthread_detach(handle)
    perform { self.threads = Int(rk_prepare_team(Int32(clamping: threads))) }
  }

  private func work() {
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

  /// Runs a job on the thread and waits for it; at once where the thread itself asks. Takes no memory.
  func perform(_ job: @escaping () -> Void) {
    if pthread_equal(pthread_self(), handle) != 0 { return job() }
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
