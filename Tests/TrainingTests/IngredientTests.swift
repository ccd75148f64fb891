import Datasets
import Engine
import Foundation
import ModelZoo
import Networks
import Tensors
import Testing
import Training

private let engine = Result { try Engine(threads: 1) }

/// A plan that uses some of what a training run can be made of.
struct Ingredient: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var teachers = 0
  var change: @Sendable (inout TrainingPlan) -> Void

  init(_ name: String, teachers: Int = 0, _ change: @escaping @Sendable (inout TrainingPlan) -> Void) {
    (testDescription, self.teachers, self.change) = (name, teachers, change)
  }

  var plan: TrainingPlan {
    var plan = TrainingPlan()
    (plan.epochs, plan.batchSize, plan.learningRate) = (4, 16, 0.02)
    change(&plan)
    return plan
  }

  static let all = [
    Ingredient("augmentation") { $0.augmentations = [.randomCrop(padding: 1), .horizontalFlip()] },
    Ingredient("repeated images, a random filter, RandAugment, erasing") {
      $0.augmentations = [
        .repeated(), .randomResizedCrop(filter: .random), .horizontalFlip(), .randAugment(RandAugment(magnitude: 7)),
        .randomErasing(RandomErasing()),
      ]
    },
    Ingredient("scale and colour jitter") {
      $0.augmentations = [
        .scaleJitter(shortSide: 8...14), .colorJitter(ColorJitter(brightness: 0.4, contrast: 0.4)),
      ]
    },
    Ingredient("lamb, binary cross-entropy, mixing, timm's schedule") {
      $0.optimizer = .lamb()
      $0.loss = .binaryCrossEntropy(threshold: 0.2)
      $0.mixing = Mixing(mixup: 0.2, cutmix: 1)
      ($0.warmupEpochs, $0.warmup, $0.cooldownEpochs) = (1, .epochs(from: 0.02), 1)
      ($0.schedulesByEpoch, $0.schedulesFromStart, $0.schedule) = (true, true, .cosine(final: 0.01))
    },
    Ingredient("lars, clipped to a norm, smoothed") {
      ($0.optimizer, $0.clipping) = (.lars(momentum: 0.9), .norm(0.5))
      $0.labelSmoothing = 0.1
    },
    Ingredient("rmsProp, clipped to a value") {
      ($0.optimizer, $0.clipping) = (.rmsProp(decay: 0.9, momentum: 0.9, epsilon: 1), .value(0.01))
      $0.schedule = .step(every: 1.5, factor: 0.94)
    },
    Ingredient("rmsPropTF, steps") {
      $0.optimizer = .rmsPropTF(decay: 0.9, momentum: 0.9, epsilon: 1)
      $0.schedule = .steps(at: [1, 3], factor: 0.1)
    },
    Ingredient("batches in parts") { ($0.partSize, $0.mixing) = (4, Mixing(cutmix: 1)) },
    Ingredient("stochastic depth") { $0.dropPath = 0.5 },
    Ingredient("moving average as the result, precise batch norms") {
      ($0.movingAverage, $0.result, $0.preciseBatchNorm) = (MovingAverage(decay: 0.9), .movingAverage, 2)
    },
    Ingredient("ramped average every second step, best snapshots by what is held out") {
      $0.movingAverage = MovingAverage(decay: 0.9, ramp: 15, every: 2)
      $0.result = .meanOfBest(count: 2, by: .heldOut(share: 0.25))
    },
    Ingredient("best snapshots by the validation set") { $0.result = .meanOfBest(count: 2, by: .validation) },
    Ingredient("two teachers", teachers: 2) { $0.distillation = Distillation(weight: 0.5, temperature: 2) },
  ]
}

@Suite("what a training run is made of", .serialized)
struct IngredientTests {
  let data: Dataset
  let network: Network
  /// Without batch norms.
  let plain: Network
  let trainer: Trainer

