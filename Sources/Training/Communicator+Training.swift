public import Distribution
internal import Datasets
internal import Engine
internal import Foundation
public import Tensors

extension Communicator {
  /// - Returns: the first process's arrays, whatever the others give; nil where it has none.
  /// - Throws: `TrainingError.tensor` where there is no memory for them.
  public func broadcast(_ weights: Weights?) throws(TrainingError) -> Weights? {
    guard !isAlone else { return weights }
    struct Entry: Codable { var name: String, extents: [Int] }
    let own = weights?.sorted { $0.key < $1.key }.map { Entry(name: $0.key, extents: $0.value.shape.extents) }
    let text = own.flatMap { try? JSONEncoder().encode($0) }.map { String(decoding: $0, as: UTF8.self) }
    guard let common = broadcast(text) else { return nil }
    guard let entries = try? JSONDecoder().decode([Entry].self, from: Data(common.utf8)) else {
      preconditionFailure("what was encoded can be decoded")
    }
    var result = Weights()
    for entry in entries {
      var tensor: Tensor
      if isFirst {
        tensor = weights![entry.name]!
      } else {
        do { tensor = try Tensor(zeros: Shape(entry.extents)) } catch { throw .tensor(error) }
      }
      tensor.withUnsafeMutableElements { broadcast(UnsafeMutableRawBufferPointer($0)) }
      result[entry.name] = tensor
    }
    return result
  }

  /// - Returns: the first process's checkpoint, whatever the others give.
  public func broadcast(_ checkpoint: Checkpoint?) throws(TrainingError) -> Checkpoint? {
    guard !isAlone else { return checkpoint }
    let text = broadcast(checkpoint?.placeText)
    let arrays = try broadcast(checkpoint?.arrays)
    guard let text, let arrays else { return nil }
    return Checkpoint(placeText: text, arrays: arrays)
  }

  /// Sums an evaluation's parts.
  func sum(_ evaluation: inout Evaluation) {
    guard !isAlone else { return }
    let loss = evaluation.loss * Double(evaluation.count)
    var sums = [loss, Double(evaluation.correct), Double(evaluation.hitsAmongFive), Double(evaluation.count)]
    sum(&sums)
    (evaluation.correct, evaluation.hitsAmongFive, evaluation.count) = (Int(sums[1]), Int(sums[2]), Int(sums[3]))
    evaluation.loss = sums[0] / max(sums[3], 1)
  }

  /// Joins what processes have noted of different images.
  func join(_ correct: inout CorrectImages) {
    guard !isAlone else { return }
    var numbers = correct.numbers
    sum(&numbers)
    correct.numbers = numbers
  }

  /// - Throws: `TrainingError.processes` on each process that is not as the first.
  func mustAgree(_ text: String, on what: String) throws(TrainingError) {
    let first = broadcast(text)
    guard first == text else {
      throw .processes("\(what) of process \(rank) is not that of process 0: '\(text)', not '\(first ?? "")'")
    }
  }

  /// A guard against all that must not happen: weights that are no longer the same on all processes.
  func mustAgree(on plan: Plan) throws(TrainingError) {
    guard !isAlone else { return }
    var hasher = StableHasher()
    let arenas = plan.arenas
    hasher.combine(UnsafeRawBufferPointer(start: arenas.values, count: arenas.count * 4))
    hasher.combine(UnsafeRawBufferPointer(plan.statistics))
    try mustAgree(hasher.hexadecimal, on: "the checksum of the weights")
  }
}
