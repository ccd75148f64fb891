import Foundation
import Script
import Synchronization

/// Ctrl-C, `kill`, a terminal that is closed, and the limit of a batch system. Handlers only set flags; whoever computes
/// looks at them.
enum Signals {
  static let interruption = Interruption()
  private static let terminationRequested = Atomic<Bool>(false)

  /// Whether the process was asked to end, rather than the script to stop.
  static var isTerminating: Bool { terminationRequested.load(ordering: .relaxed) }

  private static let endsOnSecond = Atomic<Bool>(false)
  private static let isWaiting = Atomic<Bool>(false)

  /// Calls what may wait for others for ever, such as reading a pipe: a signal ends the process there, as nothing is lost.
  static func whileWaiting<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    isWaiting.store(true, ordering: .relaxed)
    defer { isWaiting.store(false, ordering: .relaxed) }
    return try body()
  }

  /// Takes over these signals.
  /// - Parameter endsOnSecond: whether a second Ctrl-C ends the process, where the first shows no effect.
  static func install(endsOnSecond: Bool) {
    Self.endsOnSecond.store(endsOnSecond, ordering: .relaxed)
    _ = interruption.isRaised  // made before a handler could be the first to need it
    _ = isTerminating
    isWaiting.store(false, ordering: .relaxed)
    install(SIGINT) { _ in
      if Signals.isWaiting.load(ordering: .relaxed) { _exit(Status.interrupted) }
      if Signals.interruption.isRaised, Signals.endsOnSecond.load(ordering: .relaxed) { _exit(Status.interrupted) }
      Signals.interruption.raise()
    }
    install(SIGTERM) { _ in
      if Signals.isTerminating { _exit(Status.terminated) }
      Signals.requestEnd()
    }
    // These may come again and again: a shell and the system both tell of a closed terminal, and the limit of processor
    // time counts on.
    for number in [SIGHUP, SIGXCPU] where !isIgnored(number) { install(number) { _ in Signals.requestEnd() } }
  }

  private static func requestEnd() {
    if isWaiting.load(ordering: .relaxed) { _exit(Status.terminated) }
    terminationRequested.store(true, ordering: .relaxed)
    interruption.raise()
  }

  /// Whether whoever started us wants a signal to do nothing, as `nohup` does.
  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  static func install(_ number: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = handler
    action.sa_flags = Int32(SA_RESTART)
    sigaction(number, &action, nil)
    // Whoever started us may have had the signal blocked.
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, number)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }
}
