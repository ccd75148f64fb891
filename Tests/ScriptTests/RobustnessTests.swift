import Dispatch
import Foundation
import Script
import Testing

@Suite("Nothing that can be typed ends the process")
struct RobustnessTests {
  /// Random numbers that are the same every time.
  struct Sequence: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  @Test(
    "a hundred thousand brackets are too deep",
    arguments: ["(", "[", "{a:", "f(", "-", "not ", "x=>", "if a {", "fn f() {", "\"\\(", "1**", "if a {} else "])
  func nesting(_ bracket: String) {
    let found = error(String(repeating: bracket, count: 100_000))
    #expect(found?.category == .script)
    let closed = String(repeating: "(", count: 100_000) + "1" + String(repeating: ")", count: 100_000)
    if case .tooDeep? = error(closed) { return }
    Issue.record("\(String(describing: found))")
  }

  @Test("a line of ten megabytes is answered", arguments: ["1+", "x ", "\"", "é", "[1],"])
  func longLines(_ piece: String) {
    let text = String(repeating: piece, count: 10_000_000 / piece.utf8.count)
    guard let failure = failure(text) else { return }
    #expect(DiagnosticRenderer().render(failure).utf8.count < 20_000)
  }

  @Test("endless recursion is told with its calls, on a small stack too")
  func recursion() throws {
    let small = session()
    guard case .endlessRecursion? = error("fn f(n) = 1 + f(n + 1)\nf(0)", in: small) else { throw CancellationError() }
    let deep = session()
    let thread = EvaluationThread()
    let found = thread.run { failure("fn f(n) = 1 + map([n], f)[0]\nf(0)", in: deep) }
    #expect(found.map { $0.calls.count > 100 } == true)
    #expect(DiagnosticRenderer().render(try #require(found)).contains("more calls"))
    #expect(try value("fn f(n) = if n == 0 { 0 } else { 1 + f(n - 1) }\nf(500)", in: small) == .number(500))
  }

  @Test(
    "what would be too large is refused",
    arguments: [
      "x = [1]\nwhile true { x = x + x }", "x = \"ab\"\nwhile true { x = x + x }", "x = [1]\nwhile true { x = [x] }",
      "x = [1]\nwhile true { x = [x, x] }", "x = {a: 1}\nwhile true { x = {a: x} }", "[i for i in 1...1e12]",
      "map(1...1e15, x => x)", "range(0, 1e300)", "repeat(\"a\", 10_000_000).repeat(100)", "sum(1...1e18)",
      "f = () => 1\nfn wrap(g) = () => g()\nwhile true { f = wrap(f) }", "x = \"a\"\nwhile true { x = \"\\(x)\\(x)\" }",
      "x = {}\nwhile true { x = { a: x, b: x } }", "for i in 1e16...inf { }", "first([1], 1e15)[5]",
      "repeat([1], 1e7).flatten().flatten() + range(0, 1e7)",
      "enumerate(1...1e7)", "zip(1...1e7, 1...1e7)", "split(repeat(\"a\", 1e7) + \"a\", \"\")",
      "split(repeat(\",\", 1e7), \",\")", "map(1...1e6, x => [x] + range(1, 20))", "string(repeat([repeat(\"a\", 1e7)], 7))",
      "\"\\(repeat([repeat(\"a\", 1e7)], 7))\"", "join(repeat(repeat(1, 1e6), 9), repeat(\"-\", 1e7))",
    ])
  func size(_ text: String) {
    let thread = EvaluationThread()
    let session = session()
    let found = thread.run { error(text, in: session) }
    #expect(found?.category == .runtime, "\(text): \(String(describing: found))")
  }

  @Test(
    "a part of a text is looked for in time proportional to both",
    arguments: [
      ("contains(a, b)", "false"), ("len(split(a, b))", "1"), ("replace(a, b, \"\") == a", "true"),
      ("len(split(a, \"aa\"))", "2000001"), ("len(replace(a, \"aa\", \"b\"))", "2000000"),
    ])
  func search(_ text: String, _ gives: String) throws {
    let session = session()
    _ = try value("a = repeat(\"a\", 4_000_000)\nb = repeat(\"a\", 2_000_000) + \"b\"", in: session)
    #expect(try value(text, in: session)?.shown == gives)
  }

