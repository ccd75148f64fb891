internal import Compression
internal import Datasets
internal import Distribution
internal import Engine
internal import Foundation
internal import Networks
internal import Script
internal import Tensors
internal import Training

let modelParameter = Parameter("model", .model, "The model.")

private let groupRecord = ValueType.recordOf([
  "name": .string, "channels": .integer, "prunable": .bool, "producers": .list(of: .string), "consumers": .list(of: .string),
])

let channelGroups = Builtin(
  "channels",
  "Lists the channel groups of a network: channels that can only be removed together, with the layers that produce and that consume them. Pruning removes channels from the groups marked prunable.",
  parameters: [Parameter("network", .either([.network, .model]), "A network or a model.")],
  result: .list(of: groupRecord),
  examples: [
    Example(
      "[g.channels for g in channels(mobilenetV1(width: 25%)) if g.prunable]",
      gives: "[8, 16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256]")
  ], chapter: "Compression"
) { arguments in
  let network = try arguments.layers("network")
  let groups = ChannelGroups(of: network)
  return .list(
    groups.groups.map { group in
      .record([
        "name": .string(group.name), "channels": .count(group.channels), "prunable": .bool(group.isPrunable),
        "producers": .list(group.producers.map { network[$0].name }),
        "consumers": .list(group.consumers.map { network[$0].name }),
      ])
    })
}

let withChannels = Builtin(
  "withChannels",
  "Returns the network with other numbers of channels: one number for each prunable group, in the order of channels(network). Weights of a model that was pruned to these numbers fit it.",
  parameters: [
    Parameter("network", .network, "The network."),
    Parameter("counts", .list(of: .integer), "Channels of each prunable group."),
  ], result: .network,
  examples: [
    Example(
      "macs(withChannels(mobilenetV1(), [24, 48, 96, 80, 192, 200, 328, 352, 368, 360, 328, 400, 736, 752]))",
      gives: "293870000")
  ], chapter: "Compression"
) { arguments in
  let network = try arguments.object("network", as: NetworkValue.self).network
  let groups = ChannelGroups(of: network)
  let counts = try arguments.channelCounts("counts", of: groups, groups.prunable)
  let narrow = try network.narrowed(to: counts, of: groups)
  return .object(try NetworkValue(for: network.shape(of: network.input), isFixed: true) { _ in narrow })
}

private let targetParameters = [
  Parameter(
    "macsRemoved", .number, "Share of the MACs to remove, such as 50%.", optional: true, labelled: true,
    allowed: 0...0.999),
  Parameter(
    "macsKept", .number, "Share of the MACs to keep.", optional: true, labelled: true, allowed: 0.001...1),
]
private let selectionParameters = [
  Parameter(
    "criterion", .oneOf(PruningSettings.Selection.allCases.map(\.rawValue)),
    "Criterion that selects the channels to keep: LASSO on their contribution to the next layer (He et al. 2017), L1 norm of the weights that read them (magnitude), or random.",
    default: .string("lasso"), labelled: true),
  Parameter(
    "reconstruct", .bool, "Whether to fit the weights of the next layer again, by least squares on the original outputs.", default: .bool(true),
    labelled: true),
  Parameter(
    "images", .integer, "Training images used for the criterion and the fit.", default: .number(500), labelled: true,
    allowed: 1...1_000_000),
  Parameter(
    "points", .integer, "Output pixels sampled per image and convolution.", default: .number(10), labelled: true, allowed: 1...10_000),
  Parameter(
    "roundTo", .integer, "Kept channels are a multiple of this, for the sake of fast kernels.", default: .number(8),
    labelled: true,
    allowed: 1...1024),
  Parameter(
    "layers", .list(of: .string), "Names of the groups to prune, as in channels(model). Default: all.",
    optional: true, labelled: true),
]
private func featuresParameter(_ standard: PruningSettings.Features) -> Parameter {
  Parameter(
    "features", .oneOf(PruningSettings.Features.allCases.map(\.rawValue)),
    "Inputs for the fit. pruned: the outputs of the layers before, as pruned, so that errors do not accumulate. original: the outputs of the original layers, which are computed once for all ratios.",
    default: .string(standard.rawValue), labelled: true)
}

