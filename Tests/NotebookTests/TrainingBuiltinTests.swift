import Foundation
import Notebook
import Script
import Statistics
import Synchronization
import Testing

@Suite("Training from a script")
struct TrainingBuiltinTests {
  @Test("a run has its curves, its model and its numbers in per cent")
  func run() throws {
    let workshop = try Workshop()
    try workshop.value("data = synthetic(4, shape: [1, 16, 16], train: 512, validation: 128)")
    try workshop.value("run = train(resnet(8, data), data, epochs: 4, batch: 32, lr: 0.1, seed: 1)")
    #expect(try workshop.value("len(run.epochs)") == .number(4))
    #expect(
      try workshop.value("len(run.train.loss.y) == 4 and all(run.train.loss.y, x => 0 < x and x < inf)")
        == .bool(true))
    #expect(
      try workshop.value("run.top1 >= 0 and run.top1 <= 100 and run.count == 128") == .bool(true))
    #expect(try workshop.value("abs(run.correct / run.count * 100 - run.top1) < 1e-9") == .bool(true))
    #expect(try workshop.value("evaluate(run.model, data).correct == run.correct") == .bool(true))
    #expect(workshop.output.text.contains("train loss"))
    #expect(try workshop.value("run")?.shown.contains("validation images right") == true)
  }

  @Test("the same seed gives the same bits, another seed others")
  func seeds() throws {
    let workshop = try Workshop()
    try workshop.value("data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 32)")
    try workshop.value(
      "fn go(seed) = train(resnet(8, data), data, epochs: 1, batch: 16, augment: [\"crop\", \"flip\"], seed: seed)"
    )
    #expect(try workshop.value("go(1) == go(1)") == .bool(true))
    #expect(try workshop.value("go(1).model == go(2).model") == .bool(false))
  }

  /// Of VGG-16's second hidden layer, 4096 x 4096: the norm of a weight is its std times 4096.
  @Test(
    "weights are drawn as asked for",
    arguments: [
      ("distribution: \"normal\", std: 0.01", 0.01), ("distribution: \"heFanIn\"", (2.0 / 1024).squareRoot()),
      ("distribution: \"heFanOut\"", (2.0 / 1024).squareRoot()), ("distribution: \"glorot\"", (2.0 / 2048).squareRoot()),
    ])
  func distributions(_ argument: String, _ std: Double) throws {
    let workshop = try Workshop()
    try workshop.value("data = synthetic(4, shape: [1, 32, 32], train: 4, validation: 4)")
    try workshop.value("layers = probe(initialize(vgg11(data, hiddenFeatures: 1024), \(argument)), data, batch: 2)")
    let norm = try workshop.value("[l.weight for l in layers if l.layer == \"classifier.3\"][0]")
    guard case .number(let norm)? = norm else { throw UnexpectedValue() }
    #expect(abs(norm / 1024 / std - 1) < 0.002)
    // Fan in and fan out differ in the first convolution: 9 and 576.
    let first = try workshop.value("layers[0].weight")
    guard case .number(let first)? = first else { throw UnexpectedValue() }
    let expected =
      if argument.contains("heFanIn") { 2.0 / 9 } else if argument.contains("heFanOut") { 2.0 / 576 }
      else if argument.contains("glorot") { 2.0 / 585 } else { 1e-4 }
    #expect(abs(first / (576 * expected).squareRoot() - 1) < 0.1)
  }

  @Test("a std belongs to the normal distribution, which needs one")
  func deviationAlone() throws {
    for argument in ["distribution: \"normal\"", "distribution: \"glorot\", std: 1", "std: 1"] {
      #expect(throws: ScriptFailure.self) { try Workshop().value("initialize(resnet8(classes: 4), \(argument))") }
    }
  }

  @Test("images of a folder are turned as their EXIF orientation says, where that is asked for")
  func orientation() throws {
    // 8 x 8 levels of grey from 0 to 63, with an orientation that turns them upside down; written by Python's zlib.
    let png = """
      iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAGmVYSWZJSSoACAAAAAEAEgEDAAEAAAADAAAAAAAAAP+oH00AAABQSURBVHjaY2BgZGJmYWVj\
      Z+Dg5OLm4eXjZxAQFBIWERUTZ5CQlJKWkZWTZ1BQVFJWUVVTZ9DQ1NLW0dXTZzAwNDI2MTUzZ7CwtLK2sbWzBwC7+AfhTqASSAAAAABJRU5ErkJggg==
      """
    let file = try #require(Data(base64Encoded: png))
    let folder = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for part in ["train", "val"] {
      let place = folder.appending(path: "\(part)/a")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      try file.write(to: place.appending(path: "1.png"))
    }
    let workshop = try Workshop()
    func levels(_ arguments: String) throws -> [Int] {
      let images = "images(folder(\"\(folder.path)\", 8, channels: 1\(arguments)), 1)"
      guard case .object(let object)? = try workshop.value(images), case .list(let list)? = try object.field("values")
      else { throw UnexpectedValue() }
      // Levels of grey become -1 to 1.
      return list.elements.compactMap {
        if case .number(let number) = $0 { Int(((number + 1) / 2 * 255).rounded()) } else { nil }
      }
    }
    #expect(try levels("") == Array(0..<64))
    #expect(try levels(", exifOrientation: false") == Array(0..<64))
    #expect(try levels(", exifOrientation: true") == (0..<64).reversed())
  }

  @Test("what is held out is part of the training images, and is not trained on")
  func holdOut() throws {
    let workshop = try Workshop()
    try workshop.value("set = synthetic(4, shape: [1, 8, 8], train: 64, validation: 16)")
    try workshop.value("part = holdOut(set, 16)")
    #expect(try workshop.value("[part.train, part.validation]")?.shown == "[48, 16]")
    func images(_ expression: String) throws -> [[Float]] {
      guard case .object(let object)? = try workshop.value(expression),
        case .list(let list)? = try object.field("values")
      else { throw UnexpectedValue() }
      let values = list.elements.compactMap { if case .number(let number) = $0 { Float(number) } else { nil } }
      return stride(from: 0, to: values.count, by: 64).map { Array(values[$0..<$0 + 64]) }
    }
    let (whole, kept, held) = try (
      Set(images("images(set, 64, on: \"train\")")), Set(images("images(part, 48, on: \"train\")")),
      Set(images("images(part, 16)"))
    )
    #expect(whole.count == 64 && kept.union(held) == whole && kept.isDisjoint(with: held))
    #expect(try Set(images("images(holdOut(set, 16), 16)")) == held)
    #expect(try Set(images("images(holdOut(set, 16, seed: 2), 16)")) != held)
  }

  /// Arguments of `train` that say the same as a plan of the trainer's own tests.
  static let settings = [
    """
    optimizer: "lamb", weightDecay: 0.02, decayOn: ["weights"], loss: "binaryCrossEntropy", targetThreshold: 0.2, mixup: 0.1, cutmix: 1,
    warmup: 1, warmupLR: 2%, byEpoch: true, fromStart: true, cooldown: 1, minLR: 0.02%
    """,
    "optimizer: \"lars\", trustCoefficient: 0.01, clipNorm: 1, labelSmoothing: 0.1, schedule: \"step\", milestones: [1, 2], gamma: 0.5",
    "optimizer: \"rmsprop\", epsilon: 1, beta2: 0.9, clipValue: 0.1, schedule: \"exponential\", stepSize: 2.5, gamma: 0.94",
    "optimizer: \"rmspropTF\", epsilon: 1, microBatch: 8, dropPath: 0.3",
    "ema: { decay: 0.9, ramp: 15, every: 2 }, result: \"ema\", preciseBatchNorm: 2",
    "ema: 0.9, result: \"best\", snapshots: { count: 2, share: 25% }",
    "result: \"best\", snapshots: { count: 2, on: \"validation\" }",
    "teacher: teacher, distillation: { weight: 0.5, temperature: 2, squared: true, normalization: \"centered\" }",
    "teacher: [teacher, teacher]",
  ]

  @Test("every ingredient can be asked for, stays in the store, and its run measures the model it gives", arguments: settings)
  func ingredients(_ arguments: String) throws {
    let workshop = try Workshop()
    try workshop.value("data = synthetic(4, shape: [1, 8, 8], train: 96, validation: 32)")
    try workshop.value("teacher = initialize(resnet8(classes: 4, input: [1, 8, 8]), seed: 5)")
    let line = "run = train(resnet(8, data), data, epochs: 4, batch: 16, lr: 0.01, \(arguments.replacing("\n", with: " ")))"
    try workshop.value(line)
    #expect(try workshop.value("evaluate(run.model, data).correct == run.correct") == .bool(true))
    #expect(try workshop.value("abs(evaluate(run.model, data).loss - run.loss) < 1e-6") == .bool(true))
    let first = try workshop.value("run")
    try workshop.value(line)
    #expect(workshop.output.reports.contains { $0.hasPrefix("taken from the store") })
    #expect(try workshop.value("run") == first)
    // Whatever is left out makes another run of the same store.
    try workshop.value("plain = train(resnet(8, data), data, epochs: 4, batch: 16, lr: 0.01)")
    #expect(try workshop.value("plain.id == run.id") == .bool(false))
    #expect(try workshop.value("plain.model == run.model") == .bool(false))
  }

  @Test("the momentum of sgd looks ahead unless told not to, that of lars where told to")
  func nesterov() throws {
    let workshop = try Workshop()
    try workshop.value("data = synthetic(4, shape: [1, 8, 8], train: 96, validation: 32)")
    try workshop.value(
      "fn go(optimizer, nesterov) = train(resnet(8, data), data, epochs: 1, batch: 16, optimizer: optimizer, nesterov: nesterov)"
    )
    for (optimizer, standard, other) in [("sgd", true, false), ("lars", false, true)] {
      try workshop.value("plain = train(resnet(8, data), data, epochs: 1, batch: 16, optimizer: \"\(optimizer)\")")
      #expect(try workshop.value("go(\"\(optimizer)\", \(standard)).id == plain.id") == .bool(true))
      #expect(try workshop.value("go(\"\(optimizer)\", \(other)).model == plain.model") == .bool(false))
    }
  }

  @Test("the moving average has curves of its own")
  func average() throws {
    let workshop = try Workshop()
    try workshop.value("data = synthetic(4, shape: [1, 8, 8], train: 96, validation: 32)")
    try workshop.value("run = train(resnet(8, data), data, epochs: 2, batch: 16, ema: 0.9, result: \"ema\")")
    #expect(try workshop.value("run.ema.top1.y[1] == run.top1 and run.epochs[1].ema.top1 == run.top1") == .bool(true))
    #expect(workshop.output.text.contains("the moving average: loss"))
    try workshop.value("plain = train(resnet(8, data), data, epochs: 2, batch: 16)")
    #expect(try workshop.value("plain.ema == none and plain.epochs[1].ema == none") == .bool(true))
  }

  @Test("another teacher is another run")
  func teachers() throws {
    let workshop = try Workshop()
    try workshop.value("data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)")
    try workshop.value("teacher = seed => initialize(resnet8(classes: 4, input: [1, 8, 8]), seed: seed)")
    try workshop.value("fn go(teacher) = train(resnet(8, data), data, epochs: 1, batch: 16, teacher: teacher)")
    #expect(try workshop.value("go(teacher(5)).id == go(teacher(5)).id") == .bool(true))
    #expect(try workshop.value("go(teacher(5)).id == go(teacher(6)).id") == .bool(false))
    #expect(try workshop.value("go(teacher(5)).id == go([teacher(5), teacher(5)]).id") == .bool(false))
  }

  @Test("settings that contradict one another are told, with what to write", arguments: [
    ("microBatch: 5", "a microBatch of 5 does not divide a batch of 16"),
    ("targetThreshold: 0.2", "'targetThreshold' has no effect with loss: \"crossEntropy\""),
    ("clipNorm: 1, clipValue: 1", "exclude each other"),
    ("result: \"ema\"", "needs the argument ema"),
    ("ema: { decays: 0.9 }", "ema has no 'decays'"),
    ("ema: 2", "a moving average's decay is at least 0 and below 1"),
    ("snapshots: { count: 2 }", "'snapshots' has no effect with result: \"last\""),
    ("result: \"best\", snapshots: { count: 0 }", "the mean is taken of 1 to 1000 snapshots"),
    ("result: \"best\", snapshots: { share: 2 }", "the share that is held out is above 0 and below 1"),
    ("distillation: { weight: 0.5 }", "'distillation' has no effect with teacher: none"),
    ("teacher: []", "the list of teachers is empty"),
    ("teacher: initialize(resnet8(classes: 4)), distillation: { weight: 0.5 }", "resnet8 is built for images of 3 x 32 x 32"),
    ("cooldown: 3, warmup: 1", "warm-up and cool-down are longer than the training"),
    ("distillation: { normalization: \"imagenet\" }, teacher: initialize(resnet8(classes: 4, input: [1, 8, 8]))", "3 channels"),
  ])
  func contradictions(_ arguments: String, _ words: String) throws {
    let workshop = try Workshop()
    try workshop.value("data = synthetic(4, shape: [1, 8, 8], train: 96, validation: 32)")
    let error = try #require(workshop.error("train(resnet(8, data), data, epochs: 2, batch: 16, \(arguments))"))
    #expect(error.message.contains(words), "\(error.message)")
  }

  @Test("an interruption keeps what was trained, and the script stops at its next statement")
  func interruption() throws {
    let interruption = Mutex<Interruption?>(nil)
    // The first step that is shown asks for the stop.
    let workshop = try Workshop { line in if line != nil { interruption.withLock { $0?.raise() } } }
    interruption.withLock { $0 = workshop.interruption }
    let error = workshop.error(
      """
      data = synthetic(4, shape: [1, 8, 8], train: 2000, validation: 32)
      run = train(resnet(8, data), data, epochs: 1000, batch: 16)
      print("after")
      """)
    #expect(error?.category == .interrupted)
    #expect(!workshop.output.text.contains("after"))
    workshop.interruption.clear()
    #expect(try workshop.value("run.interrupted") == .bool(true))
    #expect(try workshop.value("evaluate(run.model, data).count") == .number(32))
    try workshop.value("claim(\"nothing\", measured: run, atLeast: 1)")
    #expect(workshop.notebook.claims.first?.verdict == .notJudged)
  }

  @Test("without a display for progress there is a line for each epoch")
  func progress() throws {
    let workshop = try Workshop()
    try workshop.value(tinyRun)
    #expect(workshop.output.reports.count { $0.hasPrefix("epoch ") } == 2)
  }

  @Test("with a display there is a line that goes away")
  func display() throws {
    let lines = Mutex<[String?]>([])
    let workshop = try Workshop { line in lines.withLock { $0.append(line) } }
    try workshop.value(tinyRun)
    #expect(
      lines.withLock { $0.first??.hasPrefix("epoch 1/2, step ") == true && $0.last == .some(nil) })
    #expect(workshop.output.reports.isEmpty)
  }

  @Test("a model goes on from its weights")
  func continuation() throws {
    let workshop = try Workshop()
    try workshop.value("data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 32)")
    try workshop.value("a = initialize(resnet(8, data), seed: 3)")
    try workshop.value(
      "fn on(model, seed) = train(model, data, epochs: 1, batch: 16, lr: 1e-12, weightDecay: 0, seed: seed).model"
    )
    // At such a learning rate the weights stay where they were, so that the seed of the training shows in the order only.
    #expect(
      try workshop.value(
        "fn near(a, b) = max(map(zip(predict(a, images(data, 2))[0], predict(b, images(data, 2))[0]), p => abs(p[0] - p[1])))\nnear(on(a, 1), on(a, 1))"
      ) == .number(0))
    #expect(try workshop.value("on(a, 1) == a") == .bool(false))
    #expect(
      try workshop.value(
        "near(on(a, 1), on(a, 2)) < near(on(a, 1), on(initialize(resnet(8, data), seed: 4), 1))")
        == .bool(true))
  }

  @Test(
    "each way to train works",
    arguments: [
      "optimizer: \"adam\", lr: 1e-3", "optimizer: \"adamw\", lr: 1e-3", "schedule: \"step\"",
      "schedule: \"constant\"",
      "momentum: 0, nesterov: false", "warmup: 1, labelSmoothing: 0.1",
    ])
  func plans(_ plan: String) throws {
    let code =
      "train(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), epochs: 2, batch: 16, \(plan)).loss < inf"
    #expect(try Workshop().value(code) == .bool(true))
  }

  @Test("the range test's rates rise by one factor from end to end, and it ends where the loss runs away")
  func learningRates() throws {
    let workshop = try Workshop()
    let set = "data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 16)\n"
    let curve = try workshop.value(
      set + "findLearningRate(resnet8(classes: 4), data, from: 1e-4, to: 1e-2, steps: 21, batch: 16).curve.x")
    guard case .list(let list)? = curve else { Issue.record("no list"); return }
    let rates = list.elements.compactMap { if case .number(let rate) = $0 { rate } else { nil } }
    #expect(rates.count == 21 && abs(rates[0] - 1e-4) < 1e-12)
    for (a, b) in zip(rates, rates.dropFirst()) { #expect(abs(b / a - pow(100, 1 / 21)) < 1e-9) }
    #expect(
      try workshop.value("findLearningRate(resnet8(classes: 4), data, from: 1e-3, to: 1e6, steps: 200, batch: 16).diverged")
        == .bool(true))
    #expect(workshop.error("findLearningRate(resnet8(classes: 4), data, from: 1, to: 0.1)")?.message.contains("must rise") == true)
  }

  @Test("probe tells what a batch norm promises: mean 0, std 1; and the gradient of the logits that follows from them")
  func probing() throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 16)
      layers = probe(resnet8(classes: 4), data, batch: 64)
      norms = [l for l in layers if l.operation == "batch norm"]
      assert(all(norms, l => abs(l.mean) < 1e-5 and abs(l.std - 1) < 1e-3))
      relus = [l for l in layers if l.operation == "relu"]
      assert(all(relus, l => l.zeros > 5 and l.zeros < 95 and l.weight == none))
      assert(all(layers, l => l.gradient > 0 and (l.weight == none or l.weightGradient > 0)))
      # Each row of (softmax - target) / 64 has a root mean square of at most sqrt(2 / 4) / 64.
      assert(last(layers).layer == "fc" and last(layers).gradient <= sqrt(0.5) / 64)
      """)
  }

  @Test("confusion and the worst losses agree with the evaluation and with the logits")
  func mistakes() throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      data = synthetic(4, shape: [1, 16, 16], train: 128, validation: 60)
      run = train(resnet8(classes: 4), data, epochs: 1, batch: 16, lr: 0.01)
      c = confusionMatrix(run.model, data)
      worst = topLosses(run.model, data, 60)
      """)
    #expect(
      try workshop.value(
        "c.correct == run.correct and c.count == 60 and sum([sum(row) for row in c.counts]) == 60")
        == .bool(true))
    #expect(
      try workshop.value("sum([p.count for p in c.mostConfused]) == 60 - c.correct") == .bool(true))
    #expect(
      try workshop.value("abs(mean([w.loss for w in worst]) - run.loss) < 1e-9") == .bool(true))
    #expect(
      try workshop.value("all([worst[i].loss >= worst[i + 1].loss for i in 0...58], x => x)")
        == .bool(true))
    #expect(
      try workshop.value("len(filter(worst, w => w.label == w.answer)) == run.correct") == .bool(true))
    let text = try #require(try workshop.value("c")).shown
    #expect(text.contains("taken most often for another") && text.contains("pattern 3"))
  }
}
