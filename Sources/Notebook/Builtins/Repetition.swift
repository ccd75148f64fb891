internal import Datasets
internal import Script
internal import Statistics
internal import Training

let seeds = Builtin(
  "seeds", "Calls a function once per seed and returns the list of results, such as training runs of one set-up.",
  parameters: [
    Parameter("seeds", .list(of: .integer), "Seeds, such as 1...5."),
    Parameter("function", .function, "Function of a seed, such as s => train(net, data, seed: s)."),
  ], result: .list, examples: [Example("seeds(1...3, s => s * 2)", gives: "[2, 4, 6]")], chapter: "Results"
) { arguments in
  let function = try arguments.function("function")
  let all = try arguments.numbers("seeds")
  var results: [Value] = []
  for (index, seed) in all.enumerated() {
    try arguments.context.checkInterruption()
    let result = try arguments.context.call(function, .number(seed))
    results.append(result)
    if all.count > 1, case .object(let object) = result, object is RunValue {
      arguments.context.report("seed \(NumberText.short(seed)), \(index + 1) of \(all.count): \(object.summary)")
    }
  }
  return .list(results)
}

private let comparedType = ValueType.either([.number, .run, .evaluation, .list(of: .either([.number, .run, .evaluation]))])

let compare = Builtin(
  "compare",
  "Compares top-1 of two models image by image, or of two set-ups seed by seed, with a 95 % confidence interval. Both must be evaluated on the same images; runs must also use the same data and the same seeds.",
  parameters: [
    Parameter("first", comparedType, "A run, an evaluation or its top1; or a list of them, one per seed.", keepsOrigin: true),
    Parameter("second", comparedType, "The second one; or a list with the same seeds in the same order.", keepsOrigin: true),
  ], result: .comparison,
  examples: [
    Example(
      """
      compare(seeds(1...2, s => train(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), epochs: 1, batch: 16, lr: 0.01, seed: s)), seeds(1...2, s => train(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), epochs: 1, batch: 16, lr: 0.1, seed: s))).seeds
      """, gives: "[1, 2]"),
    Example(
      "compare(evaluate(initialize(resnet8(classes: 4, input: [1, 8, 8]), seed: 1), synthetic(4, shape: [1, 8, 8], train: 4, validation: 16)), evaluate(initialize(resnet8(classes: 4, input: [1, 8, 8]), seed: 2), synthetic(4, shape: [1, 8, 8], train: 4, validation: 16)))"),
  ], chapter: "Results"
) { arguments in
  try arguments.context.checkInterruption()
  let (first, second) = (try arguments.compared("first"), try arguments.compared("second"))
  guard first.count == second.count, !first.isEmpty else {
    throw arguments.failure("there are \(first.count) on one side and \(second.count) on the other", hint: "compare two models, or as many seeds of each", at: "second")
  }
  let pairs = zip(first, second).map { (first: $0, second: $1) }
  for (a, b) in pairs {
    guard try a.accuracy.images.checksum() == b.accuracy.images.checksum() else {
      throw arguments.failure("the two were not measured on the same images", hint: "evaluate both on the same data", at: "second")
    }
    if let a = a.data, let b = b.data, try a.checksum() != b.checksum() {
      throw arguments.failure(
        "the runs are of other data: \(a.name) and \(b.name)", hint: "to compare training sets: compare(evaluate(a.model, test), evaluate(b.model, test))", at: "second")
    }
  }
  func name(_ label: String) -> String {
    let text = arguments.span(of: label).text
    return text.count <= 24 ? text : label
  }
  func isSelected(_ pair: (first: Compared, second: Compared)) throws -> Bool {
    try pair.first.accuracy.isSelected() || pair.second.accuracy.isSelected()
  }
  func known(_ pair: (first: Compared, second: Compared)) -> (first: CorrectImages, second: CorrectImages)? {
    guard let a = pair.first.accuracy.each, let b = pair.second.accuracy.each, a.count == b.count else { return nil }
    return (a, b)
  }
  let evidence: ComparisonValue.Evidence
  // One seed is two models.
  if pairs.count > 1 {
    let seeds = try arguments.commonSeeds(pairs)
    let count = pairs.map(\.first.accuracy.count).max() ?? 1
    let spread = Spread(pairs.map { $0.second.accuracy.percent - $0.first.accuracy.percent }, step: 100 / Double(count))
    let each = pairs.compactMap(known)
    let sameImages = Set(try pairs.map { try $0.first.accuracy.images.checksum() }).count == 1
    evidence = .seeds(seeds, spread, each.count == pairs.count && sameImages && count > 1 ? CrossedSpread(pairs: each) : nil)
  } else {
    guard let both = known(pairs[0]) else {
      throw arguments.failure(
        "it is not known which images each model gets right", hint: "compare(evaluate(a, data), evaluate(b, data))", at: "first")
    }
    let (onlyFirst, onlySecond) = both.first.onlyRight(beside: both.second)
    evidence = .images(PairedShares(onlyFirst: onlyFirst, onlySecond: onlySecond, count: both.first.count))
  }
  return .object(
    ComparisonValue(
      first: name("first"), second: name("second"), evidence: evidence, isSelected: try pairs.contains(where: isSelected)))
}