let prune = Builtin(
  "prune",
  "Prunes channels of a trained model and fits the layers that read them to their original outputs. The result is a smaller model. The amount is given in MACs or in channels.",
  parameters: [modelParameter, dataParameter] + targetParameters + [
    Parameter(
      "channelsKept", .number, "Share of the channels to keep in each group.", optional: true, labelled: true,
      allowed: 0.001...1),
    Parameter(
      "channels", .list(of: .integer),
      "Channels to keep in each prunable group, in the order of channels(model), such as search.channels. A group that has fewer keeps all.",
      optional: true, labelled: true),
  ] + selectionParameters + [featuresParameter(.pruned), seedParameter], result: .model,
  examples: [
    Example(
      "model = initialize(resnet8(classes: 4, input: [1, 8, 8]), seed: 1)\nsmall = prune(model, synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), channelsKept: 50%, images: 20)\nsmall.parameters < model.parameters",
      gives: "true")
  ], chapter: "Compression"
) { arguments in
  let (model, data) = try arguments.modelAndData()
  let groups = ChannelGroups(of: model.network)
  let decisions = try arguments.decisions(of: groups, in: model.network)
  let cost = CostModel(of: model.network, groups)
  let target: PruningTarget
  var selectedBy = model.selectedBy
  if arguments.has("channels") {
    try arguments.refuseBeside("channels", ["macsRemoved", "macsKept", "channelsKept"])
    target = .counts(try arguments.channelCounts("channels", of: groups, decisions, orFewer: true))
    selectedBy += try arguments.notebook().selections(of: try arguments.numbers("channels").compactMap { Int(exactly: $0) })
  } else if arguments.has("channelsKept") {
    try arguments.refuseBeside("channelsKept", ["macsRemoved", "macsKept"])
    target = .channelsKept(try arguments.number("channelsKept"))
  } else {
    target = .macsKept(try arguments.macsKept())
  }
  let rounding = ChannelRounding(multiple: try arguments.integer("roundTo"))
  guard let counts = cost.counts(for: target, in: decisions, rounding) else {
    throw arguments.tooTight(cost, decisions, rounding)
  }
  let narrow = try model.network.narrowed(
    to: Dictionary(uniqueKeysWithValues: decisions.map { ($0, counts[$0]) }), of: groups)
  let done = try arguments.perform(
    PruningStep(model: model, data: data.data, pruning: try arguments.pruningSettings(), counts: counts, narrow: narrow))
  return .object(
    ModelValue(
      network: narrow, weights: done.result.weights ?? [:], run: done.id, seed: model.seed, selectedBy: selectedBy))
}

private let judgingParameters = [
  Parameter(
    "on", .oneOf(["heldOut", "validation", "trainingBatches"]),
    "Images on which pruned models are evaluated. heldOut: training images that are not used for the fit, though the model may have been trained on them. validation: the validation set, for data of holdOut(), which the model has not seen. trainingBatches: augmented training images with batch norm in training mode, as in PocketFlow.",
    default: .string("heldOut"), labelled: true),
  Parameter(
    "heldOut", .integer, "Number of these images. The validation set is used as a whole.", default: .number(1000),
    labelled: true,
    allowed: 1...1_000_000),
]

