import Dispatch
import Foundation
import Script
import Testing

@Suite("A session")
struct SessionTests {
  @Test("values stay from line to line, and an error leaves them as they are")
  func state() throws {
    let session = session()
    _ = try value("x = 2", in: session)
    #expect(error("x = 3 + \"a\"", in: session) != nil)
    #expect(error("y = 1\nz = 1 / 0", in: session) != nil)
    #expect(try value("x + y", in: session) == .number(3))
    #expect(error("z", in: session) != nil)
  }

  @Test("a function knows the functions that come later, and recursion works")
  func functions() throws {
    #expect(try value("fn even(n) = n == 0 or odd(n - 1)\nfn odd(n) = n != 0 and even(n - 1)\neven(10)") == .bool(true))
    #expect(try value("fn f(n) {\n fn g(n) = if n == 0 { 0 } else { 1 + g(n - 1) }\n g(n)\n}\nf(5)") == .number(5))
  }

  @Test("functions keep the values they saw when they were made")
  func captures() throws {
    #expect(try value("fn make(n) = x => x + n\nadd = make(2)\nadd(3)") == .number(5))
    #expect(try value("fs = [() => i for i in 1...3]\nfs[0]() + fs[2]()") == .number(4))
  }

  @Test("settings from outside take the place of defaults, in the type of the default")
  func settings() throws {
    let source = Source("param epochs = 8 \"how long\"\nparam scale = \"desk\"\n[epochs, scale]", name: "test")
    #expect(try session().run(source).value == .list([.number(8), .string("desk")]))
    #expect(
      try session().run(source, settings: ["epochs": "1_0", "scale": "paper"]).value
        == .list([.number(10), .string("paper")]))
    #expect(throws: ScriptFailure([.wrongSetting("epochs", value: "x", expected: "a number")], stage: .check)) {
      try session().run(source, settings: ["epochs": "x"])
    }
    #expect(throws: ScriptFailure([.unknownSetting("epoch", near: ["epochs"])], stage: .check)) {
      try session().run(source, settings: ["epoch": "1"])
    }
    #expect(Session.parameters(of: source).map(\.name) == ["epochs", "scale"])
  }

  @Test("a raised flag stops an endless loop, and the session goes on")
  func interruption() throws {
    let interruption = Interruption()
    let session = session(interruption: interruption)
    let thread = EvaluationThread()
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(100)) { interruption.raise() }
    let stopped = thread.run { error("i = 0\nwhile true { i = i + 1 }", in: session) }
    guard case .interrupted? = stopped else { throw stopped ?? .interrupted(at: nil) }
    interruption.clear()
    #expect(try value("i > 0", in: session) == .bool(true))
  }

  @Test("a million additions take less than half a second")
  func speed() throws {
    let clock = ContinuousClock()
    var total: Value?
    let time = try clock.measure {
      total = try value("total = 0\nfor i in 1...1_000_000 { total = total + i * 2 }\ntotal")
    }
    #expect(total == .number(1_000_001_000_000))
    // Twice the target: tests share the machine.
    #expect(time < .seconds(1), "\(time)")
  }

  @Test("appending to a list in a loop does not copy it each time")
  func appending() throws {
    #expect(try value("xs = []\nfor i in 1...100_000 { xs = xs + [i] }\nlen(xs)") == .number(100_000))
  }

  @Test(
    "a text is incomplete where a bracket is open or an operator waits",
    arguments: [
      ("x = (1", false), ("fn f(x) {", false), ("1 +", false), ("f(a,", false), ("x =", false), ("if x {\n 1", false),
      ("[1, 2", false), ("{ a: 1,", false), ("x =>", false), ("1 + 1", true), ("fn f(x) { 1 }", true), ("1 + )", true),
      ("\"abc", true), ("", true), ("x = \"\\(1\"", true), ("for i in 1...3 {", false), ("fn f(x) =", false),
      ("not", false), ("x.", false), ("f(\n\n", false), ("}", true), ("a b", true),
    ])
  func completeness(_ text: String, _ isComplete: Bool) {
    #expect(Session.isComplete(text) == isComplete, "\(text)")
  }

  @Test("a trailing semicolon is told")
  func silence() throws {
    #expect(try session().run(Source("1 + 1;", name: "test")).isSilent)
    #expect(try session().run(Source("1 + 1; # quiet\n", name: "test")).isSilent)
    #expect(try !session().run(Source("1 + 1", name: "test")).isSilent)
  }

  @Test(
    "numbers print short",
    arguments: [
      ("0.1", "0.1"), ("0.1 + 0.2", "0.3"), ("20_000", "20000"), ("1e-5", "1e-5"), ("50%", "0.5"), ("1e20", "1e20"),
      ("-0.0", "0"), ("2 ** 0.5", "1.4142135623731"), ("1/3", "0.333333333333333"), ("inf", "inf"),
      ("2 ** 53", "9.00719925474099e15"),
    ])
  func numbers(_ text: String, _ shown: String) throws {
    #expect(try value(text)?.shown == shown)
  }
}

