internal import Datasets
internal import Distribution
internal import Engine
internal import Foundation
internal import Networks
internal import Tensors
internal import Training

/// All that determines what a training gives, to the bit.
struct TrainingInputs: Codable {
  var network, layers: String
  /// The seed's weights, or a hash of those that were given.
  var start: String
  var data, dataChecksum: String
  var normalization: [[Float]]
  var plan: TrainingPlan
  /// A hash of each teacher's network, weights and normalization.
  var teachers: [String]
  var machine: MachineInputs
  /// How many processes, and how much goes between them at once; absent where there is one.
  var processes: String?

  init(
    _ network: Network, from weights: Weights?, on data: Dataset, _ plan: TrainingPlan, teachers: [Teacher],
    notebook: NotebookSession
  ) throws(DatasetError) {
    self.network = network.name
    layers = Self.hash(of: network)
    start = weights.map { "weights \($0.contentHash)" } ?? "drawn from the seed"
    self.data = data.name
    dataChecksum = try data.checksum()
    normalization = [data.normalization.mean, data.normalization.std]
    self.plan = plan
    self.teachers = teachers.map { teacher in
      var hasher = StableHasher()
      hasher.combine(teacher.network.specification)
      hasher.combine(teacher.weights.contentHash)
      for number in (teacher.normalization.map { $0.mean + $0.std } ?? []) {
        hasher.combine(Int(number.bitPattern))
      }
      return hasher.hexadecimal
    }
    machine = MachineInputs(notebook)
    if !notebook.communicator.isAlone {
      let bytes = notebook.bucketBytes ?? GradientBuckets.standardByteCount
      processes = "\(notebook.communicator.size), buckets of \(bytes) bytes"
    }
  }

  /// A hash of a network's layers, in 16 hexadecimal digits.
  static func hash(of network: Network) -> String { key(of: network.specification) }

  var json: String { JSONText.of(self) }

  var key: String { Self.key(of: json) }

  static func key(of text: String) -> String {
    var hasher = StableHasher()
    hasher.combine(text)
    return hasher.hexadecimal
  }
}

/// What of the machine and the program determines results to the bit.
struct MachineInputs: Codable {
  var threads: Int
  var convolutions: String
  var processor, library: String
  /// A hash of the program itself, so that another build of a kernel or another default is another run.
  var program: String

  init(_ notebook: NotebookSession) {
    threads = notebook.engineThreads
    convolutions = notebook.convolvesDirectly ? "direct" : "fastest"
    (processor, library, program) = (Engine.processor, Engine.libraryVersion, Self.programHash)
  }

  private static let programHash: String = {
    var hasher = StableHasher()
    let program = (try? readFile("/proc/self/exe", limit: 1 << 30)) ?? []
    hasher.combine(bytes: program)
    return hasher.hexadecimal
  }()
}

/// What came of a training run, beside its weights.
struct TrainingResult: Codable {
  var epochs: [EpochRecord]
  var steps: Int
  var weights: String
  var parameters: [String]
  /// Of these weights on the validation set; absent where they are simply the last.
  var final: Evaluation?
  /// Which images they get right; absent of runs of before this was kept.
  var each: CorrectImages?

  var given: Evaluation { final ?? epochs.last?.validation ?? Evaluation() }
}

/// Where a training run was made.
struct TrainingEnvironment: Codable {
  var settings: [String: String]
  var seed: UInt64
  var threads: Int?
  var direct: Bool
  var host, system: String

  init(_ notebook: NotebookSession) {
    (settings, seed, threads, direct) = (notebook.settings, notebook.seed, notebook.threads, notebook.convolvesDirectly)
    (host, system) = (ProcessInfo.processInfo.hostName, ProcessInfo.processInfo.operatingSystemVersionString)
  }
}

/// JSON with sorted keys, so that equal values are equal texts; numbers that are none are texts.
package enum JSONText {
  /// - Parameter isPretty: Whether each field stands on a line of its own.
  package static func of(_ value: some Encodable, isPretty: Bool = false) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(value) else { preconditionFailure("strings and numbers are JSON") }
    return String(decoding: data, as: UTF8.self)
  }

  static func read<Value: Decodable>(_ type: Value.Type, _ text: String) -> Value? {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try? decoder.decode(type, from: Data(text.utf8))
  }

  /// Every leaf of a document, by its path: `plan.learningRate`.
  static func leaves(_ text: String) -> [String: String] {
    guard let root = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) else { return [:] }
    var leaves: [String: String] = [:]
    func walk(_ value: Any, _ path: String) {
      switch value {
      case let fields as [String: Any]:
        if fields.isEmpty { leaves[path] = "{}" }
        for (name, field) in fields { walk(field, path.isEmpty ? name : "\(path).\(name)") }
      case let list as [Any]:
        if list.isEmpty { leaves[path] = "[]" }
        for (index, element) in list.enumerated() { walk(element, "\(path)[\(index)]") }
      default: leaves[path] = "\(value)"
      }
    }
    walk(root, "")
    return leaves
  }
}
