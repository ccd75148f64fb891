import Glibc
import Tensors

/// What tells that a file or folder is the one that was read before.
struct FileStamp: Hashable, Sendable {
  /// Below the root.
  let path: String
  /// Bytes.
  let byteCount: Int
  /// When its contents were changed last: seconds and nanoseconds.
  let seconds, nanoseconds: Int

  /// - Throws: `DatasetError.missing`, `.unreadable`.
  init(_ path: String, below root: String) throws(DatasetError) {
    let whole = "\(root)/\(path)"
    try requireExisting(whole)
    var status = stat()
    guard stat(whole, &status) == 0 else { throw .unreadable(.system(whole, errno)) }
    self.path = path
    byteCount = status.st_size
    (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
  }

  func hash(into hasher: inout StableHasher) {
    hasher.combine(path)
    for number in [byteCount, seconds, nanoseconds] { hasher.combine(number) }
  }

  func write(to bytes: inout [UInt8]) {
    bytes.append(text: path)
    for number in [byteCount, seconds, nanoseconds] { bytes.append(number: number) }
  }

  init?(from reader: inout IndexReader) {
    guard let path = reader.text(), let byteCount = reader.number(atMost: .max),
      let seconds = reader.column(Int64.self, 2)
    else { return nil }
    (self.path, self.byteCount) = (path, byteCount)
    (self.seconds, nanoseconds) = (Int(seconds[0]), Int(seconds[1]))
  }
}
