internal import Foundation
internal import Script

private let recipeParameter = Parameter("recipe", .record, "A training recipe: a record of arguments of train(), such as recipe.a1.")

/// What `train` takes by name, and what holds where nothing is said.
private let settings = Dictionary(
  uniqueKeysWithValues: train.parameters.filter(\.isLabelled).map { ($0.label, $0) })

extension Record {
  /// Its fields, those of records in it by their path, such as `ema.decay`.
  fileprivate var flattened: [(String, Value)] {
    fields.flatMap { name, value -> [(String, Value)] in
      guard case .record(let inner) = value else { return [(name, value)] }
      return inner.flattened.map { ("\(name).\($0)", $1) }
    }
  }

  /// The records' differences, a row for each: name, first, second.
  fileprivate func differences(to other: Record) -> [Value] {
    let (mine, others) = (flattened, other.flattened)
    let (first, second) = (Dictionary(mine) { $1 }, Dictionary(others) { $1 })
    var names = mine.map(\.0)
    names += others.map(\.0).filter { first[$0] == nil }
    return names.compactMap { name in
      let standard = settings[name]?.default ?? .none
      let (a, b) = (first[name] ?? standard, second[name] ?? standard)
      return a == b ? nil : .record(["name": .string(name), "first": a, "second": b])
    }
  }

  fileprivate func without(_ names: Set<String>) -> Record { Record(fields.filter { !names.contains($0.0) }) }

  fileprivate func number(_ name: String) -> Double? { if case .number(let number)? = self[name] { number } else { nil } }
  fileprivate func string(_ name: String) -> String? { if case .string(let string)? = self[name] { string } else { nil } }
}

let diff = Builtin(
  "diff", "Lists the settings in which two recipes differ. A setting that a recipe leaves out has the default of train().",
  parameters: [
    Parameter("first", .record, "A recipe, or any other record."), Parameter("second", .record, "The second one."),
  ], result: .list(of: .recordOf(["name": .string, "first": .any, "second": .any])),
  examples: [
    Example(
      "diff({ lr: 0.1, mixup: 0.2 }, { lr: 0.1, epochs: 20 })",
      gives: "name    first  second\nmixup     0.2       0\nepochs     10      20"),
    Example("diff(recipe.a1, recipe.deci)"),
  ], chapter: "Recipes"
) { arguments in
  .list(try arguments.record("first").differences(to: arguments.record("second")))
}

let ablate = Builtin(
  "ablate",
  "Makes the recipes of an ablation study: the whole recipe, then one without each ingredient. The result is a list of records { name, recipe }.",
  parameters: [
    recipeParameter,
    Parameter(
      "without", .list(of: .string),
      "Ingredients: settings of train(), which get its defaults; augmentations such as \"flip\"; \"averaging\" (of snapshots); \"distillation\".",
      labelled: true),
  ], result: .list(of: .recordOf(["name": .string, "recipe": .record])),
  examples: [
    Example(
      "[v.name for v in ablate({ lr: 0.1, mixup: 0.2, augment: [\"flip\"] }, without: [\"mixup\", \"flip\"])]",
      gives: "[\"all\", \"without mixup\", \"without flip\"]")
  ], chapter: "Recipes"
) { arguments in
  let recipe = try arguments.record("recipe")
  var variants = [variant("all", recipe)]
  for ingredient in try arguments.strings("without") {
    guard let reduced = recipe.reduced(by: ingredient) else {
      let known = recipe.names.filter { settings[$0] != nil && !essential.contains($0) } + recipe.changeNames
      throw arguments.failure(
        "the recipe has no '\(ingredient)'", hint: "it has \(known.joined(separator: ", "))", at: "without")
    }
    variants.append(variant("without \(ingredient)", reduced))
  }
  return .list(variants)
}

private func variant(_ name: String, _ recipe: Record) -> Value {
  .record(["name": .string(name), "recipe": .record(recipe)])
}

/// What every training run has, and no ablation takes away.
private let essential: Set<String> = ["epochs", "batch", "microBatch", "lr", "optimizer", "loss", "seed"]

