import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Reads a whole file, or what a pipe gives until its end.
///
/// - Parameter limit: Bytes; more than this is refused, before memory is taken for it.
/// - Throws: `TensorError.file` with the system's reason, `.malformed` where the file is larger than the limit.
public func readFile(_ path: String, limit: Int) throws(TensorError) -> [UInt8] {
  let descriptor = try openDescriptor(path, O_RDONLY | O_CLOEXEC)
  defer { close(descriptor) }
  let status = try status(of: descriptor, at: path)
  guard !status.isDirectory else { throw .system(path, EISDIR) }
  guard !status.isRegular || status.byteCount <= limit else {
    throw .malformed(path: path, problem: "it has \(status.byteCount) bytes, at most \(limit) are read")
  }
  var bytes = [UInt8]()
  // One more than the size, so that the end is seen without another round.
  var room = status.isRegular ? status.byteCount + 1 : 1 << 16
  while true {
    let start = bytes.count
    var failure: Int32 = 0
    bytes.append(contentsOf: repeatElement(0, count: min(room, limit + 1 - start)))
    let got = bytes.withUnsafeMutableBytes { all -> Int in
      let (count, code) = readSome(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: all[start...]))
      failure = code
      return count
    }
    guard failure == 0 else { throw .system(path, failure) }
    bytes.removeLast(bytes.count - start - got)
    if got == 0 { return bytes }
    guard bytes.count <= limit else {
      throw .malformed(path: path, problem: "it has more than the \(limit) bytes that are read")
    }
    // The end is looked for in what is left of the room; only what goes on takes more memory.
    room = bytes.capacity > bytes.count ? bytes.capacity - bytes.count : max(1 << 16, bytes.count)
  }
}

/// Writes a file whole or not at all: whatever happens, `path` holds what it held before, or all of the new contents.
///
/// The bytes go to a new file in the same folder, are flushed to the disk, and take the name in one step. The new file
/// keeps the permissions of the one it replaces; a symbolic link is followed; a device or pipe is written straight.
///
/// - Throws: What `body` throws, or `TensorError.file` with the system's reason. The unfinished file is removed.
public func writeAtomically(
  to path: String, _ body: (borrowing FileWriter) throws(TensorError) -> Void
) throws(TensorError) {
  var target = path
  var mode: mode_t?
  var old = stat()
  try checkName(path)
  if stat(path, &old) == 0 {
    switch old.st_mode & S_IFMT {
    case S_IFDIR: throw .system(path, EISDIR)
    case S_IFREG: break
    default:
      let descriptor = try openDescriptor(path, O_WRONLY | O_CLOEXEC)
      defer { close(descriptor) }
      return try body(FileWriter(descriptor: descriptor, path: path))
    }
    mode = old.st_mode & 0o7777
    if let resolved = realpath(path, nil) {
      target = String(cString: resolved)
      free(resolved)
    }
  }
  let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? ""
  var temporary = ""
  var descriptor: Int32 = -1
  repeat {
    let number = temporaryNumber.add(1, ordering: .relaxed).newValue
    temporary = "\(folder).reprise-\(getpid())-\(number).tmp"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
  } while descriptor < 0 && (errno == EEXIST || errno == EINTR)
  guard descriptor >= 0 else { throw .system(path, errno) }
  do throws(TensorError) {
    var isOpen = true
    defer { if isOpen { close(descriptor) } }
    if let mode { fchmod(descriptor, mode) }
    try body(FileWriter(descriptor: descriptor, path: path))
    guard fsync(descriptor) == 0 else { throw TensorError.system(path, errno) }
    isOpen = false
    guard close(descriptor) == 0 else { throw TensorError.system(path, errno) }
    guard rename(temporary, target) == 0 else { throw TensorError.system(path, errno) }
  } catch {
    unlink(temporary)
    throw error
  }
  // The name itself reaches the disk with the folder. Some file systems refuse this; the contents are safe anyway.
  let folderDescriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  if folderDescriptor >= 0 {
    fsync(folderDescriptor)
    close(folderDescriptor)
  }
}

/// Writes bytes to a file, whole or not at all, as `writeAtomically(to:_:)` does.
public func writeAtomically(to path: String, bytes: [UInt8]) throws(TensorError) {
  try writeAtomically(to: path) { file throws(TensorError) in try file.write(bytes) }
}

