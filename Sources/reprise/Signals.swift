import Foundation
import Script
import Synchronization

/// Ctrl-C and `kill`. Handlers only set flags; whoever computes looks at them.
enum Signals {
  static let interruption = Interruption()
  private static let terminationRequested = Atomic<Bool>(false)

  /// Whether the process was asked to end, rather than the script to stop.
  static var isTerminating: Bool { terminationRequested.load(ordering: .relaxed) }

  private static let endsOnSecond = Atomic<Bool>(false)

  /// Takes over both signals.
  /// - Parameter endsOnSecond: whether a second Ctrl-C ends the process, where the first shows no effect.
  static func install(endsOnSecond: Bool) {
    Self.endsOnSecond.store(endsOnSecond, ordering: .relaxed)
    _ = interruption.isRaised  // made before a handler could be the first to need it
    _ = isTerminating
    install(SIGINT) { _ in
      if Signals.interruption.isRaised, Signals.endsOnSecond.load(ordering: .relaxed) { _exit(Status.interrupted) }
      Signals.interruption.raise()
    }
    install(SIGTERM) { _ in
      if Signals.isTerminating { _exit(Status.terminated) }
      Signals.terminationRequested.store(true, ordering: .relaxed)
      Signals.interruption.raise()
    }
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
