import ArgumentParser
import Compression
import Datasets
import Distribution
import Engine
import Foundation
import ModelZoo
import Networks
import Tensors
import Training

struct Bench: ParsableCommand {
  enum Work: String, ExpressibleByArgument, CaseIterable { case train, infer, int8, data, exchange }

  static let configuration = CommandConfiguration(
    abstract: "Times training or inference steps of a network on random images, or the loading of images from a folder.",
    discussion: "The peak is that of a float32 product of two 2048 x 2048 matrices, timed in the same run.")

  @ArgumentParser.Argument(
    help: """
      train: forward, loss, backward and SGD; infer: forward with batch norms folded; int8: the same \
      on integers, in turns with float32; data: images of a folder decoded, \
      cropped at random, resized, mirrored and normalized; exchange: under mpirun, arrays summed over the processes.
      """)
  var work: Work

  @ArgumentParser.Argument(help: "The network: resnet50, mobilenetV1, vgg16, …; or the folder of images.")
  var model: String

  @Option(parsing: .unconditional, help: "Images per step.") var batch = 16
  @Option(parsing: .unconditional, help: "Height and width of an image. Default: as in the network's paper.") var size: Int?
  @Option(parsing: .unconditional, help: "Channels of an image. Default: as in the network's paper.") var channels: Int?
  @Option(parsing: .unconditional, help: "Number of compute threads. Default: the number of cores.") var threads: Int?
  @Option(parsing: .unconditional, help: "Number of timed steps.") var steps = 10
  @Option(parsing: .unconditional, help: "With data: magnitude of RandAugment, 0 to 10, with the other settings of recipe.a1. Default: no RandAugment.")
  var randAugment: Double?
  @Option(
    help: "With train and infer: float32 or, on processors with AVX512_BF16, bf16.",
    transform: { name in
      guard let precision = Precision(rawValue: name) else {
        let all = Precision.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("no precision '\(name)'; there are \(all).")
      }
      return precision
    }) var precision = Precision.float32
  @Flag(help: "Uses direct convolutions only, no Winograd kernels.") var direct = false
  @Flag(help: "With int8: one scale per tensor of weights instead of one per channel.") var perTensor = false
  @Flag(help: "Shows the time by kind of step, and the ten slowest steps.") var profile = false
  @Flag(help: "Prints one JSON document and nothing else.") var json = false

  func validate() throws {
    for (name, value, range) in [
      ("batch", batch, 1...4096), ("size", size ?? 1, 1...4096), ("channels", channels ?? 1, 1...1024),
      ("threads", threads ?? 1, 1...1024), ("steps", steps, 1...1_000_000),
    ] where !range.contains(value) {
      throw ValidationError("--\(name) must be \(range.lowerBound)...\(range.upperBound).")
    }
    if let randAugment, !(0...10).contains(randAugment) || work != .data {
      throw ValidationError("--rand-augment is of data, and must be 0...10.")
    }
    guard precision == .float32 || work == .train || work == .infer else {
      throw ValidationError("--precision is of train and infer.")
    }
    guard !perTensor || work == .int8 else { throw ValidationError("--per-tensor is of int8.") }
    guard work == .data || ModelZoo.entry(named: model) != nil else {
      throw ValidationError("no network '\(model)'; there are \(ModelZoo.all.map(\.name).joined(separator: ", ")).")
    }
  }

  func run() throws {
    if work == .data { return try timeData() }
    if work == .exchange { return try timeExchange() }
    guard let entry = ModelZoo.entry(named: model) else { return }
    let paper = entry.input.extents
    let input: Shape = [channels ?? paper[0], size ?? paper[1], size ?? paper[2]]
    do {
      let network = try entry.make(input: input, classes: entry.classes)
      let engine = try Engine(threads: threads, convolutions: direct ? .direct : .fastest)
      if let note = engine.threadsNote { Streams.writeError(note + "\n") }
      let quantized = work == .int8 ? try quantized(network, on: engine) : nil
      let benchmark = try StepBenchmark(
        quantized?.network ?? network, quantized?.weights, on: engine, batch: batch,
        mode: work == .train ? .training() : work == .int8 ? .int8 : .inference, precision: precision,
        passes: steps, profiles: profile)
      let rivals =
        try quantized.map { quantized in
          try Latency.compared(
            [(network, network.initialWeights(seed: 1)), quantized], batch: batch, rounds: steps, engine: engine)
        } ?? []
      Streams.writeOutput(json ? report(benchmark, input, rivals).jsonText : text(benchmark, input, rivals))
    } catch let error as ShapeError {
      throw fail(error.description)
    } catch let error as EngineError {
      throw fail(error.description)
    } catch let error as TrainingError {
      throw fail(error.description)
    } catch let error as TensorError {
      throw fail("\(error)")
    } catch let error as DatasetError {
      throw fail(error.description)
    }
  }

