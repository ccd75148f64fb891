import Foundation
import Notebook
import Script
import Tensors

/// The prompt: reads, checks, runs and prints, line by line, until Ctrl-D.
struct REPL {
  let notebook: NotebookSession
  private static let prompt = "reprise> "
  private static let continuation = "    ...> "

  func run() {
    Signals.install(endsOnSecond: false)
    let session = Session(
      library: notebookLibrary, output: TerminalOutput(), interruption: Signals.interruption,
      host: notebook)
    let thread = EvaluationThread()
    var history = History(environment: ProcessInfo.processInfo.environment)
    let editor = LineEditor(name: "reprise") { session.completions(in: $0, at: $1) }
    for entry in history.load() { editor.addToHistory(entry) }

    var entered = 0
    while !Signals.isTerminating {
      for entry in history.added() { editor.addToHistory(entry) }
      guard let text = readEntry(editor) else { break }
      let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
      if trimmed.isEmpty { continue }
      editor.addToHistory(trimmed)
      history.append(trimmed)
      if ["quit", "exit", "quit()", "exit()"].contains(trimmed) { break }
      if trimmed.hasPrefix(":") {
        command(trimmed)
        continue
      }
      if answer(trimmed, session) { continue }
      entered += 1
      // A run keeps what was typed until then, what failed too: it may have given names values.
      let entry = PromptEntry(number: entered, text: text)
      notebook.entries.append(entry)
      notebook.entries[entered - 1] = evaluate(entry, session, thread)
      Signals.interruption.clear()
    }
    if Signals.isTerminating { exit(Status.terminated) }
  }

  /// Reads lines until they are whole; nil at the end of input.
  private func readEntry(_ editor: LineEditor) -> String? {
    var text = ""
    while true {
      switch editor.read(prompt: text.isEmpty ? Self.prompt : Self.continuation) {
      case .end:
        Streams.writeOutput("\n")
        return text.isEmpty ? nil : text
      case .cancelled:
        if Signals.isTerminating { return nil }
        return ""
      case .text(let line):
        text += text.isEmpty ? pasted(line) : "\n" + pasted(line)
        if text.hasPrefix(":") || Self.question(text) != nil || Session.isComplete(text) { return text }
        // An empty line gives up on what cannot be ended by more lines anyway.
        if line.trimmingCharacters(in: .whitespaces).isEmpty, text.hasSuffix("\n\n") { return text }
      }
    }
  }

  /// A line without the prompt that a pasted transcript carries.
  private func pasted(_ line: String) -> String {
    for prompt in [Self.prompt, Self.continuation] where line.hasPrefix(prompt) {
      return String(line.dropFirst(prompt.count))
    }
    return line
  }

  /// The name that a question to the prompt is about: `help NAME`, `?NAME`, `NAME?`; empty for `help` alone. Nil for
  /// what is no question, such as a comment that ends with a question mark.
  private static func question(_ text: String) -> String? {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    var name: Substring
    if text == "help" || text == "help()" || text == "?" { return "" }
    if text.hasPrefix("help ") {
      name = text.dropFirst(5)
    } else if text.hasPrefix("?") {
      name = text.dropFirst()
    } else if text.hasSuffix("?") {
      name = text.dropLast()
    } else {
      return nil
    }
    name = Substring(name.trimmingCharacters(in: .whitespaces))
    let isName = !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
    return isName ? String(name) : nil
  }

  /// Does what only a prompt can: `:save FILE` and `:save FILE NAME`.
  private func command(_ text: String) {
    func complain(_ problem: String, hint: String) {
      Streams.writeError("\(problem)\n  hint: \(hint)\n")
    }
    let words = text.split(separator: " ").map(String.init)
    guard words[0] == ":save", (2...3).contains(words.count) else {
      return complain("'\(text)' is no command of the prompt", hint: ":save FILE, or :save FILE NAME")
    }
    guard let script = notebook.script(for: words.count == 3 ? words[2] : nil) else {
      return complain("nothing that was typed gives that", hint: "give a name that has a value here")
    }
    do throws(ScriptError) {
      let path = try WorkingDirectory().writable(words[1], at: Span(Source(text, name: "<prompt>"), 0..<text.utf8.count))
      guard !FileManager.default.fileExists(atPath: path) else {
        return complain("'\(words[1])' is there already", hint: "choose another name")
      }
      do throws(TensorError) { try writeAtomically(to: path, text: script) } catch {
        return complain("\(error)", hint: "choose another name")
      }
      Streams.writeError("wrote \(words[1])\n")
    } catch {
      Streams.writeError(Streams.messages.render(ScriptFailure([error], stage: .run)))
    }
  }

  /// Answers what is not the language but the prompt's.
  private func answer(_ text: String, _ session: Session) -> Bool {
    guard let name = Self.question(text) else { return false }
    if name.isEmpty {
      Streams.writeHelp(
        """
        \(Reference(session.library).overview)

        help NAME or NAME? tells about one of these, TAB completes, a trailing ; prints nothing, ans is the last value.
        :save FILE writes what led to the last entry as a script, :save FILE NAME what led to a value; why(NAME) shows it.
        Ctrl-C stops what runs, Ctrl-D leaves.
        """)
      return true
    }
    let reference = Reference(session.library)
    if let value = session[name] {
      let type = session.library.objectType(value.typeName).flatMap { reference.help($0.name) }
      Streams.writeHelp("\(name): \(value.typeName)\(type.map { "\n" + $0 } ?? "")")
      Streams.writeLine(value.shown(width: TerminalOutput().width))
      if session.library.names.contains(name), let help = reference.help(name) {
        Streams.writeHelp("\nThe built-in that it hides:\n\(help)")
      }
    } else if let help = reference.help(name) {
      Streams.writeHelp(help)
    } else {
      let near = reference.nearest(to: name).first.map { "; did you mean '\($0)'?" } ?? ""
      Streams.writeError("no help for '\(name)'\(near)\n")
    }
    return true
  }

  /// - Returns: The entry with what came of it.
  private func evaluate(_ entry: PromptEntry, _ session: Session, _ thread: EvaluationThread) -> PromptEntry {
    let begun = ContinuousClock.now
    let result = thread.run { () -> Result<Session.Outcome, ScriptFailure> in
      do throws(ScriptFailure) {
        return .success(try session.run(entry))
      } catch {
        return .failure(error)
      }
    }
    var entry = entry
    switch result {
    case .success(let outcome):
      (entry.succeeded, entry.done) = (true, session.statementsDone)
      switch outcome.value {
      case nil, .some(.none): break
      case .some(let value):
        entry.givesAns = true
        if !outcome.isSilent, !outcome.wasPrinted { Streams.writeLine(value.shown(width: TerminalOutput().width)) }
      }
      let passed = ContinuousClock.now - begun
      if passed > .milliseconds(200) { Streams.writeError(Self.cost(passed) + "\n") }
    case .failure(let failure):
      if failure.stage == .run { entry.done = session.statementsDone }
      if failure.category == .interrupted {
        Streams.writeError("interrupted\n")
      } else {
        Streams.writeError(Streams.messages.render(failure))
      }
    }
    return entry
  }

  /// What a line took, and the most memory that the process has held.
  private static func cost(_ time: Duration) -> String {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds = time.seconds
    return String(format: "(%.1f s, at most %d MiB so far)", seconds, usage.ru_maxrss / 1024)
  }
}
