@preconcurrency import CReadline
import Foundation
import Prompt

// Entries of several lines, edited as a whole and in colours, on terminals that can move the cursor.
extension LineEditor {
  /// Whether an entry is edited as a whole. Readline draws what it alone can, such as vi's mode in the prompt.
  var editsEntries: Bool { Self.canEditEntries }

  private static let canEditEntries: Bool = {
    guard Streams.canMove(STDOUT_FILENO), Streams.inputIsTerminal else { return false }
    func isOn(_ variable: String) -> Bool { rl_variable_value(variable).map { String(cString: $0) } == "on" }
    return !isOn("show-mode-in-prompt") && !isOn("horizontal-scroll-mode")
  }()

  // MARK: Drawing

  private static var text: String {
    guard let buffer = rl_line_buffer else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: buffer, count: max(0, Int(rl_end))), as: UTF8.self)
  }

  func layout(of text: String, cursor: Int?) -> EntryLayout {
    // While the history is searched, readline shows what for in place of the prompt.
    let prompt = cursor == nil ? rl_prompt : rl_display_prompt
    return EntryLayout(
      prompt: prompt.map { String(cString: $0) } ?? "", continuation: Transcript.continuation, text: text, cursor: cursor,
      columns: Streams.outputColumns, palette: Streams.inputPalette)
  }

  func redisplay() {
    fflush(rl_outstream)
    let layout = layout(of: Self.text, cursor: Int(rl_point))
    Streams.writeOutput(screen.update(layout, height: Streams.outputRows))
  }

  /// Goes below the entry, which is drawn again there when other text has been written.
  func leaveEntry() {
    guard editsEntries else { return }
    fflush(rl_outstream)
    Streams.writeOutput(screen.leave())
  }

  // MARK: Keys

  /// Gives Return and the arrows what entries need; `~/.inputrc`, read next, may say otherwise.
  func addEntryKeys() {
    let enter: Key = { LineEditor.enter($0, $1) }
    let newLine: Key = { _, _ in LineEditor.insertNewLine() }
    let up: Key = { LineEditor.up($0, $1) }
    let down: Key = { LineEditor.down($0, $1) }
    let closeBrace: Key = { LineEditor.closeBrace($0, $1) }
    let clear: Key = { LineEditor.clearScreen($0, $1) }
    (Self.upKey, Self.downKey) = (up, down)
    for (name, key) in [
      ("reprise-enter", enter), ("reprise-new-line", newLine), ("reprise-up", up), ("reprise-down", down),
      ("reprise-close-brace", closeBrace), ("reprise-clear-screen", clear),
    ] { rl_add_defun(strdup(name), key, -1) }  // readline keeps the name as long as the process lives
    var bindings: [String] = []
    for keymap in ["vi-command", "vi-insert", "emacs"] {
      bindings.append("set keymap \(keymap)")
      // What was typed chooses what the arrows bring back.
      for (keys, name) in [("\\e[A", "up"), ("\\eOA", "up"), ("\\e[B", "down"), ("\\eOB", "down")] {
        bindings.append("\"\(keys)\": reprise-\(name)")
      }
      guard Streams.canMove(STDOUT_FILENO) else { continue }
      bindings += ["\"\\C-m\": reprise-enter", "\"\\C-j\": reprise-enter", "\"\\C-l\": reprise-clear-screen"]
      if keymap != "vi-command" { bindings.append("\"}\": reprise-close-brace") }
      if keymap == "emacs" { bindings.append("\"\\e\\C-m\": reprise-new-line") }
    }
    for binding in bindings {
      let copy = strdup(binding)
      rl_parse_and_bind(copy)
      free(copy)
    }
  }

  private typealias Key = @convention(c) (Int32, Int32) -> Int32
  nonisolated(unsafe) private static var upKey: Key?
  nonisolated(unsafe) private static var downKey: Key?

  /// Ends the entry where it is whole, else begins another line.
  private static func enter(_ count: Int32, _ key: Int32) -> Int32 {
    guard let editor = current, editor.editsEntries else { return rl_newline(count, key) }
    let text = text
    // An empty line at the end gives up on what cannot be ended by more lines anyway.
    let givesUp = rl_point == rl_end && text.split(separator: "\n", omittingEmptySubsequences: false).suffix(2).allSatisfy {
      $0.allSatisfy(\.isWhitespace)
    }
    if givesUp || editor.isComplete(Transcript.typed(in: text)) { return rl_newline(count, key) }
    return insertNewLine()
  }

  /// Begins a line, set in as the one before, and further behind an open bracket.
  private static func insertNewLine() -> Int32 {
    var indent = ""
    if !hasMoreInput {
      let line = String(decoding: text.utf8.prefix(max(0, Int(rl_point))), as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
      indent = String(line.prefix { $0 == " " })
      if let last = line.last(where: { !$0.isWhitespace }), "{([".contains(last) { indent += "  " }
    }
    rl_insert_text("\n" + indent)
    return 0
  }

  /// A brace that closes a block stands where the block's line begins.
  private static func closeBrace(_ count: Int32, _ key: Int32) -> Int32 {
    let before = Array(text.utf8.prefix(max(0, Int(rl_point))))
    let blanks = before.reversed().prefix { $0 == UInt8(ascii: " ") }.count
    let startsLine = before.dropLast(blanks).last == UInt8(ascii: "\n")
    if startsLine, blanks >= 2, !hasMoreInput { rl_rubout(2, key) }
    return rl_insert(count, key)
  }

  private static func clearScreen(_ count: Int32, _ key: Int32) -> Int32 {
    guard let editor = current, editor.editsEntries else { return rl_clear_screen(count, key) }
    editor.screen.forget()
    Streams.writeOutput("\u{1B}[H\u{1B}[2J")
    editor.redisplay()
    return 0
  }

  private static func up(_ count: Int32, _ key: Int32) -> Int32 {
    if moves(by: -1) { return 0 }
    continueSearch(by: upKey)
    return rl_history_search_backward(count, key)
  }

  private static func down(_ count: Int32, _ key: Int32) -> Int32 {
    if moves(by: 1) { return 0 }
    continueSearch(by: downKey)
    return rl_history_search_forward(count, key)
  }

  /// Readline searches on for what was typed only where the key before did too.
  private static func continueSearch(by key: Key?) {
    func address(_ key: Key?) -> Int { unsafeBitCast(key, to: Int.self) }
    let last = unsafeBitCast(rl_last_func, to: Int.self)
    if last == address(upKey) || last == address(downKey) { rl_last_func = rl_history_search_backward }
  }

  /// Moves the cursor to the line before or behind, at about the same column; false where there is none.
  private static func moves(by step: Int) -> Bool {
    guard let editor = current, editor.editsEntries else { return false }
    guard let place = EntryLines(text).place(from: Int(rl_point), by: step) else { return false }
    rl_point = Int32(place)
    return true
  }
}
