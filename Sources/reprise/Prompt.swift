import ArgumentParser
import Foundation
import Notebook
import Script

/// The prompt on a terminal; without a terminal, standard input is a script.
struct Prompt: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt", abstract: "Type at a prompt. This is what happens without a command.")

  @OptionGroup var compute: ComputeOptions

  func run() throws {
    guard Console.isTerminal(STDIN_FILENO) else {
      return try Run.run(try readScript("-"), settings: [:], compute, json: false)
    }
    Interrupts.watch()
    let notebook = compute.notebook
    let session = Session(
      library: notebookLibrary, output: ConsoleOutput(), interruption: Interrupts.flag, host: notebook)
    let editor = LineEditor(completing: session)
    let thread = EvaluationThread()
    Console.out("\(Version.text): 'help' lists what there is, Ctrl-D leaves.")

    while let text = readStatement(editor) {
      let line = text.trimmingCharacters(in: .whitespacesAndNewlines)
      if line.isEmpty { continue }
      editor.remember(text)
      if line == "quit" || line == "exit" { break }
      if let answer = help(line) {
        Console.out(answer)
        continue
      }
      Interrupts.flag.clear()
      switch evaluate(Source(text, name: "prompt"), in: session, on: thread) {
      case .success(let outcome):
        if let value = outcome.value {
          session["ans"] = value
          if !outcome.isSilent, value != .none { Console.out(value.shown) }
        }
      case .failure(let failure): Console.error(Console.renderer.render(failure))
      }
      Interrupts.flag.clear()
    }
  }

  /// Reads lines until they make a whole statement; nil at the end of input.
  private func readStatement(_ editor: LineEditor) -> String? {
    guard var text = editor.readLine("reprise> ") else {
      Console.out("")
      return nil
    }
    while !text.isEmpty && !Session.isComplete(text) {
      guard let more = editor.readLine("     ... ") else { break }
      if editor.wasInterrupted { return "" }
      text += "\n" + more
    }
    return text
  }

  /// `help`, `help NAME`, `?NAME`, `NAME?`.
  private func help(_ line: String) -> String? {
    let reference = Reference(notebookLibrary)
    let name: Substring
    if line == "help" || line == "?" { return reference.overview }
    if line.hasPrefix("help ") {
      name = line.dropFirst(5)
    } else if line.hasPrefix("?") {
      name = line.dropFirst()
    } else if line.hasSuffix("?") {
      name = line.dropLast()
    } else {
      return nil
    }
    let word = name.trimmingCharacters(in: .whitespaces)
    return reference.help(word) ?? unknownName(word, in: reference)
  }
}
