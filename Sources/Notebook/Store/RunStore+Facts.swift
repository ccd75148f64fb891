internal import Foundation
internal import Training

extension RunStore.Run {
  /// A name and a value, to be read.
  public struct Fact: Hashable, Sendable {
    public let name, value: String
  }

  private var training: TrainingResult? { result.flatMap { JSONText.read(TrainingResult.self, $0) } }

  /// Validation accuracy of the weights that it gave, in per cent.
  public var top1: Double? { training.flatMap { $0.epochs.isEmpty ? nil : $0.given.top1 * 100 } }

  /// All that is known, in groups that are the same for every run: what decides the result, where it was made, and what
  /// came of it.
  public var facts: [(title: String, facts: [Fact])] {
    func leaves(_ text: String) -> [Fact] {
      JSONText.leaves(text).sorted { $0.key < $1.key }.map { Fact(name: $0.key, value: $0.value) }
    }
    var results: [Fact] = []
    if let training {
      results.append(Fact(name: "steps", value: "\(training.steps)"))
      results.append(Fact(name: "final weights", value: training.weights))
      results.append(Fact(name: "top-1 of these", value: "\(NumberText.fixed(training.given.top1 * 100, 2)) %"))
      for epoch in training.epochs {
        results.append(
          Fact(
            name: "epoch \(epoch.epoch)",
            value: "loss \(NumberText.fixed(epoch.trainLoss, 4)), validation loss "
              + "\(NumberText.fixed(epoch.validation.loss, 4)), top-1 \(NumberText.fixed(epoch.validation.top1 * 100, 2)) %"))
      }
    }
    return [("what decides it", leaves(inputs)), ("where it was made", leaves(environment)), ("what came of it", results)]
  }
}
