import Foundation
import Notebook
import Prompt
import Script

/// The prompt on a terminal: reads entries and has them done until Ctrl-D.
struct REPL {
  let notebook: NotebookSession
  /// A line that came behind an entry, and begins the next one.
  private var next: String?

  init(notebook: NotebookSession) { self.notebook = notebook }

  mutating func run() {
    Signals.install(endsOnSecond: false)
    let session = Session(
      library: notebookLibrary, output: TerminalOutput(), interruption: Signals.interruption,
      host: notebook)
    let terminal = TerminalPrompt()
    let prompt = PromptSession(session, notebook, on: terminal)
    var history = History(environment: ProcessInfo.processInfo.environment)
    let editor = LineEditor(
      name: "reprise", isComplete: { prompt.isComplete($0) }, complete: { prompt.completions(in: $0, at: $1) })
    func remember(_ entry: String) {
      editor.addToHistory(entry)
      history.append(entry)
    }
    terminal.remember = remember
    for entry in history.load() { editor.addToHistory(entry) }

    while !Signals.isTerminating {
      for entry in history.added() { editor.addToHistory(entry) }
      guard let text = readEntry(editor, prompt) else { break }
      let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
      if trimmed.isEmpty { continue }
      remember(trimmed)
      if PromptSession.isFarewell(trimmed) { break }
      prompt.enter(PromptSession.isCommand(trimmed) ? trimmed : text)
      Signals.interruption.clear()
    }
    if Signals.isTerminating { exit(Status.terminated) }
  }

  /// Reads an entry: at once where the terminal shows it whole, else line by line; nil at the end of input.
  private mutating func readEntry(_ editor: LineEditor, _ prompt: PromptSession) -> String? {
    var text = next ?? ""
    next = nil
    if !text.isEmpty, prompt.isComplete(text) { return text }
    while true {
      switch editor.read(prompt: text.isEmpty ? Transcript.prompt : Transcript.continuation) {
      case .end:
        Streams.writeOutput("\n")
        return text.isEmpty ? nil : text
      case .cancelled:
        return Signals.isTerminating ? nil : ""
      case .text(let line):
        let line = Transcript.typed(in: line)
        // What was not the `else` that an `if` waited for is an entry of its own.
        if !text.isEmpty, prompt.waitsForElse(text), !line.isBlank, !line.beginsWithElse {
          next = line
          return text
        }
        text += (text.isEmpty ? "" : "\n") + line
        if prompt.isComplete(text) || editor.editsEntries { return text }
        // An empty line gives up on what cannot be ended by more lines anyway.
        if line.isBlank, text.hasSuffix("\n\n") { return text }
      }
    }
  }
}

extension String {
  fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
  fileprivate var beginsWithElse: Bool {
    let rest = drop(while: \.isWhitespace)
    return rest.hasPrefix("else") && rest.dropFirst(4).first.map { !$0.isLetter && !$0.isNumber && $0 != "_" } ?? true
  }
}
