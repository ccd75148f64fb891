import Tensors

/// The file format of MNIST and its relatives: a four-byte magic number, big-endian extents, then bytes.
///
/// Source: "The MNIST database", section "File formats", http://yann.lecun.com/exdb/mnist/
enum IDX {
  /// More pixels than this in one image are refused.
  static let largestImage = 1 << 24

  /// Opens a file and reads its extents; what follows are as many bytes as their product.
  private static func open(
    _ path: String, what: String, package: String?, ranks: ClosedRange<Int>
  ) throws(DatasetError) -> (reader: ByteReader, extents: [Int]) {
    let reader = try ByteReader(path, package: package)
    let magic = try reader.read(count: 4)
    guard magic[0] == 0, magic[1] == 0, magic[2] == 8, ranks.contains(Int(magic[3])) else {
      let found = magic.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
      throw .wrongMagic(path: path, expected: "an IDX file of \(what)", found: found)
    }
    let words = try reader.read(count: 4 * Int(magic[3]))
    let extents = stride(from: 0, to: words.count, by: 4).map { at in
      words[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    guard let shape = Shape(checking: extents) else {
      throw .malformed(path: path, problem: "extents of \(extents) are too large")
    }
    guard extents[0] > 0 else { throw .empty(path: path) }
    guard extents[0] <= Int32.max else { throw .malformed(path: path, problem: "\(extents[0]) samples are too many") }
    guard shape.elementCount <= reader.mostBytesLeft else {
      throw .malformed(
        path: path, problem: "its header promises \(shape.elementCount) bytes, more than the file can hold")
    }
    return (reader, extents)
  }

  /// Reads images and their labels. Images are `N x H x W`, grey, or `N x C x H x W`.
  static func images(
    images: String, labels: String, classCount: Int, package: String? = nil
  ) throws(DatasetError) -> MemoryImages {
    let (labelReader, labelExtents) = try open(labels, what: "labels", package: package, ranks: 1...1)
    let labelBytes = try labelReader.read(count: labelExtents[0])
    try labelReader.finish()

    let (reader, extents) = try open(images, what: "images", package: package, ranks: 3...4)
    let shape = extents.count == 3 ? Shape([1, extents[1], extents[2]]) : Shape(Array(extents.dropFirst()))
    guard (1...largestImage).contains(shape.elementCount) else {
      throw .malformed(path: images, problem: "its images have \(shape.elementCount) bytes")
    }
    guard extents[0] == labelExtents[0] else {
      throw .countsDiffer(images: images, imageCount: extents[0], labels: labels, labelCount: labelExtents[0])
    }
    try check(labelBytes, of: labels, classCount: classCount)
    let byteCount = extents[0] * shape.elementCount
    let buffer = try buffer(byteCount)
    try reader.read(into: UnsafeMutableRawBufferPointer(start: buffer.pointer, count: byteCount))
    try reader.finish()
    return MemoryImages(shape: shape, images: buffer, labels: labelBytes)
  }
}

/// - Throws: `DatasetError.labelOutOfRange` for the first label that is no class.
func check(_ labels: [UInt8], of path: String, classCount: Int) throws(DatasetError) {
  guard let index = labels.firstIndex(where: { $0 >= classCount }) else { return }
  throw .labelOutOfRange(path: path, index: index, label: Int(labels[index]), classCount: classCount)
}

/// Memory for images.
func buffer(_ byteCount: Int) throws(DatasetError) -> AlignedBuffer {
  do { return try AlignedBuffer(byteCount: byteCount) } catch { throw .unreadable(error) }
}
