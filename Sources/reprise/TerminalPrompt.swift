import Foundation
import Prompt
import Script

/// The terminal as the prompt uses it.
final class TerminalPrompt: PromptTerminal {
  /// Keeps an entry that was not typed at the prompt.
  var remember: (String) -> Void = { _ in }

  var width: Int { Streams.outputColumns }
  func print(_ text: String) { Streams.writeLine(text) }
  func report(_ text: String) { Streams.writeError(text + "\n") }
  func report(_ failure: ScriptFailure) {
    var renderer = Streams.messages
    renderer.width = max(40, min(100, width - 6))
    Streams.writeError(renderer.render(failure))
  }

  func help(_ text: String) {
    let text = text.wrapped(to: width)
    guard text.split(separator: "\n", omittingEmptySubsequences: false).count >= Streams.outputRows,
      Streams.canMove(STDOUT_FILENO), Streams.inputIsTerminal, Child.page(text)
    else { return Streams.writeLine(text) }
  }

  func echo(_ entry: String) {
    remember(entry)
    Streams.writeLine(Transcript.shown(entry))
  }

  func run(shellCommand: String) -> ShellEnding { Child.run(shellCommand) }

  func edited(_ text: String) -> Result<String, PromptProblem> {
    let environment = ProcessInfo.processInfo.environment
    let named = ["VISUAL", "EDITOR"].compactMap { environment[$0] }.first { !$0.isEmpty }
    guard let editor = named ?? Child.firstProgram(of: ["editor", "nano", "vi"]) else {
      return .failure(PromptProblem("no editor is named, and none was found", hint: "export EDITOR=nano, before reprise starts"))
    }
    guard let file = TemporaryFile(text, ending: ".reprise") else {
      return .failure(PromptProblem("the file for the editor cannot be written", hint: "TMPDIR names another place for it"))
    }
    // The shell splits an editor with arguments, as git does.
    let ending = Child.run("\(editor) \"$1\"", arguments: [file.path])
    switch ending {
    case .exited(0): break
    case .exited(let status):
      let hint = status == 127 ? "EDITOR names a program that is installed" : "end the editor without an error to run the text"
      return .failure(PromptProblem("'\(editor)' ended with status \(status), so nothing runs", hint: hint))
    case .signalled(let signal):
      return .failure(PromptProblem("'\(editor)' was ended by signal \(signal), so nothing runs", hint: "the entry is as it was"))
    case .notStarted(let reason):
      return .failure(PromptProblem("'\(editor)' does not start: \(reason)", hint: "EDITOR names a program"))
    }
    do throws(ScriptError) { return .success(try readScript(file.path).text) } catch {
      return .failure(PromptProblem("the text cannot be read: \(error.diagnostic.title)", hint: "a script is text in UTF-8"))
    }
  }

  func show(_ png: () -> [UInt8]) { InlinePictures.show(png) }
}

/// A file that is gone when nobody has it any more.
private final class TemporaryFile {
  let path: String

  /// Nil where it cannot be written.
  init?(_ text: String, ending: String) {
    let place = FileManager.default.temporaryDirectory.path
    var name = Array("\(place)/entry-XXXXXX\(ending)".utf8CString)
    let descriptor = mkstemps(&name, Int32(ending.utf8.count))
    guard descriptor >= 0 else { return nil }
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do { try file.write(contentsOf: Data((text + "\n").utf8)) } catch {
      unlink(path)
      return nil
    }
  }

  deinit { unlink(path) }
}
