import Foundation
import Script
import Testing

@Suite("The stages of a script")
struct GoldenTests {
  @Test("each script in tokens/ is cut as its .expected file says", arguments: try Golden.all(in: "tokens"))
  func tokens(_ golden: Golden) throws {
    var lexer = Lexer(try Source(validating: golden.bytes(), name: golden.testDescription))
    try golden.check(lexer.tokens().map(\.description).joined(separator: "\n"))
    #expect(lexer.errors.isEmpty)
  }

  @Test("each script in trees/ is understood as its .expected file says", arguments: try Golden.all(in: "trees"))
  func trees(_ golden: Golden) throws {
    let (program, errors, _) = Parser.parse(try Source(validating: golden.bytes(), name: golden.testDescription))
    #expect(errors.isEmpty)
    try golden.check(program.description)
  }

  /// Such a thread as scripts run on: its stack is as deep as the deepest call needs. One for all, since it never ends.
  private static let thread = EvaluationThread()

  @Test("each script in errors/ is answered as its .expected file says", arguments: try Golden.all(in: "errors"))
  func errors(_ golden: Golden) throws {
    let bytes = try golden.bytes()
    let failure = Self.thread.run { () -> ScriptFailure? in
      do throws(ScriptFailure) {
        let source: Source
        do throws(ScriptError) {
          source = try Source(validating: bytes, name: golden.testDescription)
        } catch {
          throw ScriptFailure([error], stage: .check)
        }
        try session().run(source)
        return nil
      } catch {
        return error
      }
    }
    guard let failure else {
      Issue.record("\(golden.name) ran")
      return
    }
    try golden.check(DiagnosticRenderer().render(failure))
  }

  @Test("each script in outputs/ prints what its .expected file says", arguments: try Golden.all(in: "outputs"))
  func outputs(_ golden: Golden) throws {
    let output = Recorder()
    do {
      try session(output).run(try Source(validating: golden.bytes(), name: golden.testDescription))
    } catch let failure as ScriptFailure {
      Issue.record("\(DiagnosticRenderer().render(failure))")
    }
    try golden.check(output.text)
  }
}
