import Foundation
import Notebook
import Prompt
import Script
import Testing

@Suite("Commands of the prompt")
struct CommandTests {
  @Test("each undo gives back what the names stood for before the entry, functions and ans too")
  func undo() throws {
    let desk = try Desk()
    let entries = ["x = 1", "fn f() = x", "x = 2\ny = [x]", "fn f() = 10 * x", "f() + 1", "x = nope", "z = 1\nz / 0", "x += 5"]
    var states: [[String: String]] = []
    for entry in entries {
      let before = desk.values
      desk.prompt.enter(entry)
      // What does not check is no entry to take back.
      if entry != "x = nope" { states.append(before) }
    }
    #expect(desk.session["z"] != nil)
    for state in states.reversed() {
      desk.prompt.enter(":undo")
      #expect(desk.values == state)
    }
    desk.prompt.enter(":undo")
    #expect(desk.terminal.reported.last?.hasPrefix("there is nothing to take back") == true)
    // The function that an entry had replaced is checked by its own parameters again.
    let again = try Desk("fn g(a) = a", "fn g(a, b) = a + b", ":undo", "g(3)")
    #expect(again.terminal.printed == ["3"])
  }

  @Test("what was taken back is not saved; a name it gave is free again")
  func undoneIsNotSaved() throws {
    let desk = try Desk("x = 1", "x = 2", ":undo", "y = x + 1", ":save out.reprise y")
    let script = try String(contentsOfFile: desk.folder + "/out.reprise", encoding: .utf8)
    #expect(script.contains("x = 1\ny = x + 1\n") && !script.contains("x = 2"), "\(script)")
  }