  /// The network in 8 bits, with the ranges that random weights give on random images.
  private func quantized(_ network: Network, on engine: Engine) throws -> (network: Network, weights: Weights) {
    let shape = network.shape(of: network.input)
    let images = try Dataset.synthetic(classes: 2, shape: shape, train: 4, validation: 2)
    var scheme = QuantizationScheme()
    scheme.weights.isPerChannel = !perTensor
    return try PostTrainingQuantizer(engine: engine).quantized(
      network, network.initialWeights(seed: 1), on: images.train, normalization: images.normalization, scheme,
      CalibrationSettings())
  }

  private func timeExchange() throws {
    let communicator = try Processes.communicator()
    guard !communicator.isAlone, let entry = ModelZoo.entry(named: model) else {
      throw fail("there is one process: mpirun -n 2 reprise bench exchange \(model)")
    }
    do {
      let parameters = try entry.make(input: entry.input, classes: entry.classes).parameterCount
      let result = ExchangeBenchmark(
        communicator, parameters: parameters, bucketBytes: GradientBuckets.standardByteCount, passes: steps)
      Streams.writeOutput(json ? result.jsonText : result.text)
    } catch {
      throw fail(error.description)
    }
  }

  /// Reads the training set as often as steps are asked for, and prints the fastest pass.
  private func timeData() throws {
    do {
      let side = size ?? 224
      let data = try Dataset.imageFolder(at: model, height: side, width: side, channels: channels ?? 3)
      let augmentations: [Augmentation] =
        if let randAugment {
          [
            .randomResizedCrop(filter: .random), .horizontalFlip(),
            .randAugment(RandAugment(magnitude: randAugment, isIncreasing: true)),
          ]
        } else { [.randomResizedCrop(), .horizontalFlip()] }
      let loader = Loader(
        data.train, batchSize: batch, normalization: data.normalization, augmentations: augmentations, order: .shuffled,
        workers: threads ?? ProcessInfo.processInfo.activeProcessorCount)
      var seconds: [Double] = []
      for epoch in 0..<steps {
        let begun = DispatchTime.now().uptimeNanoseconds
        try loader.forEachBatch(epoch: epoch) { _ in }
        seconds.append(Double(DispatchTime.now().uptimeNanoseconds - begun) * 1e-9)
      }
      let result = DataReport(
        folder: model, size: side, threads: loader.workers, images: data.train.count, minimumSeconds: seconds.min() ?? 0,
        imagesPerSecond: Double(data.train.count) / (seconds.min() ?? 1))
      Streams.writeOutput(
        json
          ? result.jsonText
          : String(
            format: "%d images to %d x %d, threads %d: %.1f images/s in the fastest of %d passes\n", result.images, side,
            side, result.threads, result.imagesPerSecond, steps))
    } catch let error as DatasetError {
      throw fail(error.description)
    }
  }

  private struct DataReport: Encodable {
    let folder: String
    let size, threads, images: Int
    let minimumSeconds, imagesPerSecond: Double
  }

  private func fail(_ problem: String) -> ExitCode {
    Streams.writeError("reprise: \(problem)\n")
    return ExitCode(Status.runtime)
  }

