internal import Script

private let recipeParameter = Parameter("recipe", .record, "A training recipe: a record of arguments of train(), such as recipe.a1.")

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
      let standard = TrainingSetting(rawValue: name)?.parameter.default ?? .none
      let (a, b) = (first[name] ?? standard, second[name] ?? standard)
      return a == b ? nil : .record(["name": .string(name), "first": a, "second": b])
    }
  }
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
      "Ingredients: settings of train(), which get their neutral value (0 for mixup, \"constant\" for schedule; see Settings of training) or their default; augmentations such as \"flip\"; \"averaging\" (of snapshots); \"distillation\".",
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
      let known = recipe.ingredients.map(\.label) + recipe.changeNames
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

extension Record {
  /// How the changes to images are called.
  fileprivate var changeNames: [String] {
    guard case .list(let changes)? = self[.augment] else { return [] }
    return changes.elements.map(\.changeName)
  }

  /// The settings that it has and that can be taken away.
  fileprivate var ingredients: [TrainingSetting] {
    names.compactMap(TrainingSetting.init).filter { $0.declaration.role == .ingredient }
  }

  /// The recipe without an ingredient and what needs it; nil where it has none of that name.
  fileprivate func reduced(by ingredient: String) -> Record? {
    switch ingredient {
    case "averaging":
      guard self[.result] == .string("best") else { return nil }
      return merging(Record(settings: [.result: .string(self[.ema] == nil ? "last" : "ema")])).withoutLapsed(since: self)
    case TrainingSetting.distillation.label, TrainingSetting.teacher.label:
      guard self[.distillation] != nil || self[.teacher] != nil else { return nil }
      return without([.distillation, .teacher])
    case TrainingSetting.ema.label where self[.result] == .string("ema"):
      return without([.ema]).merging(Record(settings: [.result: .string("last")]))
    default: break
    }
    if changeNames.contains(ingredient), case .list(let changes)? = self[.augment] {
      let kept = changes.elements.filter { $0.changeName != ingredient }
      return merging(Record(settings: [.augment: .list(kept)]))
    }
    guard let setting = ingredients.first(where: { $0.label == ingredient }), let value = self[setting] else { return nil }
    guard let neutral = setting.parameter.neutral else { return without([setting]).withoutLapsed(since: self) }
    // Nothing of it, whatever train() does by itself.
    return value == neutral ? nil : merging(Record([(setting.label, neutral)])).withoutLapsed(since: self)
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
  "sweep",
  "Makes the recipes of a grid search: one for each combination of values. Settings that have no effect with the new values, such as momentum with adam, are left out. The result is a list of records { name, recipe }.",
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
  let (recipe, over) = (try arguments.record("recipe"), Set(try arguments.record("over").names))
  return .list(
    try variants.map { made throws(ScriptError) in
      let kept = made.recipe.withoutLapsed(since: recipe, keeping: over)
      if let (setting, condition) = kept.inapplicable(among: over) {
        throw arguments.failure(
          "'\(setting.label)' has no effect in the recipe \"\(made.name)\"", hint: "it is for \(condition.text)", at: "over")
      }
      return variant(made.name, kept)
    })
}

let scaled = Builtin(
  "scaled",
  "Scales a recipe to fewer epochs or smaller batches and prints what it changed. Warm-up, cool-down, milestones and other numbers of epochs keep their share of the epochs; the learning rate is scaled with the batch size, for adaptive optimizers (\(OptimizerName.list(OptimizerName.allCases.filter(\.isAdaptive).map(\.rawValue)))) with its square root; the EMA keeps its time constant as a share of all steps; at most a third of the epochs become snapshots.",
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
  func number(_ setting: TrainingSetting) throws(ScriptError) -> Double {
    guard case .number(let number) = recipe.value(of: setting) else {
      throw arguments.failure("the recipe's '\(setting.label)' is no number", at: "recipe")
    }
    return number
  }
  func whole(_ setting: TrainingSetting) throws(ScriptError) -> Int {
    try arguments.integer(
      number(setting), called: "the recipe's '\(setting.label)'", in: setting.parameter.allowed ?? Value.integers,
      at: "recipe")
  }
  let (epochs, batch) = (try whole(.epochs), try whole(.batch))
  let scale = Scale(
    epochs: (Double(epochs), Double(try arguments.integerIfGiven("epochs") ?? epochs)),
    batch: (Double(batch), Double(try arguments.integerIfGiven("batch") ?? batch)),
    images: (
      Double(Recipe.imageNetImages), Double(try arguments.integerIfGiven("images") ?? Recipe.imageNetImages)
    ))
  _ = try number(.lr)
  let result = scale(recipe)
  let changes = recipe.differences(to: result)
  if !changes.isEmpty { arguments.context.print(Value.list(changes).shown) }
  return .record(result)
}
