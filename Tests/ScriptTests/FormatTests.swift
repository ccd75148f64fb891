import Foundation
import Script
import Testing

@Suite("One layout of scripts") struct FormatTests {
  /// Scripts of the project: what is tested is as much as people write.
  static let scripts: [URL] = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return ["examples", "Recipes", "Tests/ScriptTests/Goldens/outputs", "Tests/ScriptTests/Goldens/trees"].flatMap { folder in
      FileManager.default.enumerator(at: root.appending(path: folder), includingPropertiesForKeys: nil)?
        .compactMap { $0 as? URL } ?? []
    }
    .filter { $0.pathExtension == "reprise" && !$0.path.contains("/errors/") }.sorted { $0.path < $1.path }
  }()

  private func formatted(_ text: String) throws -> String { try Formatter.format(Source(text, name: "script")) }

  @Test(
    arguments: [
      // Spaces.
      ("x=1+2*-3", "x = 1 + 2 * -3"), ("f( 1,2 , a :3 )", "f(1, 2, a: 3)"), ("x = [ 1,2 ] [0]", "x = [1, 2][0]"),
      ("r={a:1,b : [2]}", "r = { a: 1, b: [2] }"), ("for i in 0 ..< 3{print(i)}", "for i in 0..<3 { print(i) }"),
      ("not  a and- b<c", "not a and -b < c"), ("f=(a,b)=>a+b", "f = (a, b) => a + b"), ("{ a,b }=r", "{ a, b } = r"),
      ("x = r . top1", "x = r.top1"), ("x+=1", "x += 1"), ("y = 50%", "y = 50%"), ("r with{a:1}", "r with { a: 1 }"),
      // What is dropped, and what is kept.
      ("x = [1, 2,]", "x = [1, 2]"), ("x = 1;\ny = 2;", "x = 1\ny = 2;"), ("x = 1; y = 2", "x = 1; y = 2"),
      ("\n\n\nx = 1\n\n\n\ny = 2\n\n", "x = 1\n\ny = 2"), ("x = \"a  b\"   # why  so  ", "x = \"a  b\"  # why  so"),
      ("##  a report's text\nx=1", "##  a report's text\nx = 1"),
      // Blocks and brackets stand on one line or have their own.
      ("if a { 1\n} else { 2 }", "if a {\n  1\n} else { 2 }"), ("if a {\n1 }\nelse {\n2\n}", "if a {\n  1\n} else {\n  2\n}"),
      ("f(1,\n  2)", "f(\n  1,\n  2\n)"), ("f(\n1, 2)", "f(\n  1, 2\n)"), ("f([\n1\n])", "f([\n  1\n])"),
      ("x = [1, # one\n2]", "x = [\n  1,  # one\n  2\n]"), ("x = a +\nb", "x = a +\n  b"),
      // Columns of comments, and of what parameters are.
      ("x = 1 # a\nyy = 2 # b", "x = 1  # a\nyy = 2  # b"), ("x = 1  # a\nyy = 2 # b", "x = 1   # a\nyy = 2  # b"),
      ("param a = 1 \"one\"\nparam bc=2   \"two\"", "param a = 1   \"one\"\nparam bc = 2  \"two\""),
      ("", ""),
    ])
  func layout(_ text: String, _ expected: String) throws {
    #expect(try formatted(text) == (expected.isEmpty ? "" : expected + "\n"))
    #expect(try formatted(expected) == (expected.isEmpty ? "" : expected + "\n"))
  }

  @Test("what is too wide is broken at the outermost bracket, and filled")
  func width() throws {
    let names = (1...30).map { "name\($0)" }.joined(separator: ", ")
    let text = try formatted("result = combine([\(names)], weights: 1)")
    let lines = text.split(separator: "\n")
    #expect(lines.first == "result = combine(" && lines.last == ")")
    #expect(lines.allSatisfy { $0.count <= Formatter.width } && lines.count == 8)

    let branches = try formatted("x = if \(String(repeating: "a", count: 60)) { [1, 2, 3] } else { [\(names.prefix(60))] }")
    #expect(branches.split(separator: "\n").map { $0.prefix(3) } == ["x =", "  [", "} e", "  [", "}"])
    let sum = try formatted("x = " + Array(repeating: "abcdefghi", count: 30).joined(separator: " + "))
    #expect(sum.split(separator: "\n").allSatisfy { $0.count <= Formatter.width } && sum.contains(" +\n  abc"))
  }

  @Test("the project's scripts are in the layout", arguments: scripts)
  func project(_ script: URL) throws {
    guard !script.path.contains("/Goldens/") else { return }
    let text = try String(contentsOf: script, encoding: .utf8)
    #expect(try formatted(text) == text, "run: reprise format \(script.path)")
  }

  /// Line breaks where they may stand, spaces, and no breaks where they need not: what comes out has the same meaning and
  /// the same comments, and goes in again unchanged.
  @Test("any setting of a script is laid out, and what comes out stays as it is", arguments: scripts)
  func anySetting(_ script: URL) throws {
    let text = try String(contentsOf: script, encoding: .utf8)
    let source = Source(text, name: script.lastPathComponent)
    guard Parser.parse(source).errors.isEmpty else { return }
    var random = RobustnessTests.Sequence(state: 7)
    for _ in 0..<5 {
      let shaken = shaken(source, &random)
      guard Parser.parse(shaken).errors.isEmpty else { continue }
      let once = try Formatter.format(shaken)
      let again = try formatted(once)
      #expect((again == once) == true, "\(differing(once, again))")
      #expect(comments(once) == comments(shaken.text))
    }
  }

  /// The first lines that differ.
  private func differing(_ a: String, _ b: String) -> String {
    let (first, second) = (a.split(separator: "\n"), b.split(separator: "\n"))
    let place = zip(first, second).prefix { $0.0 == $0.1 }.count
    return "\n" + [first, second].map { $0[max(0, place - 2)...].prefix(5).joined(separator: "\n") }.joined(separator: "\n---\n")
  }

  /// A script with other spaces between its tokens, and line breaks behind commas and opening brackets.
  private func shaken(_ source: Source, _ random: inout RobustnessTests.Sequence) -> Source {
    var lexer = Lexer(source)
    var text = ""
    var end = 0
    for token in lexer.tokens() {
      let gap = source.text(end..<token.range.lowerBound)
      text += gap
      switch Int.random(in: 0..<12, using: &random) {
      case 0: text += "  "
      case 1 where text.hasSuffix(",") || text.hasSuffix("(") || text.hasSuffix("[") || text.hasSuffix("{"): text += "\n"
      case 2 where text.hasSuffix(",") || text.hasSuffix("("): text += " # a comment\n"
      default: break
      }
      text += source.text(token.range)
      end = token.range.upperBound
    }
    return Source(text, name: source.name)
  }

  private func comments(_ text: String) -> [Substring] {
    let source = Source(text, name: "script")
    var lexer = Lexer(source)
    var end = 0
    var comments: [Substring] = []
    for token in lexer.tokens() {
      let gap = source.text(end..<token.range.lowerBound)
      for line in gap.split(whereSeparator: \.isNewline) {
        if let start = line.firstIndex(of: "#") {
          var comment = line[start...]
          while comment.last?.isWhitespace == true { comment.removeLast() }
          comments.append(comment)
        }
      }
      end = token.range.upperBound
    }
    return comments
  }

  @Test("a script with mistakes keeps them, and is told of")
  func mistakes() {
    #expect(throws: FormatError.self) { try formatted("x = (1") }
  }
}
