import ArgumentParser
import Distribution
import Foundation
import Synchronization

/// The processes that `mpirun` started to work on one script: the first one speaks and writes, all end together.
enum Processes {
  private static let found = Result { () throws(DistributionError) in
    try Launch(environment: ProcessInfo.processInfo.environment)
  }
  private static let joined = Mutex<Communicator?>(nil)

  /// How this process was started; nil where it is alone.
  static var launch: Launch? { (try? found.get()) ?? nil }
  /// Whether another process speaks for this one.
  static var isSilent: Bool { launch.map { $0.rank != 0 } ?? false }

  /// The others, joined at the first call.
  /// - Throws: `ExitCode` where MPI cannot be used.
  static func communicator() throws -> Communicator {
    do {
      guard let launch = try found.get() else { return .alone }
      return try joined.withLock { joined in
        if let joined { return joined }
        let communicator = try Communicator(joining: launch)
        joined = communicator
        return communicator
      }
    } catch let error as DistributionError {
      Streams.writeError("reprise: \(error)\n")
      throw ExitCode(Status.runtime)
    }
  }

  /// Seconds in which a failure that all processes share must have reached all of them.
  private static let patience = 10.0

  /// Ends this process, together with the others: all by themselves where they come to the same end, else all at once.
  static func end(_ status: Int32) -> Never {
    guard let communicator = joined.withLock({ $0 }) else { exit(status) }
    if communicator.leave(within: status == 0 ? nil : patience) {
      // One status tells mpirun enough.
      exit(communicator.isFirst ? status : 0)
    }
    let words = Streams.unspoken
    Streams.writeErrorAnyway(
      "reprise: process \(communicator.rank) of \(communicator.size) on \(ProcessInfo.processInfo.hostName) ended with status \(status), the others did not; all are ended\n\(words)")
    communicator.abort(status: status)
  }
}
