import Foundation
import Testing

@Suite("The command line")
struct CommandTests {
  @Test(
    "the exit status says how a script went",
    arguments: [
      ("print(1)", 0), ("print(x)", 2), ("x = )", 2), ("x = 1 / 0", 3), ("env(\"REPRISE_NO_SUCH\")", 4),
      ("fail(\"no\")", 3),
      ("fn f(n) = f(n)\nf(1)", 3), ("", 0),
    ])
  func status(_ script: String, _ status: Int32) throws {
    let result = try Program.run(script: script)
    #expect(result.status == status, "\(script): \(result.errors)")
    #expect(result.errors.isEmpty == (status == 0))
  }

  @Test("results go to standard output, messages to standard error")
  func streams() throws {
    let result = try Program.run(script: "print(\"before\")\nx = 1 / 0")
    #expect(result.output == "before\n")
    #expect(result.errors.hasPrefix("error[division-by-zero]"))
    #expect(!result.errors.contains("\u{1B}"))
  }

  @Test(
    "a precision that oneDNN may not compute in is refused in words, wherever it can be asked for",
    arguments: [
      "train(net, data, epochs: 1, batch: 8, precision: \"bf16\")",
      "train(net, data, { precision: \"bf16\", batch: 8 }, epochs: 1)",
      "evaluate(initialize(net), data, precision: \"bf16\")",
      "predict(initialize(net), array([0], shape: [1, 1, 8, 8]), precision: \"bf16\")",
      "benchmark(net, batch: 2, precision: \"bf16\")",
    ])
  func lackingPrecision(_ call: String) throws {
    let result = try Program.run(
      script: "data = synthetic(4, shape: [1, 8, 8], train: 16, validation: 8)\nnet = resnet8(classes: 4, input: [1, 8, 8])\n\(call)",
      ["ONEDNN_MAX_CPU_ISA": "AVX2"])
    #expect(result.status == 3)
    #expect(result.errors.contains("bf16 needs a processor with AVX512_BF16"))
    #expect(result.errors.contains("here oneDNN uses AVX2"))
    #expect(result.errors.contains("precision: \"float32\""))
  }

