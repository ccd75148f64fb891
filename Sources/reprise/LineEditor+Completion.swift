@preconcurrency import CReadline
import Foundation
import Script

// What TAB does.
extension LineEditor {
  static func matches(_ start: Int32, _ end: Int32) -> UnsafeMutablePointer<
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
  static func display(
    _ matches: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ count: Int32, _ longest: Int32
  ) {
    guard let matches, let editor = current else { return }
    editor.leaveEntry()
    var (rows, columns): (Int32, Int32) = (24, 80)
    rl_get_screen_size(&rows, &columns)
    // The first is what all have in common.
    let names = (1...max(1, Int(count))).compactMap { matches[$0].map { String(cString: $0) } }
    guard names.contains(where: { editor.docs[$0]?.isEmpty == false }), names.count < max(4, Int(rows) - 2) else {
      if !editor.editsEntries { rl_crlf() }
      rl_display_match_list(matches, count, longest)
      rl_forced_update_display()
      return
    }
    let width = min(names.map(\.count).max() ?? 0, 28)
    var text = editor.editsEntries ? "" : "\n"
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
}
