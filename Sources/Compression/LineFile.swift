internal import Foundation
internal import Tensors

/// A file of entries, a line of JSON each, written through to the disk before the next begins. A process that is killed
/// leaves a line unfinished at most, which is passed over.
final class LineFile<Entry: Codable> {
  /// Nil where entries are kept in memory alone.
  let path: String?
  private(set) var entries: [Entry] = []

  /// Opens a file, or begins one.
  /// - Parameters:
  ///   - what: an entry, as an error calls it.
  ///   - isPossible: whether an entry can have been written.
  /// - Throws: `TensorError.file` where the system refuses; `.malformed` for a line that is none.
  init(at path: String?, of what: String, isPossible: (Entry) -> Bool) throws(TensorError) {
    self.path = path
    guard let path, FileManager.default.fileExists(atPath: path) else { return }
    let bytes = try readFile(path, limit: 1 << 30)
    let whole = bytes.lastIndex(of: 10).map { $0 + 1 } ?? 0
    for (number, line) in bytes[..<whole].split(separator: 10).enumerated() {
      guard let entry = JSONText.read(Entry.self, line), isPossible(entry) else {
        throw .malformed(path: path, problem: "line \(number + 1) is no \(what)")
      }
      entries.append(entry)
    }
  }

  /// - Throws: `TensorError.file` with the system's reason, such as a full disk.
  func append(_ entry: Entry) throws(TensorError) {
    if let path { try write(entry, to: path) }
    entries.append(entry)
  }

  private func write(_ entry: Entry, to path: String) throws(TensorError) {
    let line = Array(JSONText.of(entry).utf8) + [10]
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system(path, errno) }
    defer { close(descriptor) }
    // Another process may write to the same file. Under the lock, an unfinished line is that of a process that is gone.
    guard flock(descriptor, LOCK_EX) == 0 else { throw .system(path, errno) }
    try cutUnfinishedLine(descriptor, path)
    let count = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard count == line.count else { throw .system(path, count < 0 ? errno : ENOSPC) }
    guard fsync(descriptor) == 0 else { throw .system(path, errno) }
  }

  private func cutUnfinishedLine(_ descriptor: Int32, _ path: String) throws(TensorError) {
    var end = lseek(descriptor, 0, SEEK_END)
    let size = end
    var byte: UInt8 = 0
    while end > 0 {
      guard pread(descriptor, &byte, 1, end - 1) == 1 else { throw .system(path, errno) }
      if byte == 10 { break }
      end -= 1
    }
    guard end == size || ftruncate(descriptor, end) == 0 else { throw .system(path, errno) }
  }
}
