internal import Foundation
internal import Script
internal import Training

/// A run of the store in the language: what it followed from and what it came to, without its model.
struct StoredRunValue: ScriptObject {
  let run: RunStore.Run
  /// The file with its weights; nil where it gave none.
  let weights: String?

  static let type = ObjectType(
    "storedRun",
    "A run in the run store: its settings, its results and, of a training run, its curves. Accuracies are in per cent.",
    fields: [
      .init("id", .string, "Identifier, for reprise show ID."),
      .init("kind", .string, "Kind of step, such as \"training\" or \"pruning\"."),
      .init("name", .string, "Network and dataset, such as \"resnet8 on fashionMNIST\"."),
      .init("state", .string, "\"finished\", \"running\", \"interrupted\", \"failed\", or \"stopped\" if its process is gone."),
      .init("started", .string, "When it started, in UTC: \"2026-12-01 06:44:34\"."),
      .init("seconds", .optional(.number), "Time from start to end, in seconds; none if it did not end."),
      .init("script", .string, "Name of its script."),
      .init("top1", .optional(.number), "Top-1 accuracy of its result, in per cent; none if it has none."),
      .init("results", .record, "Its final numbers by name, such as top1, top5 and loss."),
      .init("seed", .optional(.integer), "Seed; none if it has none."),
      .init("settings", .record, "Its settings by name, such as learningRate or \"optimizer.sgd.momentum\"."),
    ] + TrainingCurves.fields + [
      .init("weights", .optional(.string), "Path of the file with its weights, for load; none if it has none."),
      .init("otherBuild", .bool, "Whether another build of Reprise made it."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  func field(_ name: String) -> Value? {
    switch name {
    case "id": .string(run.id)
    case "kind": .string(run.kind)
    case "name": .string(run.name)
    case "state": .string(run.stateText)
    case "started": .string(Self.text(of: run.started))
    case "seconds": run.finished.map { .number($0.timeIntervalSince(run.started)) } ?? Value.none
    case "script": .string(run.scriptName)
    case "top1": run.top1.map(Value.number) ?? Value.none
    case "results": .record(Record(results))
    case "seed": settings.first { $0.0 == "seed" }?.1 ?? Value.none
    case "settings": .record(Record(settings))
    case "train": curves.train
    case "validation": curves.validation
    case "ema": curves.epochs.contains { $0.ema != nil } ? curves.ema : Value.none
    case "epochs": curves.records
    case "weights": weights.map(Value.string) ?? Value.none
    case "otherBuild": .bool(run.isOfAnotherBuild)
    default: nil
    }
  }

  private var settings: [(String, Value)] {
    var seen = Set<String>()
    return RunSettings.leaves(of: run.inputs).filter { seen.insert($0.name).inserted }.map { ($0.name, $0.value) }
  }

  /// What TensorBoard calls `final/top1` is `top1` here.
  private var results: [(String, Value)] {
    run.points.compactMap { point in
      point.tag.hasPrefix("final/") ? (String(point.tag.dropFirst("final/".count)), .number(point.value)) : nil
    }
  }

  /// Without a point where it trained nothing.
  private var curves: TrainingCurves {
    let network = run.name.components(separatedBy: " on ").first ?? run.name
    let outcome = run.kind == TrainingRun.kind ? run.result.flatMap { StoredResult<TrainingRun.Outcome>.read($0) } : nil
    return TrainingCurves(owner: network, run: run.id, epochs: outcome?.outcome.epochs ?? [])
  }

  /// `2026-12-01 06:44:34`.
  static func text(of date: Date) -> String { ReportFacts.text(of: date) }

  var row: Record? {
    Record(["id", "started", "state", "top1", "kind", "name", "script"].map { ($0, field($0) ?? .none) })
  }

  var summary: String {
    "run \(run.id): \(run.kind) of \(run.name), \(run.stateText) \(Self.text(of: run.started))"
      + (run.top1.map { ", top-1 \(NumberText.fixed($0, 2)) %" } ?? "")
  }

  var text: String { pieces.text() }
  var pieces: [OutputPiece] {
    let epochs = curves.epochs
    guard let plan = StepPoints.plan(of: run.inputs), !epochs.isEmpty else {
      let facts = results.map { "\($0.0) \($0.1.text)" }
      return [.text(([summary] + (facts.isEmpty ? [] : [facts.joined(separator: ", ")])).joined(separator: "\n"))]
    }
    return [.text(summary + "\n"), EpochTable.head(of: plan)] + epochs.map(EpochTable.row)
  }

  /// Equal where they are one attempt, and it has come to the same.
  func isEqual(to other: any ScriptObject) -> Bool {
    guard let other = other as? Self else { return false }
    return run.key == other.run.key && run.started == other.run.started && run.state == other.run.state
      && run.result == other.run.result
  }
}
