import Foundation
import Script
import Testing

/// A folder with scripts that is gone afterwards.
private func withScripts(_ files: [String: String], _ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "use-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: folder) }
  for (name, text) in files {
    let file = folder.appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }
  try body(folder)
}

private func session(in folder: URL, _ output: Recorder = Recorder(), scripts: UsedScripts = .files) -> Session {
  Session(
    library: testLibrary, output: output, workingDirectory: WorkingDirectory(folder.path), environment: [:],
    scripts: scripts)
}

@Suite struct UseTests {
  @Test func namesOfAnotherScriptAreThere() throws {
    try withScripts(["common.reprise": "rate = 0.1\nfn double(x) = 2 * x\nprint(\"common\")"]) { (folder: URL) throws in
      let output = Recorder()
      let session = session(in: folder, output)
      #expect(session.check(Source("use \"common.reprise\"\ndouble(rate)", name: "main.reprise")).isEmpty)
      #expect(try session.run(Source("use \"common.reprise\"\ndouble(rate)", name: "main.reprise")).value == .number(0.2))
      #expect(output.text == "common")
      // The names stay for the next line of a prompt.
      #expect(try value("double(4)", in: session) == .number(8))
    }
  }

  @Test func pathsAreSeenFromTheUsingFile() throws {
    let files = [
      "lib/a.reprise": "use \"b.reprise\"\nuse \"../c.reprise\"\na = b + c", "lib/b.reprise": "b = 1", "c.reprise": "c = 2",
    ]
    try withScripts(files) { (folder: URL) throws in
      #expect(try session(in: folder).run(Source("use \"lib/a.reprise\"\na", name: "main.reprise")).value == .number(3))
    }
  }

  @Test func aScriptThatTwoUseRunsOnce() throws {
    let files = [
      "a.reprise": "use \"c.reprise\"\na = 1", "b.reprise": "use \"./c.reprise\"\nb = 1", "c.reprise": "print(\"once\")",
    ]
    try withScripts(files) { (folder: URL) throws in
      let output = Recorder()
      try session(in: folder, output).run(Source("use \"a.reprise\"\nuse \"b.reprise\"", name: "main.reprise"))
      #expect(output.text == "once")
    }
  }

  @Test func mistakesOfAUsedScriptAreFoundBeforeAnythingRuns() throws {
    try withScripts(["a.reprise": "print(\"ran\")\nx = lenn([1])"]) { (folder: URL) throws in
      let output = Recorder()
      let failure = failure("use \"a.reprise\"", in: session(in: folder, output))
      #expect(failure?.stage == .check && failure?.errors.first?.diagnostic.span?.source.name == "a.reprise")
      #expect(output.text.isEmpty)
    }
  }

  @Test func cyclesAndMissingFilesAreRefusedInWords() throws {
    try withScripts(["a.reprise": "use \"b.reprise\"", "b.reprise": "use \"a.reprise\"", "folder/x": ""]) { (folder: URL) throws in
      let session = session(in: folder)
      #expect(
        error("use \"a.reprise\"", in: session)?.diagnostic.title
          == "scripts use each other: a.reprise → b.reprise → a.reprise")
      #expect(
        error("use \"none.reprise\"", in: session)?.diagnostic.title
          == "'none.reprise' cannot be used: there is no such file")
      #expect(error("use \"folder\"", in: session)?.diagnostic.title == "'folder' cannot be used: this is a folder")
      #expect(error("use \"\"", in: session)?.diagnostic.code == "unusable")
    }
  }

  @Test func useStandsAtTheOutermostLevelOnly() throws {
    for text in ["if true { use \"a\" }", "fn f() { use \"a\" }", "for i in 1...2 { use \"a\" }"] {
      #expect(error(text)?.diagnostic.code == "misplaced", "\(text)")
    }
    // It is no reserved word.
    #expect(try value("use = 3\nuse + 1") == .number(4))
  }

  @Test func textsThatWereKeptStandForTheFiles() throws {
    try withScripts([:]) { (folder: URL) throws in
      let session = session(in: folder, scripts: .texts(["lib/a.reprise": "use \"b.reprise\"\na = b", "lib/b.reprise": "b = 7"]))
      #expect(try session.run(Source("use \"lib/a.reprise\"\na", name: "main.reprise")).value == .number(7))
    }
    #expect(error("use \"a.reprise\"", in: Session(library: testLibrary, output: Recorder(), scripts: .none)) != nil)
  }

  @Test func parametersOfAUsedScriptCanBeSet() throws {
    try withScripts(["a.reprise": "param epochs = 8 \"how long\""]) { (folder: URL) throws in
      let source = Source("use \"a.reprise\"\nepochs", name: "main.reprise")
      #expect(try session(in: folder).run(source, settings: ["epochs": "2"]).value == .number(2))
    }
  }

  @Test func aFunctionSeesWhatTheUsingScriptAssigns() throws {
    try withScripts(["a.reprise": "rate = 0.1\nfn shown() = rate"]) { (folder: URL) throws in
      // What the function gives is not taken for a number any more.
      let text = "use \"a.reprise\"\nrate = \"low\"\nshown() + \"!\""
      #expect(try session(in: folder).run(Source(text, name: "main.reprise")).value == .string("low!"))
    }
  }
}
