/// How batch norms of a training plan see the samples of other processes too.
package struct NormReduction {
  /// How many processes compute a batch of the plan's size each, at the same time.
  package let processes: Int
  /// Sums numbers over the processes, in place; called on the engine's thread.
  package let sum: (UnsafeMutablePointer<Double>, Int) -> Void

  package init(processes: Int, sum: @escaping (UnsafeMutablePointer<Double>, Int) -> Void) {
    (self.processes, self.sum) = (processes, sum)
  }
}
