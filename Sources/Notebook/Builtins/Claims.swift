internal import Datasets
internal import Foundation
internal import Script
internal import Statistics
internal import Training

/// The most images that an accuracy can be of.
private let mostImages = 1e12

let claim = Builtin(
  "claim",
  "Compares a measured number with a reported one or with a bound, and gives a verdict. With tolerance, it is reproduced if two one-sided tests at 5 % show that it lies within the tolerance of the reported number. With atLeast or atMost, it is reproduced if the 95 % confidence interval lies beyond the bound. A reported number alone is consistent or not reproduced. If the evidence is too thin, the claim is undecided, and the reason says how many images or seeds would decide it.",
  parameters: [
    Parameter("statement", .string, "What is claimed."),
    Parameter(
      "measured",
      .optional(.either([.number, .run, .evaluation, .comparison, .list(of: .optional(.either([.number, .run, .evaluation])))])),
      "What was measured: a run, an evaluation or its top1; a list of these, one for each seed; a comparison; a time, or two of the same rounds divided; a count, a size or a cost; none where nothing was measured.",
      labelled: true, keepsOrigin: true),
    Parameter("reported", .number, "The reported number.", optional: true, labelled: true, allowed: Spread.allowed),
    Parameter("atLeast", .number, "Lower bound.", optional: true, labelled: true, allowed: Spread.allowed),
    Parameter("atMost", .number, "Upper bound.", optional: true, labelled: true, allowed: Spread.allowed),
    Parameter(
      "tolerance", .number, "Largest difference from the reported number; 0 for an exact count.", optional: true,
      labelled: true, allowed: 0...1e300),
    Parameter(
      "population", .oneOf(Population.named.map(\.rawValue)),
      "What the claim speaks of: \"weights\", these weights on images like these (one model's default); \"recipe\", any seed of this recipe on these images (the default of several seeds); \"recipeAndImages\", any seed on images like these; \"exact\", a count, a size or a cost.",
      optional: true, labelled: true),
    Parameter(
      "sameWeights", .bool,
      "Whether the reported accuracy is of these weights on these images: it must then be the same, to its last place.",
      default: .bool(false), labelled: true),
    Parameter(
      "selected", .bool,
      "Whether the model may be chosen by the images that judge it, such as the best snapshot by validation; the claim then says so.",
      default: .bool(false), labelled: true),
    Parameter(
      "family", .string, "Claims of one family are judged together, so that any of them is wrong in at most 5 % of cases (Holm 1979).",
      optional: true, labelled: true),
    Parameter("source", .string, "Where it was reported.", default: .string(""), labelled: true),
    Parameter(
      "scale", .string, "Scale of the measurement, such as desk or paper.", default: .string(""),
      labelled: true),
    Parameter(
      "images", .integer, "On how many images an accuracy in per cent was measured that is only known as a number.",
      optional: true, labelled: true, allowed: 1...mostImages),
  ], result: .claim,
  examples: [
    Example(
      "claim(\"ResNet-50 has 25.6 million parameters\", measured: parameters(resnet50()), reported: 25_557_032, tolerance: 0).verdict",
      gives: "\"reproduced\""),
    Example("claim(\"half are right\", measured: 51, images: 100, atLeast: 50).verdict", gives: "\"undecided\""),
    Example("claim(\"three runs of torchvision's ResNet-50\", measured: [75.88, 75.38, 75.49], reported: 76.13).verdict", gives: "\"consistent\""),
    Example("claim(\"A1, within 0.3\", measured: 80.39, images: 50_000, reported: 80.4, tolerance: 0.3).verdict", gives: "\"consistent\""),
    Example("claim(\"a quarter of the bytes\", measured: 0.26, atMost: 0.27, population: \"exact\").verdict", gives: "\"reproduced\""),
  ], chapter: "Results", printsResult: true
) { arguments in
  if arguments.has("tolerance"), !arguments.has("reported") {
    throw arguments.failure("a tolerance needs a reported number", hint: "reported: …", at: "tolerance")
  }
  func numberIfGiven(_ label: String) throws(ScriptError) -> Double? {
    arguments.has(label) ? try arguments.number(label) : nil
  }
  let finding = try ClaimEvidence(arguments).finding()
  let claim = Claim(
    try arguments.string("statement"), finding.measured, reported: try numberIfGiven("reported"),
    tolerance: try numberIfGiven("tolerance"), atLeast: try numberIfGiven("atLeast"),
    atMost: try numberIfGiven("atMost"), places: arguments.has("reported") ? WrittenNumber.places(of: arguments.span(of: "reported").text) : nil,
    isSelected: finding.isSelected, family: arguments.has("family") ? try arguments.string("family") : nil,
    source: try arguments.string("source"), scale: try arguments.string("scale"))
  try arguments.notebook().add(claim)
  arguments.context.print(claim.line)
  return .object(ClaimValue(claim: claim))
}

