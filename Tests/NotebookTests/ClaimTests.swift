import Foundation
import Notebook
import Script
import Statistics
import Testing

@Suite("Claims")
struct ClaimTests {
  private func claim(_ arguments: String) throws -> Claim {
    let workshop = try Workshop()
    try workshop.value("claim(\"c\", \(arguments))")
    return try #require(workshop.notebook.claims.first)
  }

  @Test("a number is held to its bounds, ends included", arguments: [
    ("measured: 1, atLeast: 1", "reproduced"), ("measured: 0.999, atLeast: 1, population: \"exact\"", "not reproduced"),
    ("measured: 1, atMost: 1", "reproduced"), ("measured: 1.001, atMost: 1, population: \"exact\"", "not reproduced"),
    ("measured: 2, atLeast: 1, atMost: 3", "reproduced"), ("measured: 4, atLeast: 1, atMost: 3", "not reproduced"),
    ("measured: -0.1, reported: 0.4, atLeast: -0.5, population: \"exact\"", "reproduced"),
    ("measured: 91.3 - 91.2, reported: 0, tolerance: 0.1, population: \"exact\"", "reproduced"),
    ("measured: 25_557_032, reported: 25_557_032, tolerance: 0", "reproduced"),
    ("measured: 25_557_033, reported: 25_557_032, tolerance: 0", "not reproduced"),
    ("measured: 71, reported: 70.89, tolerance: 0.2, population: \"exact\"", "reproduced"),
    ("measured: 71.2, reported: 70.89, tolerance: 0.2, population: \"exact\"", "not reproduced"),
    ("measured: 5, reported: 5, tolerance: 1, atLeast: 5.5, population: \"exact\"", "not reproduced"),
  ])
  func numbers(_ arguments: String, _ verdict: String) throws {
    #expect(try claim(arguments).verdict.rawValue == verdict, "\(arguments)")
  }

  @Test("without anything that can judge it, a claim is not judged", arguments: [
    "measured: 75, reported: 75", "measured: 1", "measured: none, reported: 80.4, atLeast: 80", "measured: nan",
    "measured: [1, nan]", "measured: 1, atLeast: 2, atMost: 1", "measured: [1, 2, 3]", "measured: 50, images: 100",
    "measured: [75.5, none], reported: 75.6", "measured: [], reported: 75.6",
  ])
  func unjudged(_ arguments: String) throws {
    let claim = try claim(arguments)
    #expect(claim.verdict == .notJudged)
    #expect(!claim.reason.isEmpty)
  }

  @Test("a bare number that is no count is refused, and told what would be evidence", arguments: [
    ("measured: 75.8, reported: 75.8, tolerance: 0.3", "run.top1"), ("measured: 91, atLeast: 90.5", "population: \"exact\""),
    ("measured: 0.3, atLeast: 0", "compare(a, b)"), ("measured: 2.5, atLeast: 2", "population: \"exact\""),
    ("measured: 75.8, population: \"recipe\", atLeast: 75", "three seeds"),
  ])
  func bareNumbers(_ arguments: String, _ hint: String) throws {
    let error = try Workshop().error("claim(\"c\", \(arguments))")
    #expect(error?.category == .runtime && error?.message.contains(hint) == true, "\(error?.message ?? "none")")
  }

  @Test("an accuracy on images is undecided where its 95 % interval holds the bound", arguments: [
    ("measured: 91.3, images: 10_000, atLeast: 91", "undecided"), ("measured: 91.6, images: 10_000, atLeast: 91", "reproduced"),
    ("measured: 90.4, images: 10_000, atLeast: 91", "not reproduced"), ("measured: 91.3, images: 100_000, atLeast: 91", "reproduced"),
    ("measured: 100, images: 3, atLeast: 91", "undecided"), ("measured: 100, images: 1_000, atLeast: 91", "reproduced"),
    ("measured: { top1: 0, top5: 0, loss: 0, correct: 91, count: 100 }, atLeast: 50", "reproduced"),
    ("measured: 71, images: 50_000, reported: 70.89, tolerance: 1", "reproduced"),
    ("measured: 70, images: 50_000, reported: 70.89, tolerance: 1", "undecided"),
    ("measured: 80.4, images: 50_000, reported: 80.4, tolerance: 0.3", "reproduced"),
    ("measured: 80.3, images: 50_000, reported: 80.4, tolerance: 0.3", "consistent"),
    ("measured: 80.3, images: 50_000, reported: 80.4", "consistent"), ("measured: 79.3, images: 50_000, reported: 80.4", "not reproduced"),
  ])
  func samples(_ arguments: String, _ verdict: String) throws {
    let claim = try claim(arguments)
    #expect(claim.verdict.rawValue == verdict, "\(claim.line)")
    #expect(claim.population == .weights && claim.line.contains("these weights, on images like these"))
  }

