import Foundation
import GRDB
import Notebook
import Script
import Synchronization
import Testing

@Suite("the store of runs", .serialized)
struct StoreTests {
  private let training =
    "run = train(resnet8(classes: 4), synthetic(4, shape: [1, 16, 16], train: 128, validation: 64), epochs: 3, batch: 16, lr: 0.05)"

  private func store(of workshop: Workshop) throws -> RunStore { try RunStore(in: workshop.folder, creates: false) }

  @Test("the same training is taken from the store, another is not")
  func reuse() throws {
    let workshop = try Workshop()
    let first = try #require(try workshop.value(training + "\nrun"))
    #expect(!workshop.output.reports.contains { $0.hasPrefix("taken from the store") })
    let second = try #require(try workshop.value(training + "\nrun"))
    #expect(workshop.output.reports.contains { $0.hasPrefix("taken from the store") })
    #expect(first == second)
    let runs = try store(of: workshop).runs()
    #expect(runs.count == 1 && runs[0].state == .finished && runs[0].top1 != nil)
    #expect(runs[0].script.contains("resnet8"))
    try workshop.value(training.replacingOccurrences(of: "0.05", with: "0.04"))
    try workshop.value(training.replacingOccurrences(of: "train: 128", with: "train: 144"))
    #expect(try store(of: workshop).runs().count == 3)
  }

  @Test("--fresh makes it again, with the same bits")
  func fresh() throws {
    let workshop = try Workshop()
    let first = try workshop.value(training + "\nrun")
    let again = try Workshop(in: workshop.folder, isFresh: true)
    #expect(try again.value(training + "\nrun") == first)
    #expect(!again.output.reports.contains { $0.hasPrefix("taken from the store") })
  }

  @Test(
    "a row that another program wrote is an error, and what the script computes goes on",
    arguments: [
      "name = NULL", "name = x'ff00'", "started = 'soon'", "script = x'fe'", "result = '{', inputs = 'none'", "state = 'odd'",
      "finished = 1e300", "key = 'zz'",
    ])
  func damagedRows(_ change: String) throws {
    let workshop = try Workshop()
    let first = try workshop.value(training + "\nrun.top1")
    let database = try DatabaseQueue(path: workshop.folder + "/.reprise/runs.sqlite")
    // As another program might make the table: without its rules.
    try database.write { database in
      try database.execute(
        sql: """
          CREATE TABLE copy AS SELECT * FROM attempt; DROP TABLE attempt; ALTER TABLE copy RENAME TO attempt;
          UPDATE attempt SET \(change);
          """)
    }
    try database.close()
    do {
      let runs = try store(of: workshop).runs()
      #expect(runs.count == 1 && !runs[0].facts.isEmpty)
    } catch RunStore.Failure.unusable(_, let reason) {
      #expect(reason == "a row of its database is damaged")
    }
    #expect(try Workshop(in: workshop.folder).value(training + "\nrun.top1") == first)
  }

  @Test("weights that were changed in the store are not believed")
  func damaged() throws {
    let workshop = try Workshop()
    let first = try workshop.value(training + "\nrun")
    let path = try #require(try store(of: workshop).weightsPath(of: store(of: workshop).runs()[0]))
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[bytes.count - 3] ^= 1
    try bytes.write(to: URL(filePath: path))
    #expect(try workshop.value(training + "\nrun") == first)
    #expect(!workshop.output.reports.contains { $0.hasPrefix("taken from the store") })
  }

  @Test("an interrupted training goes on to the same bits, by resume() and by the same line")
  func resumes() throws {
    let whole = try Workshop().value(training + "\nrun")
    for line in ["resume(run)", training + "\nrun"] {
      let flag = Mutex<Interruption?>(nil)
      let workshop = try Workshop { line in if line != nil { flag.withLock { $0?.raise() } } }
      flag.withLock { $0 = workshop.interruption }
      try workshop.value(training)
      flag.withLock { $0 = nil }
      workshop.interruption.clear()
      #expect(try workshop.value("run.interrupted") == .bool(true))
      #expect(try store(of: workshop).runs()[0].state == .interrupted)
      #expect(try workshop.value(line) == whole)
      #expect(workshop.output.reports.contains { $0.hasPrefix("goes on after step") })
      #expect(try store(of: workshop).garbage(before: nil).isEmpty)
    }
  }

