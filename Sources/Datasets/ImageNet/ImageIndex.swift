/// Where the images of a part lie, what they are called and what they show; some 60 bytes for each.
struct ImageIndex: Hashable, Sendable {
  /// Files that hold many images, below the root.
  private(set) var archives: [FileStamp] = []
  /// All names, one behind the other, and where each ends.
  private var names: [UInt8] = []
  private var nameEnds: [Int64] = []
  private var labels: [Int32] = []
  /// Places in `archives`; -1 for an image that is a file of its own.
  private var holders: [Int32] = []
  /// Bytes from the beginning of the archive, and how many.
  private var offsets: [Int64] = []
  private var lengths: [Int64] = []

  /// Where one image lies.
  enum Place: Hashable {
    /// A file of its own.
    case file
    /// A part of a file, in bytes.
    case part(of: FileStamp, offset: Int, length: Int)
  }

  init(archives: [FileStamp] = []) { self.archives = archives }

  var count: Int { labels.count }
  func label(at index: Int) -> Int { Int(labels[index]) }
  /// One more than the largest label.
  var labelBound: Int { labels.max().map { Int($0) + 1 } ?? 0 }

  /// Its path below the root, or its name in the archive.
  func name(at index: Int) -> String {
    let start = index == 0 ? 0 : Int(nameEnds[index - 1])
    return String(decoding: names[start..<Int(nameEnds[index])], as: UTF8.self)
  }

  func place(at index: Int) -> Place {
    guard holders[index] >= 0 else { return .file }
    return .part(of: archives[Int(holders[index])], offset: Int(offsets[index]), length: Int(lengths[index]))
  }

  mutating func append(_ entry: ImageEntry, label: Int) {
    names.append(contentsOf: entry.name.utf8)
    nameEnds.append(Int64(names.count))
    labels.append(Int32(label))
    holders.append(Int32(entry.archive))
    offsets.append(Int64(entry.offset))
    lengths.append(Int64(entry.length))
  }

  // MARK: In a file

  func write(to bytes: inout [UInt8]) {
    bytes.append(number: archives.count)
    for archive in archives { archive.write(to: &bytes) }
    bytes.append(number: count)
    bytes.append(number: names.count)
    bytes.append(contentsOf: names)
    bytes.append(column: nameEnds)
    bytes.append(column: labels)
    bytes.append(column: holders)
    bytes.append(column: offsets)
    bytes.append(column: lengths)
  }

  /// - Parameter classes: How many there are.
  /// - Returns: nil where the bytes are none of ours, whatever they are.
  init?(from reader: inout IndexReader, classes: Int) {
    guard let archiveCount = reader.number(atMost: reader.left / 24) else { return nil }
    for _ in 0..<archiveCount {
      guard let archive = FileStamp(from: &reader) else { return nil }
      archives.append(archive)
    }
    guard let count = reader.number(atMost: reader.left / 32), let nameBytes = reader.number(atMost: reader.left),
      let names = reader.bytes(nameBytes), let nameEnds = reader.column(Int64.self, count),
      let labels = reader.column(Int32.self, count), let holders = reader.column(Int32.self, count),
      let offsets = reader.column(Int64.self, count), let lengths = reader.column(Int64.self, count)
    else { return nil }
    var end: Int64 = 0
    for index in 0..<count {
      guard nameEnds[index] >= end, nameEnds[index] <= nameBytes, (0..<classes).contains(Int(labels[index])) else {
        return nil
      }
      end = nameEnds[index]
      guard holders[index] != -1 else { continue }
      guard archives.indices.contains(Int(holders[index])), offsets[index] >= 0, lengths[index] >= 0,
        lengths[index] <= archives[Int(holders[index])].byteCount,
        offsets[index] <= archives[Int(holders[index])].byteCount - Int(lengths[index])
      else { return nil }
    }
    (self.names, self.nameEnds, self.labels, self.holders) = (names, nameEnds, labels, holders)
    (self.offsets, self.lengths) = (offsets, lengths)
  }
}

/// An image that was found.
struct ImageEntry {
  /// Its path below the root, or its name in the archive.
  var name: String
  /// The place of the archive in the index; -1 for a file of its own.
  var archive = -1
  /// Bytes.
  var offset = 0, length = 0

  /// What stands behind the last slash.
  var fileName: Substring { name[(name.lastIndex(of: "/").map(name.index(after:)) ?? name.startIndex)...] }
}

extension [ImageEntry] {
  /// In the order of the bytes of their file names, so that each form of a set has one order.
  func sortedByName() -> [ImageEntry] {
    sorted { $0.fileName.utf8.lexicographicallyPrecedes($1.fileName.utf8) }
  }
}
