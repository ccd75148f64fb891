import Foundation
import Tensors

/// The lines that were typed, in a file that survives crashes and is shared by sessions.
///
/// A line of the file is an entry; line ends inside of an entry are written as `\n`, backslashes as `\\`.
struct History {
  private let path: String?
  /// How much of the file is known here. Bytes.
  private var known: UInt64 = 0
  /// Lines written here that have not been met in the file yet.
  private var own: [String] = []
  static let longest = 20_000

  /// Finds the file below `$XDG_STATE_HOME`, else below `~/.local/state`.
  init(environment: [String: String]) {
    let state = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    guard let base = state ?? environment["HOME"].map({ $0 + "/.local/state" }) else {
      path = nil
      return
    }
    let folder = base + "/reprise"
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    path = Self.isUsable(folder + "/history") ? folder + "/history" : nil
  }

  /// Whether a regular file is there, or nothing yet: a pipe would be waited for.
  private static func isUsable(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) != 0 ? errno == ENOENT : status.st_mode & S_IFMT == S_IFREG
  }

  /// Reads the entries, oldest first, and shortens a file that grew too long.
  mutating func load() -> [String] {
    guard let path, let data = FileManager.default.contents(atPath: path) else { return [] }
    var lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    if lines.count > Self.longest + Self.longest / 4 {
      lines = Array(lines.suffix(Self.longest))
      let shorter = lines.joined(separator: "\n") + "\n"
      try? writeAtomically(to: path, text: shorter)
      known = UInt64(shorter.utf8.count)
    } else {
      known = UInt64(data.count)
    }
    return lines.suffix(Self.longest).map(Self.decoded)
  }

  /// The entries that other prompts have added since the last call, oldest first.
  mutating func added() -> [String] {
    guard let path, let file = FileHandle(forReadingAtPath: path) else { return [] }
    defer { try? file.close() }
    guard let end = try? file.seekToEnd(), end != known else { return [] }
    // A file that another prompt has shortened is known from its end on.
    guard end > known, (try? file.seek(toOffset: known)) != nil, let data = try? file.readToEnd(),
      let last = data.lastIndex(of: UInt8(ascii: "\n"))
    else {
      known = min(known, end)
      return []
    }
    let whole = data[...last]
    known += UInt64(whole.count)
    var entries: [String] = []
    for line in String(decoding: whole, as: UTF8.self).split(separator: "\n").map(String.init) {
      if let place = own.firstIndex(of: line) {
        own.remove(at: place)
      } else {
        entries.append(Self.decoded(line))
      }
    }
    return entries
  }

  /// Adds an entry with one write, so that sessions at the same time do not mix theirs.
  mutating func append(_ entry: String) {
    guard let path else { return }
    own.append(Self.encoded(entry))
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let bytes = Array((Self.encoded(entry) + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
  }

  private static func encoded(_ entry: String) -> String {
    entry.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\n", with: "\\n")
  }

  private static func decoded(_ line: String) -> String {
    guard line.contains("\\") else { return line }
    var text = ""
    var escaped = false
    for character in line {
      if escaped {
        text.append(character == "n" ? "\n" : character)
        escaped = false
      } else if character == "\\" {
        escaped = true
      } else {
        text.append(character)
      }
    }
    return text
  }
}
