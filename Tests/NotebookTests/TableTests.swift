import Foundation
import Notebook
import Script
import Testing

@Suite("Tables and texts in files")
struct TableTests {
  @Test("a table comes back from CSV as it was", arguments: [
    "[{ model: \"vgg16\", top1: 71.5 }, { model: \"a, \\\"b\\\"\\nc\", top1: none }]", "[{ a: 0.1, b: \"x\" }, { a: -1e-30, b: \"2y\" }]",
  ])
  func csv(_ table: String) throws {
    #expect(try Workshop().value("t = \(table)\nwrite(t, to: \"t.csv\")\nreadCSV(\"t.csv\") == t") == .bool(true))
  }

  @Test("every kind of table has its lines", arguments: [
    ("[{ a: 1 }, { b: 2 }]", "a,b\n1,\n,2\n"), ("[[1, 2], [3, 4]]", "1,2\n3,4\n"), ("1...2", "value\n1\n2\n"),
    ("{ x: [1, 2], y: [\"a\", \"b\"] }", "x,y\n1,a\n2,b\n"), ("{ lr: 0.1, on: true }", "lr,on\n0.1,true\n"),
    ("[{ a: [1, 2] }]", "a\n\"[1, 2]\"\n"),
  ])
  func lines(_ table: String, _ text: String) throws {
    #expect(try Workshop().value("write(\(table), to: \"t.csv\")\nreadText(\"t.csv\")") == .string(text))
  }

  @Test("a value comes back from JSON as it was", arguments: [
    "{ a: [1, 2.5, -1e-7], b: { c: none, d: true, e: \"x\\\"\\n\\t\\\\é\\u{1F600}\\u{1}\" }, f: [], g: {} }", "[[1], [{ x: [] }]]", "3", "none",
  ])
  func json(_ value: String) throws {
    #expect(try Workshop().value("v = \(value)\nwrite([v], to: \"v.json\")\nreadJSON(\"v.json\") == [v]") == .bool(true))
  }

  @Test("other programs' files are understood", arguments: [
    ("\u{FEFF}a;b\r\n1;x\r\n2;\r\n", "readCSV(\"f\", separator: \";\")", "[{ a: 1, b: \"x\" }, { a: 2, b: none }]"),
    ("a,b\n\"1\",\"x\ny\"\n", "readCSV(\"f\")", "[{ a: 1, b: \"x\\ny\" }]"), ("", "readCSV(\"f\")", "[]"),
    ("a\n0x10\n", "readCSV(\"f\")", "[{ a: \"0x10\" }]"),
    (" { \"a\" : [ 1e3 , \"\\u00e9\\ud83d\\ude00\\/\" ] } ", "readJSON(\"f\")", "{ a: [1000, \"é😀/\"] }"),
  ])
  func foreign(_ text: String, _ code: String, _ shown: String) throws {
    let workshop = try Workshop()
    try Data(text.utf8).write(to: URL(filePath: workshop.folder + "/f"))
    #expect(try workshop.value("\(code) == \(shown)") == .bool(true))
  }

  @Test("what is no table and no JSON is refused in words", arguments: [
    ("a,b\n1\n", "readCSV(\"f\")", "line 2"), ("a,a\n", "readCSV(\"f\")", "two columns"), ("a\n\"x", "readCSV(\"f\")", "does not end"),
    ("[1,\n2", "readJSON(\"f\")", "line 2"), ("[1] 2", "readJSON(\"f\")", "more behind"), ("nan", "readJSON(\"f\")", "expected a value"),
    (String(repeating: "[", count: 100_000), "readJSON(\"f\")", "nested deeper"), ("\"\\ud800\"", "readJSON(\"f\")", "half of a character"),
    ("", "write([1, [2]], to: \"x.csv\")", "not a table"), ("", "readText(\"none\")", "does not exist"),
    ("a", "readCSV(\"f\", separator: \"\")", "one character"),
  ])
  func refusals(_ text: String, _ code: String, _ words: String) throws {
    let workshop = try Workshop()
    try Data(text.utf8).write(to: URL(filePath: workshop.folder + "/f"))
    let answer = try workshop.value("attempt(() => \(code)).error")
    #expect(answer?.text.contains(words) == true, "\(String(describing: answer))")
  }
}

@Suite("Runs of scripts that use others")
struct UsedScriptRunTests {
  private static let common =
    "fn fitted(data) = train(initialize(resnet8(classes: 4), seed: 1), data, epochs: 1, batch: 4, seed: 1)"
  private static let main =
    "use \"common.reprise\"\nrun = fitted(synthetic(4, shape: [3, 32, 32], train: 8, validation: 4))\nrun.top1"

  @Test("a run keeps the script that ran and the texts that it used")
  func kept() throws {
    let workshop = try Workshop()
    try Data(Self.common.utf8).write(to: URL(filePath: workshop.folder + "/common.reprise"))
    try workshop.session.run(Source(Self.main, name: "main.reprise"))
    let store = try RunStore(in: workshop.folder, creates: false)
    let run = try #require(try store.runs().last)
    #expect(run.script == Self.main && run.scriptName == "main.reprise")
    // The file may change or go: what it was then is what is done again.
    try FileManager.default.removeItem(atPath: workshop.folder + "/common.reprise")
    let again = Session(
      library: notebookLibrary, output: Recorder(), host: NotebookSession(threads: 1),
      workingDirectory: WorkingDirectory(workshop.folder), scripts: Replay.usedScripts(of: run))
    #expect(again.check(Source(run.script, name: run.scriptName)).isEmpty)
  }
}
