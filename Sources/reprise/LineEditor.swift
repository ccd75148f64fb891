@preconcurrency import CReadline
import Foundation
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
  nonisolated(unsafe) private static var current: LineEditor?
  private var candidates: [String] = []
  /// What is shown of each candidate beside its text.
  private var docs: [String: String] = [:]
  private let complete: (String, Int) -> Completions

  init(name: String, complete: @escaping (String, Int) -> Completions) {
    self.complete = complete
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
    // What was typed chooses what the arrows bring back; ~/.inputrc, read next, may say otherwise.
    for binding in [
      "\"\\e[A\": history-search-backward", "\"\\e[B\": history-search-forward",
      "\"\\eOA\": history-search-backward", "\"\\eOB\": history-search-forward",
    ] {
      binding.withCString { text in
        let copy = strdup(text)
        rl_parse_and_bind(copy)
        free(copy)
      }
    }
    rl_initialize()
    // A pager or a question would take what is typed or pasted next for its answer.
    for (name, value) in [("page-completions", "off"), ("completion-query-items", "0")] {
      rl_variable_bind(name, value)
    }
    rl_getc_function = { LineEditor.key($0) }
  }

  // MARK: Keys

  /// The last bytes that were read, which show where a bracketed paste begins and ends.
  nonisolated(unsafe) private static var recent: [UInt8] = []
  nonisolated(unsafe) private static var isPasting = false

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

  /// Whether nothing but blanks stands before the cursor.
  private static var isIndenting: Bool {
    guard let buffer = rl_line_buffer else { return true }
    let before = UnsafeRawBufferPointer(start: buffer, count: max(0, Int(rl_point)))
    return before.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
  }

  private static var hasMoreInput: Bool {
    var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, 0) > 0
  }

  /// Reads a line. Signals must be `Signals`'.
  func read(prompt: String) -> Line {
    Signals.interruption.clear()
    Self.isPasting = false
    let line = readline(prompt)
    // Who was asked to end before the flag was cleared is still to end.
    if Signals.interruption.isRaised || Signals.isTerminating {
      Signals.interruption.clear()
      free(line)
      Streams.writeOutput("\n")
      return .cancelled
    }
    guard let line else { return .end }
    defer { free(line) }
    return .text(
      String(decoding: UnsafeRawBufferPointer(start: line, count: strlen(line)), as: UTF8.self))
  }

  func addToHistory(_ line: String) { add_history(line) }

  // MARK: Completion

  private static func matches(_ start: Int32, _ end: Int32) -> UnsafeMutablePointer<
    UnsafeMutablePointer<CChar>?
  >? {
    rl_attempted_completion_over = 1
    guard let editor = current, let buffer = rl_line_buffer else { return nil }
    let text = String(cString: buffer)
    let completions = editor.complete(text, Int(end))
    guard !completions.candidates.isEmpty else { return nil }
    // Readline replaces from `start` on; the service may have begun its word before or behind that.
    let bytes = Array(text.utf8)
    let common = min(Int(start), bytes.count)
    func replacement(_ text: String) -> String? {
      if completions.start == common { return text }
      if completions.start < common {
        let typed = String(decoding: bytes[completions.start..<common], as: UTF8.self)
        return text.hasPrefix(typed) ? String(text.dropFirst(typed.count)) : nil
      }
      return String(decoding: bytes[common..<min(completions.start, bytes.count)], as: UTF8.self) + text
    }
    editor.candidates = []
    editor.docs = [:]
    for candidate in completions.candidates {
      guard let text = replacement(candidate.text) else { continue }
      editor.candidates.append(text)
      editor.docs[text] = candidate.doc
    }
    // A name may be followed by anything: no space behind it, and a quote only where a file's name is whole.
    rl_completion_append_character = 0
    rl_completion_suppress_quote = 1
    let word = String(decoding: bytes[common..<min(Int(end), bytes.count)], as: UTF8.self)
    return rl_completion_matches(word) { _, state in LineEditor.candidate(Int(state)) }
  }

  /// Lists the candidates, each with what is known of it on a line of its own, where they fit on the screen so.
  private static func display(
    _ matches: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ count: Int32, _ longest: Int32
  ) {
    guard let matches, let editor = current else { return }
    var (rows, columns): (Int32, Int32) = (24, 80)
    rl_get_screen_size(&rows, &columns)
    // The first is what all have in common.
    let names = (1...max(1, Int(count))).compactMap { matches[$0].map { String(cString: $0) } }
    guard names.contains(where: { editor.docs[$0]?.isEmpty == false }), names.count < max(4, Int(rows) - 2) else {
      rl_crlf()
      rl_display_match_list(matches, count, longest)
      rl_forced_update_display()
      return
    }
    let width = min(names.map(\.count).max() ?? 0, 28)
    var text = "\n"
    for name in names {
      let padded = name + String(repeating: " ", count: max(0, width - name.count))
      text += String("\(padded)  \(editor.docs[name] ?? "")".prefix(max(20, Int(columns) - 1))) + "\n"
    }
    Streams.writeOutput(text)
    rl_on_new_line()
    rl_forced_update_display()
  }

  /// The next candidate, in memory that readline frees.
  private static func candidate(_ state: Int) -> UnsafeMutablePointer<CChar>? {
    if state == 0 { position = 0 }
    guard let editor = current, position < editor.candidates.count else { return nil }
    position += 1
    return strdup(editor.candidates[position - 1])
  }
  nonisolated(unsafe) private static var position = 0
}