@Suite("Tables")
struct TableTests {
  @Test("columns that do not fit follow below, behind the first again; numbers have six digits, none is a dash")
  func width() throws {
    let rows = try #require(try value("[{ layer: \"conv1\", mean: 1 / 3, sd: 100.0, w: none }, { layer: \"fc\", mean: 1e-9 / 3, sd: 2, w: 5 }]"))
    #expect(rows.shown == "layer         mean   sd  w\nconv1     0.333333  100  -\nfc     3.33333e-10    2  5")
    #expect(
      rows.shown(width: 20)
        == "layer         mean\nconv1     0.333333\nfc     3.33333e-10\n\nlayer   sd  w\nconv1  100  -\nfc       2  5")
    #expect(rows.shown(width: 3).split(separator: "\n\n").count == 3)
  }
}

@Suite("Completion")
struct CompletionTests {
  private func texts(_ text: String, in session: Session = session()) -> [String] {
    session.completions(in: text, at: text.utf8.count).candidates.map(\.text)
  }

  @Test("names complete, built in and one's own")
  func names() throws {
    let session = session()
    _ = try value("netWidth = 3", in: session)
    #expect(texts("x = net", in: session) == ["netWidth", "network"])
    #expect(session.completions(in: "x = net", at: 7).start == 4)
  }

  @Test("behind a point stand the fields, and all that takes the value")
  func fields() throws {
    let session = session()
    _ = try value("m = network(\"vgg16\")\nr = { lr: 0.1, model: m }", in: session)
    #expect(texts("m.", in: session).prefix(3) == ["classes", "width", "prune"])
    #expect(texts("r.l", in: session).contains("lr"))
    #expect(texts("r.model.cl", in: session) == ["classes"])
    #expect(texts("network(\"vgg16\").pr", in: session) == ["prune"])
  }

  @Test("in a call stand the labels that are still free")
  func labels() {
    #expect(texts("plot(1, t").first == "to:")
    #expect(texts("plot(1, to: \"a\", ").contains("log:"))
    #expect(!texts("plot(1, to: \"a\", ").contains("to:"))
    #expect(texts("prune(m, t").first == "to:")
  }

  @Test("in a string stand the choices of the argument, or files")
  func strings() {
    #expect(texts("network(\"res") == ["resnet18", "resnet50"])
    #expect(texts("network(name: \"v") == ["vgg16"])
    #expect(texts("plot(1, to: \"/et").contains("/etc/"))
  }

  @Test("an argument that is one of some words is offered these, with their quotes, also within a list")
  func choices() {
    #expect(texts("network(name: ") == ["\"resnet18\"", "\"resnet50\"", "\"vgg16\""])
    #expect(texts("network(name: vg") == ["\"vgg16\""])
    #expect(texts("network(name: [\"v") == ["vgg16"])
    #expect(texts("plot(1, log: ") == ["true", "false"])
  }

  @Test("where nothing is typed yet, a call offers its own labels only; those that stand by place are taken")
  func emptyWord() {
    #expect(texts("plot(1, ").allSatisfy { $0.hasSuffix(":") })
    #expect(!texts("prune(m, ").contains("model:"))
  }

  @Test(
    "any place of any text can be asked", arguments: ["a.b(c, \"x\\(1)\").d", "((((", "\"\\", "x => { # \"", "😀.a"])
  func robustness(_ text: String) {
    for cursor in 0...(text.utf8.count + 2) { _ = session().completions(in: text, at: cursor) }
  }
}