/// How a number is written in a script.
enum WrittenNumber {
  /// Digits behind the point of a plain number: 1 for `80.0`, 0 for `25_557_032`; nil for anything else.
  static func places(of text: String) -> Int? {
    let digits = text.trimmingCharacters(in: .whitespaces).replacingOccurrences(of: "_", with: "")
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { ("0"..."9").contains($0) } }) else { return nil }
    return parts.count == 2 ? parts[1].count : 0
  }
}

/// Reads what a claim was given as measured.
private struct ClaimEvidence {
  let arguments: Arguments
  let population: Population?
  let hasSameWeights, allowsSelected: Bool

  init(_ arguments: Arguments) throws(ScriptError) {
    self.arguments = arguments
    population = arguments.has("population") ? Population(rawValue: try arguments.string("population")) : nil
    hasSameWeights = try arguments.bool("sameWeights")
    allowsSelected = try arguments.bool("selected")
  }

  typealias Finding = (measured: Measured, isSelected: Bool)

  /// One measurement: an accuracy, as a share of images; a number that is none; or nothing.
  fileprivate enum Element {
    case accuracy(Share, Accuracy?)
    case timing(Timing)
    case number(Double)
    case diverged(String)
    case absent(String)
  }

  func finding() throws -> Finding {
    let value = arguments.value("measured")
    let finding: Finding
    if case .object(let comparison as ComparisonValue) = value {
      finding = try self.finding(of: comparison)
    } else if case .list(let list) = value {
      finding = try self.finding(of: list.elements)
    } else {
      finding = try self.finding(of: try element(value))
    }
    if hasSameWeights {
      switch finding.measured {
      case .sameImages, .absent, .diverged: break
      case .exact, .sample, .single:
        throw arguments.failure(
          "sameWeights: is of one accuracy on images that are counted", hint: "measured: evaluate(model, data)", at: "measured")
      }
      if arguments.has("reported"), !(0...100).contains(try arguments.number("reported")) {
        throw arguments.failure("sameWeights: is of an accuracy in per cent, from 0 to 100", at: "reported")
      }
    }
    return finding
  }

  private func require(_ allowed: [Population], _ what: String, hint: String? = nil) throws(ScriptError) {
    guard let population, !allowed.contains(population) else { return }
    let list = allowed.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
    throw arguments.failure(
      "\(what) says nothing of the population \"\(population.rawValue)\"" + (list.isEmpty ? "" : ", only of \(list)"), hint: hint, at: "population")
  }

  /// An accuracy is in per cent, so `91%`, which is 0.91, is another unit.
  private func requirePerCent() throws(ScriptError) {
    for label in ["reported", "atLeast", "atMost", "tolerance"] where arguments.has(label) {
      let text = arguments.span(of: label).text.trimmingCharacters(in: .whitespaces)
      guard text.hasSuffix("%") else { continue }
      let plain = text.dropLast()
      throw arguments.failure(
        "accuracies are in per cent, and '\(text)' is \(NumberText.short(try arguments.number(label)))", hint: "\(label): \(plain)", at: label)
    }
  }

  private func selected(_ all: [Accuracy]) throws -> Bool {
    try allowing(try all.contains { try $0.isSelected() }, "what was measured")
  }

  /// Whether the claim is on a selected model.
  /// - Throws: where it is and does not say so.
  private func allowing(_ isSelected: Bool, _ what: String) throws(ScriptError) -> Bool {
    guard allowsSelected || !isSelected else {
      throw arguments.failure(
        "\(what) was chosen by the images that it is measured on, which makes it look better than it is",
        hint: "measure it on other images, or say selected: true", at: "measured")
    }
    return allowsSelected
  }

  // MARK: One measurement