extension Record {
  /// How the changes to images are called.
  fileprivate var changeNames: [String] {
    guard case .list(let changes)? = self["augment"] else { return [] }
    return changes.elements.map(\.changeName)
  }

  /// The recipe without an ingredient and what needs it; nil where it has none of that name.
  fileprivate func reduced(by ingredient: String) -> Record? {
    func giving(_ result: String, without names: Set<String>) -> Record {
      without(names).merging(Record(["result": .string(result)]))
    }
    switch ingredient {
    case "averaging":
      guard string("result") == "best" else { return nil }
      return giving(self["ema"] == nil ? "last" : "ema", without: ["snapshots"])
    case "distillation", "teacher":
      guard self["distillation"] != nil || self["teacher"] != nil else { return nil }
      return without(["distillation", "teacher"])
    case "ema" where string("result") == "ema": return giving("last", without: ["ema"])
    case "mixup", "cutmix", "dropPath", "labelSmoothing", "warmup", "preciseBatchNorm", "weightDecay":
      // Nothing of it, whatever train() does by itself.
      guard let number = number(ingredient), number != 0 else { return nil }
      let zero = Record([(ingredient, .number(0))])
      return (ingredient == "warmup" ? without(["warmupLR"]) : self).merging(zero)
    default: break
    }
    if changeNames.contains(ingredient), case .list(let changes)? = self["augment"] {
      let kept = changes.elements.filter { $0.changeName != ingredient }
      return merging(Record([("augment", .list(kept))]))
    }
    guard self[ingredient] != nil, settings[ingredient] != nil, !essential.contains(ingredient) else { return nil }
    return without([ingredient])
  }
}

extension Value {
  /// How an element of `augment` is called.
  fileprivate var changeName: String {
    switch self {
    case .string(let name): name
    case .object(let object): object.summary.prefix { $0 != "(" }.description
    default: shown
    }
  }
}

let sweep = Builtin(
  "sweep", "Makes the recipes of a grid search: one for each combination of values. The result is a list of records { name, recipe }.",
  parameters: [
    recipeParameter,
    Parameter("over", .record, "Values to try for each setting, such as { lr: [0.05, 0.1], mixup: [0, 0.2] }.", labelled: true),
  ], result: .list(of: .recordOf(["name": .string, "recipe": .record])),
  examples: [
    Example(
      "[v.name for v in sweep({ epochs: 8 }, over: { lr: [0.05, 0.1], mixup: [0, 0.2] })]",
      gives: "[\"lr 0.05, mixup 0\", \"lr 0.05, mixup 0.2\", \"lr 0.1, mixup 0\", \"lr 0.1, mixup 0.2\"]")
  ], chapter: "Recipes"
) { arguments in
  var variants: [(name: String, recipe: Record)] = [("", try arguments.record("recipe"))]
  for (name, values) in try arguments.record("over").fields {
    guard case .list(let list) = values, !list.elements.isEmpty else {
      throw arguments.failure("'\(name)' needs a list of values to try", hint: "\(name): [\(values.shown)]", at: "over")
    }
    guard variants.count * list.elements.count <= 10_000 else {
      throw arguments.failure("these are more than 10,000 combinations", at: "over")
    }
    variants = variants.flatMap { variant in
      list.elements.map { value in
        (
          (variant.name.isEmpty ? "" : "\(variant.name), ") + "\(name) \(value.shown)",
          variant.recipe.merging(Record([(name, value)]))
        )
      }
    }
  }
  return .list(variants.map { variant($0.name, $0.recipe) })
}

