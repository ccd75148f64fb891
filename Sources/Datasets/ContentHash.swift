internal import Foundation
internal import Synchronization
internal import Tensors

/// The SHA-256 of files, each read once: size, time of change and place tell that a file is the one that was read.
///
/// What is known is kept in a file, so that the next run need not read again. One that is damaged is as good as none.
final class FileDigests {
  private struct Stamp: Hashable {
    var size, seconds, nanoseconds, inode: Int

    init(_ status: stat) {
      (size, seconds, nanoseconds) = (status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
      inode = Int(truncatingIfNeeded: status.st_ino)
    }

    /// The numbers and the path of a line of what is kept.
    init?(_ fields: [Substring]) {
      guard fields.count == 4, let size = Int(fields[0]), let seconds = Int(fields[1]),
        let nanoseconds = Int(fields[2]), let inode = Int(fields[3])
      else { return nil }
      (self.size, self.seconds, self.nanoseconds, self.inode) = (size, seconds, nanoseconds, inode)
    }

    var text: String { "\(size) \(seconds) \(nanoseconds) \(inode)" }
  }

  private let path: String?
  private var known: [String: (stamp: Stamp, digest: String)] = [:]
  private var digests: [String: String] = [:]

  /// - Parameter path: of the file that holds what is known; nil for none.
  init(knownIn path: String?) {
    self.path = path
    guard let path, let bytes = try? readFile(path, limit: 1 << 30) else { return }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
      guard fields.count == 6, fields[0].count == 2 * SHA256.byteCount, let stamp = Stamp(Array(fields[1...4])) else {
        continue
      }
      known[String(fields[5])] = (stamp, String(fields[0]))
    }
  }

  /// Reads those of some files that are not known, several at once.
  /// - Parameter report: told of it where there is much to read.
  /// - Throws: `DatasetError.missing`, `.unreadable`, `.interrupted`.
  func read(_ files: [String], isInterrupted: @Sendable () -> Bool, report: (String) -> Void) throws(DatasetError) {
    var unknown: [(path: String, stamp: Stamp)] = []
    var bytes = 0
    for file in files where digests[file] == nil {
      var status = stat()
      try requireExisting(file)
      guard stat(file, &status) == 0 else { throw .unreadable(.system(file, errno)) }
      let stamp = Stamp(status)
      if let known = known[file], known.stamp == stamp {
        digests[file] = known.digest
      } else {
        unknown.append((file, stamp))
        bytes += stamp.size
      }
    }
    guard !unknown.isEmpty else { return }
    if bytes > 1 << 30 { report("reading \(unknown.count) files (\(bytes >> 20) MiB) once, to tell the data by their contents") }
    let found = Mutex<[String: String]>([:])
    let failure = Mutex<DatasetError?>(nil)
    let files = unknown.map(\.path)
    DispatchQueue.concurrentPerform(iterations: files.count) { index in
      guard failure.withLock({ $0 == nil }) else { return }
      do throws(DatasetError) {
        let digest = try Self.digest(of: files[index], isInterrupted: isInterrupted)
        found.withLock { $0[files[index]] = digest }
      } catch { failure.withLock { $0 = $0 ?? error } }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
    let all = found.withLock { $0 }
    digests.merge(all) { $1 }
    keep(unknown, all)
  }

  private func keep(_ read: [(path: String, stamp: Stamp)], _ digests: [String: String]) {
    guard let path else { return }
    let now = Int(Date().timeIntervalSince1970)
    // A file that was changed a moment ago may change again without another time.
    for (file, stamp) in read where stamp.seconds < now - 2 && !file.contains("\n") { known[file] = (stamp, digests[file] ?? "") }
    let lines = known.sorted { $0.key < $1.key }.map { "\($0.value.digest) \($0.value.stamp.text) \($0.key)\n" }
    try? writeAtomically(to: path, text: lines.joined())
  }

  private static func digest(of path: String, isInterrupted: () -> Bool) throws(DatasetError) -> String {
    var hash = SHA256()
    do throws(TensorError) {
      let file = try InputFile(path)
      for offset in stride(from: 0, to: file.byteCount, by: 1 << 22) {
        if isInterrupted() { throw TensorError.file(path: path, reason: "") }
        hash.update(try file.bytes(at: offset, count: min(1 << 22, file.byteCount - offset)))
      }
    } catch { throw isInterrupted() ? .interrupted : .unreadable(error) }
    return hash.finalize().hexadecimal
  }

  /// Of a file that was read.
  func digest(of file: String) -> String { digests[file] ?? "" }
}

extension Dataset {
  /// The SHA-256 of class names, images and labels of both parts: the same wherever the files lie and whenever they were
  /// touched.
  /// - Parameters:
  ///   - path: Where what is known of files is kept; nil reads them all.
  ///   - report: Told where there is much to read.
  /// - Throws: `DatasetError`; `.interrupted` where it was.
  public func contentHash(
    knownIn path: String?, isInterrupted: @Sendable () -> Bool = { false }, report: (String) -> Void = { _ in }
  ) throws(DatasetError) -> String {
    let parts = [train, validation]
    var files: [String] = []
    var seen: Set<String> = []
    for part in parts {
      for file in part.files where seen.insert(file).inserted { files.append(file) }
    }
    let digests = FileDigests(knownIn: files.isEmpty ? nil : path)
    try digests.read(files, isInterrupted: isInterrupted, report: report)
    var hash = SHA256()
    hash.update(classes.count)
    for name in classes { hash.update(name) }
    for part in parts { try part.update(&hash, digests) }
    return hash.finalize().hexadecimal
  }
}

extension Split {
  /// The files that its samples lie in; several may lie in one.
  fileprivate var files: [String] {
    var files: [String] = []
    for position in 0..<count {
      guard let file = source.file(at: sourceIndex(at: position)), file != files.last else { continue }
      files.append(file)
    }
    return files
  }

  fileprivate func update(_ hash: inout SHA256, _ files: FileDigests) throws(DatasetError) {
    hash.update(count)
    for extent in imageShape.extents { hash.update(extent) }
    hash.update(source.showing)
    for position in 0..<count {
      let index = sourceIndex(at: position)
      hash.update(source.label(at: index))
      if let file = source.file(at: index) {
        hash.update(files.digest(of: file))
        hash.update(source.place(at: index))
      } else {
        hash.update(try source.digest(at: index))
      }
    }
  }
}
