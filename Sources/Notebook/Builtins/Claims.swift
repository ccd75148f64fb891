internal import Script
internal import Training

/// The most images that an accuracy can be of.
private let mostImages = 1e12

let claim = Builtin(
  "claim",
  "States a number and judges it: within tolerance of what was reported, atLeast or atMost a bound. An accuracy that was measured on images, given as a run, an evaluation or with images:, is undecided where its 95 % interval holds the bound; so is the mean of several seeds, or of a comparison. Several seeds against a reported number alone are held to their own spread.",
  parameters: [
    Parameter("statement", .string, "What is claimed."),
    Parameter(
      "measured", .optional(.either([.number, .run, .evaluation, .comparison, .list(of: .optional(.either([.number, .run, .evaluation])))])),
      "What was measured: a number; a run or an evaluation for its top-1 in per cent; a list of these, one for each seed; a comparison; none where nothing was measured.",
      labelled: true),
    Parameter("reported", .number, "What was reported.", optional: true, labelled: true, allowed: Spread.allowed),
    Parameter("atLeast", .number, "The least that counts as reproduced.", optional: true, labelled: true, allowed: Spread.allowed),
    Parameter("atMost", .number, "The most that counts as reproduced.", optional: true, labelled: true, allowed: Spread.allowed),
    Parameter(
      "tolerance", .number, "How far it may be from what was reported; 0 for an exact count.", optional: true,
      labelled: true, allowed: 0...1e300),
    Parameter(
      "sameWeights", .bool,
      "Whether the reported accuracy is of these weights on these images: it must then be the same, to its last place.",
      default: .bool(false), labelled: true),
    Parameter("source", .string, "Where it was reported.", default: .string(""), labelled: true),
    Parameter(
      "scale", .string, "Under which conditions it was measured, such as desk or paper.", default: .string(""),
      labelled: true),
    Parameter(
      "images", .integer, "On how many images an accuracy in per cent was measured.", optional: true, labelled: true,
      allowed: 1...mostImages),
  ], result: .claim,
  examples: [
    Example(
      "claim(\"ResNet-50 has 25.6 million parameters\", measured: parameters(resnet50()), reported: 25_557_032, tolerance: 0).verdict",
      gives: "\"reproduced\""),
    Example("claim(\"half are right\", measured: 51, images: 100, atLeast: 50).verdict", gives: "\"undecided\""),
    Example("claim(\"three runs of torchvision's ResNet-50\", measured: [75.88, 75.38, 75.49], reported: 76.13).verdict", gives: "\"reproduced\""),
    Example("claim(\"more is better\", measured: 0.3, reported: 0.4).verdict", gives: "\"not judged\""),
  ], chapter: "Results", printsResult: true
) { arguments in
  if arguments.has("tolerance"), !arguments.has("reported") {
    throw arguments.failure("a tolerance needs a reported number", hint: "reported: …", at: "tolerance")
  }
  if arguments.has("reported"), try arguments.bool("sameWeights"), !(0...100).contains(try arguments.number("reported")) {
    throw arguments.failure("sameWeights: is of an accuracy in per cent, from 0 to 100", at: "reported")
  }
  func numberIfGiven(_ label: String) throws(ScriptError) -> Double? {
    arguments.has(label) ? try arguments.number(label) : nil
  }
  let claim = Claim(
    try arguments.string("statement"), try arguments.evidence(), reported: try numberIfGiven("reported"),
    tolerance: try numberIfGiven("tolerance"), atLeast: try numberIfGiven("atLeast"),
    atMost: try numberIfGiven("atMost"), hasSameWeights: try arguments.bool("sameWeights"), source: try arguments.string("source"), scale: try arguments.string("scale"))
  try arguments.notebook().add(claim)
  arguments.context.print(claim.line)
  return .object(ClaimValue(claim: claim))
}

extension Arguments {
  /// What the argument `measured` says, and on how many images.
  fileprivate func evidence() throws(ScriptError) -> Evidence {
    if let elements = value("measured").seedElements {
      var values: [Double] = []
      for (index, element) in elements.enumerated() {
        let evidence = try evidence(of: element).checked
        switch evidence {
        case .absent: return evidence
        case .diverged: return .diverged("number \(index + 1) of \(elements.count) is not finite: that seed diverged")
        case .number, .sample, .seeds: break
        }
        if let number = evidence.value { values.append(number) }
      }
      if values.count == 1 { return try evidence(of: elements[0]) }
      return values.isEmpty ? .absent("nothing was measured here") : .seeds(Spread(values))
    }
    return try evidence(of: value("measured"))
  }

  private func evidence(of value: Value) throws(ScriptError) -> Evidence {
    switch value {
    case .object(let run as RunValue):
      if run.isInterrupted { return .absent("the training was interrupted") }
      let last = run.final
      guard last.count > 0 else { return .absent("no epoch was finished") }
      return .sample(correct: last.correct, count: last.count)
    case .record(let record):
      guard case .number(let correct)? = record["correct"], case .number(let count)? = record["count"] else {
        throw failure("'correct' and 'count' are no counts of images", at: "measured")
      }
      let images = try integer(count, called: "count", in: 1...mostImages, at: "measured")
      return .sample(correct: try integer(correct, called: "correct", in: 0...count, at: "measured"), count: images)
    case .number(let number):
      guard has("images"), number.isFinite else {
        guard Spread.allowed.contains(number) || !number.isFinite else {
          throw .outOfRange("measured", number, allowed: Spread.allowed, at: span(of: "measured"))
        }
        return .number(number)
      }
      guard (0...100).contains(number) else {
        throw failure("with images: an accuracy is in per cent, from 0 to 100", hint: "measured: run.top1", at: "measured")
      }
      let count = try integer("images")
      return .sample(correct: Int((number / 100 * Double(count)).rounded()), count: count)
    default: return .absent("nothing was measured here")
    }
  }
}

extension Value {
  /// What each seed gave; nil for what is no list of seeds.
  fileprivate var seedElements: [Value]? {
    switch self {
    case .list(let list): list.elements
    case .object(let comparison as ComparisonValue): comparison.elements
    default: nil
    }
  }
}
