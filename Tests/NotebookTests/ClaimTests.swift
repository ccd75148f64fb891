import Foundation
import Notebook
import Script
import Testing

@Suite("Claims")
struct ClaimTests {
  private func claim(_ arguments: String) throws -> Claim {
    let workshop = try Workshop()
    try workshop.value("claim(\"c\", \(arguments))")
    return try #require(workshop.notebook.claims.first)
  }

  @Test("a number is held to its bounds, ends included", arguments: [
    ("measured: 1, atLeast: 1", "reproduced"), ("measured: 0.999, atLeast: 1", "not reproduced"),
    ("measured: 1, atMost: 1", "reproduced"), ("measured: 1.001, atMost: 1", "not reproduced"),
    ("measured: 2, atLeast: 1, atMost: 3", "reproduced"), ("measured: 4, atLeast: 1, atMost: 3", "not reproduced"),
    ("measured: -0.1, reported: 0.4, atLeast: -0.5", "reproduced"),
    ("measured: 91.3 - 91.2, reported: 0, tolerance: 0.1", "reproduced"),
    ("measured: 25_557_032, reported: 25_557_032, tolerance: 0", "reproduced"),
    ("measured: 25_557_033, reported: 25_557_032, tolerance: 0", "not reproduced"),
    ("measured: 71, reported: 70.89, tolerance: 0.2", "reproduced"),
    ("measured: 71.2, reported: 70.89, tolerance: 0.2", "not reproduced"),
    ("measured: 5, reported: 5, tolerance: 1, atLeast: 5.5", "not reproduced"),
  ])
  func numbers(_ arguments: String, _ verdict: String) throws {
    #expect(try claim(arguments).verdict.rawValue == verdict, "\(arguments)")
  }

  @Test("without anything that can judge it, a claim is not judged", arguments: [
    "measured: 75.8, reported: 75.8", "measured: 1", "measured: none, reported: 80.4, atLeast: 80", "measured: nan, atLeast: 1",
    "measured: inf, atLeast: 1", "measured: 1, atLeast: 2, atMost: 1",
  ])
  func unjudged(_ arguments: String) throws {
    let claim = try claim(arguments)
    #expect(claim.verdict == .notJudged)
    #expect(!claim.reason.isEmpty)
  }

  @Test("an accuracy on pictures is undecided where its 95 % interval holds the bound", arguments: [
    ("measured: 91.3, images: 10_000, atLeast: 91", "undecided"), ("measured: 91.6, images: 10_000, atLeast: 91", "reproduced"),
    ("measured: 90.4, images: 10_000, atLeast: 91", "not reproduced"), ("measured: 91.3, images: 100_000, atLeast: 91", "reproduced"),
    ("measured: 100, images: 3, atLeast: 91", "undecided"), ("measured: 100, images: 1_000, atLeast: 91", "reproduced"),
    ("measured: { top1: 0, top5: 0, loss: 0, hits: 91, count: 100 }, atLeast: 50", "reproduced"),
    ("measured: 71, images: 50_000, reported: 70.89, tolerance: 1", "reproduced"),
    ("measured: 70, images: 50_000, reported: 70.89, tolerance: 1", "undecided"),
  ])
  func samples(_ arguments: String, _ verdict: String) throws {
    #expect(try claim(arguments).verdict.rawValue == verdict, "\(arguments)")
  }

  @Test("the interval is Wilson's")
  func interval() throws {
    // statsmodels 0.14, proportion_confint(91, 100, method="wilson"): 0.83773 to 0.95193
    let claim = try claim("measured: 91, images: 100, atLeast: 91")
    #expect(abs(try #require(claim.halfWidth) - (95.193 - 83.773) / 2) < 0.02)
    #expect(claim.images == 100)
  }

  @Test("an undecided claim says how many images would decide it")
  func images() throws {
    // 1.96² · 0.913 · 0.087 / 0.003² = 33,910
    #expect(try claim("measured: 91.3, images: 10_000, atLeast: 91").reason.contains("about 33,9"))
    #expect(try claim("measured: 91, images: 100, atLeast: 91").reason.contains("no number of images"))
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
}
