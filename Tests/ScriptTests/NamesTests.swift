import Script
import Testing

@Suite("What a name stands for")
struct NamesTests {
  /// A script whose last line is a value, and that value.
  struct Case: CustomTestStringConvertible {
    let script, gives: String
    init(_ script: String, _ gives: String) { (self.script, self.gives) = (script, gives) }
    var testDescription: String { script }
    func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
      let session = session()
      do throws(ScriptFailure) {
        let value = try session.run(Source(script, name: "test")).value
        #expect(value?.shown == gives, sourceLocation: sourceLocation)
      } catch {
        Issue.record("\(DiagnosticRenderer().render(error))", sourceLocation: sourceLocation)
      }
    }
  }

  /// Statements that give the same at the outermost level and within a function.
  static let anywhere = [
    Case("x = 1\ng = () => x\nx = 2\ng()", "2"),
    Case("g = () => y\ny = 5\ng()", "5"),
    Case("fn g() = z\nz = 3\ng()", "3"),
    Case("fs = []\nfor i in 1...3 { fs = fs + [() => i] }\n[f() for f in fs]", "[1, 2, 3]"),
    Case("fs = []\nfor i in 1...3 {\nfn g() = i\nfs = fs + [g]\n}\n[f() for f in fs]", "[1, 2, 3]"),
    Case("fs = [() => i for i in 1...3]\n[f() for f in fs]", "[1, 2, 3]"),
    Case("fs = []\nfor i in 1...3 {\nj = 2 * i\nfs = fs + [() => j]\n}\n[f() for f in fs]", "[6, 6, 6]"),
    Case("fn even(n) = n == 0 or odd(n - 1)\nfn odd(n) = n != 0 and even(n - 1)\n[even(10), odd(10)]", "[true, false]"),
    Case("fact = n => if n == 0 { 1 } else { n * fact(n - 1) }\nfact(5)", "120"),
    Case("even = n => n == 0 or odd(n - 1)\nodd = n => n != 0 and even(n - 1)\neven(7)", "false"),
    Case("fn f() = 1\nf = 2\nf", "2"),
    Case("f = 2\nfn f() = 1\nf()", "1"),
    Case("x = first()\nfn first() = 7\nx", "7"),
    Case("if true {\na = inner()\nfn inner() = 4\na\n}", "4"),
    Case("n = 0\nfn next() = n + 1\nfor i in 1...3 { n = next() }\nn", "3"),
    Case("a = 1\nfn f(x: a) = x\na = 2\nf()", "2"),
    Case("fn f(x, y: x + 1, z: x + y) = [x, y, z]\nf(1)", "[1, 2, 3]"),
    Case("x = 9\nfn f(x: x) = x\nf()", "9"),
    Case("y = 1\nfn f(x: y) {\ny = 2\nx\n}\nf()", "1"),
    Case("fn f(x: if true {\nv = 3\nv\n} else { 0 }) = x\nf()", "3"),
    Case("fn f(n, g: () => n) {\nn = n + 1\ng()\n}\nf(1)", "2"),
    Case("fn compose(f, g) = x => g(f(x))\ncompose(x => x + 1, x => 2 * x)(3)", "8"),
    Case("xs = [1]\nadd = () => xs + [9]\nxs = xs + [2]\nadd()", "[1, 2, 9]"),
    Case("g = none\nfor x in [1, 2] {\nx = x * 10\nif g == none { g = () => x }\n}\ng()", "20"),
    Case("[[() => i * j for i in 1...2][1]() for j in 1...3]", "[2, 4, 6]"),
    Case("fn a() = b()\nfn b() = c\nc = 5\na()", "5"),
    Case("fs = []\nfor i in 1...2 {\nfn g() = h() + i\nfn h() = 10 * i\nfs = fs + [g]\n}\nlast(fs)()", "22"),
  ]

  @Test("at the outermost level and within a function, functions see the names around them alike", arguments: anywhere)
  func oneRule(_ sample: Case) throws {
    try sample.check()
    let lines = sample.script.split(separator: "\n").map { "  \($0)\n" }.joined()
    try Case("fn whole() {\n\(lines)}\nwhole()", sample.gives).check()
    try Case("(() => {\n\(lines)})()", sample.gives).check()
    try Case("fn deeper(unused) {\nfn whole() {\n\(lines)}\nwhole\n}\ndeeper(1)()", sample.gives).check()
  }

  @Test(
    "a function within another sees its parameters in defaults, at any depth",
    arguments: [
      Case("fn outer(a) { fn inner(x: a) = x\ninner() }\nouter(4)", "4"),
      Case("fn o(a) { fn m() { fn i(x: a + 1) = x\ni() }\nm() }\no(1)", "2"),
      Case("fn o(a) { a = a + 1\nfn i(x: a) = x\na = a + 1\ni() }\no(1)", "3"),
      Case("fn o() { fn f() { fn g() = x + y\ng() }\nx = 1\ny = 2\nf() }\no()", "3"),
    ])
  func defaults(_ sample: Case) throws { try sample.check() }

  static let names = Library().builtins.map(\.name) + Library().constants.map(\.name)

  @Test("every built-in name can be given a value, as a variable, a parameter, a loop's and a function's", arguments: names)
  func shadowing(_ name: String) throws {
    try Case("\(name) = 3\n\(name) + 1", "4").check()
    try Case("fn f(\(name)) = \(name) + 1\nf(3)", "4").check()
    try Case("fn f(\(name): 3) = \(name) + 1\nf()", "4").check()
    try Case("total = 0\nfor \(name) in 1...3 { total = total + \(name) }\ntotal", "6").check()
    try Case("[\(name) * 2 for \(name) in 1...3]", "[2, 4, 6]").check()
    try Case("(\(name) => \(name) + 1)(3)", "4").check()
    try Case("fn \(name)(x) = x + 1\n\(name)(3)", "4").check()
    try Case("fn f() { \(name) = 3\ng = () => \(name)\n\(name) = 4\ng() }\nf()", "4").check()
    let session = session()
    _ = try value("\(name) = 3", in: session)
    #expect(try value("\(name) + 1", in: session) == .number(4))
  }

  @Test(
    "a name means the built-in until the script gives it a value, and behind a point while it holds no function",
    arguments: [
      Case("x = last([1, 2])\nlast = 5\n[x, last]", "[2, 5]"), Case("last = last([1, 2])\nlast", "2"),
      Case("fn f(xs) { last = last(xs)\nlast }\nf([1, 2])", "2"), Case("pi = pi * 2\nround(pi)", "6"),
      Case("last = 5\n[1, 2].last()", "2"), Case("fn f(xs, last) = xs.last() + last\nf([1, 2], 3)", "5"),
      Case("fn last(xs) = 0\n[1, 2].last()", "0"), Case("r = { last: x => x + 1 }\nlast = 5\nr.last(1)", "2"),
      Case("fn f() { g = xs => xs.last()\nlast = 7\ng([3]) }\nf()", "3"),
    ])
  func hidden(_ sample: Case) throws { try sample.check() }

  @Test("an entry of the prompt keeps the meaning its names had; later ones see the script's")
  func entries() throws {
    let session = session()
    _ = try value("fn newest(xs) = last(xs)", in: session)
    _ = try value("last = 3", in: session)
    #expect(try value("newest([1, 2]) + last", in: session) == .number(5))
    guard case .notCallable? = error("last([1])", in: session) else { throw CancellationError() }
    #expect(error("sum = 1 / 0", in: session) != nil)
    #expect(try value("sum([1, 2])", in: session) == .number(3))
  }

  @Test("functions that hold one another in a chain of a hundred thousand are freed")
  func freeing() throws {
    let text = "fn wrap(g) { h = none\nk = () => h\nh = g\nk }\nf = none\nfor i in 1...100_000 { f = wrap(f) }\nf = none"
    #expect(failure(text) == nil)
  }

  @Test("statements are told in the order of the text, as they are written")
  func order() throws {
    let recorder = Recorder()
    let text = "## # Title\nparam n = 3 \"how many\"\nfn f() = 1\nxs = [f()]\nxs = xs + [n]\nprint(xs)"
    try session(recorder).run(Source(text, name: "test"), settings: ["n": "7"])
    #expect(recorder.text == "## # Title\n[1, 7]")
    #expect(
      recorder.statements == [
        "## # Title", "param n = 3 \"how many\"", "fn f() = 1", "xs = [f()]", "xs = xs + [n]", "print(xs)",
      ])
  }

  @Test("a loop within a value may be left, a value may not")
  func leaving() throws {
    try Case("x = if true {\nfor i in 1...5 { if i == 3 { break } }\ni\n} else { 0 }\nx", "3").check()
    try Case("fn f() {\nx = if true {\nwhile true { break }\n1\n} else { 0 }\nx\n}\nf()", "1").check()
    for text in [
      "for i in 1...3 { x = if true { break } else { 1 } }", "fn f() { x = if true { for i in [1] { return 1 } } }",
    ] {
      guard case .misplaced? = error(text) else { throw CancellationError() }
    }
  }

  @Test("the prompt is told what was printed while it was made")
  func printed() throws {
    let session = session()
    for (text, wasPrinted) in [
      ("fit(1)", true), ("1.fit()", true), ("fit(1) + 1", false), ("x = fit(1)\nx", false), ("[fit(1)]", false),
    ] {
      #expect(try session.run(Source(text, name: "test")).wasPrinted == wasPrinted, "\(text)")
    }
  }
}

