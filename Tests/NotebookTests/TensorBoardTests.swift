import Foundation
import Notebook
import Script
import Testing

/// The scalars, texts and images of an event file, read anew from its bytes.
private struct Events {
  struct Value: Hashable {
    var tag: String
    var step: Int
    var number: Float?
  }
  private(set) var values: [Value] = []
  private(set) var texts: [String: String] = [:]

  init(_ folder: String) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    let name = try #require(names.first)
    #expect(names.count == 1)
    var rest = ArraySlice(try [UInt8](Data(contentsOf: URL(filePath: folder + "/" + name))))
    while !rest.isEmpty {
      let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      add(event: rest.dropFirst(12).prefix(length))
      rest = rest.dropFirst(16 + length)
    }
  }

  private mutating func add(event bytes: ArraySlice<UInt8>) {
    let fields = Self.fields(bytes)
    let step = fields[2].map { $0.reversed().reduce(0) { $0 << 7 | Int($1 & 0x7F) } } ?? 0
    guard let value = fields[5].flatMap({ Self.fields($0)[1] }).map(Self.fields), let tag = value[1] else { return }
    let number = value[2].map { Float(bitPattern: $0.reversed().reduce(0) { $0 << 8 | UInt32($1) }) }
    let name = String(decoding: tag, as: UTF8.self)
    values.append(Value(tag: name, step: step, number: number))
    if let text = value[8].flatMap({ Self.fields($0)[8] }) { texts[name] = String(decoding: text, as: UTF8.self) }
  }

  /// The last value of each field, as bytes.
  private static func fields(_ bytes: ArraySlice<UInt8>) -> [Int: ArraySlice<UInt8>] {
    var (rest, fields) = (bytes, [Int: ArraySlice<UInt8>]())
    func take(_ count: Int) -> ArraySlice<UInt8> {
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }
    func varint() -> ArraySlice<UInt8> { take((rest.firstIndex { $0 < 0x80 } ?? rest.endIndex - 1) - rest.startIndex + 1) }
    func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reversed().reduce(0) { $0 << 7 | Int($1 & 0x7F) } }
    while !rest.isEmpty {
      let key = number(varint())
      switch key & 7 {
      case 0: fields[key >> 3] = varint()
      case 1: fields[key >> 3] = take(8)
      case 5: fields[key >> 3] = take(4)
      default: fields[key >> 3] = take(number(varint()))
      }
    }
    return fields
  }
}

@Suite("TensorBoard")
struct TensorBoardTests {
  private static let script = """
    data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 32)
    run = train(resnet8(data), data, epochs: 3, batch: 16, lr: 0.05)
    """

  private func workshop(in shared: Workshop? = nil, isFresh: Bool = false) throws -> Workshop {
    let workshop = try Workshop(in: shared?.folder, isFresh: isFresh)
    let log = try TensorBoardLog(in: workshop.folder + "/board") { Issue.record("\($0)") }
    workshop.notebook.tensorBoard = log
    log.begin(script: "studies/first.reprise", text: Self.script)
    return workshop
  }

