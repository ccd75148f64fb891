internal import Script

extension String {
  /// With blanks behind it, as many columns wide.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - DisplayWidth.of(self))) }

  /// Cut to columns, `…` at its end where something is left out.
  func cut(to width: Int) -> String {
    guard DisplayWidth.of(self) > width else { return self }
    var (text, taken) = ("", 1)
    for character in self {
      taken += DisplayWidth.of(character)
      if taken > width { break }
      text.append(character)
    }
    return text + "…"
  }
}
