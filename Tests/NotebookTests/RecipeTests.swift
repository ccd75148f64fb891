import Notebook
import Script
import Testing

@Suite("Recipes")
struct RecipeTests {
  private static let data = "data = synthetic(4, shape: [3, 16, 16], train: 256, validation: 32)"

  @Test(
    "each published recipe trains when it is made small",
    arguments: ["original", "torchvision", "a1", "a2", "a3", "deci"])
  func trains(_ name: String) throws {
    let workshop = try Workshop()
    try workshop.value(Self.data)
    try workshop.value("small = scaled(recipe.\(name), epochs: 6, batch: 16, images: 256)")
    // Synthetic images are too small for He et al.'s sides of 256 and more.
    try workshop.value(
      """
      run = train(resnet8(classes: 4), data, small with {
        epochs: 2, distillation: none, result: "last", snapshots: none, cooldown: 0,
        augment: if small.about.name == "ResNet-50 as published" { [scaleJitter(shortSide: [16, 20]), "flip", "colorNoise"] } else { small.augment }
      })
      """)
    #expect(try workshop.value("len(run.epochs)") == .number(2))
  }

  @Test("a recipe says what the same arguments say, and the call wins")
  func bundle() throws {
    let workshop = try Workshop()
    try workshop.value(Self.data)
    try workshop.value("a = train(resnet8(classes: 4), data, { epochs: 1, batch: 16, lr: 0.05, about: \"mine\" }, lr: 0.1)")
    try workshop.value("b = train(resnet8(classes: 4), data, epochs: 1, batch: 16, lr: 0.1)")
    #expect(try workshop.value("a == b and a.model == b.model") == .bool(true))
  }

  @Test(
    "what is no argument, or has a wrong value, is refused by name",
    arguments: [
      ("{ epoch: 1 }", "did you mean 'epochs:'"), ("{ lr: \"high\" }", "'lr' must be a number"),
      ("{ epochs: 0 }", "'epochs' is 0"), ("{ augment: [\"flop\"] }", "did you mean \"flip\""),
      ("{ model: 1 }", "has no argument 'model'"),
    ])
  func refused(_ record: String, _ message: String) throws {
    let workshop = try Workshop()
    try workshop.value(Self.data)
    let error = #expect(throws: ScriptFailure.self) {
      try workshop.value("train(resnet8(classes: 4), data, \(record))")
    }
    let diagnostic = error?.errors.first?.diagnostic
    let text = "\(diagnostic?.title ?? "") \(diagnostic?.hint ?? "")"
    #expect(text.contains(message), "\(text)")
  }

  @Test("a scaled recipe keeps its ratios")
  func scaled() throws {
    let workshop = try Workshop()
    try workshop.value("a = scaled(recipe.deci, epochs: 61, batch: 384)")
    // A tenth of the epochs; a quarter of the batch, so half of the rate; four tenths of the steps.
    #expect(try workshop.value("a.warmup == 0.5 and a.cooldown == 1 and a.lr == 0.0025") == .bool(true))
    #expect(try workshop.value("abs(a.ema.decay - 0.99975) < 1e-6 and a.ema.ramp == 15") == .bool(true))
    #expect(try workshop.value("a.snapshots.count == 10 and a.microBatch == 192") == .bool(true))
    try workshop.value("b = scaled(recipe.original, epochs: 12, batch: 64)")
    #expect(try workshop.value("b.lr == 0.025 and b.milestones == [3, 6, 9]") == .bool(true))
    #expect(try workshop.value("scaled(recipe.a1) == recipe.a1") == .bool(true))
    #expect(workshop.output.text.contains("warmup"))
  }

  @Test("an ablation takes away an ingredient and what needs it")
  func ablation() throws {
    let workshop = try Workshop()
    try workshop.value(
      "v = ablate(recipe.deci, without: [\"averaging\", \"ema\", \"distillation\", \"repeatedAugmentation\", \"flip\", \"mixup\"])")
    #expect(try workshop.value("len(v)") == .number(7))
    #expect(try workshop.value("v[1].recipe.result") == .string("ema"))
    #expect(try workshop.value("[d.name for d in diff(recipe.deci, v[2].recipe)]") == .list(["ema.decay", "ema.ramp"]))
    #expect(try workshop.value("len(v[4].recipe.augment) == 3 and len(v[5].recipe.augment) == 3") == .bool(true))
    #expect(try workshop.value("v[6].recipe.mixup") == .number(0))
    #expect(throws: ScriptFailure.self) { try workshop.value("ablate(recipe.original, without: [\"mixup\"])") }
  }
}
