import Foundation
import Notebook
import Prompt
import Script

/// A terminal that keeps what it is given.
final class RecordingTerminal: PromptTerminal {
  var width = 80
  private(set) var printed: [String] = []
  private(set) var reported: [String] = []
  private(set) var helped: [String] = []
  private(set) var echoed: [String] = []
  private(set) var commands: [String] = []
  /// What the editor was opened with, and what it makes of a text.
  private(set) var opened: [String] = []
  var editor: (String) -> Result<String, PromptProblem> = { .success($0) }
  var ending = ShellEnding.exited(0)

  func print(_ text: String) { printed.append(text) }
  func report(_ text: String) { reported.append(text) }
  func report(_ failure: ScriptFailure) { reported.append(DiagnosticRenderer(usesColor: false).render(failure)) }
  func help(_ text: String) { helped.append(text) }
  func echo(_ entry: String) { echoed.append(entry) }
  func show(_ png: () -> [UInt8]) {}
  func edited(_ text: String) -> Result<String, PromptProblem> {
    opened.append(text)
    return editor(text)
  }
  func run(shellCommand: String) -> ShellEnding {
    commands.append(shellCommand)
    return ending
  }
}

/// A prompt in a new empty folder that goes when its owner goes.
final class Desk {
  let folder = NSTemporaryDirectory() + "/reprise-tests-" + UUID().uuidString
  let terminal = RecordingTerminal()
  let notebook = NotebookSession(threads: 1)
  let session: Session
  let prompt: PromptSession

  private struct Quiet: ScriptOutput { func print(_ text: String) {} }

  init(_ entries: String...) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    session = Session(
      library: notebookLibrary, output: Quiet(), host: notebook, workingDirectory: WorkingDirectory(folder))
    prompt = PromptSession(session, notebook, on: terminal)
    for entry in entries { prompt.enter(entry) }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// What each name stands for, as text.
  var values: [String: String] {
    Dictionary(uniqueKeysWithValues: session.globalNames.map { ($0, session[$0]?.literal ?? "") })
  }
}
