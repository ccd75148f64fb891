import Foundation
import Tensors
import Testing

/// Open MPI's launcher, where this machine has one.
private enum MPI {
  static let path: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { "\($0)/mpirun" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  static var isHere: Bool { path != nil }
}

@Suite("several processes", .serialized, .enabled(if: MPI.isHere, "there is no mpirun on this machine"))
final class MPITests {
  let folder: URL
  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(at: folder) }

  private struct Result { let status: Int32, output: String, errors: String, seconds: Double }

  /// - Parameter during: called with mpirun's process number while it runs.
  private func run(
    _ script: String, processes: Int, _ arguments: [String] = [], environment: [String: String] = [:],
    during: (Int32) throws -> Void = { _ in }
  ) throws -> Result {
    try Data(script.utf8).write(to: folder.appending(path: "a.reprise"))
    let (outputFile, errorFile) = (folder.appending(path: ".out"), folder.appending(path: ".err"))
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    let process = Process()
    // Tests run with signals blocked, which mpirun would inherit.
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["--default-signal=INT,TERM", MPI.path!, "--allow-run-as-root", "--oversubscribe", "-n", "\(processes)", Program.path, "run", "a.reprise", "--threads", "1"]
      + arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    let begun = Date()
    try process.run()
    try during(process.processIdentifier)
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self), seconds: Date().timeIntervalSince(begun))
  }

  /// - Parameter settings: of the training, beside what all here share.
  private func script(train: Int = 160, epochs: Int = 2, batch: Int = 16, _ settings: String = "") -> String {
    """
    data = synthetic(4, shape: [3, 16, 16], train: \(train), validation: 50)
    run = train(resnet20(classes: 4, input: [3, 16, 16]), data, epochs: \(epochs), batch: \(batch), lr: 0.02,
                augment: ["crop", "flip"], ema: 0.9, clipNorm: 1\(settings))
    save(run.model, to: "final.safetensors")
    print("\\(run.correct) of \\(run.count)")
    """
  }

  private func weights() throws -> Weights {
    try SafeTensors(reading: folder.appending(path: "final.safetensors").path).weights
  }

  private func forget() throws { try? FileManager.default.removeItem(at: folder.appending(path: ".reprise")) }

  /// The largest difference, in units of the largest number of its tensor.
  private func distance(_ a: Weights, _ b: Weights) throws -> Float {
    #expect(a.keys.sorted() == b.keys.sorted())
    return a.map { name, tensor in
      let largest = max(tensor.elements.map { abs($0) }.max() ?? 0, 1e-3)
      return (zip(tensor.elements, b[name]!.elements).map { abs($0 - $1) }.max() ?? 0) / largest
    }.max() ?? 0
  }

  @Test(
    "n processes give what one gives that computes the batch in as many parts",
    arguments: [(2, ""), (2, ", mixup: 0.2, cutmix: 1, dropPath: 0.3, labelSmoothing: 0.1, preciseBatchNorm: 7"), (4, "")])
  func equalsParts(_ processes: Int, _ settings: String) throws {
    let together = try run(script(train: 32, settings), processes: processes)
    #expect(together.status == 0, "\(together.errors)")
    let shared = try weights()
    try forget()
    let alone = try run(script(train: 32, settings + ", microBatch: \(16 / processes)"), processes: 1)
    #expect(alone.status == 0, "\(alone.errors)")
    // 4 steps in float32, whose sums over parts have another order. With another microBatch it is about 1.
    #expect(try distance(shared, weights()) < 1e-4)
    #expect(together.output.split(separator: "\n").last == alone.output.split(separator: "\n").last)
  }

  @Test(
    "with synchronized batch norms, n processes give what one gives",
    arguments: ["", ", microBatch: 8", ", preciseBatchNorm: 1"])
  func synchronized(_ settings: String) throws {
    let one = script(train: 16, epochs: 1, settings)
    let together = try run(script(train: 16, epochs: 1, settings + ", syncBatchNorm: true"), processes: 2)
    #expect(together.status == 0, "\(together.errors)")
    let shared = try weights()
    try forget()
    #expect(try run(one, processes: 1).status == 0)
    // One step: where statistics round elsewhere, steps soon lead to other places.
    #expect(try distance(shared, weights()) < 1e-5)
    try forget()
    #expect(try run(script(train: 16, epochs: 1, settings + ", syncBatchNorm: true"), processes: 2).status == 0)
    #expect(try weights() == shared)
  }

  @Test(
    "in bf16, n processes give what one gives that computes the batch in as many parts, and the same bits each time",
    .enabled(if: Program.computesBF16, "the processor has no AVX512_BF16, or oneDNN may not use it"))
  func bf16() throws {
    let settings = ", precision: \"bf16\""
    #expect(try run(script(train: 16, epochs: 1, settings), processes: 2).status == 0)
    let shared = try weights()
    try forget()
    #expect(try run(script(train: 16, epochs: 1, settings + ", microBatch: 8"), processes: 1).status == 0)
    // One step: what rounds elsewhere in float32 may be another number of 8 bits in the next.
    #expect(try distance(shared, weights()) < 1e-5)
    var results: [Weights] = []
    for _ in 0..<2 {
      try forget()
      #expect(try run(script(settings + ", syncBatchNorm: true"), processes: 2).status == 0)
      results.append(try weights())
    }
    #expect(results[0] == results[1])
  }

  @Test("the same processes give the same bits, whatever the buckets' timing")
  func deterministic() throws {
    let small = ["REPRISE_BUCKET_BYTES": "20000"]
    #expect(try run(script(), processes: 2, environment: small).status == 0)
    let first = try weights()
    #expect(try run(script(), processes: 2, ["--fresh"], environment: small).status == 0)
    #expect(try weights() == first)
  }

  @Test("one process speaks and writes; a second run takes the training from the store")
  func oneSpeaks() throws {
    let result = try run(script(), processes: 2)
    #expect(result.output.components(separatedBy: "of 50").count == 2, "\(result.output)")
    let again = try run(script(), processes: 2)
    #expect(again.status == 0 && again.errors.contains("taken from the store"), "\(again.errors)")
    #expect(again.output == result.output)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
      ".err", ".out", ".reprise", "a.reprise", "final.safetensors",
    ])
  }

  /// The processes that mpirun started.
  private func children(of parent: Int32) -> [Int32] {
    let text = (try? String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)) ?? ""
    return text.split(separator: " ").compactMap { Int32($0) }
  }

  private func awaitCheckpoint() throws {
    let checkpoints = folder.appending(path: ".reprise/checkpoints")
    let end = Date().addingTimeInterval(60)
    while Date() < end {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: checkpoints.path)) ?? []
      if names.contains(where: { !$0.hasPrefix(".") }) { return }
      usleep(10_000)
    }
    Issue.record("no checkpoint was written")
  }

  @Test("a process that is killed ends the others, and the training goes on to the same bits", arguments: [0, 1])
  func killed(_ which: Int) throws {
    #expect(try run(script(epochs: 12), processes: 2).status == 0)
    let whole = try weights()
    try forget()
    var killedAt = Date()
    let broken = try run(script(epochs: 12), processes: 2, ["--checkpoint-every", "0"]) { mpirun in
      try awaitCheckpoint()
      let processes = children(of: mpirun)
      try #require(processes.count == 2)
      kill(processes[which], SIGKILL)
      killedAt = Date()
    }
    #expect(broken.status != 0)
    #expect(Date().timeIntervalSince(killedAt) < 20)
    let resumed = try run(script(epochs: 12), processes: 2)
    #expect(resumed.status == 0 && resumed.errors.contains("goes on after step"), "\(resumed.errors)")
    #expect(try weights() == whole)
  }

  @Test("mpirun that is interrupted ends all after one step, and the training goes on to the same bits", arguments: [SIGINT, SIGTERM])
  func interrupted(_ signal: Int32) throws {
    #expect(try run(script(epochs: 30), processes: 2).status == 0)
    let whole = try weights()
    try forget()
    let stopped = try run(script(epochs: 30), processes: 2) { mpirun in
      try awaitCheckpoint()
      kill(mpirun, signal)
    }
    #expect(stopped.status != 0)
    #expect(stopped.errors.contains("interrupted after"), "\(stopped.errors)")
    let resumed = try run(script(epochs: 30), processes: 2)
    #expect(resumed.status == 0 && resumed.errors.contains("goes on after step"), "\(resumed.errors)")
    #expect(try weights() == whole)
  }

  @Test("one process that is asked to stop stops all after the same step")
  func oneStops() throws {
    let stopped = try run(script(epochs: 200), processes: 2) { mpirun in
      try awaitCheckpoint()
      kill(try #require(children(of: mpirun).last), SIGINT)
    }
    #expect(stopped.status == 130, "\(stopped.errors)")
    #expect(stopped.errors.contains("interrupted after"))
  }

  @Test("an error that all share is told once, with its status")
  func sharedError() throws {
    let result = try run(script(batch: 15), processes: 2)
    #expect(result.status == 3, "\(result.errors)")
    #expect(result.errors.components(separatedBy: "a batch of 15 cannot be shared evenly among 2 processes").count == 2)
    let diverging = try run(
      script(epochs: 5, ", weightDecay: 100").replacing("lr: 0.02", with: "lr: 1000"), processes: 2)
    #expect(diverging.status == 3 && diverging.errors.contains("is not finite at epoch"), "\(diverging.errors)")
  }

  /// Weights with which a step of resnet8 has losses that are no numbers, or losses that are and a gradient that is not.
  private func spoiled(_ weights: Weights, _ what: String) throws -> Weights {
    var spoiled = weights
    func scale(_ name: String, by factor: Float) throws {
      let tensor = try #require(weights[name])
      spoiled[name] = try Tensor(tensor.elements.map { $0 * factor }, shape: tensor.shape)
    }
    guard what == "gradient" else {
      // Features are not negative, and some are more than 0: their sum is more than a float holds.
      let shape = try #require(weights["fc.weight"]).shape
      spoiled["fc.weight"] = try Tensor(repeatElement(3e38, count: shape.elementCount), shape: shape)
      return spoiled
    }
    // On the way forward, the last block adds next to nothing to what goes past it. On the way back, 1e30 comes in, and
    // its second norm and convolution multiply it by 1e12.
    try scale("layer3.0.bn1.weight", by: 1e-30)
    try scale("layer3.0.bn2.weight", by: 1e4)
    try scale("layer3.0.conv2.weight", by: 1e5)
    try scale("fc.weight", by: 1e30)
    return spoiled
  }

  @Test("where one process alone meets what is not finite, all end with the same error", arguments: ["loss", "gradient"])
  func spoiledOnOne(_ what: String) throws {
    let network = "resnet8(classes: 4, input: [3, 16, 16])"
    #expect(try run("save(initialize(\(network)), to: \"0.safetensors\")", processes: 1).status == 0)
    let file = { [folder] (name: String) in folder.appending(path: "\(name).safetensors").path }
    let sound = try SafeTensors(reading: file("0")).weights
    try SafeTensors(weights: spoiled(sound, what)).write(to: file("1"))
    func script(_ weights: String) -> String {
      """
      start = load(\(network), \(weights) + ".safetensors")
      train(start, synthetic(4, shape: [3, 16, 16], train: 32, validation: 8), epochs: 1, batch: 16, lr: 0.01)
      """
    }
    let result = try run(script("env(\"OMPI_COMM_WORLD_RANK\")"), processes: 2)
    #expect(result.status == 3, "\(result.errors)")
    let words = what == "loss" ? "the loss is not finite at epoch 1, step 1 " : "' is not finite at epoch 1, step 1 "
    #expect(result.errors.components(separatedBy: words).count == 2, "\(result.errors)")
    #expect(result.errors.contains("the gradient of '") == (what == "gradient"))
    #expect(!result.errors.contains("the others did not"))
    // What the second has, the first has not.
    #expect(try run(script("\"0\""), processes: 2, ["--fresh"]).status == 0)
  }

  @Test("an error of one process ends all, and says whose it was")
  func ownError() throws {
    let result = try run("if env(\"OMPI_COMM_WORLD_RANK\") == \"1\" { [1][5] }\n" + script(epochs: 1000), processes: 2)
    #expect(result.status != 0 && result.seconds < 60)
    #expect(result.errors.contains("process 1 of 2"), "\(result.errors)")
  }
}
