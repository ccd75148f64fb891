import CZlib
import Engine
import Foundation
import Interchange
import ModelZoo
import Networks
import Tensors
import Testing

/// What was asked of other programs: `Benchmarks/interchange/compare.py` runs them on the files that the first test
/// writes, and records beside this file which bytes it ran and how far the answers were from the definitions.
@Suite("Agreement with other programs")
struct AgreementTests {
  static let samples = ExportSample.families + ExportSample.operations

  @Test(
    "the files, images and answers for compare.py are written where REPRISE_EXPORTS says",
    .enabled(if: ProcessInfo.processInfo.environment["REPRISE_EXPORTS"] != nil), arguments: samples)
  func write(_ sample: ExportSample) throws {
    let folder = try #require(ProcessInfo.processInfo.environment["REPRISE_EXPORTS"])
    let (weights, batch) = (try sample.weights(), try sample.batch(2))
    let base = "\(folder)/\(sample.fileName)"
    for format in FileFormat.allCases {
      try sample.network.export(weights, as: format, to: "\(base).\(format.rawValue)", sample.facts)
    }
    try NPY.write(batch, to: "\(base).input.npy")
    try NPY.write(sample.reference(batch, weights), to: "\(base).expected.npy")
  }

  @Test(
    "the same of quantized networks", .enabled(if: ProcessInfo.processInfo.environment["REPRISE_EXPORTS"] != nil),
    arguments: QuantizedSample.all)
  func write(_ sample: QuantizedSample) throws {
    let folder = try #require(ProcessInfo.processInfo.environment["REPRISE_EXPORTS"])
    let (weights, batch) = (try sample.weights(), try sample.plain.batch(2))
    try sample.write(weights, batch, expected: sample.reference(batch, weights), to: folder)
  }

  /// Images in a batch, and batches.
  private static let (batchSize, batches) = (20, 5)

  @Test(
    "networks of some size, and the answers of simulation and of integers to 100 images, likewise",
    .enabled(if: ProcessInfo.processInfo.environment["REPRISE_EXPORTS"] != nil), arguments: QuantizedSample.large)
  func writeLarge(_ sample: QuantizedSample) throws {
    let folder = try #require(ProcessInfo.processInfo.environment["REPRISE_EXPORTS"])
    let engine = try Engine(threads: 2)
    let images = try sample.images(Self.batches * Self.batchSize)
    func batch(_ number: Int) throws -> Tensor {
      let shape = images.shape.sample.batched(Self.batchSize)
      let elements = images.elements[number * shape.elementCount..<(number + 1) * shape.elementCount]
      return try Tensor(Array(elements), shape: shape)
    }
    let plain = sample.plain.network
    let taps = Set(plain.nodes)
    let calibration = try engine.compile(plain, batch: Self.batchSize, mode: .inference, taps: taps)
    let weights = try sample.plain.weights()
    try calibration.load(weights)
    try calibration.setInput(batch(0))
    try calibration.forward()
    let ranged = try sample.ranged(weights) { node in
      let elements = try #require(try calibration.activation(of: node)).elements
      return (elements.min() ?? 0, elements.max() ?? 0)
    }
    func answers(_ mode: Plan.Mode) throws -> NDArray<Double> {
      let plan = try engine.compile(sample.network, batch: Self.batchSize, mode: mode)
      try plan.load(ranged)
      let elements = try (0..<Self.batches).flatMap { number in
        try plan.setInput(batch(number))
        try plan.forward()
        return try plan.logitsTensor().elements.map { Double($0) }
      }
      return try NDArray(
        elements, shape: [Self.batches * Self.batchSize, elements.count / Self.batches / Self.batchSize])
    }
    try sample.write(ranged, images, expected: answers(.inference), to: folder)
    try NPY.write(answers(.int8), to: "\(folder)/\(sample.fileName).int8.npy")
  }

  @Test("the bytes that are written are those that other programs ran", arguments: samples)
  func recorded(_ sample: ExportSample) throws {
    for format in FileFormat.allCases {
      try expectRecorded(sample.exported(as: format), "\(sample.fileName).\(format.rawValue)")
    }
  }

