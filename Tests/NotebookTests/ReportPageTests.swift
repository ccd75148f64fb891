import Foundation
import Notebook
import Script
import Testing

@Suite("what a report shows")
struct ReportPageTests {
  private static let training = """
    data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)
    run = train(resnet8(classes: 4), data, epochs: 2, batch: 16)
    """

  @Test("code is shown as it is written and where it stands, comments and blank lines too")
  func code() throws {
    let script = """
      # before the title
      ## # Title
      x = 3   # beside

      # above
      fn half(n) {
        return n / 2
      }
      xs = []; xs = xs + [1]
      print(xs)
      ## Text
      # at the end
      """
    let page = try Page(script)
    page.expect([
      "Title", "# before the title", "x = 3   # beside\n\n# above\nfn half(n) {\n  return n / 2\n}\nxs = []; xs = xs + [1]\nprint(xs)",
      "[1]", "Text", "# at the end", "Where this comes from", "12 lines", script,
    ])
    for piece in [
      "<span class=\"k\">fn</span> <span class=\"f\">half</span>(n)", "<span class=\"m\">3</span>   <span class=\"c\"># beside</span>",
    ] { #expect(page.html.contains(piece)) }
  }

  @Test("colours cover all of a string but its interpolations, and what is no script has none")
  func colors() throws {
    let page = try Page("n = 2\nprint(\"a \\(n + 1) b\") # \\(c)")
    #expect(
      page.html.contains(
        "<span class=\"s\">&quot;a \\(</span>n + <span class=\"m\">1</span><span class=\"s\">) b&quot;</span>)"))
    #expect(page.text.contains("print(\"a \\(n + 1) b\") # \\(c)"))
    #expect(try Page("\u{1}?? \"open\n§§").text.contains("␁?? \"open\n§§"))
    #expect(try Page("a = 1\r\nprint(a)\rprint(2)").text.contains("a = 1\nprint(a)\nprint(2)"))
  }