  @Test("a typo on the last line stops a script before its first")
  func checksFirst() throws {
    let result = try Program.run(script: "print(\"started\")\nprnt(1)")
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("did you mean 'print'?"))
  }

  @Test("bench times a network and says where the time goes; what it cannot take, it names")
  func bench() throws {
    let shape = ["--batch", "4", "--size", "16", "--channels", "1", "--steps", "2", "--threads", "2"]
    for work in ["train", "infer"] {
      let text = try Program.run(arguments: ["bench", work, "resnet8", "--profile"] + shape)
      #expect(text.status == 0, "\(text.errors)")
      #expect(text.output.contains("images/s") && text.output.contains("the slowest steps"))
      let json = try Program.run(arguments: ["bench", work, "resnet8", "--json"] + shape)
      let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
      #expect((report["seconds"] as? [Double])?.count == 2)
      #expect((report["planBytes"] as? Int ?? 0) > 0)
    }
    let unknown = try Program.run(arguments: ["bench", "train", "resnet9"])
    #expect(unknown.status == 64 && unknown.errors.contains("no network 'resnet9'"))
    #expect(try Program.run(arguments: ["bench", "train", "resnet8", "--batch", "0"]).status == 64)
  }

  @Test(
    "with fewer threads than asked for, the engine computes with what it gets and says so",
    arguments: ["OMP_THREAD_LIMIT", "OMP_MAX_ACTIVE_LEVELS"])
  func fewerThreads(_ variable: String) throws {
    let limit = variable == "OMP_THREAD_LIMIT" ? "1" : "0"
    let result = try Program.run(
      arguments: ["bench", "train", "resnet8", "--batch", "4", "--size", "16", "--steps", "1", "--threads", "3", "--json"],
      environment: [variable: limit], killedAfter: 60)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("note: 1 of 3 threads compute") && result.errors.contains(variable))
    let report = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(report["threads"] as? Int == 1)
  }

  @Test(
    "OpenMP's own settings do not change how many threads compute",
    arguments: [["OMP_DYNAMIC": "true"], ["OMP_NUM_THREADS": "1"], ["OMP_NUM_THREADS": "64", "OMP_DYNAMIC": "true"]])
  func openMPSettings(_ environment: [String: String]) throws {
    let result = try Program.run(
      arguments: ["bench", "train", "resnet8", "--batch", "4", "--size", "16", "--steps", "1", "--threads", "2", "--json"],
      environment: environment, killedAfter: 60)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    let report = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(report["threads"] as? Int == 2)
  }

  @Test("bench times how images of a folder are read, with RandAugment where asked for")
  func benchData() throws {
    let image = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "DatasetsTests/Goldens/lossy.jpg")
    let folder = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for part in ["train", "val"] {
      let place = folder.appending(path: "\(part)/a")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      for name in ["1.jpg", "2.jpg"] { try FileManager.default.copyItem(at: image, to: place.appending(path: name)) }
    }
    for augmentation in [[], ["--rand-augment", "7"]] {
      let result = try Program.run(arguments: ["bench", "data", folder.path, "--steps", "2", "--json"] + augmentation)
      let report = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
      #expect(report["images"] as? Int == 2 && report["imagesPerSecond"] as? Double ?? 0 > 0)
    }
    for wrong in [["data", folder.path, "--rand-augment", "11"], ["train", "resnet8", "--rand-augment", "7"]] {
      #expect(try Program.run(arguments: ["bench"] + wrong).status == 64)
    }
  }

  @Test("a font that is none is told once, and figures are drawn all the same")
  func font() throws {
    let script = "plot([1, 2], to: \"a.png\")\nplot([2, 1], to: \"b.png\")"
    let result = try Program.run(script: script, ["REPRISE_FONT": "/etc/passwd"])
    #expect(result.status == 0 && result.errors.contains("drew b.png"), "\(result.errors)")
    #expect(result.errors.components(separatedBy: "REPRISE_FONT names '/etc/passwd'").count == 2, "\(result.errors)")
    #expect(try !Program.run(script: script, ["REPRISE_FONT": ""]).errors.contains("REPRISE_FONT"))
  }

  @Test("a script comes on standard input, too")
  func standardInput() throws {
    #expect(try Program.run(input: "print(1 + 1)").output == "2\n")
    #expect(try Program.run("run", "-", input: "print(1 + 1)").output == "2\n")
    #expect(try Program.run(input: "x = )").errors.contains("<stdin>:1:5"))
  }

  @Test("--set gives parameters values, and wrong ones are told")
  func settings() throws {
    let files = ["a.reprise": Array("param epochs = 8 \"how long\"\nprint(epochs + 1)".utf8)]
    #expect(try Program.run("run", "a.reprise", files: files).output == "9\n")
    #expect(try Program.run("run", "a.reprise", "--set", "epochs=2", files: files).output == "3\n")
    let wrong = try Program.run("run", "a.reprise", "--set", "epoch=2", files: files)
    #expect(wrong.status == 64)
    #expect(wrong.errors.contains("did you mean 'epochs'?"))
    #expect(try Program.run("run", "a.reprise", "--set", "epochs=two", files: files).status == 64)
    #expect(try Program.run("run", "a.reprise", "--set", "epochs", files: files).status == 64)
  }

  @Test("check tells all mistakes of all files and runs none")
  func check() throws {
    let files = ["a.reprise": Array("print(1)\nx = )\ny = ]".utf8), "b.reprise": Array("print(2)".utf8)]
    let result = try Program.run("check", "a.reprise", "b.reprise", files: files)
    #expect(result.status == 2)
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("a.reprise:2:5") && result.errors.contains("a.reprise:3:5"))
    #expect(try Program.run("check", "b.reprise", files: files).status == 0)
  }

  @Test("files that are no scripts are answered in words")
  func oddFiles() throws {
    #expect(try Program.run("run", "missing.reprise").status == 64)
    #expect(try Program.run("run", "/").errors.contains("this is a folder"))
    let broken = try Program.run("run", "a.reprise", files: ["a.reprise": [0x78, 0x0A, 0xFF]])
    #expect(broken.status == 2)
    #expect(broken.errors.contains("line 2"))
    #expect(try Program.run("run", "a.reprise", files: ["a.reprise": [0x78, 0x3D, 0x00]]).status == 2)
  }

  @Test(
    "wrong usage is 64",
    arguments: [["--no-such"], ["run"], ["run", "a", "--threads", "0"], ["doc", "nothingLikeIt"]])
  func usage(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: Program.path)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 64)
  }

  @Test(
    "a word that is no command is told, with what was meant",
    arguments: [
      (["runn"], "did you mean 'reprise run'?"), (["first.reprise"], "reprise run first.reprise"),
      (["help", "train"], "reprise doc train"), (["help", "xyzzy"], "reprise --help"), (["print"], "reprise doc print"),
    ])
  func unknownCommands(_ words: [String], _ hint: String) throws {
    let result = try Program.run(arguments: words)
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.errors.contains("there is no command '\(words.last ?? "")'"))
    #expect(result.errors.contains(hint), "\(result.errors)")
  }

  @Test(
    "a number that is out of range is told so, also where it begins with a minus",
    arguments: [
      (["run", "a", "--seed", "-1"], "'-1' is invalid for '--seed"), (["run", "a", "--threads", "-1"], "1...1024"),
      (["run", "a", "--checkpoint-every", "-1"], "at least 0"), (["run", "a", "--checkpoint-every", "nan"], "at least 0"),
      (["gc", "--days", "-1"], "0...100000"), (["bench", "train", "resnet8", "--batch", "-1"], "1...4096"),
      (["plan", "a", "--set", "=1"], "--set takes NAME=VALUE"), (["run", "a", "--set", "-x=1"], "no such file"),
    ])
  func negativeNumbers(_ words: [String], _ expected: String) throws {
    let result = try Program.run(arguments: words)
    #expect(result.status == 64 && result.errors.contains(expected), "\(result.errors)")
  }

  @Test("a reader that goes away ends the program quietly")
  func closedOutput() throws {
    let process = Process()
    let errors = Pipe()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [
      "-c", "{ echo 'for i in 1...1_000_000 { print(i) }' | '\(Program.path)'; echo $? >&2; } | head -n 1",
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    process.waitUntilExit()
    #expect(String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) == "0\n")
  }

  @Test("--json prints one document and nothing else")
  func json() throws {
    let files = ["a.reprise": Array("print(\"one\")\nx = 1 / 0".utf8)]
    let result = try Program.run("run", "a.reprise", "--json", files: files)
    #expect(result.status == 3)
    #expect(result.errors.isEmpty)
    let document = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(document["output"] as? [String] == ["one"])
    #expect(document["status"] as? Int == 3)
  }

  @Test("what is undecided is a failure where --strict is asked for, and only there", arguments: [("51", 1), ("99", 0), ("1", 1)])
  func strict(_ measured: String, _ status: Int) throws {
    let files = ["a.reprise": Array("claim(\"c\", measured: \(measured), images: 100, atLeast: 50)".utf8)]
    #expect(try Program.run("run", "a.reprise", files: files).status == (measured == "1" ? 1 : 0))
    #expect(try Program.run("run", "a.reprise", "--strict", files: files).status == status)
    let json = try Program.run("run", "a.reprise", "--strict", "--json", files: files)
    let document = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(json.status == status && document["status"] as? Int == status)
  }

  @Test("doc prints the reference, or one entry")
  func doc() throws {
    #expect(try Program.run("doc").output.hasPrefix("# Reference"))
    #expect(try Program.run("doc", "print").output.hasPrefix("print("))
    #expect(try Program.run("--version").status == 0)
  }

  @Test("an interrupted script is 130, a terminated one 143", arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))])
  func signals(_ signal: Int32, _ status: Int32) throws {
    let process = Process()
    let input = Pipe()
    let output = Pipe()
    process.executableURL = URL(filePath: Program.path)
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    input.fileHandleForWriting.write(Data("print(\"on\")\nwhile true { }\n".utf8))
    try input.fileHandleForWriting.close()
    _ = output.fileHandleForReading.availableData  // it runs now
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == status)
  }
}

