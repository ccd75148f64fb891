internal import Datasets
internal import Engine
internal import Foundation
public import Tensors

/// All that a training needs to go on as if it had never stopped. Random numbers follow from seed, epoch and sample, so
/// the place in the data is the whole of their state.
///
/// The numbers lie as the plan's kernels like them: they fit the same network on the same kind of processor, with the
/// same number of threads and the same release.
public struct Checkpoint: Sendable {
  /// Steps made, over all epochs.
  public internal(set) var steps: Int
  /// The epochs that were finished.
  public internal(set) var records: [EpochRecord]
  /// What the unfinished epoch gave so far, and how long it has taken.
  var running: Evaluation
  var seconds: Double
  /// The best snapshots.
  var best: [BestSnapshots.Entry]
  /// A hash of how each parameter lies, since layouts of other processors' kernels may have as many numbers.
  var layout: String?
  /// `parameters`, `statistics`, the optimizer's `state.0` and `state.1`, the moving average's and the snapshots' own.
  var arrays: [String: Tensor]

  private struct Place: Codable {
    var steps: Int
    var records: [EpochRecord]
    var running: Evaluation
    var seconds: Double
    var best: [BestSnapshots.Entry]
    var layout: String?

    /// Whether a training run can have stood there. Whether this one can, `restore` finds out.
    var isPossible: Bool {
      steps >= 0 && running.isPossible
        && records.allSatisfy { record in
          [record.validation, record.ema, record.selection].allSatisfy { $0?.isPossible ?? true }
        }
    }
  }

  /// Writes a file, whole or not at all.
  /// - Throws: `TensorError.file` with the system's reason.
  public func write(to path: String) throws(TensorError) {
    try SafeTensors(weights: arrays, metadata: ["checkpoint": placeText]).write(to: path)
  }

  /// All but the arrays, as JSON.
  var placeText: String {
    let place = Place(steps: steps, records: records, running: running, seconds: seconds, best: best, layout: layout)
    return JSONText.of(place)
  }

  /// - Returns: nil where the text is none of a checkpoint, or of one that cannot be.
  init?(placeText: String, arrays: [String: Tensor]) {
    guard let place = JSONText.read(Place.self, placeText), place.isPossible else { return nil }
    (steps, records, running, seconds) = (place.steps, place.records, place.running, place.seconds)
    (best, layout) = (place.best, place.layout)
    self.arrays = arrays
  }

  /// Reads a file.
  /// - Throws: `TensorError.file`, or `.malformed` where it is no checkpoint.
  public init(reading path: String) throws(TensorError) {
    let file = try SafeTensors(reading: path)
    guard let text = file.metadata["checkpoint"], let checkpoint = Checkpoint(placeText: text, arrays: file.weights)
    else { throw .malformed(path: path, problem: "it is no checkpoint of a training") }
    self = checkpoint
  }

  init(
    steps: Int, records: [EpochRecord], running: Evaluation, seconds: Double, of state: TrainingState
  ) throws(TensorError) {
    (self.steps, self.records, self.running, self.seconds) = (steps, records, running, seconds)
    best = state.best?.entries ?? []
    layout = state.compiled.layoutHash
    arrays = [:]
    for place in state.places(snapshots: best.count) {
      var copy = try Tensor(zeros: [place.numbers.count])
      copy.withUnsafeMutableElements { _ = $0.update(fromContentsOf: place.numbers) }
      arrays[place.name] = copy
    }
  }

  /// Puts all of it back.
  /// - Parameters:
  ///   - stepsPerEpoch: of the training that goes on, as `batchSize`.
  /// - Throws: `TrainingError.checkpoint` where it is another training's or another network's; nothing was changed then.
  func restore(into state: TrainingState, stepsPerEpoch: Int, batchSize: Int) throws(TrainingError) {
    let begun = steps - records.count * stepsPerEpoch
    guard (0...stepsPerEpoch).contains(begun) else {
      throw .checkpoint("it stands at step \(steps), after \(records.count) epochs of \(stepsPerEpoch)")
    }
    guard running.count == begun * batchSize else {
      throw .checkpoint("its epoch has \(running.count) samples after \(begun) steps of \(batchSize)")
    }
    guard best.count <= state.best?.capacity ?? 0 else {
      throw .checkpoint("it has \(best.count) snapshots, the training keeps \(state.best?.capacity ?? 0)")
    }
    guard layout == state.compiled.layoutHash else {
      throw .checkpoint(
        "its numbers lie in another order than here: it is of another network, or was written on another kind of processor")
    }
    let places = state.places(snapshots: best.count)
    for place in places {
      guard let array = arrays[place.name] else { throw .checkpoint("it has no '\(place.name)'") }
      guard array.shape.elementCount == place.numbers.count else {
        throw .checkpoint("its '\(place.name)' has \(array.shape.elementCount) numbers, not \(place.numbers.count)")
      }
    }
    for place in places { arrays[place.name]!.withUnsafeElements { _ = place.numbers.update(fromContentsOf: $0) } }
    state.optimizer.steps = steps
    state.best?.entries = best
  }
}

extension Plan {
  /// Of how parameters and statistics lie in memory.
  fileprivate var layoutHash: String {
    var hasher = StableHasher()
    for layout in parameterLayouts { hasher.combine(layout) }
    return hasher.hexadecimal
  }
}
