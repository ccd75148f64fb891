/// Paths as a page shows them that others read: those of the machine are shortened to what means something elsewhere.
public struct ShownPaths: Sendable {
  /// What paths begin with, and what stands for it; the longest first.
  private let replacements: [(path: String, replacement: String)]

  /// - Parameters:
  ///   - directory: The working directory: paths below it are shown as seen from there.
  ///   - home: The home of who runs it, shown as `~`.
  public init(directory: String, home: String) {
    func clean(_ path: String) -> String { path.hasSuffix("/") ? String(path.dropLast()) : path }
    // The root means nothing, and everything lies below it.
    replacements = [(clean(directory), "."), (clean(home), "~")].filter { $0.0.hasPrefix("/") }
      .sorted { $0.0.utf8.count > $1.0.utf8.count }
  }

  /// A text with the paths in it shortened.
  public func shortened(_ text: String) -> String {
    var text = text
    for (path, replacement) in replacements where text.contains(path) { text = Self.replacing(path, replacement, in: text) }
    return text
  }

  private static func replacing(_ path: String, _ replacement: String, in text: String) -> String {
    let (all, path) = (Array(text.utf8), Array(path.utf8))
    var result: [UInt8] = []
    var place = 0
    while place < all.count {
      let end = place + path.count
      guard all[place] == path[0], end <= all.count, all[place..<end].elementsEqual(path),
        place == 0 || !continues(all[place - 1]), end == all.count || all[end] == UInt8(ascii: "/") || !continues(all[end])
      else {
        result.append(all[place])
        place += 1
        continue
      }
      place = end
      if replacement == ".", place + 1 < all.count, all[place] == UInt8(ascii: "/"), continues(all[place + 1]) {
        place += 1
      } else {
        result += replacement.utf8
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Whether a byte may be part of a name in a path, so that a path does not begin or end beside it.
  private static func continues(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "/"), 0x80...: true
    default: false
    }
  }
}