  /// - Parameter implied: The population where the claim names none.
  private func finding(of element: Element, implied: Population = .weights) throws -> Finding {
    switch element {
    case .absent(let why): return (.absent(why), false)
    case .diverged(let what): return (.diverged(what), false)
    case .accuracy(let share, let accuracy):
      try requirePerCent()
      try require([.weights, .recipe, .recipeAndImages], "an accuracy on images", hint: "sameWeights: true judges it as a count")
      let isSelected = try selected(accuracy.map { [$0] } ?? [])
      if hasSameWeights { return (.sameImages(share), isSelected) }
      let population = population ?? implied
      if population != .weights { return (.single(share.estimate, of: population), isSelected) }
      return (.sample(share, of: .weights), isSelected)
    case .timing(let timing):
      try require([], "a timing")
      guard !timing.values.isEmpty, timing.values.allSatisfy(\.isFinite) else { return (.absent("nothing was timed"), false) }
      return (.sample(Rounds(timing.values), of: .timing), false)
    case .number(let number):
      try require([.exact], "a bare number", hint: "measured: run.top1 knows its images; [a, b, c] are three seeds")
      guard population == .exact || isCount(number) else {
        throw arguments.failure(
          "\(NumberText.short(number)) does not tell how sure it is", hint: "an accuracy: run.top1, evaluate(…), compare(a, b) or images: …; a size or a cost: population: \"exact\"",
          at: "measured")
      }
      return (.exact(number), false)
    }
  }

  /// Whether a number is a count that is held to counts.
  private func isCount(_ number: Double) -> Bool {
    let others = ["reported", "atLeast", "atMost", "tolerance"].compactMap { arguments[$0]?.asNumber }
    return ([number] + others).allSatisfy { $0.rounded() == $0 }
  }

  private func element(_ value: Value) throws(ScriptError) -> Element {
    switch value {
    case .object(let run as RunValue):
      if run.isInterrupted { return .absent("the training run was interrupted") }
      return element(run.accuracy, "no epoch was finished")
    case .object(let number as MeasuredNumber):
      switch number.origin {
      case .accuracy(let accuracy): return element(accuracy, "there were no images")
      case .timing(let timing): return .timing(timing)
      }
    case .record(let record):
      if case .object(let top1 as MeasuredNumber)? = record["top1"] { return try element(.object(top1)) }
      guard case .number(let correct)? = record["correct"], case .number(let count)? = record["count"] else {
        throw arguments.failure("'correct' and 'count' are no counts of images", at: "measured")
      }
      let images = try arguments.integer(count, called: "count", in: 1...mostImages, at: "measured")
      return .accuracy(Share(correct: try arguments.integer(correct, called: "correct", in: 0...count, at: "measured"), count: images), nil)
    case .number(let number):
      guard number.isFinite else { return .diverged("what was measured is \(NumberText.short(number)), not a finite number") }
      guard arguments.has("images") else {
        guard Spread.allowed.contains(number) else {
          throw .outOfRange("measured", number, allowed: Spread.allowed, at: arguments.span(of: "measured"))
        }
        return .number(number)
      }
      guard (0...100).contains(number) else {
        throw arguments.failure("with images: an accuracy is in per cent, from 0 to 100", hint: "measured: run.top1", at: "measured")
      }
      let count = try arguments.integer("images")
      return .accuracy(Share(correct: Int((number / 100 * Double(count)).rounded()), count: count), nil)
    case .none: return .absent("nothing was measured here")
    default:
      throw arguments.failure("a \(value.typeName) is no measurement", hint: "measured: run.top1, or [run.top1, …] for several seeds", at: "measured")
    }
  }

  private func element(_ accuracy: Accuracy, _ problem: String) -> Element {
    accuracy.count > 0 ? .accuracy(Share(correct: accuracy.correct, count: accuracy.count), accuracy) : .absent(problem)
  }

  // MARK: Several