let searchRatios = Builtin(
  "searchRatios",
  "Searches pruning ratios: how many channels each layer keeps, so that the pruned model is best before fine-tuning. An agent learns them with deep deterministic policy gradient (DDPG); a uniform ratio and a random search with as many rollouts are controls. Every rollout is stored: an interrupted search continues, and other searches on the same model reuse them.",
  parameters: [modelParameter, dataParameter] + targetParameters + [
    Parameter(
      "rollouts", .integer, "Number of rollouts (episodes) of each method; a rollout evaluates one pruned model.", default: .number(100), labelled: true,
      allowed: 1...1_000_000),
    Parameter(
      "style", .oneOf(SearchStyle.allCases.map(\.rawValue)),
      "State, action and exploration of the agent: those of AMC (He et al. 2018) or of PocketFlow.", default: .string("amc"),
      labelled: true),
    Parameter(
      "reward", .oneOf(PruningReward.allCases.map(\.rawValue)),
      "Reward: top-1 or top-5 accuracy; errorAndMACs, -error x log(MACs), as in AMC; or boundedErrorAndMACs, the same with a top-5 error of at least 0.15, as in PocketFlow.",
      default: .string("top1"), labelled: true),
    Parameter(
      "control", .bool, "Whether to run the controls: uniform ratio and random search.", default: .bool(true), labelled: true),
  ] + judgingParameters + selectionParameters + [featuresParameter(.pruned), seedParameter], result: .search,
  examples: [
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 16)\nlen(searchRatios(initialize(resnet8(data), seed: 1), data, macsRemoved: 30%, rollouts: 3, heldOut: 16, images: 20).trials)",
      gives: "3")
  ], chapter: "Compression"
) { arguments in
  let (model, data) = try arguments.modelAndData()
  var settings = SearchSettings()
  settings.macsKept = try arguments.macsKept()
  settings.episodes = try arguments.integer("rollouts")
  settings.style = SearchStyle(rawValue: try arguments.string("style")) ?? .amc
  settings.reward = PruningReward(rawValue: try arguments.string("reward")) ?? .top1
  settings.seed = try arguments.seed("seed")
  let done = try arguments.perform(
    SearchStep(
      question: try arguments.question(of: model, data), search: settings, hasControl: try arguments.bool("control")))
  let outcome = done.result.outcome
  if try arguments.string("on") == "validation" {
    for found in [outcome.uniform, outcome.random, outcome.agent].compactMap({ $0?.result.best }) {
      try arguments.notebook().note(selection: found.channels, by: data.data.validation)
    }
  }
  return .object(
    SearchValue(
      network: model.network.name, run: model.run, layers: outcome.layers, whole: outcome.whole, macs: outcome.macs,
      agent: outcome.agent, uniform: outcome.uniform, random: outcome.random, ledger: outcome.ledger,
      known: outcome.known))
}

let selectTrial = Builtin(
  "selectTrial",
  "Selects the best rollout of a finished search for another reward or another budget of MACs, without computing anything again. Default budget: that of the search.",
  parameters: [Parameter("search", .search, "The search.")] + targetParameters + [
    Parameter(
      "reward", .oneOf(PruningReward.allCases.map(\.rawValue)), "Reward to maximize.", default: .string("top1"),
      labelled: true)
  ],
  result: .recordOf([
    "channels": .list(of: .integer), "ratios": .list(of: .number), "top1": .number, "top5": .number, "macs": .integer,
    "method": .string,
  ]),
  examples: [
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 16)\nsearch = searchRatios(initialize(resnet8(data), seed: 1), data, macsRemoved: 30%, rollouts: 3, heldOut: 16, images: 20)\nselectTrial(search, reward: \"errorAndMACs\").macs <= search.macs / search.macsKept * 70%",
      gives: "true")
  ], chapter: "Compression"
) { arguments in
  let search = try arguments.object("search", as: SearchValue.self)
  let own = [search.uniform, search.random, search.agent].compactMap { $0?.result.trials }.flatMap { $0 }
  let share =
    arguments.has("macsKept") || arguments.has("macsRemoved")
    ? try arguments.macsKept() : search.agent.result.settings.macsKept
  let reward = PruningReward(rawValue: try arguments.string("reward")) ?? .top1
  guard
    let best = (search.known.isEmpty ? own : search.known).best(
      by: reward, macsAtMost: Int(share * Double(search.macs)))
  else {
    throw arguments.failure("no rollout costs so little", hint: "search with a smaller macsKept:")
  }
  return .record([
    "channels": .list(best.channels.map { Value.count($0) }), "ratios": .list(best.ratios.map(Value.number)),
    "top1": .number(best.evaluation.top1 * 100), "top5": .number(best.evaluation.top5 * 100), "macs": .count(best.macs),
    "method": .string(best.method),
  ])
}