  @Test("a part of a text is found as Foundation finds it", arguments: ["a", "ab", "aab", "aba", "é", "b\u{1F600}"])
  func searchLikeFoundation(_ part: String) throws {
    var random = Sequence(state: 7)
    for _ in 0..<200 {
      let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        ["a", "b", "é", "\u{1F600}"].randomElement(using: &random)!
      }.joined()
      let session = session()
      session["text"] = .string(text)
      session["part"] = .string(part)
      #expect(try value("split(text, part)", in: session) == .list(text.components(separatedBy: part)), "\(text)")
      #expect(try value("contains(text, part)", in: session) == .bool(text.contains(part)), "\(text)")
      let replaced = text.replacingOccurrences(of: part, with: "-")
      #expect(try value("replace(text, part, \"-\")", in: session) == .string(replaced), "\(text)")
    }
  }

  @Test(
    "numbers that are no integers are refused where those are wanted",
    arguments: [
      "[1][nan]", "[1][inf]", "[1][1e300]", "[1][0.5]", "round(1, nan)", "repeat(1, -1)", "round(1, 1e300)",
      "format(1, 1e9)",
      "first([1], -inf)", "network(\"vgg16\", 1.5)", "\"a\"[5]", "range(0, 1, by: 0)", "range(nan, 1)", "1 / 0",
      "1 % 0", "[1][0...5]",
      "(1...3)[1e10]", "[1][nan...nan]", "[1][0...inf]", "[1][0..<-2]", "[1][2...-1]",
    ])
  func integerValues(_ text: String) {
    #expect(error(text) != nil, "\(text)")
  }

  @Test(
    "extreme numbers pass through arithmetic",
    arguments: [
      "round(inf)", "floor(nan)", "1e308 * 10", "-inf ** 0.5", "len(1...nan)", "len(0...inf)", "inf % 3",
      "string(1e308)", "sort([nan, 1, inf])",
      "[x for x in 5...1]", "[x for x in nan...1]", "min(nan, 1)", "round(1e300, 15)", "len(1..<1e300)",
      "(1..<nan).lower",
    ])
  func extremes(_ text: String) throws {
    #expect(error(text) == nil, "\(text)")
  }

  @Test(
    "bytes that are not UTF-8 are named by line and place",
    arguments: [
      [0x61, 0x0A, 0xFF], [0x61, 0x0A, 0xC3], [0x61, 0x0A, 0xC0, 0x80], [0x61, 0x0A, 0xED, 0xA0, 0x80],
      [0x61, 0x0A, 0xF4, 0x90, 0x80, 0x80],
      [0x61, 0x0A, 0x80],
    ] as [[UInt8]])
  func invalidText(_ bytes: [UInt8]) {
    #expect(throws: ScriptError.notText(name: "x", line: 2, offset: 2, byte: bytes[2])) {
      try Source(validating: bytes, name: "x")
    }
  }

  static let pieces: [String] =
    Keyword.allCases.map(\.rawValue) + Symbol.allCases.map(\.rawValue)
    + [
      "x", "f", "print", "map", "network", "\"a\"", "\"\\(x)\"", "\"\\(", "\"", "1", "50%", "1e3", "...", "\n", "\n",
      "##", "#", "\0", "é", "’",
    ]

  @Test("random tokens are parsed, checked and run", arguments: 0..<20)
  func soup(_ seed: Int) {
    var random = Sequence(state: UInt64(seed))
    for _ in 0..<300 {
      let count = Int.random(in: 1...30, using: &random)
      let text = (0..<count).map { _ in Self.pieces.randomElement(using: &random)! }.joined(
        separator: Bool.random(using: &random) ? " " : "")
      exercise(text)
    }
  }

  /// Checks and runs a text; what comes to no end is stopped.
  private func exercise(_ text: String) {
    let interruption = Interruption()
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(200)) { interruption.raise() }
    let session = session(interruption: interruption)
    if let failure = failure(text, in: session) { _ = DiagnosticRenderer(width: 40).render(failure) }
    _ = session.completions(in: text, at: text.utf8.count / 2)
    _ = Session.isComplete(text)
  }

  @Test(
    "scripts with pieces changed, lost or doubled are parsed, checked and run", arguments: try Golden.all(in: "outputs")
  )
  func mutations(_ golden: Golden) throws {
    let bytes = try golden.bytes()
    var random = Sequence(state: 42)
    for _ in 0..<150 {
      var mutated = bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) where !mutated.isEmpty {
        let place = Int.random(in: 0..<mutated.count, using: &random)
        let end = min(mutated.count, place + Int.random(in: 0...8, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: mutated.removeSubrange(place..<end)
        case 1: mutated.insert(contentsOf: Self.pieces.randomElement(using: &random)!.utf8, at: place)
        case 2: mutated.insert(contentsOf: mutated[place..<end], at: place)
        default: mutated[place] = UInt8.random(in: 0...255, using: &random)
        }
      }
      guard let source = try? Source(validating: mutated, name: "mutated") else { continue }
      exercise(source.text)
    }
  }
}