@Suite("The prompt")
struct PromptTests {
  /// A terminal with the program on it.
  private final class Terminal {
    let process = Process()
    private let screen: FileHandle
    private var seen = ""

    init(_ environment: [String: String] = ["TERM": "dumb"], in folder: URL? = nil) throws {
      var (outer, inner): (Int32, Int32) = (0, 0)
      try #require(openpty(&outer, &inner, nil, nil, nil) == 0)
      screen = FileHandle(fileDescriptor: outer, closeOnDealloc: true)
      let far = FileHandle(fileDescriptor: inner, closeOnDealloc: true)
      process.executableURL = URL(filePath: Program.path)
      (process.standardInput, process.standardOutput, process.standardError) = (far, far, far)
      process.environment = environment.merging(["HOME": "/nonexistent", "PATH": "/usr/bin"]) { $1 }
      if let folder { process.currentDirectoryURL = folder }
      try process.run()
    }

    func type(_ text: String) { screen.write(Data(text.utf8)) }

    /// Reads until something stands on the screen; false where it does not come.
    func shows(_ text: String, within seconds: Double = 20) -> Bool { self.text(until: text, within: seconds) != nil }

    /// Reads until something stands on the screen; what stood before it, or nil where it does not come.
    func text(until end: String, within seconds: Double = 20) -> String? {
      let deadline = Date().addingTimeInterval(seconds)
      while true {
        if let range = seen.range(of: end) {
          // What comes later is looked for behind this.
          defer { seen = String(seen[range.upperBound...]) }
          return String(seen[..<range.lowerBound])
        }
        guard Date() < deadline else { return nil }
        var waiting = pollfd(fd: screen.fileDescriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 100) > 0 else { continue }
        let data = screen.availableData
        if data.isEmpty { return nil }
        seen += String(decoding: data.filter { $0 != 0x0D }, as: UTF8.self)
      }
    }
  }