let sensitivity = Builtin(
  "sensitivity",
  "Measures how accuracy falls when a single channel group is pruned: a curve for each group over the share of channels kept. Earlier measurements are reused.",
  parameters: [
    modelParameter, dataParameter,
    Parameter(
      "ratios", .list(of: .number), "Shares of channels to keep.",
      default: .list([0.25, 0.5, 0.75].map(Value.number)), labelled: true),
  ] + judgingParameters + selectionParameters + [featuresParameter(.original), seedParameter],
  result: .list(of: .series),
  examples: [
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 16)\nlen(sensitivity(initialize(resnet8(data), seed: 1), data, ratios: [50%], heldOut: 16, images: 20))",
      gives: "3")
  ], chapter: "Compression"
) { arguments in
  let (model, data) = try arguments.modelAndData()
  let shares = try arguments.numbers("ratios")
  guard !shares.isEmpty, shares.allSatisfy({ $0 > 0 && $0 <= 1 }) else {
    throw arguments.failure(
      "shares of channels are above 0 and at most 1", hint: "ratios: [25%, 50%, 75%]", at: "ratios")
  }
  let curves = try arguments.perform(
    SensitivityStep(question: try arguments.question(of: model, data), shares: shares.sorted() + [1])
  ).result.outcome.curves
  return .list(
    curves.map { curve in
      .object(
        SeriesValue(
          quantity: "top-1 (%)", part: "", owner: curve.name, over: "share of channels that stays", run: model.run,
          x: curve.shares, y: curve.evaluations.map { $0.top1 * 100 }))
    })
}

let compressionReport = Builtin(
  "compressionReport",
  "Compares a model before and after pruning or quantization: prints a table of channels, parameters, MACs, bytes and latency, and returns the ratios after / before. Both are timed alternately on this machine, quantized models with int8 kernels. It warns if there are fewer MACs but no less latency.",
  parameters: [
    Parameter("before", .model, "The original model."), Parameter("after", .model, "The pruned or quantized model."),
    Parameter("batch", .integer, "Images per forward pass.", default: .number(1), labelled: true, allowed: 1...65_536),
    Parameter(
      "repeats", .integer, "Timings of each model; the median counts.", default: .number(30), labelled: true, allowed: 1...10_000),
    Parameter("table", .bool, "Whether to print the table.", default: .bool(true), labelled: true),
  ],
  result: .recordOf([
    "parameters": .number, "macs": .number, "bytes": .number, "milliseconds": .number, "before": .number,
    "after": .number,
  ]),
  examples: [
    Example(
      "model = initialize(resnet8(classes: 4, input: [1, 8, 8]), seed: 1)\ncompressionReport(model, model, repeats: 3).macs",
      gives: "1")
  ], chapter: "Compression"
) { arguments in
  let (before, after) = (
    try arguments.object("before", as: ModelValue.self), try arguments.object("after", as: ModelValue.self)
  )
  let batch = try arguments.integer("batch")
  for model in [before, after] { try MemoryCheck.inference(model.network, batch: batch) }
  let times = try Latency.compared(
    [before, after].map { ($0.network, $0.weights) }, batch: batch, rounds: try arguments.integer("repeats"),
    engine: arguments.notebook().engine(), isInterrupted: arguments.context.interrupts)
  try arguments.context.checkInterruption()
  let (a, b) = (before.network, after.network)
  let parameters = Double(b.parameterCount) / Double(max(a.parameterCount, 1))
  let macs = Double(b.macs) / Double(max(a.macs, 1))
  let sizes = [a, b].map(\.storedByteCount)
  let bytes = Double(sizes[1]) / Double(max(sizes[0], 1))
  let rounds = Timing.Rounds()
  let timings = times.map { Timing(rounds, $0.rounds) }
  let ratio = timings[1].divided(by: timings[0])
  let milliseconds = ratio?.median ?? .nan
  if try arguments.bool("table") {
    let (old, new) = (ChannelGroups(of: before.network), ChannelGroups(of: after.network))
    var rows: [[Value]] = []
    for group in old.groups where group.isPrunable {
      guard let other = new.groups.first(where: { $0.name == group.name }) else { continue }
      rows.append([
        .string(group.name),
        .string(group.channels == other.channels ? "\(group.channels)" : "\(group.channels) -> \(other.channels)"),
      ])
    }
    arguments.context.print([.table(Table(columns: ["layer", "channels"], rows: rows))])
    func row(_ name: String, _ a: String, _ b: String, _ share: Double) -> [Value] {
      [.string(name), .string(a), .string(b), .string("\(NumberText.fixed(share * 100, 1)) %")]
    }
    func spread(_ latency: Latency) -> String {
      let quartiles = latency.quartiles
      return
        "\(NumberText.fixed(latency.median, 3)) (\(NumberText.fixed(quartiles.lowerBound, 3)) to \(NumberText.fixed(quartiles.upperBound, 3)))"
    }
    arguments.context.print([
      .table(Table(
        columns: ["", "before", "after", "stays"],
        rows: [
          row("parameters", NumberText.grouped(a.parameterCount), NumberText.grouped(b.parameterCount), parameters),
          row("MACs", NumberText.grouped(a.macs), NumberText.grouped(b.macs), macs),
          row("bytes", NumberText.grouped(sizes[0]), NumberText.grouped(sizes[1]), bytes),
          row("milliseconds, batch \(batch)", spread(times[0]), spread(times[1]), milliseconds),
        ]))
    ])
  }
  if macs < 0.95, milliseconds > 0.98 {
    arguments.context.report(
      "warning: \(NumberText.fixed((1 - macs) * 100, 1)) % of the MACs are gone, but no time is saved here")
  }
  return .record([
    "parameters": .number(parameters), "macs": .number(macs), "bytes": .number(bytes),
    "milliseconds": ratio.map(Value.timing) ?? .number(milliseconds), "before": .timing(timings[0]), "after": .timing(timings[1]),
  ])
}