  init() throws {
    data = try Dataset.synthetic(classes: 4, shape: [1, 8, 8], train: 96, validation: 40, noise: 0.3, seed: 1)
    network = try CIFARResNet(depth: 8).network(input: [1, 8, 8], classes: 4)
    var plain = Network("plain", input: [1, 8, 8])
    try plain.append(
      .convolution(Convolution(to: 5, Window(kernel: 3), hasBias: true)), to: plain.output, named: "conv")
    try plain.append(.relu(ReLU()), to: plain.output, named: "relu")
    try plain.append(.flatten(Flatten()), to: plain.output, named: "flatten")
    try plain.append(.dense(Dense(to: 4)), to: plain.output, named: "fc")
    self.plain = plain
    trainer = Trainer(engine: try engine.get())
  }

  func teachers(_ count: Int) throws -> [Teacher] {
    try (0..<count).map { Teacher(plain, try plain.initialWeights(seed: 7 + UInt64($0))) }
  }
  func plan(_ change: @escaping @Sendable (inout TrainingPlan) -> Void) -> TrainingPlan { Ingredient("", change).plan }

  /// What was measured, without the clock.
  func facts(_ outcome: TrainingOutcome) -> [[Evaluation?]] {
    outcome.epochs.map { [$0.validation, $0.ema, $0.selection] } + [[outcome.final]]
  }

  @Test("a training run that was stopped within an epoch goes on to the same bits", arguments: Ingredient.all)
  func resumes(_ ingredient: Ingredient) throws {
    let teachers = try teachers(ingredient.teachers)
    let whole = try trainer.train(network, on: data, ingredient.plan, teachers: teachers)
    var asked = 0
    let first = try trainer.train(
      network, on: data, ingredient.plan, teachers: teachers,
      isInterrupted: {
        asked += 1
        return asked > 15
      })
    #expect(first.isInterrupted && first.stepsDone == 15)
    let path = NSTemporaryDirectory() + "reprise-\(UUID()).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try #require(first.checkpoint).write(to: path)
    let second = try trainer.train(
      network, on: data, ingredient.plan, teachers: teachers, resuming: Checkpoint(reading: path))
    #expect(second.weights == whole.weights)
    #expect(facts(second) == facts(whole))
    #expect(second.epochs.map(\.trainLoss) == whole.epochs.map(\.trainLoss))
  }

  @Test(
    "in bf16 it does, too",
    .enabled(if: Engine.supports(.bf16), "the processor has no AVX512_BF16, or oneDNN may not use it"),
    arguments: Ingredient.all)
  func resumesInBF16(_ ingredient: Ingredient) throws {
    try resumes(
      Ingredient("bf16", teachers: ingredient.teachers) {
        ingredient.change(&$0)
        $0.precision = .bf16
      })
  }

