import Glibc
import Tensors

/// The bytes of a regular file. A pipe is refused: opening it could wait for ever.
/// - Parameter limit: Bytes; more are refused.
/// - Throws: `DatasetError.missing`, `.unreadable`.
func fileBytes(_ path: String, limit: Int) throws(DatasetError) -> [UInt8] {
  try requireExisting(path)
  do throws(TensorError) {
    let file = try InputFile(path)
    guard file.byteCount <= limit else {
      throw TensorError.malformed(path: path, problem: "it has \(file.byteCount) bytes, at most \(limit) are read")
    }
    return try file.bytes(at: 0, count: file.byteCount)
  } catch { throw .unreadable(error) }
}

/// - Throws: `DatasetError.missing` where nothing has this name, `.unreadable` where the system will not say.
func requireExisting(_ path: String, package: String? = nil) throws(DatasetError) {
  var status = stat()
  guard !path.utf8.contains(0) else { throw .missing(path: path, package: package) }
  guard stat(path, &status) != 0 else { return }
  let code = errno
  guard code != ENOENT, code != ENOTDIR else { throw .missing(path: path, package: package) }
  throw .unreadable(.system(path, code))
}

/// - Throws: `DatasetError.missing`, `.notAFolder`, `.unreadable`.
func requireFolder(_ path: String, package: String? = nil) throws(DatasetError) {
  try requireExisting(path, package: package)
  guard isFolder(path) else { throw .notAFolder(path: path) }
}

func isFile(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}

func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
