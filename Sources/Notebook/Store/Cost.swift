internal import Datasets
internal import Engine
internal import Foundation
internal import Networks
internal import Tensors
internal import Training

/// What a step would cost here.
public struct Cost: Hashable, Sendable {
  public let name: String
  public let steps: Int
  /// Of all steps and all validations.
  public let seconds: Double
  /// The most that the process held until then, the data and all before it included. Bytes.
  public let memory: Int
  /// The weights that stay. Bytes.
  public let disk: Int
  /// Whether the store holds it, so that it costs nothing.
  public let isStored: Bool
  /// What finding this out took. Seconds.
  public let measuring: Double

  init(stored name: String, steps: Int) {
    self.name = name
    (self.steps, seconds, memory, disk, isStored, measuring) = (steps, 0, Self.peakMemory, 0, true, 0)
  }

  init(name: String, steps: Int, seconds: Double, disk: Int, measuring: Double) {
    (self.name, self.steps, self.seconds, self.disk, self.measuring) = (name, steps, seconds, disk, measuring)
    (memory, isStored) = (Self.peakMemory, false)
  }

  private static var peakMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  /// Trains for a few seconds with the real kernels on the real data, validates once, and reckons.
  static func measured(
    _ network: Network, from weights: Weights?, on data: Dataset, _ plan: TrainingPlan, teachers: [Teacher],
    notebook: NotebookSession, isInterrupted: () -> Bool
  ) throws -> (Cost, TrainingOutcome) {
    let clock = ContinuousClock()
    let begun = clock.now
    var ends: [ContinuousClock.Instant] = []
    var validationSeconds = 0.0
    let engine = try notebook.engine()
    let outcome = try Trainer(engine: engine).train(
      network, from: weights, on: data, plan, teachers: teachers,
      isInterrupted: { isInterrupted() || (ends.count >= 4 && clock.now - begun > .seconds(4)) },
      report: { event in
        switch event {
        case .step: ends.append(clock.now)
        case .epoch: if let last = ends.last { validationSeconds = max(validationSeconds, (clock.now - last).seconds) }
        case .ledger: break
        }
      })
    // The first step finds its memory cold.
    let times = zip(ends.dropFirst(), ends.dropFirst(2)).map { ($1 - $0).seconds }.sorted()
    let epochSteps = max(plan.stepsPerEpoch(samples: data.train.count), 1)
    // Between epochs lies a validation, which is no step; half of the steps lie around the median, so the mean of the
    // middle ones tells what a step takes.
    let middle = times.dropFirst(times.count / 10).dropLast(times.count / 10)
    let step = middle.isEmpty ? (clock.now - begun).seconds : middle.reduce(0, +) / Double(middle.count)
    let steps = epochSteps * plan.epochs
    return (
      Cost(
        name: "\(network.name) on \(data.name)", steps: steps,
        seconds: step * Double(steps) + validationSeconds * Double(plan.epochs), disk: network.parameterCount * 4,
        measuring: (clock.now - begun).seconds), outcome
    )
  }
}

extension [Cost] {
  /// A table, and what all of it comes to.
  /// - Parameter elapsed: What the planned run took, seconds. All in it but the measuring of trainings was really done
  ///   (data read, models evaluated, images drawn), so it is what that will take.
  public func table(elapsed: Double) -> String {
    let rest = Swift.max(0, elapsed - reduce(0) { $0 + $1.measuring })
    func mebibytes(_ bytes: Int) -> String { "\(NumberText.grouped(Int((Double(bytes) / 0x1p20).rounded(.up)))) MiB" }
    let cells =
      [["training", "steps", "time", "memory", "disk"]]
      + map {
        [
          $0.name, NumberText.grouped($0.steps), $0.isStored ? "in the store" : NumberText.duration($0.seconds),
          mebibytes($0.memory), mebibytes($0.disk),
        ]
      } + [
        ["all but training", "", NumberText.duration(rest), "", ""],
        [
          "all", NumberText.grouped(reduce(0) { $0 + $1.steps }),
          NumberText.duration(rest + reduce(0) { $0 + $1.seconds }),
          mebibytes(map(\.memory).max() ?? 0), mebibytes(reduce(0) { $0 + $1.disk }),
        ],
      ]
    let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    return cells.map { row in
      zip(row, widths).enumerated().map { index, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return index == 0 ? cell.0 + space : space + cell.0
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
