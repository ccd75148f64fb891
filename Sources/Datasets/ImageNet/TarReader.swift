import Tensors

/// Goes through the members of a tar file, or of one inside of another, without unpacking it.
///
/// Understands ustar with its prefix, sizes in base 256 (GNU, beyond 8 GiB), GNU's long names and the `path` and `size` of
/// pax headers. Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; the manual of GNU tar,
/// "Basic Tar Format".
struct TarReader: ~Copyable {
  struct Member {
    var name: String
    /// Bytes from the beginning of the outermost file, and how many.
    var offset, length: Int

    /// Whether programs leave such members behind that nobody packed: names that begin with a dot, such as the halves of
    /// files that macOS writes, `._…`, what lies below `__MACOSX`, and WebDataset's own notes, `__…__`.
    var isLeftBehind: Bool {
      let parts = name.split(separator: "/")
      guard let last = parts.last, let first = parts.first else { return true }
      return last.hasPrefix(".") || parts.contains("__MACOSX")
        || first.count >= 4 && first.hasPrefix("__") && first.hasSuffix("__")
    }
  }

  private let file: InputFile
  /// How errors call it.
  let title: String
  private var at: Int
  private let end: Int
  /// Headers are read ahead, since small members stand close together.
  private var window: [UInt8] = []
  private var windowStart = 0

  private static let block = 512
  /// Bytes of the longest name or pax header that is read.
  private static let longestHeader = 1 << 20

  /// - Parameter member: A tar file inside of `path`.
  /// - Throws: `DatasetError.missing`, `.unreadable`.
  init(_ path: String, member: Member? = nil) throws(DatasetError) {
    try requireExisting(path)
    do throws(TensorError) { file = try InputFile(path) } catch { throw .unreadable(error) }
    title = member.map { "\(path)/\($0.name)" } ?? path
    at = member?.offset ?? 0
    end = member.map { $0.offset + $0.length } ?? file.byteCount
  }