  private func text(_ result: StepBenchmark, _ input: Shape, _ rivals: [Latency]) -> String {
    func milliseconds(_ seconds: Double) -> String { String(format: "%.2f ms", seconds * 1000) }
    func mebibytes(_ bytes: Int) -> String { String(format: "%.0f MiB", Double(bytes) / 0x1p20) }
    var lines = [
      "\(model), \(work.rawValue)\(work == .int8 ? "" : " in \(precision.rawValue)"), batch \(batch), images of \(input), threads \(result.threads), "
        + Engine.libraryVersion,
      String(
        format: "step      %@ minimum, %@ median of %d", milliseconds(result.minimum), milliseconds(result.median),
        result.seconds.count),
      String(format: "images/s  %.1f", result.imagesPerSecond),
      String(
        format: "GFLOP/s   %.0f, %.0f %% of the matrix product's %.0f", result.rate / 1e9,
        result.rate / result.peakRate * 100, result.peakRate / 1e9),
      "plan      \(milliseconds(result.compileSeconds)), again \(milliseconds(result.recompileSeconds)), "
        + mebibytes(result.planBytes),
      "memory    \(mebibytes(Self.peakMemory)) at most",
    ]
    if rivals.count == 2 {
      lines.append(
        String(
          format: "int8      %.2f times as fast as 32 bits: %.2f against %.2f ms, the fastest of %d by turns",
          rivals[0].minimum / rivals[1].minimum, rivals[1].minimum, rivals[0].minimum, rivals[1].milliseconds.count))
    }
    guard profile else { return lines.joined(separator: "\n") + "\n" }
    let whole = result.steps.reduce(0) { $0 + $1.seconds }
    func line(_ seconds: Double, _ what: String) -> String {
      String(format: "%9.3f ms  %4.1f %%  ", seconds * 1000, seconds / whole * 100) + what
    }
    lines += ["", "by kind of step"]
    let kinds = Dictionary(grouping: result.steps, by: \.label.kind).mapValues { ($0.reduce(0) { $0 + $1.seconds }, $0.count) }
    for (kind, (seconds, count)) in kinds.sorted(by: { $0.value.0 > $1.value.0 }) {
      lines.append(line(seconds, "\(kind), \(count) of them"))
    }
    lines += ["", "the slowest steps"]
    for step in result.steps.sorted(by: { $0.seconds > $1.seconds }).prefix(10) {
      lines.append(line(step.seconds, "\(step.label.layer): \(step.label.kind), \(step.label.kernel)"))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Bytes that the process held at most.
  private static var peakMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  private func report(_ result: StepBenchmark, _ input: Shape, _ rivals: [Latency]) -> Report {
    Report(
      model: model, work: work.rawValue, precision: precision.rawValue, processor: Engine.processor, batch: batch, input: input.extents, threads: result.threads,
      library: Engine.libraryVersion, minimumSeconds: result.minimum, medianSeconds: result.median,
      seconds: result.seconds, imagesPerSecond: result.imagesPerSecond, flopPerSecond: result.rate,
      peakFlopPerSecond: result.peakRate, planSeconds: result.compileSeconds, planAgainSeconds: result.recompileSeconds, planBytes: result.planBytes,
      peakMemoryBytes: Self.peakMemory, floatSeconds: rivals.first.map { $0.milliseconds.map { $0 / 1000 } },
      int8Seconds: rivals.last.map { $0.milliseconds.map { $0 / 1000 } },
      steps: result.steps.map {
        Report.Step(layer: $0.label.layer, kind: $0.label.kind, kernel: $0.label.kernel, seconds: $0.seconds, gradientBytes: $0.gradientBytes)
      })
  }

  /// What `--json` prints. Times are in seconds, memory in bytes.
  private struct Report: Encodable {
    struct Step: Encodable {
      let layer, kind, kernel: String
      let seconds: Double
      let gradientBytes: Int
    }
    let model, work, precision, processor: String
    let batch: Int
    let input: [Int]
    let threads: Int
    let library: String
    let minimumSeconds, medianSeconds: Double
    let seconds: [Double]
    let imagesPerSecond, flopPerSecond, peakFlopPerSecond, planSeconds, planAgainSeconds: Double
    let planBytes, peakMemoryBytes: Int
    /// Of passes by turns, sorted; of int8 alone.
    let floatSeconds, int8Seconds: [Double]?
    let steps: [Step]
  }
}
