import Dispatch
import Distribution
import Foundation
import Training

/// How long it takes to sum arrays over the processes that `mpirun` started.
struct ExchangeBenchmark: Encodable {
  /// Of one array, or of several that are under way at once. Bytes on each process.
  struct Time: Encodable {
    let bytes, pieces: Int
    let minimumSeconds, medianSeconds: Double
  }

  let processes: Int
  /// Of single arrays.
  let sums: [Time]
  /// Of all gradients of a network, in buckets.
  let gradients: Time

  init(_ communicator: Communicator, parameters: Int, bucketBytes: Int, passes: Int) {
    processes = communicator.size
    let most = max(parameters, 1 << 24)
    let numbers = UnsafeMutablePointer<Float>.allocate(capacity: most)
    defer { numbers.deallocate() }
    numbers.initialize(repeating: 0, count: most)

    func time(_ count: Int, piece: Int) -> Time {
      var seconds: [Double] = []
      for pass in 0..<passes + 2 {
        // All begin at once.
        var nothing = [0.0]
        communicator.sum(&nothing)
        let begun = DispatchTime.now().uptimeNanoseconds
        for start in stride(from: 0, to: count, by: piece) {
          communicator.startSum(numbers + start, count: min(piece, count - start))
        }
        communicator.wait()
        // The first ones make connections.
        if pass >= 2 { seconds.append(Double(DispatchTime.now().uptimeNanoseconds - begun) * 1e-9) }
      }
      seconds.sort()
      return Time(
        bytes: count * 4, pieces: (count + piece - 1) / piece, minimumSeconds: seconds[0],
        medianSeconds: seconds[seconds.count / 2])
    }
    sums = (0...8).map { exponent in time(1 << (8 + 2 * exponent), piece: most) }
    gradients = time(parameters, piece: max(bucketBytes / 4, 1))
  }

  var text: String {
    func line(_ time: Time, _ what: String) -> String {
      String(
        format: "%12d bytes  %10.3f ms  %7.2f GB/s  %@\n", time.bytes, time.minimumSeconds * 1e3,
        Double(time.bytes) / time.minimumSeconds / 1e9, what)
    }
    return "\(processes) processes, the fastest of each\n" + sums.map { line($0, "") }.joined()
      + line(gradients, "all gradients, in \(gradients.pieces) buckets")
  }
}