  private func finding(of values: [Value]) throws -> Finding {
    var elements: [Element] = []
    var lost: String?
    for (index, value) in values.enumerated() {
      let element = try element(value)
      if case .absent = element { return try finding(of: element) }
      // Evidence too: a recipe that sometimes diverges does not give what was reported.
      if case .diverged = element, lost == nil { lost = "number \(index + 1) of \(values.count) is not finite: that seed diverged" }
      elements.append(element)
    }
    if let lost { return (.diverged(lost), false) }
    guard let first = elements.first else { return (.absent("nothing was measured here"), false) }
    let accuracies = elements.compactMap { element -> (Share, Accuracy?)? in
      if case .accuracy(let share, let accuracy) = element { (share, accuracy) } else { nil }
    }
    if elements.count == 1 {
      // A list says that it speaks of seeds, and one seed is one seed.
      guard case .number(let number) = first else { return try finding(of: first, implied: .recipe) }
      return (.single(number, of: population ?? .recipe), false)
    }
    guard accuracies.count == elements.count || accuracies.isEmpty else {
      throw arguments.failure("accuracies that know their images stand beside numbers that do not", at: "measured")
    }
    let known = accuracies.compactMap(\.1)
    try refuseRepetitions(known)
    guard !accuracies.isEmpty else {
      try require([.recipe], "numbers without their images", hint: "measured: [r.top1 for r in runs]")
      return (.sample(Spread(elements.compactMap(\.number)), of: .recipe), false)
    }
    try requirePerCent()
    try require([.recipe, .recipeAndImages], "several seeds")
    let isSelected = try selected(known)
    let shares = accuracies.map(\.0)
    let spread = Spread(shares.map(\.estimate), step: 100 / Double(shares.map(\.count).max() ?? 1))
    guard population == .recipeAndImages else { return (.sample(spread, of: .recipe), isSelected) }
    try refuseOtherImages(known, shares: shares)
    let each = known.compactMap(\.each)
    let crossed =
      each.count == shares.count && shares[0].count > 1
      ? CrossedSpread(correct: each) : CrossedSpread(shares: spread, images: shares[0].count)
    return (.sample(crossed, of: .recipeAndImages), isSelected)
  }

  private func refuseRepetitions(_ known: [Accuracy]) throws(ScriptError) {
    try arguments.refuseRepeated(known.compactMap(\.model.seed), at: "measured")
    if known.map({ $0.model.weights.contentHash }).firstRepeated != nil {
      throw arguments.failure("the same weights are given twice", hint: "a run is counted once: seeds(1...3, s => …)", at: "measured")
    }
  }

  private func refuseOtherImages(_ known: [Accuracy], shares: [Share]) throws {
    guard Set(shares.map(\.count)).count == 1, Set(try known.map { try $0.images.checksum() }).count <= 1 else {
      throw arguments.failure("the seeds were not measured on the same images", at: "measured")
    }
  }

  private func finding(of comparison: ComparisonValue) throws -> Finding {
    try requirePerCent()
    let isSelected = try allowing(comparison.isSelected, "a model")
    switch comparison.evidence {
    case .images(let pairs):
      try require([.weights], "a comparison of two models")
      return (.sample(pairs, of: .weights), isSelected)
    case .seeds(_, let spread, let crossed):
      try require([.recipe, .recipeAndImages], "a comparison of seeds")
      guard population == .recipeAndImages else { return (.sample(spread, of: .recipe), isSelected) }
      guard let crossed else {
        throw arguments.failure(
          "it is not known which images each run gets right", hint: "compare evaluations: [evaluate(r.model, data) for r in runs]", at: "measured")
      }
      return (.sample(crossed, of: .recipeAndImages), isSelected)
    }
  }
}

extension ClaimEvidence.Element {
  fileprivate var number: Double? {
    switch self {
    case .number(let number): number
    case .timing(let timing): timing.median
    case .accuracy(let share, _): share.estimate
    case .diverged, .absent: nil
    }
  }
}

extension Array where Element: Hashable {
  /// The first element that was there before.
  var firstRepeated: Element? {
    var seen = Set<Element>()
    return first { !seen.insert($0).inserted }
  }
}

extension CrossedSpread {
  /// Of which images each of several seeds gets right.
  /// - Precondition: At least two, of as many images, of which there are at least two.
  init(correct: [CorrectImages]) { self.init(correct.map { each in { each[$0] ? 1 : 0 } }, images: correct[0].count) }

  /// Of how the second of each pair is better than the first.
  init(pairs: [(first: CorrectImages, second: CorrectImages)]) {
    self.init(
      pairs.map { pair in { (pair.second[$0] ? 1 : 0) - (pair.first[$0] ? 1 : 0) } }, images: pairs[0].first.count)
  }

  private init(_ seeds: [(Int) -> Double], images: Int) {
    var (sums, squares, all) = ([Double](repeating: 0, count: seeds.count), 0.0, 0.0)
    for image in 0..<images {
      var sum = 0.0
      for (place, seed) in seeds.enumerated() {
        let number = seed(image)
        sums[place] += number
        all += number * number
        sum += number
      }
      squares += sum * sum
    }
    self.init(seedSums: sums, squaredImageSums: squares, squares: all, images: images)
  }
}
