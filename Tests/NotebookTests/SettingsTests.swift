import Notebook
import Script
import Testing

@Suite("Settings of training")
struct SettingsTests {
  private static let data = "data = synthetic(4, shape: [1, 8, 8], train: 96, validation: 32)"

  /// Hashes of all that a run's result follows from, as release 0.2 made them.
  @Test(
    "the store knows a training run by the same key as before",
    arguments: [
      (#""#, "a3b408a390d9aff7"), (#"optimizer: "adam", weightDecay: 0"#, "5a77cd82d930258e"),
      (#"optimizer: "adamw", beta1: 0.8, epsilon: 1e-7"#, "9703346419a2e966"),
      (#"optimizer: "sgd", momentum: 0"#, "8aaa9f62e61ee42b"), (#"optimizer: "lars", nesterov: true"#, "701594f8d0260681"),
      (
        #"optimizer: "lamb", weightDecay: 0.02, decayOn: ["weights"], loss: "binaryCrossEntropy", targetThreshold: 0.2, mixup: 0.1, cutmix: 1, warmup: 1, warmupLR: 2%, byEpoch: true, fromStart: true, cooldown: 1, minLR: 0.02%"#,
        "ed722864de7f3745"
      ),
      (
        #"optimizer: "lars", trustCoefficient: 0.01, clipNorm: 1, labelSmoothing: 0.1, schedule: "step", milestones: [1, 2], gamma: 0.5"#,
        "e0d37ff115b01782"
      ),
      (
        #"optimizer: "rmsprop", epsilon: 1, beta2: 0.9, clipValue: 0.1, schedule: "exponential", stepSize: 2.5, gamma: 0.94"#,
        "95e8dfe86cf3eac5"
      ),
      (#"optimizer: "rmsprop""#, "a996172a899c46c8"),
      (#"optimizer: "rmspropTF", microBatch: 8, dropPath: 0.3"#, "99dbab3504dd4a27"), (#"schedule: "step""#, "bf36c9eef769637a"),
      (#"schedule: "constant", augment: ["crop", "flip"]"#, "b2bccba756bf4514"),
      (#"ema: { decay: 0.9, ramp: 15, every: 2 }, result: "ema", preciseBatchNorm: 2"#, "21836fdc0e464fb7"),
      (#"ema: 0.9, result: "best", snapshots: { count: 2, share: 25% }"#, "a8717e0785109549"),
      (#"result: "best", snapshots: { count: 2, on: "validation" }"#, "e5dfbd1f0905fbe9"),
      (#"freezeBatchNorm: 1.5, cutmix: 1, mixupProbability: 0.5"#, "8b00abd724b3d252"),
      (#"mixup: 0.2, cutmix: 1, mixupSwitchProbability: 0.3, syncBatchNorm: true, seed: 5"#, "014b53339a0d868d"),
    ])
  func keys(_ arguments: String, _ identity: String) throws {
    let workshop = try Workshop()
    try workshop.value(Self.data)
    try workshop.value("train(resnet(8, data), data, epochs: 4, batch: 16, lr: 0.01\(arguments.isEmpty ? "" : ", \(arguments)"))")
    #expect(try RunStore(in: workshop.folder, creates: false).runs().map(\.identity) == [identity])
  }

  @Test(
    "a setting without an effect is told, with when it would have one, before anything is trained",
    arguments: [
      (#"optimizer: "adam", momentum: 0.8"#, #"'momentum' has no effect with optimizer: "adam""#, #"for optimizer: "sgd""#),
      (#"{ optimizer: "adam", momentum: 0.8 }"#, #"'momentum' has no effect with optimizer: "adam""#, "momentum: none leaves it out"),
      (#"{ optimizer: "sgd", beta1: 0.8, epsilon: 1 }"#, "'beta1' and 'epsilon' have no effect", "beta1: none, epsilon: none leaves them out"),
      ("gamma: 0.5", #"'gamma' has no effect with schedule: "cosine""#, #""step" or "exponential""#),
      (#"schedule: "constant", minLR: 1%"#, #"'minLR' has no effect with schedule: "constant""#, #"for schedule: "cosine""#),
      (#"schedule: "step", milestones: [1], stepSize: 1"#, "milestones and stepSize exclude each other", "stepSize: none"),
      ("mixupProbability: 0.5", "'mixupProbability' has no effect with mixup: 0 and cutmix: 0", "for mixup or cutmix above 0"),
      ("mixup: 0.2, mixupSwitchProbability: 0.3", "'mixupSwitchProbability' has no effect with mixup: 0.2 and cutmix: 0", "for mixup and cutmix above 0"),
      ("warmupLR: 1%", "'warmupLR' has no effect with warmup: 0", "for warmup above 0"),
      ("recipe.deci", "'distillation' has no effect with teacher: none", "for a teacher"),
    ])
  func inapplicable(_ arguments: String, _ problem: String, _ hint: String) throws {
    let workshop = try Workshop()
    try workshop.value(Self.data)
    let message = try #require(workshop.error("train(resnet(8, data), data, \(arguments))")).message
    #expect(message.contains(problem) && message.contains(hint), "\(message)")
    #expect(!message.contains("recipe.deci") || message.contains("test:1:"))
  }

  @Test("literals without an effect are found before the script runs")
  func checked() throws {
    let workshop = try Workshop()
    let script = "print(1)\ntrain(resnet8(), synthetic(4), optimizer: \"adam\", momentum: 0.8)"
    let errors = workshop.session.check(Source(script, name: "test"))
    #expect(errors.map(\.diagnostic.code) == ["no-effect"])
    #expect(workshop.session.check(Source("train(resnet8(), synthetic(4), { optimizer: \"sgd\" }, momentum: 0.8)", name: "test")).isEmpty)
  }

  @Test(
    "a neutral value, none, and what the call itself replaces are no errors",
    arguments: [
      #"optimizer: "adam", momentum: 0, nesterov: false"#, #"milestones: [], minLR: 0, schedule: "constant""#,
      #"optimizer: "adam", momentum: none"#, #"recipe.torchvision with { microBatch: none }, optimizer: "adam""#,
    ])
  func harmless(_ arguments: String) throws {
    let workshop = try Workshop()
    try workshop.value(Self.data)
    try workshop.value("run = train(resnet(8, data), data, \(arguments), epochs: 1, batch: 16, lr: 1e-3, augment: [])")
    #expect(try workshop.value("len(run.epochs)") == .number(1))
  }

  @Test("an ablation gives neutral values and leaves out what has no effect then")
  func ablation() throws {
    let workshop = try Workshop()
    try workshop.value(
      "v = [x.recipe for x in ablate(recipe.a1, without: [\"cutmix\", \"warmup\", \"schedule\"])]")
    #expect(try workshop.value("v[1].cutmix == 0 and v[1].mixup == 0.2") == .bool(true))
    #expect(try workshop.value("v[2].warmup == 0 and not contains(keys(v[2]), \"warmupLR\")") == .bool(true))
    #expect(try workshop.value("v[3].schedule == \"constant\" and not contains(keys(v[3]), \"minLR\")") == .bool(true))
    try workshop.value("m = ablate(recipe.torchvision, without: [\"momentum\"])[1].recipe")
    #expect(try workshop.value("m.momentum") == .number(0))
    #expect(try #require(workshop.error("ablate(recipe.a1, without: [\"lr\"])")).message.contains("the recipe has no 'lr'"))
  }

  @Test("a sweep leaves out what has no effect with its values, and refuses values without one")
  func sweep() throws {
    let workshop = try Workshop()
    try workshop.value(
      "v = [x.recipe for x in sweep(recipe.torchvision, over: { optimizer: [\"sgd\", \"adam\"], lr: [0.1, 0.2] })]")
    #expect(try workshop.value("v[0] == (recipe.torchvision with { optimizer: \"sgd\", lr: 0.1 })") == .bool(true))
    #expect(try workshop.value("contains(keys(v[0]), \"momentum\") and not contains(keys(v[2]), \"momentum\")") == .bool(true))
    let error = workshop.error("sweep({ optimizer: \"adam\" }, over: { momentum: [0.8, 0.9] })")
    #expect(try #require(error).message.contains("'momentum' has no effect in the recipe \"momentum 0.8\""))
    // Records of one's own functions are none of train()'s business.
    #expect(try workshop.value("len(sweep({}, over: { gamma: [0.9, 0.99] }))") == .number(2))
  }

  @Test("scaling keeps each number of epochs at its share, and adaptive optimizers' rates go with the root of the batch")
  func scaling() throws {
    let workshop = try Workshop()
    #expect(
      try workshop.value("scaled({ epochs: 100, freezeBatchNorm: 50, warmup: 10 }, epochs: 10)")
        == workshop.value("{ epochs: 10, freezeBatchNorm: 5, warmup: 1, batch: 128, lr: 0.1 }"))
    for (optimizer, rate) in [("sgd", 0.1), ("lars", 0.1), ("rmsprop", 0.2), ("adamw", 0.2)] {
      #expect(try workshop.value("scaled({ batch: 64, lr: 0.4, optimizer: \"\(optimizer)\" }, batch: 16).lr") == .number(rate))
    }
  }
}