@Suite("Lists and numbers")
struct ListAndNumberTests {
  @Test("a list that would grow too large stays as it was")
  func tooLarge() throws {
    for text in ["x = x + x", "x = x + x + x", "x = x + repeat(1, 5_000_000)"] {
      let session = session()
      _ = try value("x = repeat(1, 6_000_000)", in: session)
      guard case .tooLarge? = error(text, in: session) else { throw CancellationError() }
      #expect(try value("len(x)", in: session) == .number(6_000_000))
      #expect(error("fn f(x) { g = () => x\n\(text)\ng }\nf(x)", in: session) != nil)
      #expect(try value("len(x)", in: session) == .number(6_000_000))
    }
  }

  @Test("text of a value holds all of it; only what is shown is cut, and says so")
  func whole() throws {
    let list = "[\((1...100).map(String.init).joined(separator: ", "))]"
    #expect(try value("string([x for x in 1...100])") == .string(list))
    #expect(try value("xs = [x for x in 1...100]\n\"\\(xs)\"") == .string(list))
    #expect(try value("join([[x for x in 1...100]])") == .string(list))
    #expect(try value("len(string(repeat(\"a\", 9000)))") == .number(9000))
    #expect(try value("len(string([repeat(\"a\", 9000)]))") == .number(9004))
    #expect(try value("len(string(range(1, 100_000)))") == .number(688_895))
    let output = Recorder()
    try session(output).run(Source("print([x for x in 1...100])", name: "test"))
    #expect(output.text.contains("… 60 more"))
  }

