import Glibc
package import Tensors

/// The image files below a folder, however deep, in the order of torchvision's ImageFolder: folder by folder in the order
/// of their paths, and in each by name, compared byte by byte.
///
/// Links are followed, but not one that leads back to a folder it lies in. Endings count whatever their case. Names that
/// begin with a dot do not: file managers and notebooks leave such files and folders behind.
package struct ImageTree {
  /// Below the folder.
  package private(set) var images: [String] = []
  /// The folders below it, each after the one that holds it.
  private(set) var folders: [String] = []
  /// Files that are no images by their names, and images that a dot hides.
  package private(set) var others: [String] = []
  /// Links that lead back to a folder that they lie in.
  package private(set) var loops: [String] = []

  /// - Throws: `DatasetError.unreadable`, `.nameNotUTF8`; `.undecodable` for a file that ImageFolder reads and the decoder
  ///   does not know; `.interrupted`.
  package init(at path: String, _ isInterrupted: () -> Bool) throws(DatasetError) {
    var found: [(folder: String, images: [String])] = []
    try walk(path, "", above: [], &found, isInterrupted)
    found.sort { $0.folder.utf8.lexicographicallyPrecedes($1.folder.utf8) }
    images = found.flatMap(\.images)
    for name in images where Self.isRare(name) { try Self.check("\(path)/\(name)") }
  }

  private mutating func walk(
    _ root: String, _ folder: String, above: [FileIdentity], _ found: inout [(folder: String, images: [String])],
    _ isInterrupted: () -> Bool
  ) throws(DatasetError) {
    try DatasetError.check(isInterrupted)
    let path = folder.isEmpty ? root : "\(root)/\(folder)"
    guard let identity = FileIdentity(of: path) else { throw .unreadable(.system(path, errno)) }
    guard !above.contains(identity) else {
      loops.append(folder)
      return
    }
    if !folder.isEmpty { folders.append(folder) }
    var images: [String] = []
    for entry in try Self.contents(of: path, hidden: { self.others.append(folder.isEmpty ? $0 : "\(folder)/\($0)") }) {
      let name = folder.isEmpty ? entry.name : "\(folder)/\(entry.name)"
      if entry.isFolder {
        try walk(root, name, above: above + [identity], &found, isInterrupted)
      } else if isImage(entry.name) {
        images.append(name)
      } else {
        others.append(name)
      }
    }
    found.append((folder, images))
  }

  /// What tells a folder from others, whichever way leads to it.
  private struct FileIdentity: Equatable {
    let device, number: UInt64

    init?(of path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }
  }

  /// A name in a folder.
  struct Entry {
    let name: String
    /// Whether it is a folder, or a link to one.
    let isFolder: Bool
  }

  /// What a folder holds, without what begins with a dot, in the order of the names' bytes.
  /// - Parameter hidden: Told of images whose names begin with a dot; not of the second halves of files, `._…`, that
  ///   macOS writes.
  /// - Throws: `DatasetError.unreadable`, `.nameNotUTF8`.
  static func contents(of path: String, hidden: (String) -> Void = { _ in }) throws(DatasetError) -> [Entry] {
    guard let folder = opendir(path) else { throw .unreadable(.system(path, errno)) }
    defer { closedir(folder) }
    var entries: [Entry] = []
    while true {
      errno = 0
      guard let entry = readdir(folder) else {
        guard errno == 0 else { throw .unreadable(.system(path, errno)) }
        break
      }
      let kind = entry.pointee.d_type
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      guard bytes.first != UInt8(ascii: ".") else {
        let name = String(decoding: bytes, as: UTF8.self)
        if !name.hasPrefix("._"), isImage(name) { hidden(name) }
        continue
      }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        throw .nameNotUTF8(path: "\(path)/\(String(decoding: bytes, as: UTF8.self))")
      }
      // Asking for each of a million files would take long; the listing tells of most what they are.
      let isPlain = kind == UInt8(DT_REG)
      entries.append(Entry(name: name, isFolder: !isPlain && (kind == UInt8(DT_DIR) || isFolder("\(path)/\(name)"))))
    }
    return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// Endings that ImageFolder reads, though files with them are seldom in a format that is decoded here.
  private static func isRare(_ name: String) -> Bool {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return ["ppm", "pgm", "tif", "tiff"].contains(name[name.index(after: dot)...].lowercased())
  }

  /// - Throws: `DatasetError.undecodable` for a file that no batch could be made of.
  private static func check(_ path: String) throws(DatasetError) {
    // One that cannot be read is reported when it is needed, as any other is.
    guard let file = try? InputFile(path), let head = try? file.bytes(at: 0, count: min(16, file.byteCount)),
      !ImageDecoder.recognizes(head)
    else { return }
    throw .undecodable(path: path, reason: "its format is not read: convert it to PNG, or take it out of the folder")
  }
}

/// Whether a file counts as an image, by its ending: torchvision's, and `.gif`.
func isImage(_ name: some StringProtocol) -> Bool {
  let lowercased = name.lowercased()
  return [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp", ".gif"].contains {
    lowercased.hasSuffix($0)
  }
}

/// The names in a folder, without those that begin with a dot, in the order of their bytes.
func sortedNames(in path: String) throws(DatasetError) -> [String] { try ImageTree.contents(of: path).map(\.name) }
