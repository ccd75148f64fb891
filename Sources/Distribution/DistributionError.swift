/// What stands in the way of processes that are to work together.
public enum DistributionError: Error, Hashable, Sendable {
  /// Open MPI cannot be used, in words.
  case unusable(String)
  /// The processes were started by an MPI that is not Open MPI.
  case otherLauncher(processes: Int)
}

extension DistributionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unusable(let reason): reason
    case .otherLauncher(let processes):
      "these \(processes) processes were not started by Open MPI's mpirun, the only one that Reprise works with"
    }
  }
}
