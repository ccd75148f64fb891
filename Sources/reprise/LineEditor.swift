@preconcurrency import CReadline
import Foundation
import Prompt
import Script

/// GNU readline, behind one wall: lines with editing, history and completion.
///
/// Readline has one state per process; it is used from the main thread only, which is why
/// what the callbacks need may be global.
final class LineEditor {
  enum Line {
    case text(String)
    /// Ctrl-C: forget what was typed.
    case cancelled
    /// Ctrl-D on an empty line.
    case end
  }

  /// What the completion asks; readline's callbacks cannot capture anything.
  nonisolated(unsafe) static var current: LineEditor?
  /// Of the candidate that readline is given next.
  nonisolated(unsafe) static var position = 0
  var candidates: [String] = []
  /// What is shown of each candidate beside its text.
  var docs: [String: String] = [:]
  let complete: (String, Int) -> Completions
  let isComplete: (String) -> Bool
  /// What of the entry is on the screen.
  var screen = EntryScreen()

  /// - Parameters:
  ///   - isComplete: Whether an entry needs no more lines.
  ///   - complete: What could stand at a place of the entry, in bytes.
  init(name: String, isComplete: @escaping (String) -> Bool, complete: @escaping (String, Int) -> Completions) {
    (self.isComplete, self.complete) = (isComplete, complete)
    Self.current = self
    rl_readline_name = UnsafePointer(strdup(name))  // readline keeps it as long as the process lives
    rl_catch_signals = 0
    rl_catch_sigwinch = 1
    using_history()
    rl_completer_quote_characters = UnsafePointer(strdup("\""))
    rl_basic_word_break_characters = UnsafePointer(strdup(" \t\n\"'()[]{},.:;+-*/%=<>!&|"))
    rl_attempted_completion_function = { _, start, end in LineEditor.matches(start, end) }
    rl_completion_display_matches_hook = { matches, count, longest in LineEditor.display(matches, count, longest) }
    // Ctrl-C ends the line at once where it interrupts the wait for a key, and else within a tenth of a second.
    let endLine: @convention(c) () -> Int32 = {
      if Signals.interruption.isRaised || Signals.isTerminating { rl_done = 1 }
      return 0
    }
    rl_signal_event_hook = endLine
    rl_event_hook = endLine
    stifle_history(Int32(History.longest))
    addEntryKeys()
    rl_initialize()
    // A pager or a question would take what is typed or pasted next for its answer.
    for (name, value) in [("page-completions", "off"), ("completion-query-items", "0")] {
      rl_variable_bind(name, value)
    }
    rl_getc_function = { LineEditor.key($0) }
    if editsEntries { rl_redisplay_function = { LineEditor.current?.redisplay() } }
  }

  // MARK: Keys

  /// The last bytes that were read, which show where a bracketed paste begins and ends.
  nonisolated(unsafe) private static var recent: [UInt8] = []
  nonisolated(unsafe) static var isPasting = false

  /// Reads a key. A TAB that indents, or that more input follows at once as in a pasted text, is two blanks: what it
  /// would complete, nobody asked for.
  private static func key(_ stream: UnsafeMutablePointer<FILE>?) -> Int32 {
    let key = rl_getc(stream)
    guard let byte = UInt8(exactly: key) else { return key }
    recent = recent.suffix(5) + [byte]
    if recent.elementsEqual("\u{1B}[200~".utf8) { isPasting = true }
    if recent.elementsEqual("\u{1B}[201~".utf8) { isPasting = false }
    guard byte == UInt8(ascii: "\t"), !isPasting, isIndenting || hasMoreInput else { return key }
    rl_stuff_char(Int32(UInt8(ascii: " ")))
    return Int32(UInt8(ascii: " "))
  }

  /// Whether nothing but blanks stands in the line before the cursor.
  private static var isIndenting: Bool {
    guard let buffer = rl_line_buffer else { return true }
    let before = UnsafeRawBufferPointer(start: buffer, count: max(0, Int(rl_point)))
    return before.reversed().prefix { $0 != UInt8(ascii: "\n") }.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
  }

  static var hasMoreInput: Bool {
    var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, 0) > 0
  }

  /// Reads a line. Signals must be `Signals`'.
  func read(prompt: String) -> Line {
    Signals.interruption.clear()
    Self.isPasting = false
    screen.forget()
    let line = readline(prompt)
    // Who was asked to end before the flag was cleared is still to end.
    if Signals.interruption.isRaised || Signals.isTerminating {
      Signals.interruption.clear()
      if editsEntries { Streams.writeOutput(screen.leave()) } else { Streams.writeOutput("\n") }
      free(line)
      return .cancelled
    }
    guard let line else { return .end }
    defer { free(line) }
    let text = String(decoding: UnsafeRawBufferPointer(start: line, count: strlen(line)), as: UTF8.self)
    if editsEntries { Streams.writeOutput(screen.finish(layout(of: text, cursor: nil))) }
    return .text(text)
  }

  func addToHistory(_ line: String) { add_history(line) }
}
