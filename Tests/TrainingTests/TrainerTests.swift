import CAllocations
import Datasets
import Engine
import Foundation
import MadeImages
import ModelZoo
import Networks
import Tensors
import Testing
import Training

private let engine = Result { try Engine(threads: 2) }

@Suite("training", .serialized)
struct TrainerTests {
  func data() throws -> Dataset {
    try Dataset.synthetic(classes: 4, shape: [1, 16, 16], train: 512, validation: 130, noise: 0.2, seed: 1)
  }
  func network() throws -> Network { try CIFARResNet(depth: 8).network(input: [1, 16, 16], classes: 4) }
  func plan(_ change: (inout TrainingPlan) -> Void = { _ in }) -> TrainingPlan {
    var plan = TrainingPlan()
    (plan.epochs, plan.batchSize, plan.learningRate) = (3, 32, 0.05)
    change(&plan)
    return plan
  }

  /// A convex problem, so that every path leads down: one dense layer, on classes that a plane separates.
  @Test("the loss of one layer falls from epoch to epoch, until every image is classified correctly", arguments: [
    Optimizer.sgd(momentum: 0.9, nesterov: true), .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8),
    .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8),
  ])
  func learns(_ optimizer: Optimizer) throws {
    var network = Network("one layer", input: [1, 16, 16])
    try network.append(.flatten(Flatten()), to: network.output)
    try network.append(.dense(Dense(to: 4)), to: network.output, named: "fc")
    let isAdam = if case .sgd = optimizer { false } else { true }
    let outcome = try Trainer(engine: engine.get()).train(
      network, on: StripedImages.dataset(train: 512, validation: 130),
      plan { ($0.optimizer, $0.learningRate) = (optimizer, isAdam ? 0.001 : 0.002) })
    let losses = outcome.epochs.map(\.trainLoss)
    #expect(zip(losses, losses.dropFirst()).allSatisfy { $0 > $1 }, "\(losses)")
    #expect(outcome.epochs.last?.validation.correct == 130)
    #expect(outcome.epochs.last?.validation.count == 130)
  }

  @Test(
    "a training run that would take no step is an error",
    arguments: [(300, 280, nil), (300, 260, 130), (250, 280, nil), (511, 257, nil), (5, 6, 2)] as [(Int, Int, Int?)])
  func noSteps(_ count: Int, _ batch: Int, _ part: Int?) throws {
    let data = try Dataset.synthetic(classes: 4, shape: [1, 16, 16], train: count, validation: 16)
    let repeated = plan {
      ($0.epochs, $0.batchSize, $0.partSize) = (1, batch, part)
      $0.augmentations = [.repeated()]
    }
    let error = #expect(throws: TrainingError.self) {
      try Trainer(engine: engine.get()).train(network(), on: data, repeated)
    }
    #expect(error?.hint?.hasPrefix("use a batch of at most") == true)
  }

  @Test(
    "with repeated samples every epoch takes steps, in parts or whole",
    arguments: [(300, 256, nil), (40, 39, 13), (300, 96, 12)] as [(Int, Int, Int?)])
  func repeatedSteps(_ count: Int, _ batch: Int, _ part: Int?) throws {
    let data = try Dataset.synthetic(classes: 4, shape: [1, 16, 16], train: count, validation: 16)
    let outcome = try Trainer(engine: engine.get()).train(
      network(), on: data,
      plan {
        ($0.epochs, $0.batchSize, $0.partSize) = (2, batch, part)
        $0.augmentations = [.repeated(), .horizontalFlip()]
      })
    #expect(outcome.stepsDone == 2 * ((count >= 256 ? 256 : count) / batch))
    #expect(outcome.epochs.allSatisfy { $0.trainLoss.isFinite })
  }

  @Test("the same plan gives the same bits, another seed does not")
  func determinism() throws {
    let trainer = Trainer(engine: try engine.get())
    let short = plan { $0.epochs = 1; $0.augmentations = [.randomCrop(padding: 2), .horizontalFlip()] }
    let first = try trainer.train(network(), on: data(), short).weights
    #expect(try trainer.train(network(), on: data(), short).weights == first)
    var other = short
    other.seed = 2
    #expect(try trainer.train(network(), on: data(), other).weights != first)
  }

  @Test(
    "ten steps of each family give the same bits twice, on engines of their own",
    arguments: ["resnet20", "resnet18", "resnet50", "mobilenetV1", "vgg11BN"])
  func families(_ name: String) throws {
    let data = try Dataset.synthetic(classes: 4, shape: [3, 32, 32], train: 80, validation: 8, noise: 0.2, seed: 1)
    let network = try #require(ModelZoo.entry(named: name)).make(input: [3, 32, 32], classes: 4)
    let tenSteps = plan { $0.epochs = 1; $0.batchSize = 8; $0.learningRate = 0.01 }
    let outcomes = try (0..<2).map { _ in
      try Trainer(engine: Engine(threads: 2)).train(network, on: data, tenSteps)
    }
    #expect(outcomes[0].stepsDone == 10)
    #expect(outcomes[0].weights == outcomes[1].weights)
  }

  @Test("an interruption keeps what was trained so far")
  func interruption() throws {
    var asked = 0
    let outcome = try Trainer(engine: engine.get()).train(
      network(), on: data(), plan(), isInterrupted: { asked += 1; return asked > 5 })
    #expect(outcome.isInterrupted)
    #expect(outcome.stepsDone == 5)
    #expect(outcome.epochs.count == 1)
  }

  @Test("a loss that is not finite stops with its place")
  func notFinite() throws {
    let failure = #expect(throws: TrainingError.self) {
      try Trainer(engine: engine.get()).train(network(), on: data(), plan { $0.learningRate = 1e30 })
    }
    guard case .notFinite(_, let epoch, let step, _)? = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(epoch == 1)
    #expect(step > 1)
  }

  /// The way back overflows though the loss is finite: `c` weighs by the largest numbers what `b` gives, which is 0.
  func overflowing() throws -> (network: Network, weights: Weights) {
    var network = Network("overflow", input: [1, 16, 16])
    var x = try network.append(.flatten(Flatten()), to: network.input)
    for (name, size) in [("a", 32), ("b", 32), ("c", 4)] {
      x = try network.append(.dense(Dense(to: size, hasBias: false)), to: x, named: name)
    }
    var weights = try network.initialWeights(seed: 1)
    weights["a.weight"] = weights["a.weight"]!.map { $0 * 1e12 }
    weights["b.weight"] = weights["b.weight"]!.map { _ in 0 }
    weights["c.weight"] = weights["c.weight"]!.map { $0 < 0 ? -1e38 : 1e38 }
    return (network, weights)
  }

  @Test("a gradient that is not finite stops with its parameter before any weight moves", arguments: [nil, 8])
  func gradientNotFinite(partSize: Int?) throws {
    let (network, weights) = try overflowing()
    var steps = 0
    let failure = #expect(throws: TrainingError.self) {
      try Trainer(engine: engine.get()).train(
        network, from: weights, on: data(), plan { $0.partSize = partSize },
        report: { if case .step = $0 { steps += 1 } })
    }
    guard case .notFinite(let gradient, let epoch, let step, _)? = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(gradient == "b.weight" && epoch == 1 && step == 1 && steps == 0)
  }

  @Test("gradients are looked through to the last number", arguments: [Float.nan, .infinity, -.infinity])
  func finiteGradients(_ number: Float) throws {
    let network = try network()
    let plan = try engine.get().compile(network, batch: 2, mode: .training())
    let segments = try ParameterSegments(of: plan, weightDecay: 0, decayed: .all)
    let arenas = plan.arenas
    for segment in arenas.segments {
      for place in [segment.offset, segment.offset + segment.count / 2, segment.offset + segment.count - 1] {
        #expect(try plan.perform { _ in segments.gradientsAreFinite() })
        arenas.gradients[place] = number
        #expect(try !plan.perform { _ in segments.gradientsAreFinite() })
        arenas.gradients[place] = .greatestFiniteMagnitude
      }
    }
  }

  @Test("a checkpoint whose numbers lie in another order, or do not say how, is not gone on from")
  func otherLayouts() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "checkpoint").path
    var kept: Checkpoint?
    let short = plan { $0.epochs = 2 }
    _ = try Trainer(engine: engine.get()).train(
      network(), on: data(), short, checkpointing: Checkpointing { if kept == nil { kept = $0 } })
    try #require(kept).write(to: path)
    let file = try SafeTensors(reading: path)
    let text = try #require(file.metadata["checkpoint"])
    let layout = try #require(text.range(of: #""layout":"[0-9a-f]+""#, options: .regularExpression))
    for other in [#""layout":"0123456789abcdef""#, #""layout":null"#] {
      let changed = text.replacingCharacters(in: layout, with: other)
      try SafeTensors(weights: file.weights, metadata: ["checkpoint": changed]).write(to: path)
      let failure = try #require(throws: TrainingError.self) {
        try Trainer(engine: engine.get()).train(network(), on: data(), short, resuming: Checkpoint(reading: path))
      }
      #expect("\(failure)".contains("another kind of processor"))
    }
    try file.write(to: path)
    #expect(
      try Trainer(engine: engine.get()).train(network(), on: data(), short, resuming: Checkpoint(reading: path)).stepsDone
        == 32)
  }

  @Test("which images are right is known one by one, and is what the answers say")
  func correctImages() throws {
    let (network, data) = (try network(), try data())
    let weights = try network.initialWeights(seed: 1)
    let evaluator = Evaluator(engine: try engine.get())
    let (all, each) = try evaluator.evaluateEach(
      network, weights, on: data.validation, normalization: data.normalization, batchSize: 7)
    let answers = try evaluator.answers(network, weights, on: data.validation, normalization: data.normalization)
    #expect(each.count == all.count && each.correct == all.correct)
    for answer in answers { #expect(each[answer.position] == (answer.answer == answer.label)) }
    #expect(try JSONDecoder().decode(CorrectImages.self, from: JSONEncoder().encode(each)) == each)
    for text in [#"{"count":9,"bits":"AA=="}"#, #"{"count":-1,"bits":""}"#, #"{"count":4,"bits":"8A=="}"#, #"{"count":4,"bits":"?"}"#] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(CorrectImages.self, from: Data(text.utf8)) }
    }
    var (a, b) = (CorrectImages(count: 10), CorrectImages(count: 10))
    for place in [0, 3, 9] { a[place] = true }
    for place in [3, 8] { b[place] = true }
    a[0] = false
    #expect(a.onlyRight(beside: b) == (here: 1, there: 1) && a.correct == 2)
    let outcome = try Trainer(engine: engine.get()).train(network, on: data, plan { $0.epochs = 1 })
    #expect(outcome.each?.correct == outcome.final.correct)
  }

  @Test("evaluation counts each sample once, in whatever batches")
  func partialBatches() throws {
    let network = try network()
    let weights = try network.initialWeights(seed: 1)
    let data = try data()
    let evaluator = Evaluator(engine: try engine.get())
    let whole = try evaluator.evaluate(
      network, weights, on: data.validation, normalization: data.normalization, batchSize: 130)
    let parts = try evaluator.evaluate(
      network, weights, on: data.validation, normalization: data.normalization, batchSize: 32)
    #expect(whole.count == 130 && parts.count == 130)
    #expect(whole.correct == parts.correct && whole.hitsAmongFive == parts.hitsAmongFive)
    #expect(abs(whole.loss - parts.loss) < 1e-5)
  }

  @Test("settings and data that do not fit are told")
  func misfits() throws {
    let trainer = Trainer(engine: try engine.get())
    #expect(throws: TrainingError.self) { try trainer.train(network(), on: data(), plan { $0.batchSize = 1000 }) }
    #expect(throws: TrainingError.self) { try trainer.train(network(), on: data(), plan { $0.labelSmoothing = 1 }) }
    let other = try CIFARResNet(depth: 8).network(input: [1, 16, 16], classes: 5)
    #expect(throws: TrainingError.self) { try trainer.train(other, on: data(), plan()) }
  }

  @Test("schedules give the rates that their formulas give")
  func schedules() {
    var plan = TrainingPlan()
    (plan.epochs, plan.learningRate, plan.warmupEpochs) = (10, 0.1, 2)
    plan.schedule = .cosine(final: 0)
    #expect(abs(plan.learningRate(atStep: 0, stepsPerEpoch: 10) - 0.005) < 1e-12)
    #expect(abs(plan.learningRate(atStep: 19, stepsPerEpoch: 10) - 0.1) < 1e-12)
    #expect(abs(plan.learningRate(atStep: 60, stepsPerEpoch: 10) - 0.05) < 1e-12)
    plan.warmupEpochs = 0
    plan.schedule = .step(every: 3, factor: 0.1)
    #expect(abs(plan.learningRate(atStep: 29, stepsPerEpoch: 10) - 0.1) < 1e-12)
    #expect(abs(plan.learningRate(atStep: 30, stepsPerEpoch: 10) - 0.01) < 1e-12)
    #expect(abs(plan.learningRate(atStep: 90, stepsPerEpoch: 10) - 0.0001) < 1e-12)
  }
}

