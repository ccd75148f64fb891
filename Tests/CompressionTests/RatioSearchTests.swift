import Compression
import Datasets
import Engine
import Foundation
import Networks
import Tensors
import Testing
import Training

private let engine = Result { try Engine(threads: 2) }

/// A file that goes when its owner goes.
final class TemporaryFile {
  let path = NSTemporaryDirectory() + "/reprise-tests-" + UUID().uuidString
  deinit { try? FileManager.default.removeItem(atPath: path) }
  var lines: [String] {
    get throws { try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init) }
  }
}

@Suite("searching ratios", .serialized) struct RatioSearchTests {
  func problem(_ change: (inout PruningSettings) -> Void = { _ in }, measure: TrialMeasure = .heldOut) throws
    -> PruningProblem
  {
    let sample = try TrainedSample.shared.get()
    let pruner = try sample.pruner {
      ($0.images, $0.features, $0.selection) = (50, .original, .magnitude)
      change(&$0)
    }
    return PruningProblem(
      pruner, judgedOn: sample.data.validation, normalization: sample.data.normalization, measure: measure,
      augmentations: [.horizontalFlip()], engine: try engine.get())
  }

  func settings(_ change: (inout SearchSettings) -> Void = { _ in }) -> SearchSettings {
    var settings = SearchSettings()
    (settings.episodes, settings.macsKept) = (12, 0.5)
    change(&settings)
    return settings
  }

  @Test(
    "no rollout costs more than the budget, whoever answers, and none leaves less than the lowest share",
    arguments: SearchSettings.Method.allCases, SearchStyle.allCases)
  func budget(_ method: SearchSettings.Method, _ style: SearchStyle) throws {
    let problem = try problem()
    let search = RatioSearch(problem, try SearchLedger(at: nil), engine: try engine.get())
    let result = try search.run(settings { ($0.method, $0.style) = (method, style) })
    #expect(result.trials.count == (method == .uniform ? 1 : 12))
    let total = problem.cost.macs(problem.cost.channels)
    for trial in result.trials {
      #expect(trial.macs * 2 <= total)
      #expect(trial.macs == problem.cost.macs(problem.counts(trial.channels)))
      if method != .uniform {
        #expect(zip(trial.ratios, trial.channels).allSatisfy { $0 >= (style == .amc ? 0.2 : 0.264) || $1 == 8 })
      }
      #expect(trial.evaluation.count == 200 && trial.reward == trial.evaluation.top1)
    }
    #expect(method == .uniform || Set(result.trials.map(\.channels)).count > 3)
  }

  @Test("the same search gives the same rollouts, another seed gives others", arguments: SearchStyle.allCases)
  func determinism(_ style: SearchStyle) throws {
    let problem = try problem()
    func run(_ seed: UInt64) throws -> [Trial] {
      try RatioSearch(problem, try SearchLedger(at: nil), engine: engine.get())
        .run(settings { ($0.seed, $0.style, $0.episodes) = (seed, style, 6) }).trials.map(\.facts)
    }
    let first = try run(1)
    #expect(try run(1) == first)
    #expect(try run(2).map(\.channels) != first.map(\.channels))
  }

  @Test(
    "a search that was stopped anywhere goes on to the same answer and the same ledger",
    arguments: [(0, PruningSettings.Features.original), (1, .pruned), (3, .original), (5, .original)])
  func resumed(_ stop: Int, _ features: PruningSettings.Features) throws {
    let problem = try problem { $0.features = features }
    let (calm, stopped) = (TemporaryFile(), TemporaryFile())
    let whole = try RatioSearch(problem, try SearchLedger(at: calm.path), engine: engine.get()).run(settings { $0.episodes = 6 })
    var made = 0
    let partial = try RatioSearch(problem, try SearchLedger(at: stopped.path), engine: engine.get()).run(
      settings { $0.episodes = 6 }, isInterrupted: { made >= stop }, report: { _ in made += 1 })
    #expect(partial.isInterrupted && partial.trials.count == stop)
    // Half of a line, as a kill may leave it.
    let handle = FileHandle(forWritingAtPath: stopped.path)
    try handle?.seekToEnd()
    try handle?.write(contentsOf: Data("{\"channels\":[8,".utf8))
    try handle?.close()
    // A problem of its own, as another process has it.
    let resumed = try RatioSearch(
      try self.problem { $0.features = features }, try SearchLedger(at: stopped.path), engine: engine.get()
    ).run(
      settings { $0.episodes = 6 })
    #expect(resumed.trials.map(\.facts) == whole.trials.map(\.facts))
    #expect(resumed.trials.prefix(stop).allSatisfy { $0.seconds == 0 })
    let (a, b) = (try SearchLedger(at: calm.path).trials, try SearchLedger(at: stopped.path).trials)
    #expect(a.map(\.facts) == b.map(\.facts) && a.count == 6)
  }

  @Test("what one search measured, others take from the ledger; a longer one goes on from a shorter") func shared()
    throws
  {
    let problem = try problem()
    let file = TemporaryFile()
    _ = try RatioSearch(problem, try SearchLedger(at: file.path), engine: engine.get()).run(
      settings { $0.method = .random })
    let ledger = try SearchLedger(at: file.path)
    let search = RatioSearch(problem, ledger, engine: try engine.get())
    let longer = try search.run(settings { ($0.method, $0.episodes) = (.random, 14) })
    #expect(longer.trials.count == 14 && longer.trials.prefix(12).allSatisfy { $0.seconds == 0 })
    // Other rewards see the same networks.
    let weighed = try search.run(settings { ($0.method, $0.reward) = (.random, .errorAndMACs) })
    #expect(weighed.trials.allSatisfy { $0.seconds == 0 })
    #expect(try file.lines.count == 14 + 12)
    let total = problem.cost.macs(problem.cost.channels)
    let best = try #require(ledger.trials.best(by: .errorAndMACs, macsAtMost: total))
    #expect(best.channels == weighed.best?.channels)
    #expect(ledger.trials.best(by: .top1, macsAtMost: 0) == nil)
  }

