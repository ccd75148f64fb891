internal import Foundation
internal import Synchronization

/// The commit that a script's folder is at, as git knows it.
public struct SourceRevision: Hashable, Sendable {
  /// The commit's hash; nil before the first.
  public let commit: String?
  /// Files under version control that differ from the commit, as seen from the repository.
  public let changed: [String]
  /// Whether the script itself is under version control.
  public let hasScript: Bool

  public init(commit: String?, changed: [String], hasScript: Bool) {
    (self.commit, self.changed, self.hasScript) = (commit, changed, hasScript)
  }

  /// Asks git. Nil where there is no git, the file lies in no repository, or git does not answer within seconds.
  public init?(ofFile path: String) {
    let folder = (path as NSString).deletingLastPathComponent
    let name = (path as NSString).lastPathComponent
    func git(_ arguments: String...) -> (status: Int32, output: String)? {
      Self.run(["-C", folder.isEmpty ? "." : folder, "-c", "core.fsmonitor=false"] + arguments)
    }
    guard let state = git("status", "--porcelain=v2", "--branch", "--untracked-files=no", "-z"), state.status == 0 else { return nil }
    var (commit, changed) = (String?.none, [String]())
    var isOldName = false
    for entry in state.output.split(separator: "\0") {
      if isOldName {
        isOldName = false
        continue
      }
      if let hash = Self.rest(of: entry, behind: "# branch.oid "), !hash.hasPrefix("(") { commit = hash }
      // The path is behind as many words as each kind of line has.
      let words = ["1": 8, "2": 9, "u": 10][entry.prefix { $0 != " " }] ?? 0
      guard words > 0 else { continue }
      isOldName = entry.hasPrefix("2 ")
      let parts = entry.split(separator: " ", maxSplits: words, omittingEmptySubsequences: false)
      if parts.count > words { changed.append(String(parts[words])) }
    }
    let tracked = git("ls-files", "--error-unmatch", "--", name)
    self.init(commit: commit, changed: changed, hasScript: tracked?.status == 0)
  }

  private static func rest(of entry: Substring, behind mark: String) -> String? {
    entry.hasPrefix(mark) ? String(entry.dropFirst(mark.count)) : nil
  }

  /// In words: `0a1b2c…, and nothing was changed since`.
  public var text: String {
    let place = commit ?? "no commit yet"
    let script = hasScript ? "" : "; the script is not part of it"
    guard !changed.isEmpty else { return place + (commit == nil ? "" : ", nothing changed since") + script }
    let names = changed.prefix(4).joined(separator: ", ") + (changed.count > 4 ? ", …" : "")
    return "\(place), with \(changed.count) changed file\(changed.count == 1 ? "" : "s") (\(names))\(script)"
  }

  private static let patience = 5.0

  private static func run(_ arguments: [String]) -> (status: Int32, output: String)? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["git"] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"]) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch { return nil }
    let hasEnded = Mutex(false)
    DispatchQueue.global().asyncAfter(deadline: .now() + patience) {
      hasEnded.withLock { if !$0 { process.terminate() } }
    }
    let output = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
    process.waitUntilExit()
    hasEnded.withLock { $0 = true }
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }
}
