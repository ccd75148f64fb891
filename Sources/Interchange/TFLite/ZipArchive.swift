internal import CZlib

/// Zip archives of files that are not packed. Source: PKWARE, "APPNOTE.TXT", sections 4.3.7, 4.3.12 and 4.3.16.
enum ZipArchive {
  /// - Parameter offset: how many bytes stand before the archive in its file.
  static func stored(_ files: [(name: String, bytes: [UInt8])], at offset: Int) -> [UInt8] {
    func two(_ number: Int) -> [UInt8] { [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)] }
    func four(_ number: Int) -> [UInt8] { two(number) + two(number >> 16) }
    var archive: [UInt8] = []
    var directory: [UInt8] = []
    for (name, bytes) in files {
      let place = offset + archive.count
      let checksum = Int(crc32(0, bytes, UInt32(bytes.count)))
      // Version 2.0, names in UTF-8, not packed, midnight of the first day there is.
      let facts =
        two(20) + two(1 << 11) + two(0) + two(0) + two(1 << 5 | 1) + four(checksum) + four(bytes.count)
        + four(bytes.count) + two(name.utf8.count) + two(0)
      archive += Array("PK\u{3}\u{4}".utf8) + facts + Array(name.utf8) + bytes
      // No comment, one disk, a file without attributes.
      directory +=
        Array("PK\u{1}\u{2}".utf8) + two(20) + facts + two(0) + two(0) + two(0) + four(0) + four(place)
        + Array(name.utf8)
    }
    let end =
      Array("PK\u{5}\u{6}".utf8) + two(0) + two(0) + two(files.count) + two(files.count) + four(directory.count)
      + four(offset + archive.count) + two(0)
    return archive + directory + end
  }
}
