internal import Tensors

/// Where the files of a zip archive lie, by their names.
///
/// Only files that are not packed are read, as PyTorch writes them all: so no archive takes more memory than it has
/// bytes. Nothing that it says is believed.
///
/// Source: PKWARE, "APPNOTE.TXT", sections 4.3.7 to 4.3.16 and 4.5.3.
struct ZipDirectory {
  struct Entry: Hashable {
    /// Where its own header begins. Bytes.
    fileprivate let header: Int
    let byteCount: Int
    fileprivate let isPlain: Bool
  }

  let entries: [String: Entry]

  /// Longer directories are refused.
  private static let longest = 1 << 25

  /// - Throws: `TensorError.file`, `.malformed`.
  init(of file: borrowing InputFile) throws(TensorError) {
    let path = file.path
    func malformed(_ problem: String) -> TensorError { .malformed(path: path, problem: "zip archive: \(problem)") }
    // The end says where the directory lies; a comment of at most 65,535 bytes may follow it.
    let tailCount = min(file.byteCount, 22 + 65_535)
    let tailStart = file.byteCount - tailCount
    let tail = Numbers(try file.bytes(at: tailStart, count: tailCount))
    let ends = stride(from: tailCount - 22, through: 0, by: -1)
    guard let end = ends.first(where: { tail.stands("PK\u{5}\u{6}", at: $0) && tail[$0 + 20, 2] == tailCount - 22 - $0 })
    else { throw malformed("its end is missing") }
    var (count, size, start) = (tail[end + 10, 2], tail[end + 12, 4], tail[end + 16, 4])
    // The 64-bit numbers of large archives.
    if end >= 20, tail.stands("PK\u{6}\u{7}", at: end - 20) {
      let place = tail[end - 12, 8]
      guard place <= file.byteCount - 56 else { throw malformed("its end lies at byte \(place)") }
      let large = Numbers(try file.bytes(at: place, count: 56))
      guard large.stands("PK\u{6}\u{6}", at: 0) else { throw malformed("no end at byte \(place)") }
      (count, size, start) = (large[32, 8], large[40, 8], large[48, 8])
    }
    guard start <= file.byteCount, size <= file.byteCount - start, size <= Self.longest else {
      throw malformed("a directory of \(size) bytes at byte \(start), the file has \(file.byteCount)")
    }
    let directory = Numbers(try file.bytes(at: start, count: size))
    var entries: [String: Entry] = [:]
    var at = 0
    for _ in 0..<min(count, size / 46) {
      func broken() -> TensorError { malformed("its directory is broken at byte \(start + at)") }
      guard size - at >= 46, directory.stands("PK\u{1}\u{2}", at: at) else { throw broken() }
      let (nameCount, extraCount, commentCount) = (directory[at + 28, 2], directory[at + 30, 2], directory[at + 32, 2])
      guard size - at - 46 >= nameCount + extraCount + commentCount else { throw broken() }
      let name = directory.text(at: at + 46, count: nameCount)
      var (packed, byteCount, header) = (directory[at + 20, 4], directory[at + 24, 4], directory[at + 42, 4])
      var extra = at + 46 + nameCount
      let extraEnd = extra + extraCount
      while extraEnd - extra >= 4 {
        let (kind, length) = (directory[extra, 2], directory[extra + 2, 2])
        guard length <= extraEnd - extra - 4 else { throw broken() }
        if kind == 1 {
          var field = extra + 4
          func take(_ number: inout Int) -> Bool {
            guard number == 0xFFFF_FFFF else { return true }
            guard extra + 4 + length - field >= 8 else { return false }
            number = directory[field, 8]
            field += 8
            return true
          }
          guard take(&byteCount), take(&packed), take(&header) else { throw broken() }
        }
        extra += 4 + length
      }
      let isPlain = directory[at + 8, 2] & 1 == 0 && directory[at + 10, 2] == 0 && packed == byteCount
      let entry = Entry(header: header, byteCount: byteCount, isPlain: isPlain)
      guard entries.updateValue(entry, forKey: name) == nil else { throw malformed("'\(name.shown)' comes twice") }
      at += 46 + nameCount + extraCount + commentCount
    }
    guard at == size, entries.count == count else {
      throw malformed("its directory has \(entries.count) files, \(count) were promised")
    }
    self.entries = entries
  }

  /// Where a file's bytes begin.
  /// - Throws: `TensorError.file`, `.malformed`.
  func place(of entry: Entry, named name: String, in file: borrowing InputFile) throws(TensorError) -> Int {
    let path = file.path
    func malformed(_ problem: String) -> TensorError {
      .malformed(path: path, problem: "zip archive: '\(name.shown)' \(problem)")
    }
    guard entry.isPlain else { throw malformed("is packed or encrypted, as PyTorch's files never are") }
    guard entry.header <= file.byteCount - 30 else { throw malformed("lies at byte \(entry.header)") }
    let header = Numbers(try file.bytes(at: entry.header, count: 30))
    guard header.stands("PK\u{3}\u{4}", at: 0) else { throw malformed("does not begin at byte \(entry.header)") }
    let start = entry.header + 30 + header[26, 2] + header[28, 2]
    guard start <= file.byteCount, entry.byteCount <= file.byteCount - start else {
      throw malformed("has \(entry.byteCount) bytes from byte \(start) on, the file \(file.byteCount)")
    }
    return start
  }
}

/// Bytes that hold numbers, the lowest byte first.
private struct Numbers {
  private let bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The number of `count` bytes at a place; what does not fit in `Int` is the largest there is.
  subscript(place: Int, count: Int) -> Int {
    Int(clamping: bytes[place..<place + count].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
  }

  func stands(_ text: StaticString, at place: Int) -> Bool {
    text.withUTF8Buffer { bytes[place...].starts(with: $0) }
  }

  func text(at place: Int, count: Int) -> String { String(decoding: bytes[place..<place + count], as: UTF8.self) }
}