  @Test("what diverged was not reproduced, however good the other seeds are", arguments: [
    "measured: nan, atLeast: 1", "measured: inf, atLeast: 1", "measured: -inf, reported: 3, tolerance: 1", "measured: nan, reported: 2",
    "measured: nan, images: 100, atLeast: 1", "measured: [75.5, nan, 75.6], reported: 75.6", "measured: [2, inf], atLeast: 1",
    "measured: [nan], atLeast: 1",
  ])
  func diverged(_ arguments: String) throws {
    let claim = try claim(arguments)
    #expect(claim.verdict == .notReproduced && claim.measured == nil, "\(claim)")
    #expect([claim].hasFailure && claim.reason.contains("finite"))
  }

  @Test("numbers of every size are judged, or refused in words", arguments: [
    "measured: [1e300, -1e300], atLeast: 0", "measured: [1e300, 1e300, 1e300], reported: 1e300",
    "measured: [1e200, -1e200], atLeast: 0", "measured: [1e-308, 0], atMost: 0", "measured: 1e300, reported: -1e300, tolerance: 1e300",
    "measured: [1e-200, 2e-200, 3e-200], atLeast: 0", "measured: 50, images: 1e12, reported: 0.000123456789012345678, sameWeights: true",
    "measured: 1e-300, images: 100, reported: 1e-307, sameWeights: true", "measured: { correct: 0, count: 1 }, atLeast: 1e300",
  ])
  func sizes(_ arguments: String) throws {
    let claim = try claim(arguments.replacingOccurrences(of: "{ correct", with: "{ top1: 0, top5: 0, loss: 0, correct"))
    #expect(try JSONDecoder().decode([Claim].self, from: Data([claim].json.utf8)) == [claim])
    #expect([claim].table.contains(claim.verdict.rawValue))
    #expect((claim.measured ?? 0).isFinite && (claim.low ?? 0).isFinite && (claim.high ?? 0).isFinite, "\(claim)")
  }

  @Test("numbers that no claim can be about are refused", arguments: [
    "measured: 50, images: 100, reported: 1e300, sameWeights: true", "measured: [1.7e308, 1.7e308], atLeast: 0",
    "measured: 1.7e308, atLeast: 0", "measured: { top1: 0, top5: 0, loss: 0, correct: 1e300, count: 1e300 }, atLeast: 0",
    "measured: { top1: 0, top5: 0, loss: 0, correct: nan, count: nan }, atLeast: 0",
    "measured: { top1: 0, top5: 0, loss: 0, correct: 0.5, count: 1 }, atLeast: 0",
    "measured: { top1: 0, top5: 0, loss: 0, correct: 2, count: 1 }, atLeast: 0", "measured: 1...3, atLeast: 0",
    "measured: [75, { top1: 0, top5: 0, loss: 0, correct: 2, count: 3 }], atLeast: 0",
  ])
  func refused(_ arguments: String) throws {
    let error = try Workshop().error("claim(\"c\", \(arguments))")
    #expect(error?.category == .runtime, "\(error?.message ?? "none")")
  }

  @Test("intervals have both ends, and an undecided claim says how many images decide it four times in five")
  func interval() throws {
    // statsmodels 0.15.0, proportion_confint(91, 100, method="beta"): 0.83602 to 0.95802
    let few = try claim("measured: 91, images: 100, atLeast: 91")
    #expect(few.line.contains("91.0 (83.6 to 95.8)") && few.images == 100, "\(few.line)")
    #expect(few.reason.contains("no number of them"))
    // (1.95996 + 0.84162)² · 0.91296 · 0.08704 / 0.003² = 69,300
    #expect(try claim("measured: 91.3, images: 10_000, atLeast: 91").reason.contains("about 69,3"))
  }