/// Writes text to a file, whole or not at all, as `writeAtomically(to:_:)` does.
public func writeAtomically(to path: String, text: String) throws(TensorError) {
  try writeAtomically(to: path, bytes: Array(text.utf8))
}

/// A file that is being written, from its beginning to its end.
public struct FileWriter: ~Copyable {
  fileprivate let descriptor: Int32
  fileprivate let path: String

  /// Writes all the bytes after those written before.
  /// - Throws: `TensorError.file` with the system's reason, such as a full disk.
  public borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(TensorError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = Glibc.write(descriptor, part.baseAddress, min(part.count, 1 << 30))
      if count < 0 {
        guard errno == EINTR else { throw .system(path, errno) }
      } else {
        rest = rest.dropFirst(count)
      }
    }
  }

  public borrowing func write(_ bytes: [UInt8]) throws(TensorError) {
    var failure: TensorError?
    bytes.withUnsafeBytes { raw in
      do throws(TensorError) { try write(raw) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}

/// A regular file that is read at chosen places.
///
/// Reading rather than mapping: a file that shrinks meanwhile is an error here, where a mapping would end the process.
package struct InputFile: ~Copyable {
  package let path: String
  /// The file's length when it was opened.
  package let byteCount: Int
  private let descriptor: Int32

  /// - Throws: `TensorError.file` where it cannot be opened or is no regular file.
  package init(_ path: String) throws(TensorError) {
    let descriptor = try openDescriptor(path, O_RDONLY | O_CLOEXEC)
    do throws(TensorError) {
      let status = try status(of: descriptor, at: path)
      guard !status.isDirectory else { throw TensorError.system(path, EISDIR) }
      guard status.isRegular else { throw TensorError.file(path: path, reason: "Not a regular file") }
      byteCount = status.byteCount
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Fills `target` with the bytes from `offset` on.
  /// - Throws: `TensorError.file` where the system fails, `.malformed` where the file ends before.
  package borrowing func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(TensorError) {
    var done = 0
    while done < target.count {
      let part = UnsafeMutableRawBufferPointer(rebasing: target[done...])
      let count = pread(descriptor, part.baseAddress, min(part.count, 1 << 30), offset + done)
      if count < 0 {
        guard errno == EINTR else { throw .system(path, errno) }
      } else if count == 0 {
        throw .malformed(path: path, problem: "it ends after \(offset + done) bytes")
      } else {
        done += count
      }
    }
  }

  package borrowing func bytes(at offset: Int, count: Int) throws(TensorError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: TensorError?
    bytes.withUnsafeMutableBytes { raw in
      do throws(TensorError) { try read(at: offset, into: raw) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }
}

extension TensorError {
  /// A file that the system refused, in the system's own words.
  package static func system(_ path: String, _ code: Int32) -> TensorError {
    .file(path: path, reason: String(cString: strerror(code)))
  }
}

private let temporaryNumber = Atomic<Int>(0)

private struct FileStatus {
  var isRegular, isDirectory: Bool
  var byteCount: Int
}

/// Refuses a name with a zero byte, which the system would silently cut there.
private func checkName(_ path: String) throws(TensorError) {
  guard !path.utf8.contains(0) else { throw .file(path: path, reason: "The name contains a zero byte") }
}

/// Opens a file. A pipe whose other end nobody has opened is not waited for: it is empty, or cannot be written.
private func openDescriptor(_ path: String, _ flags: Int32) throws(TensorError) -> Int32 {
  try checkName(path)
  while true {
    let descriptor = open(path, flags | O_NONBLOCK)
    if descriptor >= 0 {
      // What the other end has to say is waited for again.
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
      return descriptor
    }
    let code = errno
    if code == ENXIO { throw .file(path: path, reason: "Nobody is at the other end of this pipe") }
    guard code == EINTR else { throw .system(path, code) }
  }
}

private func status(of descriptor: Int32, at path: String) throws(TensorError) -> FileStatus {
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { throw .system(path, errno) }
  let kind = status.st_mode & S_IFMT
  return FileStatus(isRegular: kind == S_IFREG, isDirectory: kind == S_IFDIR, byteCount: status.st_size)
}

private func readSome(_ descriptor: Int32, into target: UnsafeMutableRawBufferPointer) -> (count: Int, failure: Int32) {
  while true {
    let count = read(descriptor, target.baseAddress, min(target.count, 1 << 30))
    if count >= 0 { return (count, 0) }
    guard errno == EINTR else { return (0, errno) }
  }
}