  /// The next member that is a file; nil at the end mark.
  /// - Throws: `DatasetError.malformed` with the place where the archive is damaged or cut off.
  mutating func next() throws(DatasetError) -> Member? {
    var longName: String?
    var longSize: Int?
    while true {
      guard end - at >= Self.block else {
        throw damaged(
          at, "the archive ends without an end mark: it was cut off, or still being written")
      }
      let header = try bytes(at: at, Self.block)
      if header.allSatisfy({ $0 == 0 }) {
        try requireEnd()
        return nil
      }
      guard Self.hasChecksum(header) else {
        throw damaged(
          at,
          header.starts(with: [0x1F, 0x8B])
            ? "this is gzip; unpack it, images are read in place" : "no header of a tar file stands here")
      }
      guard let ownSize = Self.number(header[124..<136]) else { throw damaged(at, "the size of a member is no number") }
      let kind = header[156]
      let isExtension = [UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K")].contains(kind)
      let size = isExtension ? ownSize : longSize ?? ownSize
      let start = at + Self.block
      let name = longName ?? Self.name(header)
      guard size <= end - start else {
        throw damaged(at, "'\(name)' has \(size) bytes, \(end - start) are left: the archive was cut off")
      }
      // No overflow: the size is at most that of the file.
      at = min(end, start + (size + Self.block - 1) / Self.block * Self.block)
      switch kind {
      case UInt8(ascii: "L"): longName = Self.text(try extended(start, size))
      case UInt8(ascii: "x"):
        let values = Self.paxValues(try extended(start, size))
        longName = values["path"] ?? longName
        if let text = values["size"] {
          guard let number = Int(text), number >= 0 else {
            throw damaged(start, "the size in a pax header is no number")
          }
          longSize = number
        }
        if values.keys.contains(where: { $0.hasPrefix("GNU.sparse") }) {
          throw damaged(start, "a sparse file, which is not read in place")
        }
      case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
        // A folder of old archives is a file whose name ends in a slash.
        if !name.hasSuffix("/") { return Member(name: name, offset: start, length: size) }
        (longName, longSize) = (nil, nil)
      case UInt8(ascii: "1") where isImage(name), UInt8(ascii: "2") where isImage(name):
        throw damaged(
          start - Self.block,
          "'\(name)' is a link, and links in archives are not followed: pack it with tar --dereference --hard-dereference")
      case UInt8(ascii: "S"): throw damaged(start, "'\(name)' is a sparse file, which is not read in place")
      case UInt8(ascii: "g"), UInt8(ascii: "K"): break
      default: (longName, longSize) = (nil, nil)  // folders, links, devices
      }
    }
  }

  /// Looks behind the end mark, as far as archives are filled up, for another archive that would be left out.
  private mutating func requireEnd() throws(DatasetError) {
    var place = at
    while end - place >= Self.block, place - at < 1 << 16 {
      let block = try bytes(at: place, Self.block)
      if block.contains(where: { $0 != 0 }) {
        guard !Self.hasChecksum(block) else {
          throw damaged(
            place, "another archive begins here, behind the end mark of the first: keep them in files of their own")
        }
        return
      }
      place += Self.block
    }
  }

  /// The contents of a small member.
  mutating func contents(of member: Member) throws(DatasetError) -> [UInt8] {
    try extended(member.offset, member.length)
  }

  private mutating func extended(_ start: Int, _ size: Int) throws(DatasetError) -> [UInt8] {
    guard size <= Self.longestHeader else {
      throw damaged(start, "\(size) bytes stand where at most \(Self.longestHeader) are read")
    }
    return try bytes(at: start, size)
  }

  private mutating func bytes(at start: Int, _ count: Int) throws(DatasetError) -> [UInt8] {
    if start < windowStart || start + count > windowStart + window.count {
      let wanted = max(count, min(8192, end - start))
      do { window = try file.bytes(at: start, count: wanted) } catch { throw .unreadable(error) }
      windowStart = start
    }
    return Array(window[start - windowStart..<start - windowStart + count])
  }

  private func damaged(_ place: Int, _ problem: String) -> DatasetError {
    .malformed(path: title, problem: "at byte \(place): \(problem)")
  }

  // MARK: Fields

  /// Whether the header's bytes add up to what it says; old programs added them with their signs.
  private static func hasChecksum(_ header: [UInt8]) -> Bool {
    guard let wanted = number(header[148..<156]) else { return false }
    var (unsigned, signed) = (0, 0)
    for (place, byte) in header.enumerated() {
      let byte = (148..<156).contains(place) ? 32 : byte
      unsigned += Int(byte)
      signed += Int(Int8(bitPattern: byte))
    }
    return wanted == unsigned || wanted == signed
  }

  /// Octal digits between spaces and zeros, or, after a byte of 0x80, base 256. Nil where it is neither, or too large.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    guard let first = field.first else { return nil }
    if first == 0x80 {
      var result = 0
      for byte in field.dropFirst() {
        guard result < 1 << 54 else { return nil }
        result = result << 8 | Int(byte)
      }
      return result
    }
    let digits = field.drop { $0 == 32 }.prefix { $0 != 0 && $0 != 32 }
    var result = 0
    for digit in digits {
      guard (48...55).contains(digit), result < 1 << 59 else { return nil }
      result = result << 3 | Int(digit - 48)
    }
    return result
  }

  private static func name(_ header: [UInt8]) -> String {
    let name = text(Array(header[0..<100]))
    // GNU's own format has times where ustar has the prefix.
    guard header[257..<263].elementsEqual(Array("ustar\0".utf8)) else { return name }
    let prefix = text(Array(header[345..<500]))
    return prefix.isEmpty ? name : "\(prefix)/\(name)"
  }

  /// Up to the first zero.
  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

  /// Lines of `length key=value`, where the length counts the whole line.
  private static func paxValues(_ bytes: [UInt8]) -> [String: String] {
    var values: [String: String] = [:]
    var rest = bytes[...]
    while let space = rest.firstIndex(of: 32), let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
      length > space - rest.startIndex + 1, length <= rest.count
    {
      let line = rest[(space + 1)..<(rest.startIndex + length - 1)]
      if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
        values[String(decoding: line[..<equals], as: UTF8.self)] = String(
          decoding: line[(equals + 1)...], as: UTF8.self)
      }
      rest = rest[(rest.startIndex + length)...]
    }
    return values
  }
}
