import Datasets
import Engine
import Foundation
import ModelZoo
import Networks
import Tensors
import Testing

/// What `Goldens/imagenet.py` wrote.
private struct Answers: Decodable {
  struct Variant: Decodable {
    let size: Int
    let crop: Double
    let filter: String
    /// A row for each image.
    let logits: [[Float]]
  }
  let bias: [Float]
  let protocols: [Variant]

  static let all = Result {
    try JSONDecoder().decode(Answers.self, from: Data(contentsOf: goldens.appending(path: "imagenet.json")))
  }
  static let goldens = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens")
}

@Suite("ImageNet by the published protocol", .serialized)
struct ImageNetParityTests {
  private let engine: Engine
  init() throws { engine = try Engine(threads: 2, convolutions: .direct) }

  /// The logits of each image.
  private func logits(size: Int, _ transform: TestTransform, madeFor side: Int) throws -> [[Float]] {
    let images = Answers.goldens.deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "DatasetsTests/Goldens/imagenet")
    // A copy, since an index is kept beside the images.
    let place = FileManager.default.temporaryDirectory.appending(path: "reprise-tests-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: images, to: place)
    defer { try? FileManager.default.removeItem(at: place) }
    let data = try Dataset.imageNet(at: place.path, size: size, transform: transform, cacheFolder: nil)
    let entry = try #require(ModelZoo.entry(named: "resnet18"))
    let network = try entry.make(input: [3, side, side], classes: 4).taking(images: data.validation.imageShape)
    var weights = try FormulaWeights.weights(for: network)
    weights["fc.bias"] = try Tensor(Answers.all.get().bias, shape: [4])
    let plan = try engine.compile(network, batch: 8, mode: .inference)
    try plan.load(weights)
    var rows: [[Float]] = []
    try Loader(data.validation, batchSize: 8, normalization: data.normalization).forEachBatch(epoch: 0) { batch in
      try plan.setInput(try Tensor(batch.images, shape: network.shape(of: network.input).batched(8)))
      try plan.forward()
      let all = try plan.logitsTensor().elements
      for row in 0..<batch.count { rows.append(Array(all[row * 4..<row * 4 + 4])) }
    }
    return rows
  }

  /// The largest difference, to how much the answers differ between images.
  private func distance(_ a: [[Float]], _ b: [[Float]]) -> Float {
    let all = b.flatMap { $0 }
    let std = (all.reduce(0) { $0 + $1 * $1 } / Float(all.count)).squareRoot()
    return zip(a, b).map { zip($0, $1).map { abs($0 - $1) }.max()! }.max()! / std
  }

  @Test("each image gets timm's answer, at the size the network was made for or another", arguments: 0..<3, [0, 32])
  func answers(_ number: Int, _ added: Int) throws {
    let expected = try Answers.all.get().protocols[number]
    let filter = try #require(Framing.Filter(rawValue: expected.filter))
    let found = try logits(
      size: expected.size, TestTransform(crop: expected.crop, filter: filter), madeFor: expected.size + added)
    #expect(found.count == expected.logits.count)
    #expect(distance(found, expected.logits) < 1e-3)
    for (position, (row, wanted)) in zip(found, expected.logits).enumerated() {
      let order = wanted.indices.sorted { wanted[$0] > wanted[$1] }
      #expect(row.indices.sorted { row[$0] > row[$1] } == order, "image \(position + 1)")
    }
  }

  @Test("another crop or filter gives other answers, so the comparison can fail")
  func otherProtocols() throws {
    let expected = try Answers.all.get().protocols[1]
    for transform in [TestTransform(crop: 0.95), TestTransform(crop: 0.875, filter: .bicubic)] {
      #expect(distance(try logits(size: 96, transform, madeFor: 96), expected.logits) > 0.01)
    }
  }

  @Test("a network taken to another size is the one made for it, or says which weight would not fit", arguments: ModelZoo.all.map(\.name))
  func sizes(_ name: String) throws {
    let entry = try #require(ModelZoo.entry(named: name))
    let (small, large) = try (entry.make(input: [3, 96, 96], classes: 5), entry.make(input: [3, 128, 128], classes: 5))
    guard name.hasPrefix("vgg") || name.hasPrefix("beit") else {
      #expect(try small.taking(images: [3, 128, 128]) == large)
      #expect(try large.taking(images: [3, 96, 96]) == small)
      return
    }
    let error = #expect(throws: ShapeError.self) { try small.taking(images: [3, 128, 128]) }
    #expect(error?.layer?.hasPrefix(name.hasPrefix("vgg") ? "classifier.0" : "blocks.0.attn") == true)
    #expect(error?.problem.contains("3 x 128 x 128") == true)
  }

  @Test("images of other channels are refused")
  func channels() throws {
    let network = try #require(ModelZoo.entry(named: "resnet18")).make(input: [3, 96, 96], classes: 5)
    let error = #expect(throws: ShapeError.self) { try network.taking(images: [1, 96, 96]) }
    #expect(error?.layer == "conv1")
  }
}