let bestRun = Builtin(
  "bestRun",
  "Returns the run with the highest top-1; of equal ones the first. The run is marked as selected on its validation images: a claim on these images needs selected: true.",
  parameters: [Parameter("runs", .list(of: .run), "Runs, for example those of a sweep.")], result: .run,
  examples: [
    Example(
      "bestRun([train(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), epochs: 1, batch: 16, lr: lr) for lr in [0.01, 0.1]]).count",
      gives: "16")
  ], chapter: "Results"
) { arguments in
  let runs = try arguments.list("runs").compactMap { value -> RunValue? in
    if case .object(let object) = value { object as? RunValue } else { nil }
  }
  guard var best = runs.first(where: { $0.final.count > 0 }) else {
    throw arguments.failure("there is no run that was measured", hint: "bestRun([run, …])", at: "runs")
  }
  for run in runs where run.final.count > 0 && run.final.top1 > best.final.top1 { best = run }
  best.model.selectedBy += runs.map(\.dataset.validation)
  return .object(best)
}

/// One side of a comparison: an accuracy, and the data of the run it is of.
private struct Compared {
  let accuracy: Accuracy
  let data: Dataset?
}

extension Arguments {
  fileprivate func compared(_ label: String) throws -> [Compared] {
    guard case .list(let list) = value(label) else { return [try compared(value(label), label)] }
    return try list.elements.map { try compared($0, label) }
  }

  private func compared(_ value: Value, _ label: String) throws(ScriptError) -> Compared {
    let found: Compared
    switch value {
    case .object(let run as RunValue):
      guard !run.isInterrupted else {
        throw failure("the training run with seed \(run.plan.seed) was interrupted", hint: "resume() it first", at: label)
      }
      found = Compared(accuracy: run.accuracy, data: run.dataset)
    case .object(let number as MeasuredNumber):
      guard case .accuracy(let accuracy) = number.origin else {
        throw failure("a time is compared by dividing it by another of the same rounds", hint: "a.seconds / b.seconds", at: label)
      }
      found = Compared(accuracy: accuracy, data: nil)
    case .record(let record):
      guard let top1 = record["top1"] else { throw bareNumber(label) }
      return try compared(top1, label)
    default: throw bareNumber(label)
    }
    guard found.accuracy.count > 0 else { throw failure("there are no images that it was measured on", at: label) }
    return found
  }

  private func bareNumber(_ label: String) -> ScriptError {
    failure("a bare number does not know its images", hint: "compare(evaluate(a, data), evaluate(b, data))", at: label)
  }

  /// The seeds of both sides, which are the same and different from each other.
  fileprivate func commonSeeds(_ pairs: [(first: Compared, second: Compared)]) throws(ScriptError) -> [UInt64] {
    let first = pairs.compactMap(\.first.accuracy.model.seed)
    let second = pairs.compactMap(\.second.accuracy.model.seed)
    guard first.count == pairs.count, second.count == pairs.count else {
      throw failure("the seeds of these models are not known, so they are no pairs", hint: "compare two models: compare(a, b)", at: "first")
    }
    guard first == second else {
      let list = { (seeds: [UInt64]) in seeds.map { "\($0)" }.joined(separator: ", ") }
      throw failure(
        "the seeds differ: \(list(first)) and \(list(second))", hint: "compare what was trained with the same seeds, in the same order",
        at: "second")
    }
    try refuseRepeated(first, at: "first")
    return first
  }

  /// - Throws: where a seed is given twice, which would be counted as two.
  func refuseRepeated(_ seeds: [UInt64], at label: String) throws(ScriptError) {
    guard let seed = seeds.firstRepeated else { return }
    throw failure("seed \(seed) is given twice", hint: "seeds are counted once: seeds(1...3, s => …)", at: label)
  }
}
