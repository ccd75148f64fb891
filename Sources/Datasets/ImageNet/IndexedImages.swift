import Glibc
import Tensors

/// Images in files or inside of archives, decoded each time they are asked for, and shown as a network sees them that
/// is measured.
final class IndexedImages: ImageSource {
  let imageShape: Shape
  private let root: String
  private let index: ImageIndex
  private let transform: TestTransform
  private let isOriented: Bool

  /// Files larger than this are refused.
  private static let largestFile = 1 << 29

  /// - Parameter isOriented: whether the EXIF orientation is followed.
  init(root: String, index: ImageIndex, shape: Shape, transform: TestTransform, isOriented: Bool = false) {
    (self.root, self.index, imageShape, self.transform) = (root, index, shape, transform)
    self.isOriented = isOriented
  }

  var count: Int { index.count }
  func label(at index: Int) -> Int { self.index.label(at: index) }

  func showing(_ shape: Shape) -> (any ImageSource)? {
    IndexedImages(root: root, index: index, shape: shape, transform: transform, isOriented: isOriented)
  }

  func withImage(at index: Int, _ body: (ImageView) -> Void) throws(DatasetError) {
    try withImage(at: index, transform.framing(for: imageShape), body)
  }

  func withImage(at index: Int, _ framing: Framing, _ body: (ImageView) -> Void) throws(DatasetError) {
    let (path, bytes) = try contents(at: index)
    try ImageDecoder.decode(bytes, path: path, to: imageShape, framing: framing, isOriented: isOriented)
      .withView(body)
  }

  /// A file's bytes, and how an error calls it.
  private func contents(at index: Int) throws(DatasetError) -> (path: String, bytes: [UInt8]) {
    let name = self.index.name(at: index)
    switch self.index.place(at: index) {
    case .file:
      let path = "\(root)/\(name)"
      return (path, try fileBytes(path, limit: Self.largestFile))
    case .part(let archive, let offset, let length):
      let path = "\(root)/\(archive.path)/\(name)"
      guard length <= Self.largestFile else { throw .undecodable(path: path, reason: "it has \(length) bytes") }
      do {
        return (path, try InputFile("\(root)/\(archive.path)").bytes(at: offset, count: length))
      } catch { throw .unreadable(error) }
    }
  }

  var showing: String { "\(transform.crop.bitPattern) \(transform.filter.rawValue)\(isOriented ? " exif" : "")" }

  func file(at index: Int) -> String? {
    switch self.index.place(at: index) {
    case .file: "\(root)/\(self.index.name(at: index))"
    case .part(let archive, _, _): "\(root)/\(archive.path)"
    }
  }

  func place(at index: Int) -> String {
    if case .part(_, let offset, let length) = self.index.place(at: index) { "\(offset) \(length)" } else { "" }
  }

  /// Name, label, place, and length and time of change of the file that holds it: reading every image of a large set
  /// would take hours. How it is shown counts as well.
  func hashSample(at index: Int, into hasher: inout StableHasher) throws(DatasetError) {
    let name = self.index.name(at: index)
    hasher.combine(label(at: index))
    hasher.combine(Int(bitPattern: UInt(transform.crop.bitPattern)))
    hasher.combine(transform.filter.rawValue)
    if isOriented { hasher.combine("exif") }
    switch self.index.place(at: index) {
    case .file: try FileStamp(name, below: root).hash(into: &hasher)
    case .part(let archive, let offset, let length):
      archive.hash(into: &hasher)
      hasher.combine(name)
      hasher.combine(offset)
      hasher.combine(length)
    }
  }
}
