import Foundation

extension Chart {
  /// Draws the chart into a file.
  ///
  /// The file appears whole or not at all, and one that was there stays until then.
  public func write(to path: String, typeface: Typeface = .standard, text: [TextChunk] = []) throws(ChartError) {
    try PNG.write(try render(typeface: typeface, text: text), to: path)
  }
}

extension PNG {
  /// Writes a file under a temporary name beside its own, flushes it to the disk, and renames it.
  public static func write(_ bytes: [UInt8], to path: String) throws(ChartError) {
    guard !path.contains("\0"), !path.isEmpty else { throw .unwritable(path: path, errno: EINVAL) }
    let target = URL(fileURLWithPath: path)
    let folder = target.deletingLastPathComponent().path
    // Not compared with anything, so it may be random: two writers must not meet.
    let temporary = "\(folder)/.reprise-\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).png"
    let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw failure(path, errno, isOpening: true) }
    do throws(ChartError) {
      do throws(ChartError) {
        try fill(file, with: bytes, path: path)
      } catch {
        _ = close(file)
        throw error
      }
      guard close(file) == 0 else { throw failure(path, errno) }
      guard unsafe rename(temporary, path) == 0 else { throw failure(path, errno) }
    } catch {
      _ = unsafe unlink(temporary)
      throw error
    }
    // The new name should survive a power cut too; a file system that cannot promise it is no reason to fail.
    let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      _ = fsync(directory)
      _ = close(directory)
    }
  }

  private static func fill(_ file: Int32, with bytes: [UInt8], path: String) throws(ChartError) {
    var done = 0
    while done < bytes.count {
      let (count, reason) = unsafe bytes.withUnsafeBytes { buffer in
        unsafe (Foundation.write(file, buffer.baseAddress! + done, buffer.count - done), errno)
      }
      if count < 0 {
        if reason == EINTR { continue }
        throw failure(path, reason)
      }
      done += count
    }
    guard fsync(file) == 0 else { throw failure(path, errno) }
  }

  private static func failure(_ path: String, _ reason: Int32, isOpening: Bool = false) -> ChartError {
    switch reason {
    case ENOSPC, EDQUOT, EFBIG: .noSpace(path: path)
    case EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR: .unwritable(path: path, errno: reason)
    default: isOpening ? .unwritable(path: path, errno: reason) : .writing(path: path, errno: reason)
    }
  }
}
