import Foundation
import Script
import Synchronization

/// Ctrl-C and `kill`. Handlers only set flags; whoever computes looks at them.
enum Signals {
  static let interruption = Interruption()
  private static let terminationRequested = Atomic<Bool>(false)

  /// Whether the process was asked to end, rather than the script to stop.
  static var isTerminating: Bool { terminationRequested.load(ordering: .relaxed) }

  /// Takes over both signals. A second one, where the first shows no effect, ends the process.
  static func install() {
    _ = interruption.isRaised  // made before a handler could be the first to need it
    _ = isTerminating
    install(SIGINT) { _ in
      if Signals.interruption.isRaised { _exit(Status.interrupted) }
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
  }
}