  @Test(
    "an image is shown inline by the protocol that the terminal answers to, and by none where it answers to none",
    arguments: [
      ("\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[?62;4c", "\u{1B}_Ga=T,f=100"),
      ("\u{1B}]1337;ReportCellSize=17;8\u{7}\u{1B}[?62;4c", "\u{1B}]1337;File=inline=1;size="),
      ("\u{1B}[?62;4c", "drew a.png"),
    ])
  func images(_ answer: String, _ expected: String) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let terminal = try Terminal(["TERM": "xterm-256color"], in: folder)
    #expect(terminal.shows("reprise> "))
    terminal.type("plot([3, 1, 2], to: \"a.png\");\n")
    #expect(terminal.shows("\u{1B}[c"))
    terminal.type(answer)
    #expect(terminal.shows(expected))
    #expect(terminal.shows("reprise> "))
    // The answer was eaten, not typed.
    terminal.type("40 + 2\n")
    #expect(terminal.shows("42"))
    #expect(terminal.shows("reprise> "))
    terminal.type("\u{4}")
    terminal.process.waitUntilExit()
    #expect(terminal.process.terminationStatus == 0)
  }

  @Test("a pasted TAB is blanks, completion asks nothing, a question mark in a comment is none, a verdict comes once")
  func pasting() throws {
    let terminal = try Terminal()
    #expect(terminal.shows("reprise> "))
    terminal.type("fn f(x) {\n\ty =\tx * 10\n\treturn y * 5\n\t43\n}\nf(2)\n")
    #expect(terminal.shows("\n100"))
    terminal.type("20 + 1 # right?\n")
    #expect(terminal.shows("\n21"))
    terminal.type("## Is it faster?\n")
    terminal.type("claim(\"the sum is\", measured: 4, atLeast: 3)\n")
    #expect(terminal.shows("\nreproduced: "))
    terminal.type("30 + 4\n")
    #expect(terminal.shows("\n34"))
    // Every name that there is, listed without a pager; what is typed next is not taken for its answer.
    #expect(terminal.shows("reprise> "))
    terminal.type("e")
    #expect(terminal.shows("e"))
    terminal.type("\t")
    #expect(terminal.shows("\u{7}"))
    terminal.type("\t")
    #expect(terminal.shows("exp") && terminal.shows("reprise> e"))
    terminal.type("xp(0) + 54\n")
    #expect(terminal.shows("\n55"))
    #expect(terminal.shows("reprise> "))
    terminal.type("\u{4}")
    terminal.process.waitUntilExit()
    #expect(terminal.process.terminationStatus == 0)
  }

  @Test("what was typed is kept entry by entry: a run is done again, and what led to it becomes a script with the same bits")
  func record() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let terminal = try Terminal(in: folder)
    let typed = [
      "data = synthetic(4, shape: [1, 16, 16], train: 160, validation: 64)", "fn lr() = 0.01", "unused = prnt(3)",
      "fn lr() = 0.05", "0.5 + 0.5", "net = resnet8(classes: 4, input: [1, 16, 16])",
      "run = train(net, data, epochs: ans, batch: 32, lr: lr(), seed: 1);", ":save out.reprise run", "why(run)",
    ]
    for line in typed {
      #expect(terminal.shows("reprise> "))
      terminal.type(line + "\n")
    }
    #expect(terminal.shows("<7>  run = train("))
    #expect(terminal.shows("run "))
    #expect(terminal.shows("reprise> "))
    terminal.type("\u{4}")
    terminal.process.waitUntilExit()
    let script = try String(contentsOf: folder.appending(path: "out.reprise"), encoding: .utf8)
    #expect(script.contains("fn lr() = 0.05\nans = 0.5 + 0.5\n") && !script.contains("0.01"), "\(script)")
    let again = try Program.run(arguments: ["run", "out.reprise"], in: folder)
    #expect(again.status == 0 && again.errors.contains("taken from the store"), "\(script)\(again.errors)")
    let id = try #require(try Program.run(arguments: ["runs"], in: folder).output.split(separator: "\n").last?.prefix(8))
    let replay = try Program.run(arguments: ["replay", String(id)], in: folder)
    #expect(replay.status == 0 && replay.output.contains("the same bits after 5 steps"), "\(replay.output)\(replay.errors)")
  }

  @Test("messages have colours on a terminal that has a name and is not dumb", arguments: ["", "dumb", "xterm"])
  func colours(_ name: String) throws {
    let terminal = try Terminal(name.isEmpty ? [:] : ["TERM": name])
    #expect(terminal.shows("reprise> "))
    terminal.type("prnt(1)\n")
    #expect(terminal.shows(name == "xterm" ? "\u{1B}[1;31merror" : "\nerror[unknown-name]"))
    terminal.process.terminate()
    terminal.process.waitUntilExit()
  }

  @Test("help breaks its lines between words; of a script's own value, it tells what that is")
  func help() throws {
    let terminal = try Terminal()
    #expect(terminal.shows("reprise> "))
    terminal.type("?train\n")
    let text = try #require(terminal.text(until: "reprise> "))
    let lines = text.split(separator: "\n").dropFirst()
    #expect(lines.count > 40 && lines.allSatisfy { $0.count <= 80 || $0.hasPrefix("  > ") })
    #expect(lines.allSatisfy { $0.hasPrefix("  ") || $0.hasPrefix("train(") })
    terminal.type("model = 3\nmodel?\n")
    #expect(terminal.shows("\nmodel: number\n3\n"))
    #expect(terminal.text(until: "reprise> ") == "")
    terminal.type("\u{4}")
    terminal.process.waitUntilExit()
    #expect(terminal.process.terminationStatus == 0)
  }

  @Test("a history that is no file is not waited for")
  func history() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder.appending(path: "reprise"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(mkfifo(folder.appending(path: "reprise/history").path, 0o600) == 0)
    let terminal = try Terminal(["TERM": "dumb", "XDG_STATE_HOME": folder.path])
    #expect(terminal.shows("reprise> "))
    terminal.type("40 + 2\n")
    #expect(terminal.shows("\n42"))
    terminal.process.terminate()
    terminal.process.waitUntilExit()
  }

  @Test("lines are answered, errors leave the session alive, and Ctrl-C stops a loop only")
  func conversation() throws {
    let terminal = try Terminal()
    #expect(terminal.shows("reprise> "))
    terminal.type("x = 20\n")
    #expect(terminal.shows("reprise> "))
    terminal.type("x + 1\n")
    #expect(terminal.shows("\n21"))
    terminal.type("prnt(x)\n")
    #expect(terminal.shows("did you mean 'print'?"))
    terminal.type("fn f(a) {\na * 2\n}\nf(x) + 3\n")
    #expect(terminal.shows("...> "))
    #expect(terminal.shows("\n43"))
    terminal.type("for i in 1...1e15 { if i == 1 { print(\"go\" + \"ing\") } }\n")
    #expect(terminal.shows("going"))
    kill(terminal.process.processIdentifier, SIGINT)
    #expect(terminal.shows("interrupted"))
    terminal.type("x + 2\n")
    #expect(terminal.shows("\n22"))
    terminal.type("ans * 2\n")
    #expect(terminal.shows("\n44"))
    // Between lines the terminal is not readline's, and would take Ctrl-D for itself.
    #expect(terminal.shows("reprise> "))
    terminal.type("\u{4}")
    let deadline = Date().addingTimeInterval(20)
    while terminal.process.isRunning && Date() < deadline { usleep(20_000) }
    if terminal.process.isRunning { terminal.process.terminate() }
    terminal.process.waitUntilExit()
    #expect(terminal.process.terminationStatus == 0)
  }
}