  @Test("claims are collected in their order, as a table and as JSON")
  func collection() throws {
    let workshop = try Workshop()
    #expect(workshop.notebook.claims.table.isEmpty && workshop.notebook.claims.json == "[\n\n]")
    try workshop.value(
      "claim(\"a | b\", measured: 1, atLeast: 0)\nclaim(\"c\", measured: 1, reported: 2, tolerance: 0, source: \"Table 1\", scale: \"desk\")")
    let claims = workshop.notebook.claims
    #expect(claims.map(\.statement) == ["a | b", "c"])
    #expect(claims.hasFailure)
    #expect(claims.table.contains("1 reproduced, 1 not reproduced") && claims.table.contains("Table 1"))
    #expect(try JSONDecoder().decode([Claim].self, from: Data(claims.json.utf8)) == claims)
    workshop.notebook.forgetClaims()
    #expect(workshop.notebook.claims.isEmpty)
  }

  @Test("several seeds are held to their own spread", arguments: [
    // torchvision's issue 5593: three training runs of ResNet-50 beside the published 76.13
    ("measured: [75.88, 75.38, 75.49], reported: 76.13", "consistent"),
    ("measured: [75.88, 75.38, 75.49], reported: 77.13", "not reproduced"),
    ("measured: [1.2, 0.9, 1.1], atLeast: 0", "reproduced"), ("measured: [1.2, -0.9, 1.1], atLeast: 0", "undecided"),
    ("measured: [-1.2, -0.9, -1.1], atLeast: 0", "not reproduced"),
    ("measured: [75.5, 75.6, 75.55], reported: 75.6, tolerance: 0.3", "reproduced"),
    ("measured: [75.88, 75.38, 75.49], reported: 75.6, tolerance: 0.3", "consistent"),
    ("measured: [75.5, 75.6], reported: 75.6, tolerance: 3", "undecided"),
    ("measured: [75.5], reported: 75.6", "undecided"), ("measured: [75.5], atLeast: 70", "undecided"),
    ("measured: 75.5, images: 1000, atLeast: 70, population: \"recipe\"", "undecided"),
    ("measured: [75.5, 75.6, 75.55], images: 50_000, atLeast: 75.3", "reproduced"),
    // The same seeds say less of other images.
    ("measured: [75.5, 75.6, 75.55], images: 50_000, atLeast: 75.3, population: \"recipeAndImages\"", "undecided"),
    ("measured: [75.5, 75.6, 75.55], images: 50_000, atLeast: 75, population: \"recipeAndImages\"", "reproduced"),
  ])
  func seeds(_ arguments: String, _ verdict: String) throws {
    let claim = try claim(arguments)
    #expect(claim.verdict.rawValue == verdict, "\(claim.line)")
  }

  @Test("a population that the evidence says nothing of is refused", arguments: [
    "measured: [75.5, 75.6], population: \"weights\"", "measured: [75.5, 75.6], population: \"recipeAndImages\"",
    "measured: 75.5, images: 100, population: \"exact\"", "measured: 75, population: \"weights\"",
    "measured: [75.5, 75.6], images: 100, population: \"exact\"",
  ])
  func populations(_ arguments: String) throws {
    let error = try Workshop().error("claim(\"c\", \(arguments), atLeast: 1)")
    #expect(error?.category == .runtime && error?.message.contains("population") == true, "\(error?.message ?? "none")")
  }

