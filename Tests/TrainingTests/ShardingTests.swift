import Datasets
import Engine
import ModelZoo
import Networks
import Tensors
import Testing
import Training

private let engine = Result { try Engine(threads: 2) }

@Suite("what each process computes", .serialized)
struct ShardingTests {
  private func plan(batch: Int, part: Int? = nil) -> TrainingPlan {
    var plan = TrainingPlan()
    (plan.batchSize, plan.partSize) = (batch, part)
    return plan
  }

  @Test("processes take the rows of a batch in their order")
  func rows() throws {
    let second = try Sharding(plan(batch: 128, part: 16), rank: 1, size: 4)
    #expect((second.rows, second.parts, second.partsOfBatch) == (16, 2, 8))
    #expect(second.share == BatchShare(2..<4, ofEach: 8))
    let whole = try Sharding(plan(batch: 128), rank: 3, size: 4)
    #expect((whole.rows, whole.parts, whole.partsOfBatch) == (32, 1, 4))
  }

  @Test("where batch norms are synchronized, processes share each part")
  func synchronized() throws {
    var settings = plan(batch: 128, part: 32)
    settings.synchronizesBatchNorm = true
    let second = try Sharding(settings, rank: 1, size: 4)
    #expect((second.rows, second.parts, second.partsOfBatch) == (8, 4, 16))
    #expect(second.share == BatchShare(1..<2, ofEach: 4))
    #expect((0..<32).filter { second.share.own.contains($0 % 4) }.map(second.ownPlace) == [0, 1, 2, 3, 0, 1, 2, 3])
  }

  @Test("processes deal repeated samples as one process does that computes as many parts")
  func dealt() throws {
    for (batch, part, synchronizes) in [(128, 16, false), (128, 32, true)] {
      var settings = plan(batch: batch, part: part)
      settings.synchronizesBatchNorm = synchronizes
      let alone = try Sharding(settings)
      let places = try (0..<4).map { rank in try Sharding(settings, rank: rank, size: 4) }
      for shared in places { #expect((shared.ranks, shared.rankRows) == (alone.ranks, alone.rankRows)) }
      #expect(alone.ranks * alone.rankRows == batch && alone.rankRows == part)
    }
  }

  @Test("a batch that cannot be shared is refused", arguments: [(batch: 130, part: nil), (128, 64), (128, 24)])
  func refused(_ batch: Int, _ part: Int?) {
    #expect(throws: TrainingError.self) { try Sharding(plan(batch: batch, part: part), rank: 0, size: 4) }
  }

  @Test("buckets hold every gradient once, in the order of the way back", arguments: [1, 4096, 1 << 20, 1 << 30])
  func buckets(_ bytes: Int) throws {
    let network = try #require(ModelZoo.entry(named: "resnet18")).make(input: [3, 32, 32], classes: 4)
    let arenas = try engine.get().compile(network, batch: 2, mode: .training()).arenas
    let buckets = GradientBuckets(arenas, byteCount: bytes).list
    #expect(buckets.first?.range.upperBound == arenas.count && buckets.last?.range.lowerBound == 0)
    for (bucket, next) in zip(buckets, buckets.dropFirst()) {
      #expect(next.range.upperBound == bucket.range.lowerBound)
      #expect(next.lastStep >= bucket.lastStep)
      #expect(bucket.range.count * 4 >= bytes)
    }
    for segment in arenas.segments {
      let bucket = try #require(buckets.first { $0.range.contains(segment.offset) })
      #expect(bucket.range.upperBound >= segment.offset + segment.count)
      #expect(bucket.lastStep >= segment.gradientStep)
    }
  }

  @Test("a gradient is whole after the step that its bucket waits for")
  func gradientSteps() throws {
    let network = try #require(ModelZoo.entry(named: "resnet18")).make(input: [3, 32, 32], classes: 4)
    let plan = try engine.get().compile(network, batch: 2, mode: .training())
    try plan.load(network.initialWeights(seed: 1))
    for i in plan.input.indices { plan.input[i] = Float(i % 17) / 8 - 1 }
    let arenas = plan.arenas
    let differences = try plan.perform { execution in
      execution.forward()
      for i in plan.logitsGradient!.indices { plan.logitsGradient![i] = Float(i % 3) - 1 }
      execution.backward()
      let whole = Array(UnsafeBufferPointer(start: arenas.gradients, count: arenas.count))
      for i in 0..<arenas.count { arenas.gradients[i] = 7 }
      execution.forward()
      var (next, differences) = (plan.backwardSteps.lowerBound, 0)
      for bucket in GradientBuckets(arenas, byteCount: 1).list {
        if bucket.lastStep >= next { execution.run(next..<bucket.lastStep + 1) }
        next = max(next, bucket.lastStep + 1)
        // Each parameter's stretch ends with unused numbers that no step writes.
        differences += bucket.range.count { arenas.gradients[$0] != whole[$0] && arenas.gradients[$0] != 7 }
        let isTouched = bucket.range.contains { arenas.gradients[$0] != 7 }
        differences += isTouched ? 0 : 1
      }
      return differences
    }
    #expect(differences == 0)
  }

  @Test("what is dropped of an image is the same in however many parts its batch is computed")
  func droppedRows() throws {
    var network = Network("dropping", input: [1, 8, 8])
    try network.append(.convolution(Convolution(to: 5, Window(kernel: 3), hasBias: true)), to: network.output, named: "conv")
    try network.append(.relu(ReLU()), to: network.output, named: "relu")
    try network.append(.flatten(Flatten()), to: network.output, named: "flatten")
    try network.append(.dropout(Dropout(rate: 0.5)), to: network.output, named: "dropout")
    try network.append(.dense(Dense(to: 4)), to: network.output, named: "fc")
    let data = try Dataset.synthetic(classes: 4, shape: [1, 8, 8], train: 96, validation: 8, noise: 0.3, seed: 1)
    var settings = plan(batch: 32)
    (settings.epochs, settings.learningRate) = (2, 0.05)
    let whole = try Trainer(engine: engine.get()).train(network, on: data, settings).weights
    settings.partSize = 8
    let parts = try Trainer(engine: engine.get()).train(network, on: data, settings).weights
    for (name, tensor) in whole {
      let worst = zip(tensor.elements, parts[name]!.elements).map { abs($0 - $1) }.max() ?? 0
      // Sums in another order.
      #expect(worst < 1e-5, "\(name)")
    }
  }
}
