internal import Foundation
internal import Notebook
internal import Script
internal import Tensors

/// What came of a cell.
struct CellResult: Sendable {
  struct Failure: Sendable {
    let name: String
    let text: String
    let trace: [String]
  }
  var failure: Failure?
  /// The data of the cell's value, by media type; nil where it has none, or printed it.
  var value: JSON?
}

/// Runs cells one after the other, in one session of the language, on a thread of its own.
final class CellEvaluator: Sendable {
  let session: Session
  private let notebook: NotebookSession
  private let output: CellOutput
  private let outbox: Outbox
  private let thread = EvaluationThread()
  private let queue = DispatchQueue(label: "cells")

  init(_ notebook: NotebookSession, _ output: CellOutput, _ outbox: Outbox, interruption: Interruption) {
    (self.notebook, self.output, self.outbox) = (notebook, output, outbox)
    session = Session(library: notebookLibrary, output: output, interruption: interruption, host: notebook)
  }

  /// Begins to run a cell; the result goes to the outbox.
  func begin(_ code: String, _ request: Message) {
    output.begin(request)
    queue.async { [self] in
      let result = thread.run { self.result(of: code) }
      output.progress(nil)
      session.interruption.clear()
      outbox.post(.finished(result))
    }
  }

  private func result(of code: String) -> CellResult {
    if let question = HelpQuestion(code) { return answer(question) }
    // A run keeps what was entered until then, what failed too: it may have given names values.
    var entry = PromptEntry(number: notebook.entries.count + 1, text: code)
    notebook.entries.append(entry)
    defer { notebook.entries[entry.number - 1] = entry }
    do throws(ScriptFailure) {
      let outcome = try session.run(entry)
      (entry.succeeded, entry.done) = (true, session.statementsDone)
      guard let value = outcome.value, case let value = value, !value.isNone else { return CellResult() }
      entry.givesAns = true
      if outcome.isSilent || outcome.wasPrinted { return CellResult() }
      let pieces = value.shownPieces
      var data: [String: JSON] = ["text/plain": .string(pieces.text(width: output.width))]
      if let html = pieces.html { data["text/html"] = .string(html) }
      return CellResult(value: .object(data))
    } catch {
      if error.stage == .run { entry.done = session.statementsDone }
      if error.category == .interrupted {
        return CellResult(failure: .init(name: "interrupted", text: "stopped; what was trained is kept", trace: ["interrupted"]))
      }
      let first = error.errors.first?.diagnostic
      let lines = DiagnosticRenderer(usesColor: true).render(error).split(separator: "\n", omittingEmptySubsequences: false)
      return CellResult(
        failure: .init(name: first?.code ?? "error", text: first?.title ?? "", trace: lines.map(String.init)))
    }
  }
}

extension CellEvaluator {
  /// What `help`, `help NAME` and `NAME?` give in place of a value.
  private func answer(_ question: HelpQuestion) -> CellResult {
    func text(_ text: String) -> CellResult { CellResult(value: ["text/plain": .string(text)]) }
    switch question {
    case .overview: return text(Reference(session.library).overview + "\n\nhelp NAME or NAME? tells about one of these.")
    case .about(let name):
      guard let help = session.help(on: name, width: output.width) else {
        let words = session.noHelp(on: name)
        return CellResult(failure: .init(name: "unknown-name", text: words, trace: [words]))
      }
      return text(help)
    }
  }
}

extension Value {
  fileprivate var isNone: Bool { if case .none = self { true } else { false } }
}
