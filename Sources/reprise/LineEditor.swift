@preconcurrency import CReadline
import Foundation
import Script
import Synchronization

/// GNU readline: editing, history and completion as people have set them in `~/.inputrc`.
///
/// Readline keeps its state in globals, so there is one editor, used by the main thread.
final class LineEditor {
  private let historyPath: String?
  /// Whether the last line was given up with Ctrl-C.
  private(set) var wasInterrupted = false

  private static let historyLimit: Int32 = 20_000

  init(completing session: Session) {
    completionSource.withLock { $0 = CompletionSource(session: session) }
    rl_readline_name = UnsafePointer(strdup("reprise"))
    // What ends a word, so that names complete after brackets, operators and dots.
    rl_completer_word_break_characters = UnsafePointer(strdup(" \t\n()[]{},:;+-*/%<>=!&|^.\"#"))
    rl_attempted_completion_function = { _, start, _ in offerCompletions(start) }
    rl_signal_event_hook = { giveUpLine() }
    using_history()
    stifle_history(Self.historyLimit)
    historyPath = Self.findHistory()
    if let historyPath { read_history(historyPath) }
  }

  /// Reads a line; nil at the end of input, and an empty line after Ctrl-C.
  func readLine(_ prompt: String) -> String? {
    Interrupts.flag.clear()
    guard let line = readline(prompt) else { return nil }
    defer { free(line) }
    wasInterrupted = Interrupts.flag.isRaised
    Interrupts.flag.clear()
    return wasInterrupted ? "" : String(decoding: Data(bytes: line, count: strlen(line)), as: UTF8.self)
  }

  /// Keeps a line for later sessions, before it is evaluated: what ends the process is what one wants to see again.
  func remember(_ text: String) {
    add_history(text.replacingOccurrences(of: "\n", with: " "))
    guard let historyPath else { return }
    if append_history(1, historyPath) != 0 { write_history(historyPath) }
  }

  /// `$XDG_STATE_HOME/reprise/history`; nil where that folder cannot be made.
  private static func findHistory() -> String? {
    let environment = ProcessInfo.processInfo.environment
    var state = environment["XDG_STATE_HOME"] ?? ""
    if !state.hasPrefix("/") {
      guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
      state = home + "/.local/state"
    }
    let folder = state + "/reprise"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch { return nil }
    return folder + "/history"
  }
}

/// What TAB asks: readline's callbacks carry nothing, so it is kept here.
private struct CompletionSource {
  let session: Session
  var offered: [String] = []
  var next = 0
}

private let completionSource = Mutex<CompletionSource?>(nil)

/// Called while a line is read and a signal came: Ctrl-C gives the line up.
private func giveUpLine() -> Int32 {
  guard Interrupts.flag.isRaised else { return 0 }
  rl_replace_line("", 0)
  rl_crlf()
  rl_done = 1
  return 0
}

private func offerCompletions(_ start: Int32) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
  // Where nothing of ours fits, readline's own file names would mislead.
  rl_attempted_completion_over = 1
  rl_completion_append_character = 0
  guard let buffer = rl_line_buffer else { return nil }
  let text = String(cString: buffer)
  let cursor = Int(rl_point)
  completionSource.withLock { source in
    guard let session = source?.session else { return }
    let found = session.completions(in: text, at: cursor)
    // Readline replaces from where it saw the word start; ours may start earlier, as a path does.
    let ahead = max(Int(start) - found.start, 0)
    source?.offered = found.candidates.map { String(decoding: Array($0.text.utf8.dropFirst(ahead)), as: UTF8.self) }
    source?.next = 0
  }
  return rl_completion_matches("") { _, state in
    completionSource.withLock { source -> String? in
      guard var current = source else { return nil }
      if state == 0 { current.next = 0 }
      var match: String?
      if current.next < current.offered.count {
        match = current.offered[current.next]
        current.next += 1
      }
      source = current
      return match
    }.flatMap { strdup($0) }
  }
}