  private func folders(_ workshop: Workshop) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: workshop.folder + "/board").sorted()
  }

  private func runEvents(_ workshop: Workshop) throws -> Events {
    let name = try #require(try folders(workshop).first { $0.hasPrefix("training-resnet8-on-synthetic-") })
    return try Events(workshop.folder + "/board/" + name)
  }

  @Test("a training run's curves are the run's own, point by point")
  func curves() throws {
    let workshop = try workshop()
    try workshop.value(Self.script)
    let events = try runEvents(workshop)
    guard case .list(let epochs)? = try workshop.value(Self.script + "\nrun.epochs") else {
      Issue.record("a run has no epochs")
      return
    }
    let names = ["loss/train": "trainLoss", "loss/validation": "loss", "top1/validation": "top1", "lr/epoch": "lr"]
    for (tag, field) in names {
      let expected = epochs.elements.enumerated().map { index, epoch -> Events.Value in
        guard case .record(let record) = epoch, case .number(let number)? = record[field] else {
          return Events.Value(tag: tag, step: -1)
        }
        return Events.Value(tag: tag, step: index + 1, number: Float(number))
      }
      #expect(events.values.filter { $0.tag == tag } == expected)
    }
    // Every step of so short a run, the peak first: there is no warm-up.
    let rates = events.values.filter { $0.tag == "lr/step" }
    #expect(rates.map(\.step) == Array(1...12) && rates[0].number == 0.05)
    #expect(events.values.filter { $0.tag == "loss/step" }.map(\.step) == Array(1...12))
    #expect(events.values.contains { $0.tag == "_hparams_/session_end_info" })
    #expect(events.values.filter { $0.tag == "final/top1" }.map(\.step) == [3])
  }

  @Test("a run that is taken from the store, or written from it later, has the same points in the same order")
  func stored() throws {
    let first = try workshop()
    try first.value(Self.script)
    let live = try runEvents(first)
    let second = try workshop(in: first)
    try second.value(Self.script)
    func scalars(_ events: Events) -> [String: [Events.Value]] { Dictionary(grouping: events.values, by: \.tag) }
    #expect(try scalars(runEvents(second)) == scalars(live))
    let store = try RunStore(in: first.folder, creates: false)
    let log = try TensorBoardLog(in: first.folder + "/board") { Issue.record("\($0)") }
    for run in try store.runs() { log.add(run, of: store) }
    #expect(try scalars(runEvents(first)) == scalars(live))
  }

  @Test("a run that was interrupted and goes on has all its points once, in their order")
  func resumed() throws {
    let interrupted = try Workshop(interruptions: 1)
    interrupted.notebook.tensorBoard = try TensorBoardLog(in: interrupted.folder + "/board") { Issue.record("\($0)") }
    try interrupted.value(Self.script)
    #expect(try !runEvents(interrupted).values.contains { $0.tag == "_hparams_/session_end_info" })
    let resumed = try workshop(in: interrupted)
    try resumed.value(Self.script)
    let events = try runEvents(resumed)
    #expect(events.values.filter { $0.tag == "loss/step" }.map(\.step) == Array(1...12))
    #expect(events.values.filter { $0.tag == "loss/train" }.map(\.step) == [1, 2, 3])
  }

  @Test("figures, the script and verdicts are in the script's own folder")
  func script() throws {
    let workshop = try workshop()
    try workshop.value(
      Self.script + """

        plot(run, to: "a.png")
        plot(run, title: "Again", to: "a.png")
        claim("more | than <b>", measured: 3, atLeast: 2, population: "exact")
        claim("less", measured: 3, atMost: 2, population: "exact")
        """)
    let events = try Events(workshop.folder + "/board/first")
    #expect(events.values.filter { $0.tag == "a.png" }.map(\.step) == [1, 2])
    #expect(events.values.filter { $0.tag == "claims" }.map(\.step) == [1, 2])
    #expect(events.texts["script"]?.hasPrefix("    data = synthetic(4") == true)
    let claims = try #require(events.texts["claims"])
    #expect(claims.contains("| reproduced | more \\| than &lt;b> |") && claims.contains("| not reproduced | less |"))
  }

  @Test("the name of a script never leaves the folder")
  func names() throws {
    let workshop = try workshop()
    for name in ["../../up.reprise", "...", "<stdin>", "", "a/b c\u{e9}.reprise"] {
      workshop.notebook.tensorBoard?.begin(script: name, text: "x = 1")
    }
    #expect(try folders(workshop) == ["-stdin-", "b-c-", "first", "script", "up"])
  }

  @Test("pruning and other steps have the numbers that they came to")
  func steps() throws {
    let workshop = try workshop()
    try workshop.value(Self.script + "\nsmall = prune(run.model, data, macsRemoved: 30%)")
    let name = try #require(try folders(workshop).first { $0.hasPrefix("pruning-") })
    let events = try Events(workshop.folder + "/board/" + name)
    let kept = try #require(events.values.first { $0.tag == "final/macsKept" }?.number)
    #expect(kept > 0 && kept <= 0.75)
  }

  @Test("a folder that vanishes is told once, and the training goes on")
  func vanished() throws {
    let workshop = try Workshop()
    let told = Told()
    let path = workshop.folder + "/board"
    workshop.notebook.tensorBoard = try TensorBoardLog(in: path) { told.add($0) }
    try FileManager.default.removeItem(atPath: path)
    FileManager.default.createFile(atPath: path, contents: Data())
    try workshop.value(Self.script + "\nplot(run, to: \"a.png\")")
    #expect(told.lines.count == 1)
    #expect(throws: (any Error).self) { try TensorBoardLog(in: path) { _ in } }
  }
}

private final class Told: @unchecked Sendable {
  private let lock = NSLock()
  private var kept: [String] = []
  func add(_ line: String) { lock.withLock { kept.append(line) } }
  var lines: [String] { lock.withLock { kept } }
}
