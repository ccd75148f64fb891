internal import Foundation
internal import Interchange
internal import Script
internal import Tensors
internal import Training

/// What TensorBoard is told of one run: its settings and text at the beginning, its curves as they grow, and its end.
final class RunEvents {
  /// What is known of a run when it begins.
  struct Subject {
    /// What people call the run.
    var id: String
    var kind, name: String
    /// All that its result follows from, and where it is exact, as JSON.
    var inputs, exactness: String
    var scriptName, script: String
    /// Of the training set; nil where that is not known.
    var images: Int?
  }

  private struct Place: Hashable { var tag: String, step: Int }

  private let log: TensorBoardLog
  private let file: EventFile
  private let steps: StepPoints?
  /// When a run of the store began; nil for one that runs now. Seconds since 1970.
  private let started: Double?
  private var told: Set<Place> = []

  /// - Throws: `TensorError.file` where the file cannot be written.
  init(
    _ subject: Subject, in log: TensorBoardLog, stepsPerEpoch: (TrainingPlan) -> Int?, started: Double? = nil
  ) throws(TensorError) {
    (self.log, self.started) = (log, started)
    steps = StepPoints(inputs: subject.inputs, stepsPerEpoch: stepsPerEpoch)
    let now = Date().timeIntervalSince1970
    let name = "\(subject.kind) \(subject.name)".prefix(150)
    file = try EventFile(in: log.folder(of: "\(name) \(subject.id)"), at: now)
    let begun = started ?? now
    try file.add(.settings(Self.settings(of: subject)), at: begun)
    try file.add(.text(tag: "run", markdown: Self.text(of: subject)), at: begun)
    try file.add(.text(tag: "script", markdown: TensorBoardText.code(subject.script)), at: begun)
  }

  /// Adds those points that were not told before.
  func add(_ points: [ScalarPoint]) {
    for point in points where told.insert(Place(tag: point.tag, step: point.step)).inserted {
      tell(.scalar(tag: point.tag, value: point.value), step: point.step, after: point.seconds)
    }
  }

  /// Adds what a training run's ledger says of steps.
  /// - Parameter seconds: when a step was made, since the run began.
  func add(_ ledger: [LedgerEntry], seconds: (Int) -> Double? = { _ in nil }) {
    if let steps { add(steps.points(of: ledger, seconds: seconds)) }
  }

  /// - Parameter seconds: since the run began, for a run of the store.
  func end(succeeded: Bool, after seconds: Double? = nil) { tell(.end(succeeded: succeeded), step: 0, after: seconds) }

  private func tell(_ event: TensorBoardEvent, step: Int, after seconds: Double?) {
    let time = started.map { $0 + (seconds ?? 0) } ?? Date().timeIntervalSince1970
    log.attempt { () throws(TensorError) in try file.add(event, step: step, at: time) }
  }

  /// The settings, as a run of the store has them.
  private static func settings(of subject: Subject) -> [String: TensorBoardEvent.Setting] {
    var settings: [String: TensorBoardEvent.Setting] = ["kind": .text(subject.kind), "of": .text(subject.name)]
    for (name, value) in RunSettings.leaves(of: subject.inputs) {
      switch value {
      case .number(let number): settings[name] = .number(number)
      case .bool(let bool): settings[name] = .flag(bool)
      default: settings[name] = .text(value.text)
      }
    }
    return settings
  }

  private static func text(of subject: Subject) -> String {
    let facts = [("run", subject.id), ("kind", subject.kind), ("of", subject.name), ("script", subject.scriptName)]
    let exact = JSONText.leaves(subject.exactness).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    return TensorBoardText.table(["", ""], (facts + exact).map { [$0.0, $0.1] })
  }
}