  @Test("reset forgets names, entries and claims; undo brings the names and entries back")
  func reset() throws {
    let desk = try Desk("x = 1", #"claim("c", measured: 4, atLeast: 3)"#, "last = 7", ":claims", ":reset")
    #expect(desk.terminal.printed.last?.contains("reproduced") == true)
    #expect(desk.values.isEmpty && desk.notebook.claims.isEmpty && desk.notebook.entries.isEmpty)
    for entry in ["last([1, 2])", ":claims", ":who"] { desk.prompt.enter(entry) }
    #expect(desk.terminal.printed.suffix(3) == ["2", "no claims so far", "ans  number  2"])
    for _ in 0..<2 { desk.prompt.enter(":undo") }
    #expect(desk.values["x"] == "1" && desk.values["last"] == "7" && desk.notebook.entries.count == 3)
  }

  @Test("save writes below the working directory only, and over nothing")
  func save() throws {
    let desk = try Desk("x = 20 + 1", "y = 2", ":save a.reprise x", ":save a.reprise", ":save ../b.reprise", ":save \"c d.reprise\"", ":save e.reprise nope")
    #expect(try String(contentsOfFile: desk.folder + "/a.reprise", encoding: .utf8).hasSuffix("\nx = 20 + 1\n"))
    #expect(try String(contentsOfFile: desk.folder + "/c d.reprise", encoding: .utf8).hasSuffix("\ny = 2\n"))
    let reported = desk.terminal.reported
    #expect(reported[0] == "wrote a.reprise" && reported[1].contains("is there already"))
    #expect(reported[2].contains("outside-working-directory") || reported[2].contains("error["), "\(reported[2])")
    #expect(reported[3] == "wrote c d.reprise" && reported[4].contains(":who lists yours"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: desk.folder).sorted() == ["a.reprise", "c d.reprise"])
  }

  @Test("time tells what a statement took, however little, and the statement counts as an entry")
  func time() throws {
    let desk = try Desk(":time x = 20 + 1", "x", ":time x *", "fn f(a) = a", ":time f(2)")
    #expect(desk.terminal.printed == ["21", "2"])
    let reported = desk.terminal.reported
    #expect(reported[0].hasPrefix("(") && reported[0].contains("processor time"), "\(reported)")
    #expect(reported.contains { $0.contains("error") })
    #expect(desk.notebook.entries.map(\.text).contains("x = 20 + 1"))
  }

  @Test("who lists each name with its type and value in lines that fit, wide characters counted twice", arguments: [20, 40, 200])
  func who(_ width: Int) throws {
    let desk = try Desk("x = 1", "text = \"\(String(repeating: "日本語", count: 20))\"", "net = resnet8(classes: 4, input: [1, 16, 16])", "fn f(a) = a")
    desk.terminal.width = width
    desk.prompt.enter(":who")
    let lines = desk.terminal.printed
    #expect(lines.map { $0.prefix { $0 != " " } } == ["f", "net", "text", "x"])
    #expect(lines.allSatisfy { line in line.unicodeScalars.reduce(0) { $0 + ($1.value > 0x2E80 ? 2 : 1) } <= width })
    #expect(lines.last?.hasSuffix("number    1") == true || width == 20, "\(lines)")
  }

  @Test("edit opens the last entry, or the one that gave a name its value, and runs what was changed")
  func edit() throws {
    let desk = try Desk("x = 1\nw = 5", "y = 2")
    desk.terminal.editor = { .success($0.replacing("1", with: "7") + "\n") }
    desk.prompt.enter(":edit x")
    #expect(desk.terminal.opened == ["x = 1\nw = 5"] && desk.terminal.echoed == ["x = 7\nw = 5"] && desk.values["x"] == "7")
    desk.prompt.enter("y = 2")
    desk.prompt.enter(":edit")
    #expect(desk.terminal.opened.last == "y = 2" && desk.terminal.reported.last == "nothing was changed, so nothing runs")
    desk.prompt.enter(":edit nope")
    #expect(desk.terminal.reported.last?.contains("no entry gave 'nope'") == true)
    desk.terminal.editor = { _ in .failure(PromptProblem("no editor", hint: "export EDITOR=nano")) }
    desk.prompt.enter(":edit")
    #expect(desk.terminal.reported.last == "no editor\n  hint: export EDITOR=nano")
    // A prompt without entries opens an empty text.
    let empty = try Desk(":edit")
    #expect(empty.terminal.opened == [""] && empty.notebook.entries.isEmpty)
  }

  @Test("the shell gets what begins with ! and is not of the language")
  func shell() throws {
    let desk = try Desk("x = true", "!ls -l \"a b\" | head", "!x", "!true", "! echo", "!", "!(x and x)")
    #expect(desk.terminal.commands == ["ls -l \"a b\" | head", "echo"])
    #expect(desk.terminal.printed == ["false", "false", "false"])
    #expect(desk.terminal.reported.last?.contains("!COMMAND") == true)
    desk.terminal.ending = .exited(3)
    desk.prompt.enter("!nosuch thing")
    #expect(desk.terminal.reported.last == "(exit status 3)")
  }

  @Test(
    "what is no command gets the nearest, or what it takes",
    arguments: [
      (":sav x", "wrote x"), (":svae f", "did you mean ':save'?"), (":", ":help lists them"), (":save", ":save FILE [NAME]"),
      (":who all", ":who"), (":save \"a", "a quote is not closed"), (":time", ":time STATEMENT"), (":nothing", ":help lists them"),
    ])
  func mistakes(_ text: String, _ expected: String) throws {
    let desk = try Desk("x = 1", text)
    #expect(desk.terminal.reported.last?.contains(expected) == true, "\(desk.terminal.reported)")
  }

  @Test("help lists every command, explains one, and answers questions about names")
  func help() throws {
    let desk = try Desk(":help", ":help save", ":help :undo", "help", "?train", "x = 3", "x?", "trian?", ":help nope")
    let helped = desk.terminal.helped
    for command in promptCommands { #expect(helped[0].contains(command.usage + " ") && helped[3].contains(command.usage)) }
    #expect(helped[1].hasPrefix(":save FILE [NAME]  Writes") && helped[2].hasPrefix(":undo  Takes back"))
    #expect(helped[4].hasPrefix("train(") && helped[5] == "x: number\n3")
    #expect(desk.terminal.reported.first == "no help for 'trian'; did you mean 'train'?")
    #expect(Set(promptCommands.map(\.name)).count == promptCommands.count)
  }

  @Test(
    "commands and what they take are completed",
    arguments: [
      (":s", [":save"]), (":help :un", [":undo"]), (":help un", [":undo"]), (":save f.reprise xl", ["xlong"]), (":edit xl", ["xlong"]),
      (":time xlo", ["xlong"]), (":time fl = roun", ["round"]), (":who ", []), ("!cat da", ["data.csv"]), (":save da", ["data.csv"]),
    ])
  func completion(_ text: String, _ expected: [String]) throws {
    let desk = try Desk("xlong = 1")
    try Data().write(to: URL(filePath: desk.folder + "/data.csv"))
    let found = desk.prompt.completions(in: text, at: text.utf8.count)
    #expect(found.candidates.map(\.text) == expected)
    let word = String(decoding: text.utf8.dropFirst(found.start), as: UTF8.self)
    for candidate in found.candidates { #expect(candidate.text.contains(word), "\(word)") }
  }

  @Test(
    "an error ends with the next useful call, where its message does not say that itself",
    arguments: [
      ("train(5)", "next: train? lists its arguments"), ("qqqqqqq + 1", ":who lists your names"), ("prnt(1)", nil),
      ("a = 1\nb = 1 / 0", ":undo takes back"), ("round(1.5, digitz: 1)", "round? lists its arguments"),
      ("else { 2 }", ":edit opens the entry before"), ("1 / 0", nil),
    ] as [(String, String?)])
  func hints(_ entry: String, _ expected: String?) throws {
    let desk = try Desk("x = 1", entry)
    let reported = desk.terminal.reported.joined(separator: "\n")
    #expect(reported.contains("error"))
    if let expected { #expect(reported.contains(expected), "\(reported)") } else { #expect(!reported.contains("next: "), "\(reported)") }
  }

  @Test(
    "an if of several lines waits for its else until an empty line comes",
    arguments: [
      ("if x {\n  1\n}", false), ("if x {\n  1\n}\n", true), ("if x {\n  1\n}\nelse {\n  2\n}", true), ("if x { 1 }", true),
      ("if x {\n1\n} else if y {\n2\n}", false), ("if x {\n1\n} else if y {\n2\n} else {\n3\n}", true), ("y = if x {\n1\n}", false),
      ("if x {\n1\n};", true), ("fn f() {\nif x {\n1\n}\n}", true), ("x = 1", true), ("f(", false), (":who", true), (":time f(", false),
      ("if x {\n1\n}\ny = 2", true),
    ])
  func completeness(_ text: String, _ expected: Bool) throws {
    #expect(try Desk().prompt.isComplete(text) == expected)
  }

  @Test("the guide lists every command as help does")
  func guide() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: folder.appending(path: "docs/guide/prompt.md"), encoding: .utf8)
    #expect(page.contains(promptCommands.markdown), "\(promptCommands.markdown)")
  }
}