  @Test("the same weights on the same images are held to the last place, and to bounds beside it", arguments: [
    ("{ top1: 80.374, top5: 0, loss: 0, correct: 40_187, count: 50_000 }, reported: 80.374", "reproduced"),
    ("{ top1: 80.372, top5: 0, loss: 0, correct: 40_186, count: 50_000 }, reported: 80.374", "not reproduced"),
    ("{ top1: 80.374, top5: 0, loss: 0, correct: 40_187, count: 50_000 }, reported: 80.4", "reproduced"),
    ("{ top1: 80.374, top5: 0, loss: 0, correct: 40_187, count: 50_000 }, reported: 80.3", "reproduced"),
    ("{ top1: 80.374, top5: 0, loss: 0, correct: 40_187, count: 50_000 }, reported: 80.5", "not reproduced"),
    ("{ top1: 76, top5: 0, loss: 0, correct: 760, count: 1000 }, reported: 76", "reproduced"),
    // As it is written: one place says more than none.
    ("{ top1: 80.374, top5: 0, loss: 0, correct: 40_187, count: 50_000 }, reported: 80", "reproduced"),
    ("{ top1: 80.374, top5: 0, loss: 0, correct: 40_187, count: 50_000 }, reported: 80.0", "not reproduced"),
    ("{ top1: 80.374, top5: 0, loss: 0, correct: 40_187, count: 50_000 }, reported: 80.40", "not reproduced"),
    ("{ top1: 80.374, top5: 0, loss: 0, correct: 40_187, count: 50_000 }, reported: 80.4, atLeast: 81", "not reproduced"),
    ("{ top1: 80.374, top5: 0, loss: 0, correct: 40_187, count: 50_000 }, reported: 80.4, atMost: 80.38", "reproduced"),
    ("{ top1: 80.374, top5: 0, loss: 0, correct: 40_187, count: 50_000 }, atLeast: 81", "not reproduced"),
  ])
  func sameWeights(_ arguments: String, _ verdict: String) throws {
    let claim = try claim("sameWeights: true, measured: \(arguments)")
    #expect(claim.verdict.rawValue == verdict && claim.population == .sameImages, "\(claim.line)")
  }

  @Test("units agree: accuracies are in per cent", arguments: [
    "measured: 91, images: 100, atLeast: 91%", "measured: [91, 92, 91.5], images: 100, atMost: 95%",
    "measured: { top1: 91, top5: 0, loss: 0, correct: 91, count: 100 }, reported: 91%", "measured: 91, images: 100, reported: 91, tolerance: 1%",
  ])
  func units(_ arguments: String) throws {
    let error = try Workshop().error("claim(\"c\", \(arguments))")
    #expect(error?.message.contains("per cent") == true, "\(error?.message ?? "none")")
    #expect(try claim("measured: 50%, atLeast: 50%, population: \"exact\"").verdict == .reproduced)
  }

  @Test("claims of a family are judged together, and the table has both verdicts")
  func family() throws {
    let workshop = try Workshop()
    // Two-sided p of 0.03, and of 0.6, beside two that are certain.
    for numbers in ["[1.12, 0.8, 1.0]", "[0.18, -0.1, 0.2]", "[5.1, 5.0, 5.2]", "[-1.12, -0.8, -1.0]"] {
      try workshop.value("claim(\"c\", measured: \(numbers), atLeast: 0, family: \"f\")")
    }
    try workshop.value("claim(\"d\", measured: [1.9, 0.8, 1.0], atLeast: 0)\nclaim(\"e\", measured: 3, atLeast: 2, family: \"f\")")
    let claims = workshop.notebook.claims
    #expect(claims.map(\.alone) == [.reproduced, .undecided, .reproduced, .notReproduced, .undecided, .reproduced])
    #expect(claims.map(\.verdict) == [.reproduced, .undecided, .reproduced, .notReproduced, .undecided, .reproduced])
    // A third claim at p = 0.03 is too little among four.
    try workshop.value("claim(\"g\", measured: [1.3, 0.55, 0.95], atLeast: 0, family: \"f\")\nclaim(\"h\", measured: [1.3, 0.55, 0.96], atLeast: 0, family: \"f\")")
    let more = workshop.notebook.claims
    #expect(more.suffix(2).map(\.alone) == [.reproduced, .reproduced] && more.suffix(2).map(\.verdict) == [.undecided, .undecided])
    #expect(more.table.contains("alone") && more.table.contains("family"))
    #expect(more.hasUndecided && workshop.output.text.contains("judged together at the end"))
  }

