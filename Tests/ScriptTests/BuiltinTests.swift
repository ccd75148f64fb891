import Script
import Testing

@Suite("Builtins")
struct BuiltinTests {
  static let examples = Library().builtins.flatMap { builtin in builtin.examples.map { (builtin.name, $0) } }

  @Test("every example gives what the reference says", arguments: examples)
  func example(_ name: String, _ example: Example) throws {
    let result = try value(example.code, in: Session(library: Library(), output: Recorder()))
    if let gives = example.gives { #expect(result?.shown == gives, "\(example.code)") }
  }

  @Test("every builtin has a chapter, a sentence and an example", arguments: Library().builtins.map(\.name))
  func isDocumented(_ name: String) throws {
    let builtin = try #require(Library().builtin(name))
    #expect(!builtin.chapter.isEmpty && builtin.doc.hasSuffix(".") && !builtin.examples.isEmpty)
    #expect(builtin.parameters.allSatisfy { !$0.doc.isEmpty })
  }

  @Test("arguments come by position or by name, in any order")
  func order() throws {
    #expect(try value("network(\"vgg16\", 5).classes") == .number(5))
    #expect(try value("network(classes: 5, name: \"vgg16\").classes") == .number(5))
    #expect(try value("\"vgg16\".network(classes: 5).prune(to: 50%).width") == .number(0.5))
  }

  @Test("an error of another module keeps its type, its words and its kind")
  func foreign() throws {
    do throws(ScriptFailure) {
      try session().run(Source("weights()", name: "test"))
      Issue.record("no error")
    } catch {
      #expect(error.category == .missingData)
      guard case .domain(let failure, _)? = error.errors.first else { throw error }
      #expect(failure.error is WeightsMissing)
    }
  }

  @Test(
    "a file is written below the working directory only",
    arguments: ["/etc/x.png", "../x.png", "a/../../x.png", "~/x.png", ""])
  func writing(_ path: String) {
    switch error("plot([1], to: \"\(path)\")") {
    case .outsideWorkingDirectory, .file: break
    case let other: Issue.record("\(path): \(String(describing: other))")
    }
  }

  @Test("help and the reference name every builtin")
  func reference() {
    let reference = Reference(testLibrary)
    for builtin in testLibrary.builtins {
      #expect(reference.help(builtin.name)?.contains(builtin.doc) == true)
      #expect(reference.markdown.contains("### \(builtin.name)\n"))
    }
    #expect(reference.help("model")?.contains("prune") == true)
    #expect(reference.help("param") != nil)
    #expect(reference.help("prnt") == nil)
    #expect(reference.nearest(to: "prnt").first == "print")
  }
}
