import Foundation
import Notebook
import Script
import Testing

@Suite("steps of every kind", .serialized)
struct StepTests {
  static let script = """
    data = synthetic(4, shape: [1, 16, 16], train: 160, validation: 64)
    run = train(resnet8(classes: 4, input: [1, 16, 16]), data, epochs: 1, batch: 32, lr: 0.05, seed: 1)
    exact = preciseBatchNorm(run.model, data, batches: 4, batch: 32, seed: 1)
    small = prune(exact, data, channelsKept: 50%, images: 20, seed: 1)
    found = searchRatios(exact, data, macsRemoved: 40%, rollouts: 3, heldOut: 32, images: 20, seed: 1)
    curves = sensitivity(exact, data, ratios: [50%], heldOut: 32, images: 20, seed: 1)
    few = quantize(exact, data, images: 20)
    layers = layerSensitivity(exact, data, images: 20, validationImages: 16)
    top = [few.top1, evaluate(small, data).top1]
    """
  private static let kinds = [
    "training", "precise batch norm", "pruning", "search", "sensitivity", "quantizing", "layer study",
  ]
  private static let values = "[run, exact, small, found, curves, few, layers]"

  private func store(of workshop: Workshop) throws -> RunStore { try RunStore(in: workshop.folder, creates: false) }

  @Test("all are kept, shown, taken from the store and done again to the bit")
  func all() throws {
    let workshop = try Workshop()
    try workshop.value(Self.script)
    let first = try #require(try workshop.value(Self.values))
    let runs = try store(of: workshop).runs()
    #expect(Set(runs.map(\.kind)) == Set(Self.kinds))
    for run in runs {
      #expect(run.state == .finished)
      #expect(run.facts.allSatisfy { !$0.facts.isEmpty }, "\(run.kind)")
    }
    let again = try Workshop(in: workshop.folder)
    try again.value(Self.script)
    #expect(try again.value(Self.values) == first)
    #expect(again.output.reports.count { $0.hasPrefix("taken from the store") } == Self.kinds.count)
    #expect(try store(of: workshop).runs().count == Self.kinds.count)
    for run in runs {
      let replay = try #require(try Replay(run, in: store(of: workshop)), "\(run.kind)")
      let other = try Workshop(in: workshop.folder, replay: replay)
      try other.value(Self.script)
      guard case .same = other.notebook.replayFindings.first else {
        Issue.record("\(run.kind): \(other.notebook.replayFindings)")
        continue
      }
    }
  }

  @Test("a plan knows them all, and leaves the store as it is")
  func plan() throws {
    let workshop = try Workshop()
    let scratch = try Workshop()
    for done in [false, true] {
      if done { try workshop.value(Self.script) }
      let before = try contents(workshop.folder)
      let planned = try Workshop(in: scratch.folder, isPlanning: true, readingFrom: workshop.folder)
      try planned.value(Self.script)
      #expect(planned.notebook.costs.count == Self.kinds.count)
      #expect(planned.notebook.costs.allSatisfy { $0.isStored == done })
      #expect(try contents(workshop.folder) == before)
      try FileManager.default.removeItem(atPath: scratch.folder + "/.reprise")
    }
  }

  /// Every file below a folder, with its bytes.
  private func contents(_ folder: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for case let name as String in try #require(FileManager.default.enumerator(atPath: folder)) {
      files[name] = FileManager.default.contents(atPath: folder + "/" + name) ?? Data()
    }
    return files
  }

  @Test("precise statistics are those of the images, and need no running average")
  func preciseBatchNorm() throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      data = synthetic(4, shape: [1, 16, 16], train: 160, validation: 64)
      run = train(resnet8(classes: 4, input: [1, 16, 16]), data, epochs: 1, batch: 32, lr: 0.05, seed: 1)
      plain = train(resnet8(classes: 4, input: [1, 16, 16]), data, epochs: 1, batch: 32, lr: 0.05, seed: 1, preciseBatchNorm: 5)
      exact = preciseBatchNorm(run.model, data, batches: 5, batch: 32, seed: 1)
      """)
    #expect(try workshop.value("exact == run.model") == .bool(false))
    // Other batches of the same images: what both measure is the same within what batches differ by.
    #expect(
      try workshop.value("abs(evaluate(exact, data).loss - plain.loss) < abs(run.loss - plain.loss)") == .bool(true))
    #expect(workshop.error("preciseBatchNorm(run.model, data, batch: 1000)")?.message.contains("do not fill") == true)
  }

  @Test("what is known by contents is known in another folder, and after a touch, but not with another image")
  func contents() throws {
    let workshop = try Workshop()
    let folder = workshop.folder + "/a"
    for (place, name) in ["cat", "dog"].enumerated() {
      try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
      for number in 0..<12 {
        try Data(Self.bitmap(shade: UInt8(20 * number + 9 * place))).write(
          to: URL(filePath: "\(folder)/\(name)/\(number).bmp"))
      }
    }
    func train(_ folder: String) throws -> Bool {
      let before = workshop.output.reports.count
      try workshop.value(
        "train(resnet8(classes: 2, input: [1, 8, 8]), folder(\"\(folder)\", 8, channels: 1), epochs: 1, batch: 4, seed: 1);")
      return workshop.output.reports.dropFirst(before).contains { $0.hasPrefix("taken from the store") }
    }
    #expect(try !train("a"))
    #expect(try train("a"))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -5000)], ofItemAtPath: folder + "/cat/3.bmp")
    #expect(try train("a"))
    try FileManager.default.copyItem(atPath: folder, toPath: workshop.folder + "/b")
    #expect(try train("b"))
    var bytes = try #require(FileManager.default.contents(atPath: folder + "/cat/3.bmp"))
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: URL(filePath: folder + "/cat/3.bmp"))
    #expect(try !train("a"))
  }

  /// A BMP file of 8 x 8 pixels: two headers, then three bytes for each pixel.
  private static func bitmap(shade: UInt8) -> [UInt8] {
    func number(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 255) } }
    return Array("BM".utf8) + number(54 + 192, 4) + number(0, 4) + number(54, 4)
      + number(40, 4) + number(8, 4) + number(8, 4) + number(1, 2) + number(24, 2) + number(0, 24)
      + [UInt8](repeating: shade, count: 192)
  }

  @Test("why tells the statements, the runs and what changed since")
  func why() throws {
    let workshop = try Workshop()
    try workshop.value(
      """
      data = synthetic(4, shape: [1, 16, 16], train: 160, validation: 64)
      unused = 3
      rate = 0.05
      run = train(resnet8(classes: 4, input: [1, 16, 16]), data, epochs: 1, batch: 32, lr: rate, seed: 1)
      small = prune(run.model, data, channelsKept: 50%, images: 20, seed: 1)
      rate = 1
      why(small)
      """)
    let text = workshop.output.text
    #expect(text.contains("line 4  run = train(") && text.contains("line 5  small = prune("))
    #expect(!text.contains("unused = 3") && text.contains("changed since: rate"))
    #expect(text.contains("pruning of resnet8") && text.contains("training of resnet8"))
    #expect(text.contains("from the weights of run"))
  }
}
