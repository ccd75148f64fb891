import Foundation
import Notebook
import Script
import Synchronization
import Testing

@Suite("Built-ins")
struct BuiltinTests {
  /// What the notebook adds to the language.
  static let added = notebookLibrary.builtins.filter { Library().builtin($0.name) == nil }
  static let examples = added.flatMap { builtin in builtin.examples.map { (builtin.name, $0) } }

  @Test("every example gives what the reference says", arguments: examples)
  func example(_ name: String, _ example: Example) throws {
    let workshop = try ExampleWorkshop.prepared(for: name)
    let result = try workshop.value(example.code)
    if let gives = example.gives { #expect(result?.shown == gives, "\(example.code)") }
  }

  @Test("every built-in has a chapter, a sentence and an example", arguments: added.map(\.name))
  func isDocumented(_ name: String) throws {
    let builtin = try #require(notebookLibrary.builtin(name))
    #expect(!builtin.chapter.isEmpty && builtin.doc.hasSuffix(".") && !builtin.examples.isEmpty)
    #expect(builtin.parameters.allSatisfy { !$0.doc.isEmpty })
  }

  @Test("every field of every kind of value is there, and no other", arguments: [
    ("dataset", "synthetic(2, train: 4, validation: 4)"), ("network", "resnet8()"), ("model", "initialize(resnet8())"),
    ("array", "array([1])"), ("chart", "plot([1, 2], to: \"a.png\")"), ("claim", "claim(\"a\", measured: 1)"),
    ("run", tinyRun), ("storedRun", "run(\(tinyRun).id)"), ("series", "\(tinyRun).train.loss"),
  ])
  func fields(_ type: String, _ code: String) throws {
    guard case .object(let object)? = try Workshop().value(code) else { throw UnexpectedValue() }
    let declared = try #require(notebookLibrary.objectType(type)).fields
    #expect(object.typeName == type)
    #expect(object.fieldNames == declared.map(\.name))
    for field in declared {
      let value = try #require(try object.field(field.name))
      #expect(field.type.accepts(value), "\(field.name) is \(value)")
    }
    #expect(try object.field("no such field") == nil)
    #expect(!object.summary.isEmpty && !object.text.isEmpty)
  }

  @Test("what does not go together is told with what would", arguments: [
    ("train(resnet8(classes: 4), synthetic(5, train: 8, validation: 8))", "classes: data.classes"),
    ("train(resnet8(classes: 4, input: [3, 8, 8]), synthetic(4, train: 8, validation: 8))", "input: [1, 28, 28]"),
    ("evaluate(initialize(resnet8(classes: 4)), synthetic(4, train: 8, validation: 8))", "input: [1, 28, 28]"),
    ("predict(initialize(resnet8(classes: 4)), array([0], shape: [1, 2]))", "shape: [1, 3, 32, 32]"),
    ("resnet(depth: 9)", "6n + 2"), ("resnet8(input: [28, 28])", "[1, 28, 28]"), ("resnet8(input: [1, 0.5, 28])", "integers"),
    ("plot(to: \"a.png\")", "plot(run"), ("plot([], to: \"a.png\")", "plot(run"), ("array([1, 2], shape: [3])", "product"),
    ("array([1, 2], shape: [-1])", "[2, 3]"), ("images(synthetic(2, train: 2, validation: 2), 5)", "at most 2"),
    ("claim(\"a\", measured: 1, tolerance: 1)", "reported"), ("claim(\"a\", measured: 101, images: 5)", "per cent"),
    ("train(resnet8(), synthetic(), epochs: 1, warmup: 2)", "at most 1"), ("folder(\"Tests\", channels: 2)", "channels"),
    ("synthetic(2, shape: [1, 4, 4])", "8"), ("plot([1], width: 10000, height: 10000, to: \"a.png\")", "smaller width"),
  ])
  func mismatches(_ code: String, _ expected: String) throws {
    let error = try #require(try Workshop().error(code))
    #expect(error.category == .runtime || error.category == .missingData)
    #expect(error.message.contains(expected), "\(error.message)")
  }

  @Test("what cannot fit into memory is refused before it is taken", arguments: [
    "initialize(vgg16(input: [3, 8192, 8192], hiddenFeatures: 65536))", "synthetic(2, shape: [4, 1024, 1024], train: 1e7)",
    "train(resnet50(classes: 2), synthetic(2, shape: [3, 512, 512], train: 8, validation: 8), batch: 65536)",
    "array([0], shape: [1e9, 1e9])",
  ])
  func memory(_ code: String) throws {
    #expect(try Workshop().error(code)?.category == .runtime)
  }

  @Test(
    "the snapshots and the teachers of a training are counted before memory is taken",
    arguments: [
      // A GiB of weights, of which a thousand snapshots are kept; 40 MB of a teacher's, of whom there are thirty thousand.
      """
      net = vgg16(classes: 4, input: [3, 32, 32], hiddenFeatures: 16384)
      data = synthetic(4, shape: [3, 32, 32], train: 8, validation: 8)
      train(net, data, batch: 4, epochs: 1000, result: "best", snapshots: { count: 1000, on: "validation" })
      """,
      """
      teacher = initialize(vgg11(classes: 4, input: [3, 32, 32], hiddenFeatures: 512))
      data = synthetic(4, shape: [3, 32, 32], train: 8, validation: 8)
      train(resnet8(classes: 4), data, batch: 4, teacher: [teacher for i in 1...30_000])
      """,
    ])
  func trainingMemory(_ code: String) throws {
    let error = try #require(Workshop().error(code))
    #expect(error.category == .runtime && error.message.contains("no memory for"), "\(error.message)")
  }

  @Test("a slip is found before anything runs", arguments: [
    "print(1)\nresnet19()", "print(1)\nresnet8(clases: 4)", "print(1)\nmobilenetV1(width: -1)", "print(1)\nresnet50(stem: \"big\")",
    "print(1)\ntrain(resnet8(), synthetic(), epochs: 0)", "print(1)\ntrain(resnet8(), synthetic(), optimizer: \"sdg\")",
    "print(1)\ntrain(resnet8(), synthetic(), batch: 1.5)", "print(1)\nr = resnet8()\nr.parameter", "print(1)\nevaluate(resnet8(), synthetic())",
    "print(1)\nclaim(\"a\", measurd: 1)", "print(1)\nplot([1])",
  ])
  func slips(_ code: String) throws {
    let workshop = try Workshop()
    #expect(workshop.error(code)?.category == .script, "\(code)")
    #expect(workshop.output.text.isEmpty)
  }

  @Test("data and weights that are not here are told as such", arguments: [
    "fashionMNIST(\"nowhere\")", "cifar10(\"nowhere\")", "folder(\"nowhere\")", "load(resnet8(), \"nowhere.safetensors\")",
    "readArray(\"nowhere.npy\")",
  ])
  func missing(_ code: String) throws {
    #expect(try Workshop().error(code)?.category == .missingData)
  }
}

/// A training of a moment.
let tinyRun = "train(resnet8(), synthetic(10, shape: [1, 8, 8], train: 64, validation: 40), epochs: 2, batch: 32, seed: 1)"

struct UnexpectedValue: Error {}

/// Workshops that hold what the examples of some built-ins name.
private enum ExampleWorkshop {
  static func prepared(for name: String) throws -> Workshop {
    let interruption = Mutex<Interruption?>(nil)
    let workshop = try Workshop { line in if line != nil { interruption.withLock { $0?.raise() } } }
    let image = packageFolder.appending(path: "Tests/DatasetsTests/Goldens/rgb.png")
    func images(_ count: Int, in folder: String) throws {
      let folder = URL(filePath: "\(workshop.folder)/\(folder)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for index in 0..<count {
        try FileManager.default.copyItem(at: image, to: folder.appending(path: "\(index).png"))
      }
    }
    switch name {
    case "folder": for animal in ["cat", "dog"] { try images(5, in: "photos/\(animal)") }
    case "imagenet":
      for set in ["train", "val"] {
        for number in ["n02123045", "n02099601"] { try images(2, in: "imagenet/\(set)/\(number)") }
      }
    case "cifar10":
      let folder = "\(workshop.folder)/cifar-10-batches-bin"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let records = Data((0..<10).flatMap { [UInt8($0)] + [UInt8](repeating: 128, count: 3072) })
      for file in (1...5).map({ "data_batch_\($0)" }) + ["test_batch"] {
        try records.write(to: URL(filePath: "\(folder)/\(file).bin"))
      }
    case "resume":
      interruption.withLock { $0 = workshop.interruption }
      try workshop.value("run = \(tinyRun)")
      interruption.withLock { $0 = nil }
      workshop.interruption.clear()
    default: break
    }
    return workshop
  }
}
