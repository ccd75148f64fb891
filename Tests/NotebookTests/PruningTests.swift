import Charts
import Foundation
import Notebook
import Script
import Testing

@Suite("pruning in the language", .serialized) struct PruningTests {
  private static let model = """
    data = synthetic(4, shape: [1, 16, 16], train: 160, validation: 64)
    run = train(mobilenetV1(classes: 4, width: 25%), data, epochs: 1, batch: 32, lr: 0.05, seed: 1)
    """

  @Test(
    "a pruned model trains on, is saved, and is loaded into a network with its channels",
    arguments: [
      "mobilenetV1(classes: 4, input: [1, 16, 16], width: 25%)", "resnet50(classes: 4, input: [1, 16, 16])",
      "vgg11BN(classes: 4, input: [1, 32, 32], hiddenFeatures: 64)",
    ])
  func wayOfAModel(_ network: String) throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      data = synthetic(4, shape: if "\(network)".startsWith("vgg") { [1, 32, 32] } else { [1, 16, 16] }, train: 64, validation: 32)
      # At most 128 channels, since least squares cost their cube.
      net = \(network)
      whole = initialize(withChannels(net, [min(g.channels, 128) for g in channels(net) if g.prunable]))
      small = prune(whole, data, macsRemoved: 40%, images: 20, features: "original")
      """)
    #expect(try workshop.value("small.macs <= 0.6 * whole.macs and small.parameters < whole.parameters") == .bool(true))
    try workshop.value(
      """
      tuned = train(small, data, epochs: 1, batch: 16, lr: 0.01, seed: 1).model
      save(tuned, to: "small.safetensors")
      counts = [g.channels for g in channels(tuned) if g.prunable]
      again = load(withChannels(whole.network, counts), "small.safetensors")
      """)
    #expect(try workshop.value("evaluate(again, data) == evaluate(tuned, data)") == .bool(true))
    #expect(
      try workshop.value("again.parameters == tuned.parameters and again.parameters < whole.parameters") == .bool(true))
  }

  @Test("a pruning is kept, and taken from the store") func kept() throws {
    let workshop = try Workshop()
    try workshop.value(Self.model)
    let line = "prune(run.model, data, channelsKept: 50%, images: 20)"
    let first = try #require(try workshop.value(line))
    #expect(try workshop.value(line) == first)
    #expect(workshop.output.reports.contains { $0.hasPrefix("taken from the store") })
    let runs = try RunStore(in: workshop.folder, creates: false).runs()
    #expect(runs.contains { $0.kind == "pruning" && $0.state == .finished })
    let fresh = try Workshop(in: workshop.folder, isFresh: true)
    try fresh.value(Self.model)
    #expect(try fresh.value(line) == first)
    #expect(!fresh.output.reports.contains { $0.hasPrefix("taken from the store") })
  }

  @Test("a pruning is done again to the bit") func replayed() throws {
    let workshop = try Workshop()
    let script = Self.model + "\nprune(run.model, data, channelsKept: 50%, images: 20)"
    try workshop.value(script)
    let store = try RunStore(in: workshop.folder, creates: false)
    let run = try #require(try store.runs().first { $0.kind == "pruning" })
    let again = try Workshop(in: workshop.folder, replay: try #require(try Replay(run, in: store)))
    try again.value(script)
    #expect(again.notebook.replayFindings == [.same(steps: 0)])
  }

  @Test("a search brings its controls, and its rollouts can be chosen from again") func search() throws {
    let workshop = try Workshop()
    try workshop.value(Self.model)
    try workshop.value(
      "s = searchRatios(run.model, data, macsRemoved: 40%, rollouts: 4, heldOut: 32, images: 20, features: \"original\", seed: 1)"
    )
    #expect(
      try workshop.value("len(s.trials) == 4 and len(s.random.trials) == 4 and len(s.uniform.trials) == 1")
        == .bool(true))
    #expect(try workshop.value("s.macs <= 0.6 * run.model.macs and len(s.channels) == len(s.layers)") == .bool(true))
    #expect(try workshop.value("max(s.rewards.y) == s.reward and s.best.y[-1] == s.reward") == .bool(true))
    #expect(try workshop.value("selectTrial(s, macsKept: 50%).macs <= 0.5 * run.model.macs") == .bool(true))
    #expect(
      try workshop.value("prune(run.model, data, channels: s.channels, images: 20).macs == s.macs") == .bool(true))
    #expect(
      try workshop.value(
        "s == searchRatios(run.model, data, macsRemoved: 40%, rollouts: 4, heldOut: 32, images: 20, features: \"original\", seed: 1)"
      ) == .bool(true))
    try workshop.value("show(s)")
    #expect(workshop.output.text.contains("one share for all") && workshop.output.text.contains("sampled uniformly"))
  }

  @Test(
    "what is not said, said twice or cannot be is told with a way out",
    arguments: [
      ("prune(run.model, data, 50%)", "'macsRemoved' of 'prune' needs its label"),
      ("prune(run.model, data)", "macsRemoved: 50%"),
      ("prune(run.model, data, macsKept: 50%, macsRemoved: 50%)", "both say how much stays"),
      ("prune(run.model, data, macsKept: 50%, channelsKept: 50%)", "both say how much stays"),
      ("prune(run.model, data, channels: [8, 8])", "14 groups of channels and 2 numbers"),
      ("prune(run.model, data, macsKept: 50%, layers: [\"conv\"])", "'conv' is no group of channels"),
      ("prune(run.model, data, macsRemoved: 99.5%)", "macsRemoved"),
      ("prune(run.model, data, macsRemoved: 99%)", "cannot be reached"),
      ("searchRatios(run.model, data, macsRemoved: 99%, rollouts: 2, heldOut: 32, images: 20)", "cannot be reached"),
      ("searchRatios(run.model, data, macsRemoved: 50%, heldOut: 4000)", "hold out"),
      ("sensitivity(run.model, data, ratios: [], heldOut: 32)", "ratios: [25%"),
      (
        "prune(run.model, data, channels: [1, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8])", "has 2 to 8 channels, not 1"
      ),
      ("withChannels(run.model.network, [1])", "14 groups of channels and 1 number"),
      (
        "prune(initialize(beitB16(classes: 4, input: [3, 32, 32])), synthetic(4, shape: [3, 32, 32], train: 8, validation: 8), macsKept: 50%)",
        "no channels that could be taken out"
      ),
    ])
  func refused(_ line: String, _ message: String) throws {
    let workshop = try Workshop()
    try workshop.value(Self.model)
    let error = try #require(workshop.error(line))
    #expect(error.message.contains(message), "\(error.message)")
  }

  @Test("points that others published are hollow beside solid ones") func published() throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      scatter(series([2, 1], x: [30, 50], of: "lost", over: "kept", name: "here"),
              reported: [series([4], x: [50], of: "lost", over: "kept", name: "published")], betterX: "less", betterY: "less", to: "a.png")
      """)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: workshop.folder + "/a.png")))
    let marks = try Chart(png: bytes).panels[0].marks
    #expect(marks.compactMap(\.series).map(\.style.isSolid) == [true, nil, nil])
    // The front goes through what was measured here alone.
    #expect(marks.last?.series?.x == [30, 50])
  }
}