extension Arguments {
  func modelAndData() throws -> (ModelValue, DatasetValue) {
    let (model, data) = (try object("model", as: ModelValue.self), try object("data", as: DatasetValue.self))
    try model.network.check(against: data.data)
    return (model, data)
  }

  fileprivate func refuseBeside(_ label: String, _ others: [String]) throws(ScriptError) {
    for other in others where has(other) {
      throw failure("'\(label)' and '\(other)' both say how much stays", hint: "give one of them", at: other)
    }
  }

  /// The share of MACs that stay.
  fileprivate func macsKept() throws(ScriptError) -> Double {
    if has("macsKept") {
      try refuseBeside("macsKept", ["macsRemoved"])
      return try number("macsKept")
    }
    guard has("macsRemoved") else {
      throw failure("how much is to go is not said", hint: "macsRemoved: 50%")
    }
    return 1 - (try number("macsRemoved"))
  }

  /// The groups that are pruned.
  fileprivate func decisions(of groups: ChannelGroups, in network: Network) throws(ScriptError) -> [Int] {
    let prunable = groups.prunable
    guard !prunable.isEmpty else {
      throw failure("\(network.name) has no channels that could be taken out", at: "model")
    }
    guard has("layers") else { return prunable }
    let names = try strings("layers")
    var chosen: [Int] = []
    for name in names {
      guard let group = prunable.first(where: { groups.groups[$0].name == name }) else {
        let known = prunable.map { groups.groups[$0].name }
        throw failure(
          "'\(name)' is no group of channels that can be pruned",
          hint: "one of: \(known.prefix(6).joined(separator: ", "))\(known.count > 6 ? ", …" : "")",
          at: "layers")
      }
      chosen.append(group)
    }
    guard !chosen.isEmpty, Set(chosen).count == chosen.count else {
      throw failure("each group once, and at least one", at: "layers")
    }
    return chosen.sorted()
  }