@Suite("memory in a step", .serialized)
struct AllocationTests {
  /// Much of what a step may consist of.
  static let manifold = Ingredient("all ingredients", teachers: 1) {
    $0.augmentations = [.randomCrop(padding: 2), .horizontalFlip()]
    ($0.optimizer, $0.clipping, $0.partSize) = (.lamb(), .norm(1), 4)
    ($0.loss, $0.mixing) = (.binaryCrossEntropy(threshold: nil), Mixing(mixup: 0.2, cutmix: 1))
    ($0.movingAverage, $0.distillation) = (MovingAverage(), Distillation())
    $0.result = .meanOfBest(count: 2, by: .validation)
  }
  static let simple = Ingredient("few ingredients") { $0.augmentations = [.randomCrop(padding: 2), .horizontalFlip()] }

  @Test("a step of training takes no memory of its own", arguments: [
    ("resnet20", simple), ("mobilenetV1", simple), ("vgg11BN", simple), ("resnet20", manifold),
  ])
  func step(_ name: String, _ ingredient: Ingredient) throws {
    let data = try Dataset.synthetic(classes: 4, shape: [3, 32, 32], train: 96, validation: 8, noise: 0.2, seed: 1)
    let network = try #require(ModelZoo.entry(named: name)).make(input: [3, 32, 32], classes: 4)
    var plan = ingredient.plan
    (plan.epochs, plan.batchSize, plan.learningRate) = (1, 8, 0.01)
    let teachers = try (0..<ingredient.teachers).map { _ in Teacher(network, try network.initialWeights(seed: 2)) }
    var counted: [allocation_count] = []
    _ = try Trainer(engine: engine.get()).train(network, on: data, plan, teachers: teachers, report: { event in
      guard case .step(let progress) = event else { return }
      // The first steps fill what is kept.
      if progress.step > 3 { counted.append(allocations_stop()) }
      if progress.step > 2, progress.step < 12 { allocations_start() }
    })
    #expect(counted.count == 9)
    for var count in counted {
      let example = withUnsafeBytes(of: &count.example) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      #expect(count.ours == 0, "\(example)")
      // oneDNN keeps the arguments of each call in a small table; whole tensors it takes nowhere.
      #expect(count.libraries > 0)
      // Without AVX-512, oneDNN 2.6's matrix products take memory to pack into, whatever we do.
      if Engine.instructionSet != "AVX2" { #expect(count.largest < 1024, "\(count.largest) bytes") }
    }
  }
}
