internal import CMPI

/// How `mpirun` started this process, from the variables that it sets.
public struct Launch: Hashable, Sendable {
  /// This process's number, from 0, and how many there are.
  public let rank, size: Int
  /// How many of them are on this machine.
  public let localSize: Int

  package init(rank: Int, size: Int, localSize: Int) { (self.rank, self.size, self.localSize) = (rank, size, localSize) }

  /// - Returns: nil where Open MPI's `mpirun` did not start this process, or started it alone.
  /// - Throws: `DistributionError.otherLauncher` where another MPI's did.
  public init?(environment: [String: String]) throws(DistributionError) {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    guard let size = number("OMPI_COMM_WORLD_SIZE"), let rank = number("OMPI_COMM_WORLD_RANK") else {
      // MPICH's and Intel's mpirun would start so many processes that know nothing of one another.
      if let others = number("PMI_SIZE"), others > 1 { throw .otherLauncher(processes: others) }
      return nil
    }
    // No cluster is larger; what is was not written by mpirun.
    guard (2...1 << 24).contains(size), (0..<size).contains(rank) else { return nil }
    self.init(rank: rank, size: size, localSize: min(max(number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1, 1), size))
  }

  /// Threads to compute with: this process's share of the processors that `mpirun` bound it to.
  public var threads: Int {
    Self.threads(
      usable: Int(cmpi_usable_processors()), all: Int(cmpi_all_processors()), localSize: localSize)
  }

  /// - Parameters:
  ///   - usable: processors the process may run on.
  ///   - all: those of the machine.
  package static func threads(usable: Int, all: Int, localSize: Int) -> Int {
    // Processes are spread evenly, so about so many have the same processors.
    let sharing = max(1, (localSize * usable + all - 1) / max(all, 1))
    return max(1, usable / sharing)
  }
}