  /// A number of channels for each group that is decided on.
  /// - Parameter orFewer: whether more than there are means all.
  fileprivate func channelCounts(
    _ label: String, of groups: ChannelGroups, _ decisions: [Int], orFewer: Bool = false
  ) throws(ScriptError) -> [Int: Int] {
    let numbers = try numbers(label)
    guard numbers.count == decisions.count else {
      throw failure(
        "there are \(decisions.count) groups of channels and \(numbers.count) numbers",
        hint: "a number for each prunable group of channels(model)", at: label)
    }
    var counts: [Int: Int] = [:]
    for (group, number) in zip(decisions, numbers) {
      let all = groups.groups[group].channels
      let fewest = min(ChannelRounding.fewest, all)
      guard let count = Int(exactly: number), count >= fewest, orFewer || count <= all else {
        throw failure(
          "\(groups.groups[group].name) has \(fewest) to \(all) channels, not \(NumberText.short(number))", at: label)
      }
      counts[group] = min(count, all)
    }
    return counts
  }

  fileprivate func tooTight(_ cost: CostModel, _ decisions: [Int], _ rounding: ChannelRounding) -> ScriptError {
    let least = cost.counts(for: .channelsKept(0), in: decisions, rounding) ?? cost.channels
    let share = Double(cost.macs(least)) / Double(cost.macs(cost.channels))
    return failure(
      "so few MACs cannot be reached: \(NumberText.fixed(share * 100, 1)) % stay with the fewest channels",
      hint: "ask for more, or a smaller roundTo:")
  }

  fileprivate func pruningSettings() throws -> PruningSettings {
    var settings = PruningSettings()
    settings.selection = PruningSettings.Selection(rawValue: try string("criterion")) ?? .lasso
    settings.features = PruningSettings.Features(rawValue: try string("features")) ?? .pruned
    settings.reconstructs = try bool("reconstruct")
    settings.images = try integer("images")
    settings.points = try integer("points")
    settings.seed = try seed("seed")
    return settings
  }

  /// What pruned models are tried for.
  fileprivate func question(of model: ModelValue, _ data: DatasetValue) throws -> RatioQuestion {
    RatioQuestion(
      model: model, data: data.data, pruning: try pruningSettings(),
      decisions: try decisions(of: ChannelGroups(of: model.network), in: model.network),
      rounding: try integer("roundTo"), judgedOn: try string("on"), heldOut: try integer("heldOut"))
  }
}

/// Tells how far a search is: a line that changes where there is a display for it, else a line for every tenth of it.
struct SearchProgress {
  private let display: (@Sendable (String?) -> Void)?
  private let context: CallContext
  private let settings: SearchSettings
  private var best = -Double.infinity
  private var bestTop1 = 0.0
  private var made = 0
  private var secondsOfMade = 0.0

  init(_ display: (@Sendable (String?) -> Void)?, _ context: CallContext, of settings: SearchSettings) {
    (self.display, self.context, self.settings) = (display, context, settings)
  }

  mutating func show(_ trial: Trial) {
    if trial.reward > best { (best, bestTop1) = (trial.reward, trial.evaluation.top1) }
    if trial.seconds > 0 { (made, secondsOfMade) = (made + 1, secondsOfMade + trial.seconds) }
    let count = settings.method == .uniform ? 1 : settings.episodes
    let done = trial.episode + 1
    let left = made > 0 ? Double(count - done) * secondsOfMade / Double(made) : 0
    let text =
      "\(settings.method.title): rollout \(done)/\(count), top-1 \(NumberText.fixed(trial.evaluation.top1 * 100, 2)) %, best "
      + "\(NumberText.fixed(bestTop1 * 100, 2)) %" + (left > 0 ? ", \(NumberText.duration(left)) left" : "")
    if let display { display(text) } else if done == count || done % max(count / 10, 1) == 0 { context.report(text) }
  }

  func clear() { display?(nil) }
}
