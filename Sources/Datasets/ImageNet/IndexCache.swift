import Glibc
import Tensors

/// Keeps what was found, so that the next run need not look again. A file that is damaged, of another version or of other
/// data is as good as none.
struct IndexCache {
  /// Where it may be, the best first.
  let paths: [String]
  private let root: String
  /// What the index follows from.
  private let key: UInt64

  /// With the version of what follows, as a number so that machines of another order of bytes do not take it.
  private static let magic = 0x5252_4449_4D47_0002
  private static let largest = 1 << 31

  /// - Parameters:
  ///   - stamps: Of all that the index follows from.
  ///   - folder: For what cannot lie beside the data; nil keeps nothing there.
  init(root: String, stamps: [FileStamp], folder: String?) {
    var hasher = StableHasher()
    for stamp in stamps { stamp.hash(into: &hasher) }
    key = hasher.value
    self.root = root
    var name = StableHasher()
    let whole = realpath(root, nil)
    name.combine(whole.map { String(cString: $0) } ?? root)
    free(whole)
    paths = ["\(root)/.reprise-index"] + (folder.map { ["\($0)/imagenet-\(name.hexadecimal)"] } ?? [])
  }

  /// `$XDG_CACHE_HOME/reprise`, or below the home folder; nil where there is neither.
  static var userFolder: String? {
    func variable(_ name: String) -> String? {
      guard let value = getenv(name).map({ String(cString: $0) }), value.hasPrefix("/") else { return nil }
      return value
    }
    return variable("XDG_CACHE_HOME").map { $0 + "/reprise" } ?? variable("HOME").map { $0 + "/.cache/reprise" }
  }

  func read() -> ImageNetIndex? {
    for path in paths {
      guard let bytes = try? fileBytes(path, limit: Self.largest), let index = decoded(bytes), isCurrent(index) else {
        continue
      }
      return index
    }
    return nil
  }

  /// Whether the folders inside of class folders are as they were.
  private func isCurrent(_ index: ImageNetIndex) -> Bool {
    index.nested.allSatisfy { (try? FileStamp($0.path, below: root)) == $0 }
  }

  /// Writes it where that is possible; where it is not, the next run looks again.
  func write(_ index: ImageNetIndex) {
    let bytes = encoded(index)
    for path in paths {
      if path != paths[0], let slash = path.lastIndex(of: "/") { Self.makeFolder(String(path[..<slash])) }
      if (try? writeAtomically(to: path, bytes: bytes)) != nil { return }
    }
  }

  private static func makeFolder(_ path: String) {
    guard !path.isEmpty, !isFolder(path) else { return }
    if let slash = path.lastIndex(of: "/") { makeFolder(String(path[..<slash])) }
    mkdir(path, 0o777)
  }

  private func encoded(_ index: ImageNetIndex) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(number: Self.magic)
    bytes.append(column: [key])
    bytes.append(number: index.classes.count)
    for name in index.classes { bytes.append(text: name) }
    index.train.write(to: &bytes)
    index.validation.write(to: &bytes)
    bytes.append(number: index.nested.count)
    for stamp in index.nested { stamp.write(to: &bytes) }
    var hasher = StableHasher()
    hasher.combine(bytes: bytes)
    bytes.append(column: [hasher.value])
    return bytes
  }

  private func decoded(_ bytes: [UInt8]) -> ImageNetIndex? {
    guard bytes.count > 32 else { return nil }
    var hasher = StableHasher()
    bytes.withUnsafeBytes { hasher.combine(UnsafeRawBufferPointer(rebasing: $0.dropLast(8))) }
    var reader = IndexReader(bytes)
    guard reader.number(atMost: .max) == Self.magic, reader.column(UInt64.self, 1) == [key],
      let classCount = reader.number(atMost: reader.left / 8)
    else { return nil }
    var index = ImageNetIndex()
    for _ in 0..<classCount {
      guard let name = reader.text() else { return nil }
      index.classes.append(name)
    }
    guard let train = ImageIndex(from: &reader, classes: classCount),
      let validation = ImageIndex(from: &reader, classes: classCount),
      let nestedCount = reader.number(atMost: reader.left / 32)
    else { return nil }
    for _ in 0..<nestedCount {
      guard let stamp = FileStamp(from: &reader) else { return nil }
      index.nested.append(stamp)
    }
    guard reader.column(UInt64.self, 1) == [hasher.value],
      reader.left == 0
    else { return nil }
    (index.train, index.validation) = (train, validation)
    return index
  }
}
