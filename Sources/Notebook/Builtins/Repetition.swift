internal import Script
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

let compare = Builtin(
  "compare",
  "Compares two set-ups by their top-1, paired by seed: runs with the same seed have the same initial weights, order of images and random augmentations.",
  parameters: [
    Parameter("first", .list(of: .run), "Runs of the first set-up, as seeds() returns them."),
    Parameter("second", .list(of: .run), "Runs of the second set-up, with the same seeds."),
  ], result: .comparison,
  examples: [
    Example(
      """
      compare(seeds(1...2, s => train(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), epochs: 1, batch: 16, lr: 0.01, seed: s)), seeds(1...2, s => train(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), epochs: 1, batch: 16, lr: 0.1, seed: s))).seeds
      """, gives: "[1, 2]")
  ], chapter: "Results"
) { arguments in
  func runs(_ label: String) throws(ScriptError) -> [RunValue] {
    var found: [RunValue] = []
    for element in try arguments.list(label) {
      guard case .object(let object) = element, let run = object as? RunValue else { continue }
      guard !run.isInterrupted, run.final.count > 0 else {
        throw arguments.failure("the training with seed \(run.plan.seed) was interrupted", hint: "resume() it first", at: label)
      }
      found.append(run)
    }
    return found
  }
  let (first, second) = (try runs("first"), try runs("second"))
  guard first.count >= 2 else {
    throw arguments.failure("a difference needs at least two seeds to have a spread", hint: "seeds(1...3, s => …)", at: "first")
  }
  guard first.map(\.plan.seed) == second.map(\.plan.seed) else {
    let list = { (runs: [RunValue]) in runs.map { "\($0.plan.seed)" }.joined(separator: ", ") }
    throw arguments.failure(
      "the seeds differ: \(list(first)) and \(list(second))", hint: "compare what was trained with the same seeds, in the same order",
      at: "second")
  }
  func top1(_ run: RunValue) -> Double { run.final.top1 * 100 }
  func name(_ label: String) -> String {
    let text = arguments.span(of: label).text
    return text.count <= 24 ? text : label
  }
  return .object(
    ComparisonValue(
      first: name("first"), second: name("second"), seeds: first.map(\.plan.seed),
      differences: zip(first, second).map { top1($1) - top1($0) }))
}
