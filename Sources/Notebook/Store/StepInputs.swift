internal import Datasets
internal import Distribution
internal import Engine
internal import Foundation
internal import Networks
internal import Script
internal import Tensors
internal import Training

/// All that a step's result follows from, whatever it is done on: its identity is a hash of this.
struct StepInputs<Settings: Encodable>: Encodable {
  let kind: String
  /// A hash of the network's layers.
  let layers: String
  /// A hash of the weights that it begins with; what it says where they follow from the seed.
  let start: String
  /// The data's classes, images and labels by SHA-256.
  let data: String
  let normalization: [[Float]]
  let settings: Settings

  /// - Parameter weights: nil for those that the seed in the settings gives.
  init(
    _ kind: String, _ network: Network, from weights: Weights?, on data: Dataset, _ settings: Settings, _ work: StepWork
  ) throws {
    self.kind = kind
    layers = StepKey.hash(of: network)
    start = weights.map { "weights \($0.contentHash)" } ?? StepKey.fromSeed
    self.data = try work.contentHash(of: data)
    normalization = [data.normalization.mean, data.normalization.std]
    self.settings = settings
  }
}

/// What names runs in the store.
enum StepKey {
  static let fromSeed = "drawn from the seed"

  static func of(_ texts: String...) -> String {
    var hasher = StableHasher()
    for text in texts { hasher.combine(text) }
    return hasher.hexadecimal
  }

  /// A hash of a network's layers, in 16 hexadecimal digits.
  static func hash(of network: Network) -> String { of(network.specification) }
}

/// Where the same inputs give the same bits: the program and its libraries, the processor, threads and processes.
struct ExactnessClass: Codable, Hashable {
  /// A hash of the program itself, so that another build of a kernel or another default is another class.
  var program: String?
  var version: String?
  var library: String?
  var processor: String?
  var device: String?
  var threads: Int?
  /// Whether convolutions are summed directly or by the fastest algorithm.
  var convolutions: String?
  /// How many processes, and how much goes between them at once; absent where there is one.
  var processes: String?

  init(_ notebook: NotebookSession) {
    (program, version, library) = (Self.programHash, programVersion, Engine.libraryVersion)
    (processor, device, threads) = (Engine.processor, "cpu", notebook.engineThreads)
    convolutions = notebook.convolvesDirectly ? "direct" : "fastest"
    if !notebook.communicator.isAlone {
      let bytes = notebook.bucketBytes ?? GradientBuckets.standardByteCount
      processes = "\(notebook.communicator.size), buckets of \(bytes) bytes"
    }
  }

  /// That of a run in the store. What an older Reprise kept has it among its inputs.
  init?(of run: RunStore.Run) {
    struct Old: Decodable { var machine: ExactnessClass }
    if run.identity.isEmpty, let old = JSONText.read(Old.self, run.inputs) {
      self = old.machine
    } else if let own = JSONText.read(ExactnessClass.self, run.exactness) {
      self = own
    } else {
      return nil
    }
  }

  /// The same but for the build of Reprise and of its libraries.
  func isOtherBuild(of other: ExactnessClass) -> Bool {
    func rest(_ all: ExactnessClass) -> ExactnessClass {
      var rest = all
      (rest.program, rest.version, rest.library) = (nil, nil, nil)
      rest.device = all.device ?? "cpu"
      return rest
    }
    return rest(self) == rest(other)
  }

  /// How another one differs, in words: `another build of Reprise`, `2 threads, not 1`.
  func differences(to other: ExactnessClass) -> [String] {
    func named(_ what: String, _ own: String?, _ others: String?) -> String? {
      own == others ? nil : "\(what) \(others ?? "unknown"), not \(own ?? "unknown")"
    }
    return [
      program == other.program ? nil : "another build of Reprise",
      named("library", library, other.library), named("processor", processor, other.processor),
      threads == other.threads
        ? nil : "\(other.threads.map(String.init) ?? "unknown") threads, not \(threads.map(String.init) ?? "unknown")",
      named("convolutions", convolutions, other.convolutions), named("processes", processes, other.processes),
    ].compactMap(\.self)
  }

  static let programHash: String = {
    var hasher = StableHasher()
    hasher.combine(bytes: (try? readFile("/proc/self/exe", limit: 1 << 30)) ?? [])
    return hasher.hexadecimal
  }()
}

/// Under which settings a run was made, to do it again.
struct StepEnvironment: Codable {
  var settings: [String: String]
  var seed: UInt64
  var threads: Int?
  var direct: Bool
  /// The texts of the scripts that the run's script used, by their names; absent in older runs.
  var used: [String: String]?
  var host, system: String

  init(_ notebook: NotebookSession, used: [String: String] = [:]) {
    self.used = used.isEmpty ? nil : used
    (settings, seed, threads, direct) = (notebook.settings, notebook.seed, notebook.threads, notebook.convolvesDirectly)
    (host, system) = (ProcessInfo.processInfo.hostName, ProcessInfo.processInfo.operatingSystemVersionString)
  }
}