  @Test("a parameter is shown as it is written and as it was set, and all of them stand in a table")
  func parameters() throws {
    let page = try Page(
      "param n = 3 \"how many\"\nparam name = \"desk\"\nparam sizes = [1, 2]\nprint(n, name, sizes)",
      settings: ["n": "7", "sizes": "[4]"], command: ["reprise", "run", "test.reprise", "--set", "n=7", "--set", "sizes=[4]"])
    page.expect([
      "param n = 3 \"how many\"is 7 here: --set\nparam name = \"desk\"\nparam sizes = [1, 2]is [4] here: --set", "7 desk [4]",
      "reprise run test.reprise --set n=7 --set 'sizes=[4]'",
    ])
    for row in [
      ["n", "7", "3", "--set", "how many"], ["name", "\"desk\"", "\"desk\"", "the script", ""],
      ["sizes", "[4]", "[1, 2]", "--set", ""],
    ] { #expect(page.rows.contains(row)) }
  }

  @Test("tables are tables: of records, epochs, layers, data and confusions")
  func tables() throws {
    let page = try Page(
      Self.training
        + "\ntable([{ name: \"a < b\", top1: 75.8 }, { name: \"c\", top1: 8 }])\nprint(data)\nshow(resnet8())\n"
        + "print(confusionMatrix(run.model, data))")
    let rows = page.rows
    #expect(rows.contains(["name", "top1"]) && rows.contains(["a < b", "75.8"]))
    #expect(page.html.contains("<td class=\"n\">75.8</td>"))
    #expect(rows.contains(["part", "images", "in each class"]) && rows.contains(["train", "32", "8"]))
    let head = try #require(rows.firstIndex(of: ["epoch", "train loss", "train top-1", "loss", "top-1", "top-5", "lr", "seconds"]))
    #expect(rows[head + 1].count == 8 && rows[head + 1][0] == "1" && rows[head + 2][0] == "2" && rows[head + 3][0] != "3")
    #expect(rows.contains(["resnet8", "operation", "output", "parameters", "MACs"]))
    #expect(rows.contains { $0.first == "conv1" && $0.count == 5 })
    #expect(rows.contains { $0.first == "class" && $0.last == "of the class" } || page.text.contains("16 of 16 right"))
    #expect(!page.html.contains("train loss  train"))
  }

  @Test("what is printed to a terminal is the same with a report")
  func terminal() throws {
    let script = Self.training + "\nprint(data)\nshow(resnet8())\nprint(run.model)\ntable([{ a: 1, b: \"x\" }])\nprint(1, [2])"
    let (plain, reported) = (try Workshop(), try Page(script))
    try plain.value(script)
    func timeless(_ text: String) -> [String] {
      text.split(separator: "\n").map { line in
        // Epochs end in seconds.
        line.split(separator: " ").count == 8 ? line.split(separator: " ").dropLast().joined(separator: " ") : String(line)
      }
    }
    #expect(timeless(plain.output.text) == timeless(reported.workshop.output.text))
  }

  @Test("of a script that fails, what did not run is shown as not run")
  func failure() throws {
    let page = try Page("## # T\nx = 1\nprint(x)\ny = [1][4]   # here\n# later\nprint(y)\n## ## Never\nz = 2")
    page.expect([
      "The script stopped with an error.", "print(x)", "1", "y = [1][4]   # here", "The script stopped with an error",
      "index 4 is out of range", "Not run", "# later\nprint(y)\n## ## Never\nz = 2", "Where this comes from",
    ])
    #expect(!page.html.contains("Never</h2>"))
    let before = try #require(page.part(from: "</header>", to: "id=\"not-run\""))
    #expect(!Page.text(of: before).contains("print(y)"))
    #expect(page.html.contains("<pre class=\"code unrun\">"))
  }

  @Test("of a script that does not check, nothing ran")
  func unchecked() throws {
    let page = try Page("## # T\nprint(1)\nx = unknown(2)")
    page.expect(["The script has errors", "'unknown' is not defined", "Not run", "## # T\nprint(1)\nx = unknown(2)"])
    let broken = try Page("print(1)\nx = (")
    broken.expect(["The script has errors", "Not run", "print(1)\nx = ("])
  }

  @Test("a script that was interrupted says so, also where the training was its last statement")
  func interruption() throws {
    let script = "data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)\nrun = train(resnet8(classes: 4), data, epochs: 500, batch: 16)"
    let whole = try Page(script, in: try Workshop(interruptions: 1))
    whole.expect(["The script was interrupted.", "run = train(", "The script was interrupted", "Where this comes from", "interrupted"])
    #expect(!whole.html.contains("id=\"not-run\""))
    let rest = try Page(script + "\nprint(run.top1)", in: try Workshop(interruptions: 1))
    rest.expect(["The script was interrupted.", "run = train(", "Not run", "print(run.top1)"])
  }

  @Test("a report tells date, command, versions, revision, host, processor, seed")
  func provenance() throws {
    let page = try Page(
      "print(1)", command: ["reprise", "run", "a b.reprise"],
      revision: SourceRevision(commit: "0a1b2c"))
    let rows = page.rows
    func value(_ name: String) -> String { rows.first { $0.first == name }?.last ?? "" }
    #expect(value("command") == "reprise run 'a b.reprise'")
    #expect(value("started") == "2027-01-15 08:00:00 UTC")
    #expect(value("source revision") == "git commit 0a1b2c")
    #expect(value("Reprise").hasPrefix("\(programVersion), build "))
    for library in ["oneDNN ", "gd ", "libjpeg-turbo ", "libpng ", "libwebp ", "zlib ", "cmark "] {
      let version = value("libraries").components(separatedBy: library).dropFirst().first?.prefix { $0.isNumber || $0 == "." } ?? ""
      #expect(version.split(separator: ".").count == 3 || version.split(separator: ".").count == 2, "\(library)")
    }
    for name in ["host", "system", "processor", "threads"] { #expect(!value(name).isEmpty, "\(name)") }
    #expect(value("seed") == "1" && value("took").hasPrefix("1"))
    #expect(!rows.contains { $0.first == "parameter" || $0.first == "dataset" || $0.first == "run" })
  }

  @Test("the data's hash and the runs are told, also of what was taken from the store, or measured alone")
  func usage() throws {
    let first = try Page(Self.training)
    let hash = try #require(first.rows.first { $0.first == "synthetic" })
    #expect(hash.count == 4 && hash[1] == "32" && hash[2] == "16")
    #expect(hash[3].count == 64 && hash[3].allSatisfy { $0.isHexDigit })
    let run = try #require(first.workshop.notebook.runs.first)
    #expect(first.rows.contains { $0.first == run && $0[1...2] == ["training", "resnet8 on synthetic"] && $0.last == "here" })
    let again = try Page(Self.training, in: Workshop(in: first.workshop.folder))
    #expect(again.rows.contains { $0.first == run && $0.last?.hasPrefix("taken from the store, made ") == true })
    #expect(again.rows.contains(hash))
    let both = try Page(Self.training + "\nprint(evaluate(run.model, data).count)\nprint(confusionMatrix(run.model, data).correct)")
    #expect(both.rows.filter { $0.first == "synthetic" } == [hash])
    let measured = try Page(
      "data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)\nm = initialize(resnet8(data), seed: 1)\n"
        + "print(evaluate(m, data).count)\nprint(confusionMatrix(m, data).correct)")
    let alone = measured.rows.filter { $0.first == "synthetic" }
    #expect(alone.count == 1 && alone.first?[1...2] == ["0", "16"] && alone.first?.last?.count == 64)
  }

  @Test("paths of the machine are shortened where they are, and nothing else is")
  func paths() throws {
    let paths = ShownPaths(directory: "/home/reader/work", home: "/home/reader/")
    for (text, short) in [
      ("/home/reader/work/a.png", "a.png"), ("--report=/home/reader/work/a.html", "--report=a.html"),
      ("/home/reader/data", "~/data"), ("cannot read '/home/reader/work'", "cannot read '.'"),
      ("/home/reader/worked", "~/worked"), ("/home/readers/x", "/home/readers/x"), ("x/home/reader/work", "x/home/reader/work"),
      ("/mnt/data/x", "/mnt/data/x"), ("/home/reader/work/", "./"), ("", ""),
    ] { #expect(paths.shortened(text) == short) }
    #expect(ShownPaths(directory: "/", home: "/").shortened("/etc/x and /") == "/etc/x and /")
    let workshop = try Workshop()
    let folder = WorkingDirectory(workshop.folder).path
    let page = try Page(
      "print(\"\(folder)/x\")\ny = load(resnet8(), \"\(folder)/none.safetensors\")", command: ["reprise", "run", folder + "/test.reprise"], in: workshop)
    page.expect(["x", "none.safetensors"])
    #expect(page.rows.contains(["command", "reprise run test.reprise"]))
    let output = try #require(page.part(from: "class=\"output\">", to: "</pre>"))
    #expect(output == "x")
  }

  @Test("the commit is that of git, on a branch, on none, in packed references and in a worktree")
  func revision() throws {
    let folder = NSTemporaryDirectory() + "/reprise-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(SourceRevision(ofFile: folder + "/none/a.reprise") == nil)
    func git(_ arguments: String...) throws -> Bool {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.c"] + arguments
      (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
      try process.run()
      process.waitUntilExit()
      return process.terminationStatus == 0
    }
    try #require(try git("--version"), "there is no git here")
    func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)")) }
    try write("a.reprise", "x = 1")
    #expect(try git("init"))
    #expect(SourceRevision(ofFile: folder + "/a.reprise") == nil)
    #expect(try git("add", ".") && git("commit", "-m", "first"))
    let first = try #require(SourceRevision(ofFile: folder + "/a.reprise"))
    #expect(first.commit.count == 40)
    #expect(try git("pack-refs", "--all"))
    #expect(SourceRevision(ofFile: folder + "/a.reprise") == first)
    #expect(try git("checkout", "--detach") && git("commit", "--allow-empty", "-m", "second"))
    let second = try #require(SourceRevision(ofFile: folder + "/a.reprise"))
    #expect(second != first)
    #expect(try git("worktree", "add", "-b", "other", "beside", first.commit))
    #expect(SourceRevision(ofFile: folder + "/beside/a.reprise") == first)
    try FileManager.default.createDirectory(atPath: folder + "/below", withIntermediateDirectories: true)
    #expect(SourceRevision(ofFile: folder + "/below/a.reprise") == second)
    try write(".git/HEAD", "ref: ../../etc/passwd\n")
    #expect(SourceRevision(ofFile: folder + "/a.reprise") == nil)
  }

  @Test("a figure has its chart's title for those who do not see it, and its size")
  func figures() throws {
    let page = try Page("plot([0.9, 0.5], title: \"Falling \\\"fast\\\"\", to: \"falling.png\", width: 640, height: 300)")
    #expect(page.html.contains("<img alt=\"Falling &quot;fast&quot;. "))
    #expect(page.html.contains(" width=\"640\" height=\"300\" src=\"data:image/png;base64,"))
    #expect(page.html.contains("<figcaption>falling.png</figcaption>"))
  }

  @Test("headings have anchors that differ, and a list of contents leads to them")
  func headings() throws {
    let page = try Page("## # T\n## ## Data & more\nx = 1\n## ## Data & *more*\n## ### Below\n## ## Claims\n## ## \u{e9}\nclaim(\"c\", measured: 1, atLeast: 0)")
    let contents = try #require(page.part(from: "<nav aria-label=\"Contents\">", to: "</nav>"))
    for (anchor, text) in [
      ("data-more", "Data &amp; more"), ("data-more-2", "Data &amp; more"), ("claims-2", "Claims"), ("part", "\u{e9}"),
      ("claims", "Claims"), ("provenance", "Where this comes from"), ("script", "The whole script"),
    ] {
      #expect(contents.contains("<a href=\"#\(anchor)\">\(text)</a>"), "\(anchor)")
      #expect(page.html.components(separatedBy: " id=\"\(anchor)\"").count == 2, "\(anchor)")
    }
    #expect(page.html.contains("<h3 id=\"below\">") && !contents.contains("below"))
  }

  @Test("no image of others is asked for: a link stands in its place")
  func images() throws {
    let page = try Page("## ![a *chart*](https://example.org/a.png \"t\") and [![in](b.png)](https://example.org)\n## ![](data:image/png;base64,AA)")
    #expect(!page.html.contains("<img"))
    #expect(page.html.contains("<a href=\"https://example.org/a.png\">a <em>chart</em></a> and <a href=\"https://example.org\">in</a>"))
    #expect(page.html.contains("content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\""))
  }

  @Test("claims stand in a table with their reasons, and are counted at the top")
  func claims() throws {
    let page = try Page("claim(\"a <b>\", measured: 4, atLeast: 5)\nclaim(\"c\", measured: 4, atLeast: 3, source: \"s\")")
    page.expect(["2 claims: 1 reproduced, 1 not reproduced.", "not reproduced: a <b>: 4", "Claims", "required: at least 5"])
    #expect(page.html.contains("<strong class=\"verdict not-reproduced\">not reproduced</strong>"))
    #expect(page.rows.contains { $0.first == "not reproduced" && $0[1] == "a <b>" })
    #expect(!page.rows.contains { $0.contains("scale") })
  }

  @Test("warnings are in a report, notes of progress are not")
  func warnings() throws {
    let page = try Page("plot([1, nan, 2], logY: true, to: \"a.png\")\nplot([-1, 2], logY: true, to: \"b.png\")")
    #expect(page.html.contains("<p class=\"warning\"><strong>Warning</strong> "))
    #expect(!page.text.contains("drew a.png"))
  }

  @Test("every tag of a page is closed, whatever the script is")
  func wellFormed() throws {
    let scripts = [
      "", "## ", "# only", "## # <b>T</b>\n## - a\n##   - b\n\nprint(\"</pre></main>\")", "x = 1;;print(x);", "\u{feff}print(1)",
      "for i in 1...3 {\n## # in a loop\nprint(i)\n}\n## ## After", "if true { ## no text\n}\nfail(\"</pre>\")", "table([])", "table([{ a: \"<td>\" }])",
    ]
    for script in scripts {
      let html = try Page(script).html
      var open: [String] = []
      for tag in html.components(separatedBy: "<").dropFirst() {
        let name = String(tag.prefix { $0.isLetter || $0.isNumber || $0 == "/" || $0 == "!" }).lowercased()
        if ["meta", "img", "br", "hr", "!doctype", "!"].contains(name) || tag.prefix { $0 != ">" }.hasSuffix("/") { continue }
        if name.hasPrefix("/") { #expect(open.popLast() == String(name.dropFirst()), "\(script)") } else { open.append(name) }
      }
      #expect(open.isEmpty, "\(script)")
    }
  }
}