  static let numeric = Library().builtins.filter { $0.chapter == "Numbers" && $0.result == .number }

  @Test("what is not a number goes through every function of numbers, wherever it stands", arguments: numeric.map(\.name))
  func notANumber(_ name: String) throws {
    let takesMany = Self.numeric.contains { $0.name == name && $0.parameters[0].isVariadic }
    for numbers in takesMany ? ["nan, 1, 2", "1, nan, 2", "1, 2, nan", "nan", "inf, nan", "nan, -inf"] : ["nan"] {
      if name == "std", numbers == "nan" { continue }
      #expect(try value("isNan(\(name)(\(numbers)))") == .bool(true))
      if takesMany { #expect(try value("isNan(\(name)([\(numbers)]))") == .bool(true)) }
    }
  }

  @Test("what is not a number comes last in order, wherever it stood", arguments: ["nan, 1, 2", "1, nan, 2", "1, 2, nan"])
  func sorting(_ numbers: String) throws {
    #expect(try value("sort([\(numbers)])")?.shown == "[1, 2, nan]")
    #expect(try value("sort([\(numbers)], descending: true)")?.shown == "[2, 1, nan]")
  }

  @Test("a percentage is the number nearest to it", arguments: [1, 2, 3])
  func percentages(_ digits: Int) throws {
    let scale = [1: 10, 2: 100, 3: 1000][digits] ?? 1
    let numbers = Array(1..<(100 * scale))
    let texts = numbers.map { "\($0 / scale).\(String(scale + $0 % scale).dropFirst())%" }
    let wanted = try numbers.map { try #require(Double("\($0)e-\(digits + 2)")) }
    #expect(try value("[\(texts.joined(separator: ", "))]") == .list(wanted))
  }

  @Test(
    "percentages of all forms",
    arguments: [
      ("99.9% == 0.999", "true"), ("1e2% == 1", "true"), ("5e-1% == 0.005", "true"), ("1_0.5% == 0.105", "true"),
      ("number(\"99.9%\") == 0.999", "true"), ("1e-400%", "0"), ("1e309% == 1e307", "true"), ("10%-3 == 0.1 - 3", "true"),
      ("1e-99999999999999999999%", "0"), ("1e310 %3", nil), ("1e99999999999999999999%", nil), ("10%3", nil),
    ] as [(String, String?)])
  func percentageForms(_ text: String, _ gives: String?) throws {
    if let gives { #expect(try value(text)?.shown == gives) } else { #expect(error(text) != nil) }
  }

  @Test(
    "bounds of a part count from the end where they are negative",
    arguments: [
      ("[0...1]", "[1, 2]"), ("[1...-1]", "[2, 3, 4]"), ("[0...-1]", "[1, 2, 3, 4]"), ("[0..<-1]", "[1, 2, 3]"),
      ("[1..<-1]", "[2, 3]"), ("[-3...-2]", "[2, 3]"), ("[-2..<0]", "[3, 4]"), ("[0..<0]", "[]"), ("[4...-1]", "[]"),
      ("[3...1]", "[]"), ("[3...-3]", "[]"), ("[-1...-3]", "[]"), ("[1..<4]", "[2, 3, 4]"),
    ])
  func parts(_ index: String, _ gives: String) throws {
    #expect(try value("[1, 2, 3, 4]\(index)")?.shown == gives)
    let text = gives.filter(\.isNumber)
    #expect(try value("\"1234\"\(index)")?.shown == "\"\(text)\"")
    #expect(try value("r = \(index.dropFirst().dropLast())\n[1, 2, 3, 4][r]")?.shown == gives)
  }

  @Test("a list of one has no rest, and an empty one no part beyond its end")
  func shortLists() throws {
    #expect(try value("[1][1...-1]")?.shown == "[]")
    #expect(try value("[][0...-1]")?.shown == "[]")
    #expect(error("[][1...-1]") != nil)
  }

  @Test("none may be the value where there is none")
  func noneByDefault() throws {
    #expect(try value("number(\"x\", default: none) == none") == .bool(true))
    #expect(try value("env(\"REPRISE_NO_SUCH\", default: none) == none") == .bool(true))
    #expect(error("number(\"x\")") != nil)
    #expect(error("env(\"REPRISE_NO_SUCH\")") != nil)
  }

  @Test("lines end as on Unix, on Windows, and as on old Macs", arguments: ["\n", "\r\n", "\r"])
  func lineEnds(_ end: String) throws {
    let lines = ["## # Title", "x = 1 # one", "fn f(a) {", "  a + x", "}", "", "print(f(2))", "y = \"a"]
    let output = Recorder()
    try session(output).run(Source(lines.dropLast().joined(separator: end), name: "test"))
    #expect(output.text == "## # Title\n3")
    guard let error = error(lines.joined(separator: end)), case .unterminatedString(let span) = error else {
      throw CancellationError()
    }
    #expect(span.line == 8 && span.column == 5)
  }
}
