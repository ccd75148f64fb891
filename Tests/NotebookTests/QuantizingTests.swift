import Foundation
import Notebook
import Script
import Testing

@Suite("quantizing in the language", .serialized) struct QuantizingTests {
  private static let model = """
    data = synthetic(4, shape: [1, 16, 16], train: 160, validation: 64)
    run = train(mobilenetV1(data, width: 25%), data, epochs: 2, batch: 16, lr: 0.05, seed: 1)
    """

  @Test("a quantized model is measured both ways, trained on, saved, loaded and exported") func way() throws {
    let workshop = try Workshop()
    try workshop.value(Self.model)
    try workshop.value("eight = quantize(run.model, data, images: 50)")
    #expect(try workshop.value("eight.epochs == [] and eight.count == 64") == .bool(true))
    #expect(
      try workshop.value(
        "abs(evaluate(eight.model, data, kernels: \"int8\").correct - evaluate(eight.model, data).correct) <= 1")
        == .bool(true))
    #expect(try workshop.value("agreement(eight.model, data).differing <= 1") == .bool(true))
    #expect(
      try workshop.value("predict(eight.model, images(data, 2), kernels: \"int8\").shape")
        == .list([2.0, 4]))
    try workshop.value(
      """
      trained = quantize(run.model, data, epochs: 1, batch: 16, lr: 0.01, images: 50, seed: 1)
      save(trained.model, to: "eight.safetensors")
      again = load(trained.model.network, "eight.safetensors")
      """)
    #expect(try workshop.value("again == trained.model and len(trained.epochs) == 1") == .bool(true))
    #expect(
      try workshop.value(
        "[export(trained.model, to: f, data: data).bytes < 4 * run.model.parameters for f in [\"m.tflite\", \"m.onnx\"]]"
      )
        == .list([true, true].map(Value.bool)))
    #expect(
      try workshop.value(
        "s = compressionReport(run.model, trained.model, repeats: 3, table: false)\ns.bytes < 0.4 and s.macs == 1")
        == .bool(true))
  }

  @Test("a quantizing and a training run in 8 bits are kept, and done again give the same bits") func kept() throws {
    let script =
      Self.model
      + "\nresult = quantize(run.model, data, epochs: 1, batch: 16, images: 50, granularity: \"perTensor\", seed: 1).model"
    let first = try Workshop()
    let weights = try first.value(script + "\nresult")
    let second = try Workshop(in: first.folder)
    #expect(try second.value(script + "\nresult") == weights)
    #expect(second.output.reports.count { $0.hasPrefix("taken from the store") } == 3)
    let fresh = try Workshop(in: first.folder, isFresh: true)
    #expect(try fresh.value(script + "\nresult") == weights)
  }

  @Test("PocketFlow's settings are a recipe, and what the call says itself wins") func recipes() throws {
    let workshop = try Workshop()
    try workshop.value(Self.model)
    #expect(
      try workshop.value(
        "quantize(run.model, data, quantization.uniformQuantTF with { epochs: 1, milestones: [] }, batch: 16, images: 20, seed: 1).epochs[0].epoch"
      ) == .number(1))
    #expect(
      try workshop.value("quantize(run.model, data, quantization.whitepaper, epochs: 0, images: 20).epochs")
        == .list([Value]()))
  }

  @Test(
    "what cannot be is said at its place",
    arguments: [
      ("quantize(quantize(run.model, data, images: 20).model, data)", "quantized already"),
      ("quantize(run.model, data, exclude: [\"nowhere\"])", "no such layer"),
      ("evaluate(run.model, data, kernels: \"int8\")", "not quantized"),
      ("agreement(run.model, data)", "not quantized"),
      (
        "evaluate(quantize(run.model, data, images: 20, symmetric: false).model, data, kernels: \"int8\")",
        "asymmetric"
      ),
      ("quantize(run.model, data, bits: 9)", "9"),
      ("quantize(run.model, data, 8)", "recipe"),
      ("export(quantize(run.model, data, images: 20, symmetric: false).model, to: \"m.tflite\")", "symmetric"),
      ("export(run.model, to: \"m.pb\")", "ending"),
    ])
  func mistakes(_ code: String, _ says: String) throws {
    let workshop = try Workshop()
    try workshop.value(Self.model)
    let error = try #require(workshop.error(code))
    #expect(error.message.contains(says), "\(error.message)")
  }

  @Test("layers that are kept are told by the ladder, and a mixed network runs on integers") func mixed() throws {
    let workshop = try Workshop()
    try workshop.value(Self.model)
    try workshop.value("l = layerSensitivity(run.model, data, granularity: \"perTensor\", validationImages: 64, images: 30)")
    #expect(try workshop.value("len(l.layers) == 30 and l.mixed >= min([l.quantized, l.float])") == .bool(true))
    try workshop.value("m = quantize(run.model, data, exclude: [\"conv_stem\", \"classifier\"], images: 30).model")
    #expect(try workshop.value("agreement(m, data).differing <= 1") == .bool(true))
  }

  @Test("a ladder that was stopped goes on, and one that is known measures nothing") func layerSensitivity() throws {
    let line = "layerSensitivity(run.model, data, granularity: \"perTensor\", validationImages: 32, images: 20)"
    let known = try Workshop()
    try known.value(Self.model)
    let result = try known.value("whole = \(line)\nwhole")
    func ledgers(_ workshop: Workshop) -> String { workshop.folder + "/.reprise/ladders" }
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: ledgers(known)).first)
    func lines(_ workshop: Workshop) throws -> [Substring] {
      try String(contentsOfFile: "\(ledgers(workshop))/\(name)", encoding: .utf8).split(separator: "\n")
    }
    let whole = try lines(known)
    #expect(whole.count >= 62)
    #expect(try known.value("\(line) == whole") == .bool(true))
    #expect(known.output.reports.contains { $0.hasPrefix("taken from the store") })
    func workshop(with ledger: String) throws -> Workshop {
      let workshop = try Workshop()
      try workshop.value(Self.model)
      try FileManager.default.createDirectory(atPath: ledgers(workshop), withIntermediateDirectories: true)
      try ledger.write(toFile: "\(ledgers(workshop))/\(name)", atomically: true, encoding: .utf8)
      return workshop
    }
    // As after a kill in the middle of a line.
    let stopped = try workshop(with: whole[..<20].joined(separator: "\n") + "\n{\"ev")
    #expect(try stopped.value(line) == result)
    #expect(try lines(stopped) == whole)
    let wrong = try workshop(with: "{}\n")
    #expect(wrong.error(line)?.message.contains("line 1 is no measurement") == true)
  }

  @Test("a run that was not trained is shown, and its curves are empty") func untrained() throws {
    let workshop = try Workshop()
    try workshop.value(Self.model)
    try workshop.value("eight = quantize(run.model, data, images: 20)\nprint(eight)\nshow(eight)")
    #expect(workshop.output.text.contains("without training"))
    // Nothing to draw, but nothing that ends the process.
    _ = workshop.error("plot(eight, to: \"plots/none.png\")")
    #expect(workshop.error("resume(eight)")?.message.contains("not interrupted") == true)
  }
}
