import Distribution
import Testing

@Suite("how mpirun started a process")
struct LaunchTests {
  @Test("a process that was started by itself is alone")
  func alone() throws {
    #expect(try Launch(environment: [:]) == nil)
    #expect(try Launch(environment: ["OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"]) == nil)
    #expect(Communicator.alone.isAlone && Communicator.alone.isFirst)
  }

  @Test("Open MPI's variables tell number and size")
  func variables() throws {
    let launch = try Launch(environment: [
      "OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_RANK": "5", "OMPI_COMM_WORLD_LOCAL_SIZE": "4",
    ])
    #expect(launch == Launch(rank: 5, size: 8, localSize: 4))
  }

  @Test("variables that make no sense are taken for none", arguments: ["-1", "8", "x", ""])
  func nonsense(_ rank: String) throws {
    #expect(try Launch(environment: ["OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_RANK": rank]) == nil)
  }

  @Test("another MPI's mpirun is refused, since its processes would know nothing of one another")
  func otherLauncher() {
    #expect(throws: DistributionError.otherLauncher(processes: 4)) { try Launch(environment: ["PMI_SIZE": "4"]) }
  }

  @Test(
    "processes share the processors that they are bound to",
    arguments: [
      (usable: 8, all: 8, local: 1, threads: 8), (8, 8, 2, 4), (1, 8, 2, 1), (16, 32, 4, 8), (16, 32, 3, 8), (2, 2, 4, 1),
    ])
  func threads(_ usable: Int, _ all: Int, _ local: Int, _ threads: Int) {
    #expect(Launch.threads(usable: usable, all: all, localSize: local) == threads)
  }

  @Test("alone, nothing is changed by what goes between processes")
  func nothing() {
    var numbers = [1.0, 2]
    Communicator.alone.sum(&numbers)
    Communicator.alone.broadcast(&numbers)
    #expect(numbers == [1, 2])
    #expect(Communicator.alone.broadcast("text") == "text")
    #expect(Communicator.alone.broadcast(nil) == nil)
    #expect(Communicator.alone.leave())
  }
}
