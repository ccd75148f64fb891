import Foundation
import GRDB
import Notebook
import Script
import Testing

@Suite("runs of the store in the language")
struct StoredRunTests {
  private static let script = """
    data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 32)
    trained = train(resnet8(data), data, epochs: 2, batch: 16, lr: 0.05, seed: 3)
    small = prune(trained.model, data, macsRemoved: 30%)
    """

  @Test("a stored run has the curves, numbers and weights of the run that made it")
  func curves() throws {
    let workshop = try Workshop()
    try workshop.value(
      Self.script + """

        r = run(trained.id)
        assert(r.validation.top1.y == trained.validation.top1.y and r.train.loss.y == trained.train.loss.y)
        assert(r.epochs == trained.epochs and r.ema == none and r.top1 == trained.top1 and r.results.loss == trained.loss)
        assert(r.seed == 3 and r.settings.learningRate == 0.05 and r.settings["optimizer.sgd.momentum"] == 0.9)
        assert(r.settings.loss == "crossEntropy" and r.settings["optimizer.sgd.nesterov"] == true)
        assert(r.kind == "training" and r.name == "resnet8 on synthetic" and r.state == "finished" and r.seconds > 0)
        assert(load(resnet8(data), r.weights) == trained.model and not r.otherBuild and r.script == "test")
        plot(r.validation.top1, trained.validation.top1, to: "same.png")
        """)
  }

  @Test("runs() lists every kind, the oldest first, and is a table in files")
  func list() throws {
    let workshop = try Workshop()
    #expect(try workshop.value("len(runs())")?.literal == "0")
    #expect(!FileManager.default.fileExists(atPath: workshop.folder + "/.reprise"))
    try workshop.value(
      Self.script + """

        all = runs()
        assert([r.kind for r in all] == ["training", "pruning"] and all[0] == run(trained.id) and all[0] != all[1])
        assert(all[1].epochs == [] and all[1].results.macsKept < 0.8 and all[1].top1 == none)
        write(all, to: "runs.csv")
        rows = readCSV("runs.csv")
        assert([row.id for row in rows] == [r.id for r in all] and abs(rows[0].top1 - trained.top1) < 1e-9)
        write(all, to: "runs.json")
        assert(readJSON("runs.json")[1].top1 == none)
        """)
    let shown = try #require(try workshop.value("runs()")).shown
    #expect(shown.split(separator: "\n").count == 3 && shown.hasPrefix("id "))
  }

  @Test("a beginning that several runs share, or none has, is refused with what to do")
  func beginnings() throws {
    let workshop = try Workshop()
    #expect(try #require(workshop.error("run(\"0cd2\")")).category == .missingData)
    try workshop.value(Self.script)
    #expect(try #require(workshop.error("run(\"zz\")")).message.contains("there is no run 'zz'"))
    #expect(try #require(workshop.error("run(\"\")")).message.contains("runs() lists them"))
    let store = try RunStore(in: workshop.folder, creates: false)
    let id = try #require(try store.runs().first).id
    // Another run whose identifier begins with the same four digits.
    let other = String(id.prefix(4)) + (id.hasSuffix("0000") ? "1111" : "0000")
    let database = try DatabaseQueue(path: workshop.folder + "/.reprise/runs.sqlite")
    try database.write {
      try $0.execute(
        sql: """
          INSERT INTO attempt (key, identity, kind, name, state, started, script_name, script, inputs, exactness, environment)
            SELECT ? || substr(key, 9), identity, kind, name, state, started, script_name, script, inputs, exactness, environment
            FROM attempt WHERE key LIKE ?
          """, arguments: [other, id + "%"])
    }
    let message = try #require(workshop.error("run(\"\(id.prefix(4))\")")).message
    #expect(message.contains("several runs begin with '\(id.prefix(4))'") && message.contains("give more of its digits"))
    #expect(try workshop.value("run(\"\(id)\").id")?.text == id)
  }

  @Test("a table for other programs has the settings and results of all runs, one line each")
  func table() throws {
    let workshop = try Workshop()
    try workshop.value(Self.script)
    let runs = try RunStore(in: workshop.folder, creates: false).runs()
    let lines = RunTable(runs).csv.split(separator: "\n").map(String.init)
    #expect(lines.count == 3)
    let columns = lines[0].split(separator: ",").map(String.init)
    #expect(columns.starts(with: ["id", "kind", "name", "state", "started", "seconds", "script", "top1", "otherBuild"]))
    #expect(columns.contains("results.macsKept") && columns.contains("settings.learningRate") && Set(columns).count == columns.count)
    #expect(RunTable([]).csv == "id,kind,name,state,started,seconds,script,top1,otherBuild\n" && RunTable([]).json == "[]\n")
    struct Row: Decodable {
      var id, state: String
      var top1: Double?
      var results: [String: Double]
    }
    let rows = try JSONDecoder().decode([Row].self, from: Data(RunTable(runs).json.utf8))
    #expect(rows.map(\.id) == runs.map(\.id) && rows[0].top1 == rows[0].results["top1"] && rows[1].top1 == nil)
  }
}
