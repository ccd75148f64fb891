import Foundation

/// The directory that scripts may write below, the store of runs excepted. Reading is free.
public struct WorkingDirectory: Hashable, Sendable {
  /// The folder that keeps what was done. No script writes into one.
  public static let storeName = ".reprise"

  /// Absolute, with links resolved; empty where the directory is gone: then nothing is written, and relative paths lead
  /// nowhere.
  public let path: String
  /// Where files are read that are not there; the directory itself unless given.
  public let source: String

  /// Makes the rule for the directory the process is in.
  public init() { self.init(FileManager.default.currentDirectoryPath) }

  /// - Parameter source: Another directory, from which what is not in this one is read.
  public init(_ path: String, readingFrom source: String? = nil) {
    let absolute = Self.joined(FileManager.default.currentDirectoryPath, path)
    self.path = absolute.hasPrefix("/") ? Self.resolved(absolute) ?? absolute : ""
    self.source = source ?? self.path
  }

  /// The path from the root, `~` replaced; neither `..` nor links are followed.
  public func absolute(_ path: String) -> String {
    let here = joined(path)
    guard source != self.path, !path.hasPrefix("/"), !path.hasPrefix("~"), !FileManager.default.fileExists(atPath: here)
    else { return here }
    return Self.joined(source, path)
  }

  /// A path as seen from a directory.
  private static func joined(_ directory: String, _ path: String) -> String {
    path.hasPrefix("/") || directory.isEmpty ? path : directory + "/" + path
  }

  private func joined(_ path: String) -> String {
    if path == "~" || path.hasPrefix("~/") { return NSHomeDirectory() + path.dropFirst() }
    return Self.joined(self.path, path)
  }

  /// The path to write, absolute and resolved.
  /// - Throws: `ScriptError.outsideWorkingDirectory` where it leads out, `file` where it cannot be a path or leads into a
  ///   store of runs.
  public func writable(_ path: String, at span: Span) throws(ScriptError) -> String {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw .file(path: path, reason: "this is not a path", at: span)
    }
    guard !self.path.isEmpty else { throw .file(path: path, reason: "the working directory is gone", at: span) }
    guard let target = Self.resolved(joined(path)) else {
      throw .file(path: path, reason: "it goes through too many links", at: span)
    }
    guard target.hasPrefix(self.path == "/" ? "/" : self.path + "/") else {
      throw .outsideWorkingDirectory(path: path, directory: self.path, at: span)
    }
    guard !target.dropFirst(self.path.count).split(separator: "/").contains(where: { $0 == Self.storeName }) else {
      throw .file(path: path, reason: "Reprise keeps its runs in \(Self.storeName), which no script changes", at: span)
    }
    return target
  }

  /// Follows `..` and links of all that exists, step by step, as the kernel would.
  /// - Returns: nil after 40 links, the kernel's limit. What is left of a longer chain must not be taken for a file: the
  ///   kernel would begin to count again there.
  private static func resolved(_ path: String) -> String? {
    var parts = path.split(separator: "/").map(String.init).reversed() as [String]
    var done: [String] = []
    var links = 0
    while let part = parts.popLast() {
      if part == "." { continue }
      if part == ".." {
        _ = done.popLast()
        continue
      }
      let here = "/" + (done + [part]).joined(separator: "/")
      if let link = try? FileManager.default.destinationOfSymbolicLink(atPath: here) {
        links += 1
        guard links <= 40 else { return nil }
        if link.hasPrefix("/") { done = [] }
        parts += link.split(separator: "/").map(String.init).reversed()
      } else {
        done.append(part)
      }
    }
    return "/" + done.joined(separator: "/")
  }
}
