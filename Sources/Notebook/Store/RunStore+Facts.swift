internal import Foundation
internal import Tensors

extension RunStore.Run {
  /// A name and a value, to be read.
  public struct Fact: Hashable, Sendable {
    public let name, value: String
  }

  private var stepKind: (any Step.Type)? { stepKinds.first { $0.kind == kind } }

  /// Validation accuracy of what it gave, in per cent.
  public var top1: Double? { result.flatMap { stepKind?.top1(json: $0) } }

  /// What it came to as curves, and its final numbers.
  var points: [ScalarPoint] { result.flatMap { stepKind?.points(json: $0) } ?? [] }

  /// Its state in a word; `stopped` where its process is gone.
  public var stateText: String { isStopped ? "stopped" : state.rawValue }

  /// All that is known, in groups that are the same for every run: what decides the result, where it is exact, where it
  /// was made, and what came of it.
  public var facts: [(title: String, facts: [Fact])] {
    func leaves(_ text: String) -> [Fact] {
      JSONText.leaves(text).sorted { $0.key < $1.key }.map { Fact(name: $0.key, value: $0.value) }
    }
    // A result that an older Reprise kept under other names is shown as it is.
    let results = result.flatMap { stepKind?.facts(json: $0) } ?? []
    return [
      ("what decides it", leaves(inputs)), ("where it is exact", leaves(exactness)),
      ("where it was made", leaves(environment)), ("what came of it", results.isEmpty ? leaves(result ?? "") : results),
    ]
  }

  /// The script, or what was typed at the prompt.
  public var text: String { entries.isEmpty ? script : entries.map(\.text).joined(separator: "\n") }

  /// Whether the program that made it is not the one that asks, or not known.
  public var isOfAnotherBuild: Bool { ExactnessClass(of: self)?.program != ExactnessClass.programHash }
}