let scaled = Builtin(
  "scaled",
  "Scales a recipe to fewer epochs or smaller batches and prints what it changed. Warm-up, cool-down and milestones keep their share of the epochs; the learning rate is scaled with the batch size, for adam, adamw and lamb with its square root; the EMA keeps its time constant as a share of all steps; at most a third of the epochs become snapshots.",
  parameters: [
    recipeParameter,
    Parameter("epochs", .integer, "Epochs of the scaled recipe.", optional: true, labelled: true, allowed: 1...100_000),
    Parameter("batch", .integer, "Batch size of the scaled recipe.", optional: true, labelled: true, allowed: 1...65_536),
    Parameter(
      "images", .integer, "Training images of the scaled recipe. Default: 1,281,167, as ImageNet has.", optional: true,
      labelled: true, allowed: 1...1e12),
  ], result: .record,
  examples: [Example("scaled(recipe.a1, epochs: 60, batch: 512).warmup", gives: "0.5")], chapter: "Recipes"
) { arguments in
  let recipe = try arguments.record("recipe")
  func setting(_ name: String) throws(ScriptError) -> Double {
    if let number = recipe.number(name) { return number }
    guard recipe[name] == nil, case .number(let number)? = settings[name]?.default else {
      throw arguments.failure("the recipe's '\(name)' is no number", at: "recipe")
    }
    return number
  }
  func whole(_ name: String) throws(ScriptError) -> Int {
    try arguments.integer(
      setting(name), called: "the recipe's '\(name)'", in: settings[name]?.allowed ?? Value.integers, at: "recipe")
  }
  let (epochs, batch) = (try whole("epochs"), try whole("batch"))
  let scaling = Scaling(
    epochs: (Double(epochs), Double(try arguments.integerIfGiven("epochs") ?? epochs)),
    batch: (Double(batch), Double(try arguments.integerIfGiven("batch") ?? batch)),
    images: (
      Double(Recipe.imageNetImages), Double(try arguments.integerIfGiven("images") ?? Recipe.imageNetImages)
    ))
  let result = scaling(recipe, lr: try setting("lr"))
  let changes = recipe.differences(to: result)
  if !changes.isEmpty { arguments.context.print(Value.list(changes).shown) }
  return .record(result)
}

/// How a recipe is made shorter. Each pair is what was, and what shall be.
private struct Scaling {
  let epochs, batch, images: (old: Double, new: Double)

  private var time: Double { epochs.new / epochs.old }

  func callAsFunction(_ recipe: Record, lr: Double) -> Record {
    let isAdaptive = ["adam", "adamw", "lamb"].contains(recipe.string("optimizer") ?? "sgd")
    let factor = batch.new / batch.old
    var changes: [(String, Value)] = [
      ("epochs", .number(epochs.new)), ("batch", .number(batch.new)),
      ("lr", .number(rounded(lr * (isAdaptive ? factor.squareRoot() : factor)))),
    ]
    for name in ["warmup", "stepSize"] {
      if let value = recipe.number(name) { changes.append((name, .number(rounded(value * time)))) }
    }
    if let value = recipe.number("cooldown") { changes.append(("cooldown", .number((value * time).rounded()))) }
    if case .list(let falls)? = recipe["milestones"] {
      let scaled = falls.elements.map { if case .number(let at) = $0 { Value.number(rounded(at * time)) } else { $0 } }
      changes.append(("milestones", .list(scaled)))
    }
    if let part = recipe.number("microBatch"), part >= batch.new || batch.new.truncatingRemainder(dividingBy: part) != 0 {
      changes.append(("microBatch", .none))
    }
    changes += averages(of: recipe)
    return recipe.merging(Record(changes))
  }

  private func averages(of recipe: Record) -> [(String, Value)] {
    var changes: [(String, Value)] = []
    let steps = (images.new / batch.new * epochs.new) / (images.old / batch.old * epochs.old)
    func scaled(_ decay: Double) -> Value { .number(rounded(max(0, 1 - (1 - decay) / steps))) }
    switch recipe["ema"] {
    case .number(let decay)?: changes.append(("ema", scaled(decay)))
    case .record(let average)?:
      let decay = average.number("decay") ?? 0.9999
      changes.append(("ema", .record(average.merging(Record([("decay", scaled(decay))])))))
    default: break
    }
    if case .record(let snapshots)? = recipe["snapshots"] {
      let count = min(snapshots.number("count") ?? 10, max(2, (epochs.new / 3).rounded(.down)))
      changes.append(("snapshots", .record(snapshots.merging(Record([("count", .number(count))])))))
    }
    return changes
  }

  /// Six digits, so that a recipe reads well.
  private func rounded(_ value: Double) -> Double {
    guard value != 0, value.isFinite else { return value }
    let scale = pow(10, 5 - floor(log10(abs(value))))
    return (value * scale).rounded() / scale
  }
}