  private static let twoRecipes = """
    data = synthetic(4, shape: [1, 16, 16], train: 128, validation: 64)
    slow = seeds(1...3, s => train(resnet8(classes: 4), data, epochs: 1, batch: 16, lr: 0.00001, seed: s))
    fast = seeds(1...3, s => train(resnet8(classes: 4), data, epochs: 3, batch: 16, lr: 0.05, seed: s))
    """

  @Test("two set-ups are compared seed by seed, two models image by image")
  func paired() throws {
    let workshop = try Workshop()
    let made = try workshop.value("\(Self.twoRecipes)\ndifference = compare(slow, fast)\ndifference.differences")
    let expected = try workshop.value("[fast[i].top1 - slow[i].top1 for i in 0...2]")
    #expect(made == expected)
    try workshop.value("claim(\"training helps\", measured: difference, atLeast: 0)")
    try workshop.value("claim(\"and on other images\", measured: difference, atLeast: 0, population: \"recipeAndImages\")")
    #expect(workshop.notebook.claims.map(\.population) == [.recipe, .recipeAndImages])
    #expect(workshop.notebook.claims.first?.values?.count == 3)
    // Runs and evaluations know the same images, and what they know is that of the answers.
    #expect(try workshop.value("compare(slow, [evaluate(r.model, data) for r in fast]) == difference") == .bool(false))
    #expect(
      try workshop.value("compare(slow, [evaluate(r.model, data) for r in fast]).differences == difference.differences") == .bool(true))
    try workshop.value("one = compare(slow[0], fast[0])")
    #expect(try workshop.value("one.onlySecond - one.onlyFirst == fast[0].correct - slow[0].correct") == .bool(true))
    #expect(try workshop.value("one.p >= 0 and one.p <= 1 and one.seeds == [] and one.low <= one.mean and one.mean <= one.high") == .bool(true))
    try workshop.value("claim(\"one model\", measured: one, atLeast: -100)")
    #expect(workshop.notebook.claims.last?.population == .weights && workshop.notebook.claims.last?.verdict == .reproduced)
    // Run again, they come from the store with what each image got.
    let again = try Workshop(in: workshop.folder)
    #expect(try again.value("\(Self.twoRecipes)\ncompare(slow[0], fast[0]).onlySecond") == workshop.value("one.onlySecond"))
  }

  @Test("what is no pair is not compared, and no run is counted twice")
  func repetitions() throws {
    let workshop = try Workshop()
    try workshop.value("\(Self.twoRecipes)\nother = synthetic(4, shape: [1, 16, 16], train: 128, validation: 64, seed: 9)")
    for (code, message) in [
      ("compare(slow, [slow[1], slow[0], slow[2]])", "the seeds differ"),
      ("compare([slow[0], slow[0]], [fast[0], fast[0]])", "seed 1 is given twice"),
      ("compare(slow, [fast[0]])", "3 on one side"), ("compare(slow[0].top1 + 0, fast[0])", "bare number"),
      ("compare(slow[0], evaluate(fast[0].model, other))", "not measured on the same images"),
      ("compare(slow[0], train(resnet8(classes: 4), synthetic(4, shape: [1, 16, 16], train: 64, validation: 64), epochs: 1, batch: 16))", "data"),
      ("claim(\"c\", measured: [slow[0], slow[1], slow[0]], atLeast: 0)", "seed 1 is given twice"),
      ("claim(\"c\", measured: [slow[0].top1, slow[0].top1], atLeast: 0)", "twice"),
    ] {
      let error = workshop.error(code)
      #expect(error?.message.contains(message) == true, "\(code): \(error?.message ?? "none")")
    }
  }

  @Test("what was chosen by the images that judge it is refused, unless the claim says so")
  func selection() throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      data = synthetic(4, shape: [1, 16, 16], train: 96, validation: 64)
      held = holdOut(data, 16)
      best = train(resnet8(classes: 4), data, epochs: 2, batch: 16, lr: 0.01, result: "best", snapshots: { count: 1, on: "validation" })
      fair = train(resnet8(classes: 4), held, epochs: 2, batch: 16, lr: 0.01, result: "best", snapshots: { count: 1, on: "validation" })
      swept = bestRun([train(resnet8(classes: 4), data, epochs: 1, batch: 16, lr: lr) for lr in [0.01, 0.02]])
      search = searchRatios(swept.model, held, macsRemoved: 30%, rollouts: 2, on: "validation", images: 16)
      slim = prune(swept.model, held, channels: search.channels, images: 16)
      tuned = train(slim, held, epochs: 1, batch: 16)
      """)
    for measured in ["best", "best.top1", "evaluate(best.model, data)", "swept", "compare(swept, evaluate(best.model, data))", "tuned", "evaluate(tuned.model, held)"] {
      let error = workshop.error("claim(\"c\", measured: \(measured), atLeast: 0)")
      #expect(error?.message.contains("chosen by the images") == true, "\(measured): \(error?.message ?? "none")")
      try workshop.value("claim(\"c\", measured: \(measured), atLeast: 0, selected: true)")
      #expect(workshop.notebook.claims.last?.isSelected == true && workshop.notebook.claims.table.contains("on these images"))
      #expect(workshop.output.text.contains("selected on these images"))
    }
    for measured in ["evaluate(fair.model, data)", "evaluate(swept.model, held)"] {
      try workshop.value("claim(\"c\", measured: \(measured), atLeast: 0)")
      #expect(workshop.notebook.claims.last?.isSelected == false)
    }
  }

  @Test("a timing is the median of rounds in which networks take turns")
  func timing() throws {
    let workshop = try Workshop()
    try workshop.value("a = resnet8(classes: 4, input: [1, 8, 8])\ntimed = benchmark([a, a], batch: 2, steps: 8)")
    try workshop.value("claim(\"as fast as itself, within a factor of a thousand\", measured: timed[0].seconds / timed[1].seconds, atMost: 1000)")
    let claim = try #require(workshop.notebook.claims.first)
    #expect(claim.verdict == .reproduced && claim.population == .timing && claim.low != nil, "\(claim.line)")
    // Times of other rounds are no pairs, and few rounds no interval.
    let other = workshop.error("claim(\"c\", measured: timed[0].seconds / benchmark(a, batch: 2).seconds, atMost: 1000.5)")
    #expect(other?.message.contains("does not tell how sure it is") == true)
    try workshop.value("few = benchmark([a, a], batch: 2, steps: 3)\nclaim(\"c\", measured: few[0].seconds / few[1].seconds, atMost: 1000)")
    #expect(workshop.notebook.claims.last?.verdict == .undecided)
    try workshop.value("m = initialize(a)\nlost = compressionReport(m, m, repeats: 8, table: false)\nclaim(\"c\", measured: lost.before / lost.after, atLeast: 0.001)")
    #expect(workshop.notebook.claims.last?.verdict == .reproduced)
  }

  @Test("an accuracy is a number wherever a number is wanted")
  func numberObjects() throws {
    let workshop = try Workshop()
    try workshop.value("data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)\nmade = evaluate(initialize(resnet8(classes: 4, input: [1, 8, 8])), data)\na = made.top1")
    for (code, expected) in [
      ("a == 100 * made.correct / made.count", "true"), ("a + 1 - a", "1"), ("-a == 0 - a", "true"), ("a >= 0 and not (a < 0)", "true"),
      ("mean([a, a]) == a", "true"), ("a.round(0) == round(a, 0)", "true"), ("sort([a + 1, a])[0] == a", "true"),
      ("sort([{ x: a + 1 }, { x: a }], by: r => r.x)[0].x == a", "true"), ("\"\\(a)\" == string(a + 0)", "true"), ("typeOf(a)", "number"),
      ("len(unique([a, a]))", "1"), ("x = a\nx = x + 1\nx == a + 1", "true"),
    ] {
      #expect(try workshop.value(code)?.text == expected, "\(code)")
    }
    try workshop.value("plot([a, a, 1], to: \"a.png\")\ntable([{ a: a }])\nbars({ x: a }, to: \"b.png\")")
    // The prompt knows of such a variable that it is a number.
    #expect(workshop.session.check(Source("a - 1 > 0", name: "test")).isEmpty)
  }
}
