import Charts
import Foundation
import Notebook
import Script
import Testing

@Suite("What is written about the language")
struct ReferenceTests {
  @Test("docs/reference.md is what the declarations say")
  func reference() throws {
    let file = packageFolder.appending(path: "docs/reference.md")
    let text = Reference(notebookLibrary).markdown
    if ProcessInfo.processInfo.environment["REPRISE_RECORD"] == "1" {
      try Data(text.utf8).write(to: file)
      Issue.record("recorded docs/reference.md")
      return
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == text, "REPRISE_RECORD=1 swift test rewrites it")
  }

  static let scripts = ["examples", "Recipes"].flatMap { folder in
    let files = try! FileManager.default.subpathsOfDirectory(atPath: packageFolder.appending(path: folder).path)
    return files.filter { $0.hasSuffix(".reprise") && !$0.hasPrefix("errors/") }.sorted().map { "\(folder)/\($0)" }
  }

  @Test("every script in examples/ and Recipes/ passes the check", arguments: scripts)
  func check(_ name: String) throws {
    let text = try String(contentsOf: packageFolder.appending(path: name), encoding: .utf8)
    #expect(try Workshop().session.check(Source(text, name: name)).isEmpty)
  }

  @Test(
    "the example about mistakes draws its images of Fashion-MNIST, each with its data",
    .enabled(if: FileManager.default.fileExists(atPath: "/usr/share/datasets/fashion-mnist")))
  func mistakes() throws {
    let workshop = try Workshop()
    let text = try String(contentsOf: packageFolder.appending(path: "examples/mistakes.reprise"), encoding: .utf8)
    try workshop.session.run(Source(text, name: "test"), settings: ["limit": "100", "epochs": "1"])
    for name in ["classes", "batch", "confusion", "worst", "losses", "by-class"] {
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: workshop.folder + "/plots/\(name).png")))
      #expect(try !Chart(png: bytes).panels.isEmpty && Origin(png: bytes)?.script == "test")
    }
  }

  @Test("the scripts that take minutes run at a small size", arguments: [
    ("examples/first", ["count": "512", "epochs": "1"]), ("examples/learning-rate", ["count": "500"]),
    ("examples/tutorial", ["count": "500"]), ("examples/recipes", ["count": "200", "epochs": "1"]),
    (
      "Recipes/vgg16/limits",
      ["side": "32", "batch": "2", "samples": "100", "tested": "100", "epochs": "1", "count": "2", "steps": "2", "hidden": "256"]
    ),
    ("Recipes/mobilenet-v1/baseline", ["epochs": "1", "samples": "200"]),
    (
      "Recipes/mobilenet-v1/prune",
      ["count": "2", "samples": "100", "epochs": "1", "tuned": "4", "rollouts": "2", "tested": "100"]
    ),
    (
      "Recipes/mobilenet-v1/quantize",
      ["count": "2", "samples": "200", "epochs": "1", "extra": "1", "tested": "100", "side": "32", "rounds": "2"]
    ),
    (
      "Recipes/mobilenet-v1/compress",
      ["samples": "200", "epochs": "1", "tuned": "1", "extra": "1", "rollouts": "2", "tested": "100", "rounds": "2"]
    ),
    (
      "Recipes/resnet50/quantize",
      ["count": "2", "samples": "200", "epochs": "1", "extra": "1", "tested": "100", "side": "32", "rounds": "2"]
    ),
    ("Recipes/resnet50/original", ["epochs": "2", "samples": "100"]),
    ("Recipes/resnet50/torchvision", ["epochs": "2", "samples": "100"]),
    ("Recipes/resnet50/a1", ["epochs": "2", "samples": "100"]),
    ("Recipes/resnet50/a2", ["epochs": "2", "samples": "100"]),
    ("Recipes/resnet50/a3", ["epochs": "2", "samples": "100"]),
    ("Recipes/resnet50/deci", ["epochs": "3", "samples": "100", "batch": "25"]),
    ("Recipes/resnet50/regime", ["epochs": "2", "samples": "100", "kept": "50"]),
    (
      "Recipes/resnet50/ladder",
      ["samples": "100", "epochs": "4", "count": "2", "tested": "100", "teacherSamples": "100", "teacherEpochs": "1"]
    ),
  ])
  func small(_ name: String, _ settings: [String: String]) throws {
    let workshop = try Workshop(threads: 2)
    let text = try String(contentsOf: packageFolder.appending(path: "\(name).reprise"), encoding: .utf8)
    try workshop.session.run(Source(text, name: name), settings: settings)
    #expect(!workshop.output.text.isEmpty)
  }

  @Test("the scripts that take a moment run, and no claim fails that rests on no training run", arguments: [
    "examples/arrays", "examples/claims", "examples/curves", "examples/growth", "examples/inside", "examples/interrupted",
    "examples/language", "examples/networks", "examples/pruning", "examples/seeds", "examples/weights"
  ])
  func run(_ name: String) throws {
    let workshop = try Workshop()
    try workshop.value(try String(contentsOf: packageFolder.appending(path: "\(name).reprise"), encoding: .utf8))
    // What a few epochs give differs from processor to processor, so a claim on them may come out either way.
    #expect(!workshop.notebook.claims.hasFailure || name == "examples/seeds")
    #expect(!workshop.output.text.isEmpty || name == "examples/growth")
  }
}