  @Test("what is finished stays while another attempt runs, and after it was stopped")
  func attempts() throws {
    let workshop = try Workshop()
    let first = try workshop.value(training + "\nrun")
    let seen = Mutex<[RunStore.Run.State]>([])
    let folder = workshop.folder
    let again = try Workshop(in: folder, isFresh: true, interruptions: 1, onReport: { _ in
      let states = try? RunStore(in: folder, creates: false).runs().map(\.state)
      seen.withLock { $0 += states ?? [] }
    })
    try again.value(training)
    #expect(Set(seen.withLock { $0 }) == [.finished])
    let store = try store(of: workshop)
    #expect(try store.attempts(on: store.runs()[0]).map(\.state) == [.finished, .interrupted])
    let third = try Workshop(in: folder)
    #expect(try third.value(training + "\nrun") == first)
    #expect(third.output.reports.contains { $0.hasPrefix("taken from the store") })
  }

  @Test("nothing is removed that a process works on")
  func garbage() throws {
    let workshop = try Workshop()
    let folder = workshop.folder
    let found = Mutex<[String]>([])
    let listed = Mutex(0)
    let other = try Workshop(in: folder, onReport: { text in
      guard text.hasPrefix("epoch 2"), let store = try? RunStore(in: folder, creates: false) else { return }
      listed.withLock { $0 += ((try? store.runs()) ?? []).count(where: \.isRunning) }
      found.withLock { $0 += ((try? store.garbage(before: .distantFuture)) ?? []).map(\.path) }
    })
    try other.value(training)
    #expect(listed.withLock { $0 } == 1)
    #expect(found.withLock { $0 }.isEmpty)
    #expect(FileManager.default.fileExists(atPath: folder + "/.reprise/weights"))
    #expect(try store(of: other).garbage(before: .distantFuture).count == 1)
  }

  @Test("a store that cannot be written does not stop a training")
  func unwritable() throws {
    let workshop = try Workshop()
    try Data("a file".utf8).write(to: URL(filePath: workshop.folder + "/.reprise"))
    try workshop.value(training)
    #expect(try workshop.value("len(run.epochs)") == .number(3))
    #expect(workshop.output.reports.contains { $0.contains("the training is not kept") })
    #expect(workshop.output.reports.contains { $0.hasPrefix("not kept") })
  }

  @Test("a replay gives the same bits, and names the place where a changed ledger differs")
  func replays() throws {
    let workshop = try Workshop()
    try workshop.value(training)
    let store = try store(of: workshop)
    let run = try store.runs()[0]
    let replay = try #require(try Replay(run, in: store))
    let again = try Workshop(in: workshop.folder, replay: replay)
    try again.value(run.script)
    #expect(again.notebook.replayFindings == [.same(steps: 24)])
    let other = try Workshop(in: workshop.folder, replay: replay.changed(atStep: 5, parameter: 3))
    try other.value(run.script)
    #expect(
      other.notebook.replayFindings.first == .differs(step: 5, parameter: replay.parameters[3], lossDiffers: false))
  }

  @Test("two processes may write one store")
  func together() throws {
    let workshop = try Workshop()
    let other = try Workshop(in: workshop.folder)
    try workshop.value(training)
    try other.value(training.replacingOccurrences(of: "0.05", with: "0.06"))
    try workshop.value(training.replacingOccurrences(of: "0.05", with: "0.07"))
    #expect(try store(of: other).runs().map(\.state) == [.finished, .finished, .finished])
  }
}
