internal import Foundation
internal import Tensors

/// The commit that a script's folder is at.
///
/// It is read from git's files: Reprise starts no other program. So it does not say what was changed since.
public struct SourceRevision: Hashable, Sendable {
  /// The commit's hash.
  public let commit: String

  public init(commit: String) { self.commit = commit }

  /// Nil where the file lies in no repository, or before the first commit.
  public init?(ofFile path: String) {
    let start = URL(filePath: path).deletingLastPathComponent().standardizedFileURL
    guard let git = Self.repository(around: start), let head = Self.line(of: git + "/HEAD"),
      let commit = Self.commit(head, in: git)
    else { return nil }
    self.init(commit: commit)
  }

  private static func line(of path: String) -> String? {
    guard let bytes = try? readFile(path, limit: 1 << 12) else { return nil }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init)
  }

  /// The folder that git keeps its files in: `.git`, or what a file of that name points to, as in a worktree.
  private static func repository(around start: URL) -> String? {
    var folder = start
    for _ in 0..<100 {
      let place = folder.appending(path: ".git").path(percentEncoded: false)
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) {
        if isFolder.boolValue { return place }
        guard let line = line(of: place), line.hasPrefix("gitdir: ") else { return nil }
        return URL(filePath: String(line.dropFirst(8)), relativeTo: folder).path(percentEncoded: false)
      }
      let above = folder.deletingLastPathComponent().standardizedFileURL
      guard above.path.count < folder.path.count else { return nil }
      folder = above
    }
    return nil
  }

  private static func commit(_ head: String, in git: String) -> String? {
    guard head.hasPrefix("ref: ") else { return isHash(head) ? head : nil }
    let name = String(head.dropFirst(5))
    guard !name.split(separator: "/").contains("..") else { return nil }
    // A worktree shares the branches of the repository that it belongs to.
    let common = line(of: git + "/commondir").map { $0.hasPrefix("/") ? $0 : git + "/" + $0 } ?? git
    if let hash = line(of: "\(common)/\(name)"), isHash(hash) { return hash }
    guard let packed = try? readFile(common + "/packed-refs", limit: 1 << 26) else { return nil }
    for line in String(decoding: packed, as: UTF8.self).split(separator: "\n") where line.hasSuffix(" " + name) {
      let hash = String(line.prefix { $0 != " " })
      return isHash(hash) ? hash : nil
    }
    return nil
  }

  private static func isHash(_ text: String) -> Bool {
    [40, 64].contains(text.count) && text.allSatisfy { $0.isASCII && $0.isHexDigit }
  }
}