  @Test(
    "a checkpoint that no training can have written is refused",
    arguments: [
      ("\"steps\":15", "\"steps\":-1"), ("\"steps\":15", "\"steps\":9223372036854775807"),
      ("\"steps\":15", "\"steps\":14"), ("\"correct\":", "\"correct\":-"), ("\"correct\":", "\"correct\":10000000000"),
      ("\"count\":", "\"count\":100000000000000000"), ("\"best\":[", "\"best\":[{\"epoch\":9,\"correct\":0},"),
    ])
  func damagedCheckpoint(_ old: String, _ new: String) throws {
    let plan = plan { $0.result = .meanOfBest(count: 2, by: .validation) }
    var asked = 0
    let stopped = try trainer.train(
      network, on: data, plan,
      isInterrupted: {
        asked += 1
        return asked > 15
      })
    let path = NSTemporaryDirectory() + "reprise-\(UUID()).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try #require(stopped.checkpoint).write(to: path)
    var file = try SafeTensors(reading: path)
    let text = try #require(file.metadata["checkpoint"])
    try #require(text.contains(old))
    file.metadata["checkpoint"] = text.replacingOccurrences(of: old, with: new)
    file.weights["snapshot.2.parameters"] = file.weights["snapshot.1.parameters"]
    file.weights["snapshot.2.statistics"] = file.weights["snapshot.1.statistics"]
    try file.write(to: path)
    #expect(throws: (any Error).self) {
      try trainer.train(network, on: data, plan, resuming: Checkpoint(reading: path))
    }
  }

  @Test(
    "what a training keeps beside weights and gradients is known before it is taken",
    arguments: [
      (Ingredient("no momentum") { $0.optimizer = .sgd(momentum: 0, nesterov: false) }, 1, 0, 0),
      (Ingredient("momentum") { _ in }, 1, 1, 0), (Ingredient("lamb") { $0.optimizer = .lamb() }, 1, 2, 0),
      (Ingredient("two parts") { $0.partSize = 8 }, 1, 2, 0), (Ingredient("a part each") { $0.partSize = 8 }, 2, 1, 0),
      (Ingredient("two shared parts") { ($0.partSize, $0.synchronizesBatchNorm) = (8, true) }, 2, 2, 0),
      (Ingredient("moving average") { $0.movingAverage = MovingAverage() }, 1, 1, 1),
      // And the mean of the snapshots.
      (Ingredient("three snapshots") { $0.result = .meanOfBest(count: 3, by: .validation) }, 1, 1, 4),
      (
        Ingredient("more snapshots than epochs, of the moving average") {
          ($0.movingAverage, $0.result) = (MovingAverage(), .meanOfBest(count: 100, by: .validation))
        }, 1, 1, 6
      ),
    ])
  func state(_ ingredient: Ingredient, processes: Int, arrays: Int, copies: Int) {
    let whole = network.parameters.reduce(0) { $0 + $1.rule.shape.elementCount }
    let found = ingredient.plan.stateElementCount(of: network, processes: processes)
    #expect(found == Double(arrays * network.parameterCount + copies * whole))
  }

  @Test("each setting changes what comes out", arguments: Ingredient.all)
  func matters(_ ingredient: Ingredient) throws {
    var short = ingredient.plan
    var bare = plan { _ in }
    (short.epochs, bare.epochs) = (2, 2)
    let weights = try trainer.train(network, on: data, short, teachers: teachers(ingredient.teachers)).weights
    #expect(try trainer.train(network, on: data, bare).weights != weights)
  }

  @Test("without batch norms, a batch in parts has the gradient of the whole", arguments: [1, 2, 8])
  func parts(_ size: Int) throws {
    let whole = try trainer.train(plain, on: data, plan { $0.epochs = 1 }).weights
    let parts = try trainer.train(plain, on: data, plan { ($0.epochs, $0.partSize) = (1, size) }).weights
    for (name, expected) in whole {
      // Six steps of rounding; the order of the sums differs.
      #expect(worstDifference(parts[name]!.elements.map(Double.init), expected.elements.map(Double.init)) < 1e-5)
    }
  }

  @Test("the moving average is the formula, statistics included")
  func average() throws {
    // One step an epoch, at a constant rate: a longer training begins as a shorter one.
    @Sendable func base(_ plan: inout TrainingPlan) { (plan.batchSize, plan.schedule) = (96, .constant) }
    let start = try network.initialWeights(seed: 1)
    let after = try (1...3).map { epochs in
      try trainer.train(
        network, on: data,
        plan {
          base(&$0)
          $0.epochs = epochs
        }
      ).weights
    }
    let outcome = try trainer.train(
      network, on: data,
      plan {
        base(&$0)
        ($0.epochs, $0.movingAverage, $0.result) = (3, MovingAverage(decay: 0.75), .movingAverage)
      })
    for (name, found) in outcome.weights {
      var expected = start[name]!.elements.map(Double.init)
      for weights in after {
        for (i, w) in weights[name]!.elements.enumerated() { expected[i] = 0.75 * expected[i] + 0.25 * Double(w) }
      }
      #expect(worstDifference(found.elements.map(Double.init), expected) < 1e-6, "\(name)")
    }
    #expect(outcome.epochs[2].ema == outcome.final)
    #expect(outcome.epochs[2].validation != outcome.final)
  }

  @Test(
    "the ramp of the decay is SuperGradients'",
    arguments: [
      (0.01, 0.139), (0.1, 0.777), (0.2, 0.950), (0.3, 0.989), (0.4, 0.9974), (0.5, 0.9993), (0.6, 0.9998), (1, 0.9999),
    ])
  func ramp(_ done: Double, _ decay: Double) {
    let average = MovingAverage(decay: 0.9999, ramp: 15)
    #expect(abs(average.decay(after: Int(done * 508_740), of: 508_740) - decay) < 6e-4)
    #expect(MovingAverage(decay: 0.9999).decay(after: 1, of: 100) == 0.9999)
  }

  @Test(
    "the best snapshots are averaged, and a new one takes the worst's place only where it is better",
    arguments: [1, 2, 3])
  func best(_ count: Int) throws {
    @Sendable func base(_ plan: inout TrainingPlan) { (plan.schedule, plan.epochs) = (.constant, 5) }
    let outcome = try trainer.train(
      network, on: data,
      plan {
        base(&$0)
        $0.result = .meanOfBest(count: count, by: .validation)
      })
    var kept: [Int] = []
    func correct(_ epoch: Int) -> Int { outcome.epochs[epoch - 1].validation.correct }
    for epoch in 1...5 {
      if kept.count < count {
        kept.append(epoch)
      } else if let worst = kept.indices.min(by: { correct(kept[$0]) < correct(kept[$1]) }), correct(epoch) > correct(kept[worst]) {
        kept[worst] = epoch
      }
    }
    let weights = try kept.map { epochs in
      try trainer.train(
        network, on: data,
        plan {
          base(&$0)
          $0.epochs = epochs
        }
      ).weights
    }
    for (name, found) in outcome.weights {
      let mean = found.elements.indices.map { i in
        Float(weights.reduce(0.0) { $0 + Double($1[name]!.elements[i]) } / Double(kept.count))
      }
      #expect(found.elements == mean, "\(name)")
    }
    let measured = try Evaluator(engine: engine.get()).evaluate(
      network, outcome.weights, on: data.validation, normalization: data.normalization)
    #expect(measured.correct == outcome.final.correct)
  }

  @Test("what is held out is not trained on, and told apart from the validation set")
  func heldOut() throws {
    let outcome = try trainer.train(
      network, on: data, plan { $0.result = .meanOfBest(count: 2, by: .heldOut(share: 0.25)) })
    #expect(outcome.stepsDone == 4 * ((96 - 24) / 16))
    #expect(outcome.epochs.allSatisfy { $0.selection?.count == 24 && $0.validation.count == 40 })
  }

  @Test("precise statistics are those of all pixels")
  func precise() throws {
    var network = Network("norm", input: [1, 8, 8])
    try network.append(.batchNorm(BatchNorm(momentum: 0.03)), to: network.output, named: "bn")
    try network.append(.flatten(Flatten()), to: network.output, named: "flatten")
    try network.append(.dense(Dense(to: 4)), to: network.output, named: "fc")
    let outcome = try trainer.train(network, on: data, plan { ($0.epochs, $0.preciseBatchNorm) = (1, 6) })
    var (sum, squares, count) = (0.0, 0.0, 0.0)
    try Loader(data.train, batchSize: 96, normalization: data.normalization).forEachBatch(epoch: 0) { batch in
      for x in batch.images {
        sum += Double(x)
        squares += Double(x) * Double(x)
        count += 1
      }
    }
    let mean = sum / count
    let variance = squares / count - mean * mean
    let found = try (
      #require(outcome.weights["bn.running_mean"])[flat: 0], #require(outcome.weights["bn.running_var"])[flat: 0]
    )
    // Statistics pass through single precision, times a momentum of 0.03.
    #expect(abs(Double(found.0) - mean) < 1e-5 && abs(Double(found.1) - variance) < 1e-5 * variance)
    let few = try trainer.train(network, on: data, plan { ($0.epochs, $0.preciseBatchNorm) = (1, 2) })
    #expect(few.weights["bn.running_var"] != outcome.weights["bn.running_var"])
    #expect(few.weights["fc.weight"] == outcome.weights["fc.weight"])
  }

  @Test("the loss of a distillation is the divergence from what the teacher says of its own view of the images")
  func distillation() throws {
    let teacher = Teacher(
      plain, try plain.initialWeights(seed: 9), normalization: Normalization(mean: [0.3], std: [0.2]))
    let outcome = try trainer.train(
      plain, on: data,
      plan {
        ($0.epochs, $0.batchSize) = (1, 96)
        $0.distillation = Distillation(weight: 1, temperature: 2, scalesBySquare: true)
      }, teachers: [teacher])
    func shares(_ weights: Weights, _ normalization: Normalization) throws -> [[Double]] {
      var result: [[Double]] = []
      try Loader(data.train, batchSize: 96, normalization: normalization).forEachBatch(epoch: 0) { batch in
        let logits = try Evaluator(engine: engine.get()).predict(
          plain, weights, Tensor(Array(batch.images), shape: [96, 1, 8, 8]))
        for row in 0..<96 {
          let powers = (0..<4).map { exp(Double(logits[flat: row * 4 + $0]) / 2) }
          result.append(powers.map { $0 / powers.reduce(0, +) })
        }
      }
      return result
    }
    let student = try shares(plain.initialWeights(seed: 1), data.normalization)
    let teachers = try shares(teacher.weights, #require(teacher.normalization))
    var divergence = 0.0
    for (p, q) in zip(teachers, student) { for (p, q) in zip(p, q) { divergence += p * log(p / q) } }
    #expect(abs(outcome.epochs[0].trainLoss - 4 * divergence / 96) < 1e-5 * outcome.epochs[0].trainLoss)
  }

  @Test("two teachers that say the same are one, and a normalization that is the student's is none")
  func ensemble() throws {
    let one = try teachers(1)[0]
    var same = one
    same.normalization = data.normalization
    let listening = plan { ($0.epochs, $0.distillation) = (2, Distillation()) }
    let weights = try trainer.train(network, on: data, listening, teachers: [one]).weights
    #expect(try trainer.train(network, on: data, listening, teachers: [one, same]).weights == weights)
  }

  @Test(
    "settings that do not fit together are told",
    arguments: [
      Ingredient("parts that do not divide the batch") { $0.partSize = 5 },
      Ingredient("no teacher") { $0.distillation = Distillation() },
      Ingredient("teacher without a distillation", teachers: 1) { _ in },
      Ingredient("no average") { $0.result = .movingAverage },
      Ingredient("nothing to mix") { $0.mixing = Mixing() },
      Ingredient("no share") { $0.result = .meanOfBest(count: 2, by: .heldOut(share: 0)) },
      Ingredient("all held out") { $0.result = .meanOfBest(count: 2, by: .heldOut(share: 0.95)) },
      Ingredient("a rate of one") { $0.dropPath = 1 },
      Ingredient("a momentum of one") { $0.optimizer = .lars(momentum: 1) },
      Ingredient("a cool-down that is too long") { $0.cooldownEpochs = 5 },
      Ingredient("nothing to clip to") { $0.clipping = .norm(0) },
      Ingredient("no temperature", teachers: 1) { $0.distillation = Distillation(temperature: 0) },
    ])
  func misfits(_ ingredient: Ingredient) throws {
    #expect(throws: TrainingError.self) {
      try trainer.train(network, on: data, ingredient.plan, teachers: teachers(ingredient.teachers))
    }
    #expect(throws: TrainingError.self) { try trainer.train(plain, on: data, plan { $0.dropPath = 0.1 }) }
  }

  @Test("a plan is the same after it was written and read", arguments: Ingredient.all)
  func coded(_ ingredient: Ingredient) throws {
    let plan = ingredient.plan
    #expect(try JSONDecoder().decode(TrainingPlan.self, from: JSONEncoder().encode(plan)) == plan)
  }
}
