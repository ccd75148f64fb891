internal import Foundation
public import Notebook
public import Script
internal import Tensors

/// What is typed at a prompt, and what comes of it: entries of the language, commands and questions.
///
/// One thread uses it; entries run on a thread of their own with a deep stack.
public final class PromptSession {
  public let session: Session
  let notebook: NotebookSession
  let terminal: any PromptTerminal
  private let thread = EvaluationThread()

  /// What there was before an entry, to go back to.
  private struct State {
    let names: Session.Names
    let entries: [PromptEntry]
    /// The entry that came then.
    let text: String
  }
  private var states: [State] = []
  /// How many entries can be taken back: what their values take of memory is kept for as long.
  static let mostStates = 20
  private var entered = 0
  /// Runs whose curves were shown.
  private var shownRuns: Set<String> = []

  /// Makes a prompt over a session that has the notebook as its host.
  public init(_ session: Session, _ notebook: NotebookSession, on terminal: any PromptTerminal) {
    (self.session, self.notebook, self.terminal) = (session, notebook, terminal)
  }

  /// Whether a text needs no more lines. An `if` of several lines waits for its `else`, until an empty line comes.
  public func isComplete(_ text: String) -> Bool {
    if PromptCall.isCommand(text) {
      let (command, _, rest) = PromptCall.head(of: text)
      return command?.parameters.first?.kind != .statement || Session.isComplete(String(rest))
    }
    return HelpQuestion(text) != nil || Session.isComplete(text) && !waitsForElse(text)
  }

  /// Whether a text is whole, but an `else` in the next line would belong to it.
  public func waitsForElse(_ text: String) -> Bool {
    let lastLine = text.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
    return !lastLine.allSatisfy(\.isWhitespace) && Session.mayGoOnWithElse(text)
  }

  /// Whether a text asks to leave the prompt.
  public static func isFarewell(_ text: String) -> Bool {
    ["quit", "exit", "quit()", "exit()"].contains(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// Whether a text is for the prompt rather than the language.
  public static func isCommand(_ text: String) -> Bool { PromptCall.isCommand(text) }

  /// Does what was typed.
  public func enter(_ text: String) {
    if PromptCall.isCommand(text), !isNegation(text) {
      do throws(PromptCall.Mistake) {
        let call = try PromptCall(text)
        call.command.action(self, call.arguments)
      } catch {
        complain(error)
      }
    } else if let question = HelpQuestion(text) {
      answer(question)
    } else {
      evaluate(text)
    }
  }

  /// Whether `!` negates what follows: the shell gets only what the language does not understand.
  private func isNegation(_ text: String) -> Bool {
    text.first { !$0.isWhitespace } == "!" && thread.run { [session] in session.check(Source(text, name: "")).isEmpty }
  }

  func complain(_ mistake: PromptCall.Mistake) {
    let (problem, hint) = mistake.words
    terminal.complain(problem, hint: hint)
  }

  // MARK: Entries

  /// Runs an entry and shows its value.
  /// - Parameter showsTime: Whether to tell what it took, however little that is.
  func evaluate(_ text: String, showsTime: Bool = false) {
    entered += 1
    states.append(State(names: session.names, entries: notebook.entries, text: text))
    // A run keeps what was typed until then, what failed too: it may have given names values.
    var entry = PromptEntry(number: entered, text: text)
    notebook.entries.append(entry)
    let cost = CostMeter()
    let result = thread.run { [session, entry] () -> Result<Session.Outcome, ScriptFailure> in
      do throws(ScriptFailure) {
        return .success(try session.run(entry))
      } catch {
        return .failure(error)
      }
    }
    switch result {
    case .success(let outcome):
      (entry.succeeded, entry.done) = (true, session.statementsDone)
      switch outcome.value {
      case nil, .some(.none): break
      case .some(let value):
        entry.givesAns = true
        if !outcome.isSilent, !outcome.wasPrinted { terminal.print(value.shown(width: terminal.width)) }
      }
      if !outcome.isSilent { showCurve() }
    case .failure(let failure):
      if failure.stage == .run { entry.done = session.statementsDone }
      report(failure, of: entry)
    }
    notebook.entries[notebook.entries.count - 1] = entry
    // What did not begin changed nothing.
    if entry.done < 0 { states.removeLast() }
    if states.count > Self.mostStates { states.removeFirst() }
    if showsTime || result.isLong(cost) { terminal.report(cost.text(withProcessorTime: showsTime)) }
    session.interruption.clear()
  }

  private func report(_ failure: ScriptFailure, of entry: PromptEntry) {
    guard failure.category != .interrupted else { return terminal.report("interrupted") }
    terminal.report(failure)
    if let next = NextCall.hint(after: failure, in: entry, library: session.library) { terminal.report("  next: \(next)") }
  }

  /// Shows the curves of a run that has got a name, once.
  private func showCurve() {
    var newest: RunCurves?
    for name in session.globalNames {
      guard let value = session[name], let curves = RunCurves(value), shownRuns.insert(curves.id).inserted else { continue }
      newest = curves
    }
    if let newest { terminal.show { newest.png } }
  }

  /// Takes back the last entry.
  /// - Returns: Its text; nil where there is none.
  func undo() -> String? {
    guard let state = states.popLast() else { return nil }
    session.names = state.names
    notebook.entries = state.entries
    return state.text
  }

  /// Begins anew.
  func reset() {
    states.append(State(names: session.names, entries: notebook.entries, text: ":reset"))
    session.names = .none
    notebook.entries = []
    notebook.forgetClaims()
  }

  // MARK: Questions

  private func answer(_ question: HelpQuestion) {
    guard case .about(let name) = question else {
      return terminal.help(
        """
        \(Reference(session.library).overview)

        help NAME or NAME? tells about one of these, TAB completes, a trailing ; prints nothing, ans is the last value.
        Ctrl-C stops what runs, Ctrl-D leaves. Commands of the prompt:
        \(promptCommands.table)
        """)
    }
    if PromptCall.isCommand(name) { return enter(":help \(name)") }
    guard let text = session.help(on: name, width: terminal.width) else { return terminal.report(session.noHelp(on: name)) }
    terminal.help(text)
  }

  // MARK: Completion

  /// Lists what could stand at a cursor.
  /// - Parameter cursor: A place in the text, in bytes.
  public func completions(in text: String, at cursor: Int) -> Completions {
    guard PromptCall.isCommand(text) else { return session.completions(in: text, at: cursor) }
    return CommandCompleter(session: session).completions(in: text, at: cursor)
  }
}

extension Result<Session.Outcome, ScriptFailure> {
  /// Whether it went well and took so long that one may want to know how long.
  fileprivate func isLong(_ cost: CostMeter) -> Bool {
    guard case .success = self else { return false }
    return cost.elapsed > .milliseconds(200)
  }
}