  @Test("and so are those of quantized networks", arguments: QuantizedSample.all)
  func recorded(_ sample: QuantizedSample) throws {
    for format in sample.formats {
      try expectRecorded(sample.exported(as: format), "\(sample.fileName).\(format.rawValue)")
    }
  }

  private func expectRecorded(_ bytes: [UInt8], _ name: String) throws {
    let checksum = try #require(Self.checksums[name], "\(name) was not recorded")
    #expect(crc32(0, bytes, UInt32(bytes.count)) == checksum, "\(name) has other bytes than LiteRT or ONNX Runtime ran")
  }

  /// By file.
  private static let checksums: [String: UInt] = {
    let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/agreement.txt")
    let lines = ((try? String(contentsOf: golden, encoding: .utf8)) ?? "").split(separator: "\n")
    return Dictionary(
      lines.filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }.map {
        (String($0[0]), UInt($0[1], radix: 16) ?? 0)
      }
    ) { first, _ in first }
  }()
}

extension ExportSample {
  fileprivate var fileName: String { name.replacing(" ", with: "_") }
}

extension QuantizedSample {
  fileprivate var fileName: String { plain.fileName }

  /// Also the step of the answer; 0 where that is not rounded.
  fileprivate func write(
    _ weights: Weights, _ batch: Tensor, expected: NDArray<Double>, to folder: String
  ) throws {
    let base = "\(folder)/\(fileName)"
    for format in formats {
      try network.export(weights, as: format, to: "\(base).\(format.rawValue)", plain.facts)
    }
    try NPY.write(batch, to: "\(base).input.npy")
    try NPY.write(expected, to: "\(base).expected.npy")
    try NPY.write(Tensor([step(weights) ?? 0], shape: [1]), to: "\(base).step.npy")
  }

  /// Whose files are not recorded: their ranges depend on the machine.
  static let large: [QuantizedSample] = {
    do {
      return try [
        QuantizedSample("large-resnet18", ResNet(.resnet18).network(input: [3, 64, 64], classes: 100)),
        QuantizedSample("large-resnet50", ResNet(.resnet50).network(input: [3, 64, 64], classes: 100)),
        QuantizedSample("large-mobilenetV1", MobileNetV1().network(input: [3, 96, 96], classes: 100)),
        QuantizedSample("large-vgg11", VGG(.vgg11, hiddenFeatures: 512).network(input: [3, 64, 64], classes: 100)),
        QuantizedSample(
          "large-mobilenetV1, weights of 7 bits", MobileNetV1().network(input: [3, 96, 96], classes: 100)
        ) {
          $0.weights.bits = 7
        },
        QuantizedSample(
          "large-resnet50, weights of 7 bits", ResNet(.resnet50).network(input: [3, 64, 64], classes: 100)
        ) {
          $0.weights.bits = 7
        },
      ]
    } catch {
      fatalError("\(error)")
    }
  }()

  /// Waves of several lengths and colours under noise, so that no two images are alike.
  fileprivate func images(_ count: Int) throws -> Tensor {
    let shape = network.shape(of: network.input)
    var images = try Tensor(zeros: shape.batched(count))
    let area = shape[1] * shape[2]
    images.withUnsafeMutableElements { elements in
      for n in 0..<count {
        var random = RandomKey(seed: 11, for: .augmentation, sample: n).generator()
        for c in 0..<shape[0] {
          let (down, across) = (0.5 * random.uniformDouble(), 0.5 * random.uniformDouble())
          let (phase, level) = (6.28 * random.uniformDouble(), 2 * random.uniformDouble() - 1)
          for i in 0..<area {
            let wave = sin(down * Double(i / shape[2]) + across * Double(i % shape[2]) + phase)
            elements[(n * shape[0] + c) * area + i] = Float(level + wave + 0.3 * random.uniformDouble())
          }
        }
      }
    }
    return images
  }
}