  @Test("rewards are what their sources say") func rewards() throws {
    func evaluation(_ correct: Int, _ amongFive: Int) throws -> Evaluation {
      try JSONDecoder().decode(
        Evaluation.self, from: Data("{\"loss\":1,\"correct\":\(correct),\"hitsAmongFive\":\(amongFive),\"count\":10}".utf8))
    }
    let (poor, good) = (try evaluation(6, 7), try evaluation(8, 9))
    #expect(PruningReward.top1.value(poor, macs: 1000) == 0.6 && PruningReward.top5.value(poor, macs: 1000) == 0.7)
    // ln 1000 is 6.907755.
    #expect(abs(PruningReward.errorAndMACs.value(poor, macs: 1000) + 2.763102) < 1e-6)
    #expect(abs(PruningReward.boundedErrorAndMACs.value(poor, macs: 1000) + 2.072327) < 1e-6)
    #expect(abs(PruningReward.boundedErrorAndMACs.value(good, macs: 1000) + 1.036163) < 1e-6)
  }

  @Test("states are what AMC's and PocketFlow's programs show") func states() throws {
    let problem = try problem()
    let amc = RatioEnvironment(problem, .amc, macsKept: 0.5)
    // The first and the last layer: number, kind, inputs, outputs, stride, kernel, weights, each stretched over 0 to 1; what
    // is gone, what lies behind, what was kept before.
    let (first, last) = (
      amc.state(0, problem.cost.channels, previous: 1), amc.state(13, problem.cost.channels, previous: 0.5)
    )
    let total = Double(problem.cost.macs(problem.cost.channels))
    let stem = Double(16 * 16 * 9 * 8 * 1 + 16 * 16 * 9 * 8)
    // conv_stem 1 -> 8, blocks.0.0 depthwise 8 and pointwise 8 -> 16, at 16 x 16.
    let behind = (total - stem - Double(16 * 16 * 8 * 16)) / total
    #expect(first.count == 10 && first[0] == 0 && first[1] == 0 && first[2] == 0 && first[7] == 0 && first[9] == 1)
    #expect(abs(Double(first[8]) - behind) < 1e-6)
    #expect(last[0] == 1 && last[1] == 1 && last[2] == 1 && last[8] == 0 && last[9] == 0.5)
    let flow = RatioEnvironment(problem, .pocketFlow, macsKept: 0.5)
    let state = flow.state(13, problem.cost.channels, previous: 1)
    // Number, outputs, inputs, height, width, stride, MACs, each over its largest; then what could stay at least.
    #expect(state.count == 8 && state[0] == 1 && state[2] == 1 && abs(state[3] - 1.0 / 16) < 1e-6)
    var counts = problem.cost.channels
    counts[problem.decisions[13]] = 72
    #expect(abs(Double(state[7]) - Double(problem.cost.macs(counts)) / total) < 1e-6)
  }

  @Test("PocketFlow's measure sees augmented images and the batches' own statistics") func trainingBatches() throws {
    let search = RatioSearch(
      try problem(measure: .trainingBatches), try SearchLedger(at: nil), engine: try engine.get())
    let trial = try search.run(settings { $0.method = .uniform }).trials[0]
    // Whole batches of 64.
    #expect(trial.evaluation.count == 192 && trial.evaluation.loss.isFinite)
  }

  @Test("a budget that no channels meet, and settings that cannot be, are refused") func refused() throws {
    let search = RatioSearch(try problem(), try SearchLedger(at: nil), engine: try engine.get())
    for method in SearchSettings.Method.allCases {
      #expect(throws: RatioSearch.Failure.self) {
        try search.run(settings { ($0.method, $0.macsKept) = (method, 0.01) })
      }
    }
    #expect(throws: RatioSearch.Failure.settings("a search has at least one rollout, not 0")) {
      try search.run(settings { $0.episodes = 0 })
    }
  }

  @Test("a ledger that is none is refused by line") func malformed() throws {
    let file = TemporaryFile()
    try "{\"a\":1}\n".write(toFile: file.path, atomically: true, encoding: .utf8)
    #expect(throws: TensorError.malformed(path: file.path, problem: "line 1 is no rollout")) {
      try SearchLedger(at: file.path)
    }
  }

  @Test("sensitivity prunes one group at a time, and measures nothing twice") func sensitivity() throws {
    let problem = try problem()
    let file = TemporaryFile()
    let search = RatioSearch(problem, try SearchLedger(at: file.path), engine: try engine.get())
    let curves = try search.sensitivity(shares: [0.25, 0.5, 1])
    #expect(curves.map(\.name) == problem.decisions.map { problem.pruner.groups.groups[$0].name })
    // Eight channels stay eight.
    #expect(curves[0].shares == [1] && curves[13].shares == [0.25, 0.5, 1])
    #expect(Set(curves.map { $0.evaluations.last!.correct }).count == 1)
    let lines = try file.lines.count
    #expect(try search.sensitivity(shares: [0.25, 0.5, 1]) == curves)
    #expect(try file.lines.count == lines)
  }

  @Test(
    "the lowest share of PocketFlow is 1.5 log10(1 + p)",
    arguments: [(0.5, 0.264), (0.4, 0.219), (0.3, 0.171), (0.2, 0.119)])
  func lowest(_ kept: Double, _ share: Double) throws {
    #expect(abs(SearchStyle.pocketFlow.lowestShare(macsKept: kept) - share) < 0.0005)
  }
}
