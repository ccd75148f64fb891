/// What a stretch of an entry is, to be told by its colour.
package enum EntryStyle: Sendable, CaseIterable {
  case prompt, command, keyword, number, string, comment, function
  /// The bracket that belongs to the one at the cursor.
  case bracket
}

/// The colours of what is typed. Of the 256 of xterm those of middle brightness, which can be read on black and on white.
package enum EntryPalette: Sendable {
  case none
  /// Of a terminal that has its own eight colours.
  case eight
  case extended

  /// The colour's number among the 256; nil for one that is told by its weight.
  package static func color(of style: EntryStyle) -> Int? {
    switch style {
    case .prompt, .function: 32
    case .command, .keyword: 133
    case .number: 130
    case .string: 64
    case .comment: 244
    case .bracket: nil
    }
  }

  /// What a terminal is told before a stretch; empty for nothing.
  func begin(_ style: EntryStyle) -> String {
    switch (self, style) {
    case (.none, _): return ""
    case (_, .bracket): return "\u{1B}[1;4m"
    case (.extended, _): return Self.color(of: style).map { "\u{1B}[38;5;\($0)m" } ?? ""
    case (.eight, .prompt), (.eight, .keyword), (.eight, .command): return "\u{1B}[1m"
    case (.eight, .string): return "\u{1B}[32m"
    case (.eight, .number): return "\u{1B}[35m"
    case (.eight, .comment), (.eight, .function): return ""
    }
  }

  static let end = "\u{1B}[0m"
}
