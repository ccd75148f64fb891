import Tensors

extension Dataset {
  /// Reads CIFAR-10 in its binary version: 50,000 images to train on, 10,000 to test on, 3 x 32 x 32, ten classes.
  ///
  /// - Parameter path: The folder with `data_batch_1.bin` to `data_batch_5.bin`, `test_batch.bin` and, where it is
  ///   there, `batches.meta.txt` with the classes' names; or the folder around `cifar-10-batches-bin`.
  /// - Throws: `DatasetError`: what is missing, truncated or out of range.
  /// - Source: Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html, section "Binary version".
  public static func cifar10(at path: String) throws(DatasetError) -> Dataset {
    try requireFolder(path)
    let inner = path + "/cifar-10-batches-bin"
    let folder = isFolder(inner) ? inner : path
    let classes = try classNames(in: folder)
    return Dataset(
      name: "CIFAR-10", classes: classes,
      train: Split(try records((1...5).map { "\(folder)/data_batch_\($0).bin" }, classCount: classes.count)),
      validation: Split(try records(["\(folder)/test_batch.bin"], classCount: classes.count)),
      normalization: .cifar10)
  }

  private static func classNames(in folder: String) throws(DatasetError) -> [String] {
    let path = folder + "/batches.meta.txt"
    guard (try? requireExisting(path)) != nil else {
      return ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    }
    let names = try TextFile(path, limit: 1 << 16).lines.map { $0.text.filter { !$0.isWhitespace } }
    guard names.count == 10 else { throw .malformed(path: path, problem: "it names \(names.count) classes, not 10") }
    return names
  }

  /// Records of a label and 3,072 bytes: the red plane, the green, the blue.
  private static func records(_ paths: [String], classCount: Int) throws(DatasetError) -> MemoryImages {
    let shape: Shape = [3, 32, 32]
    let imageBytes = shape.elementCount
    let recordBytes = 1 + imageBytes
    var files: [[UInt8]] = []
    var count = 0
    for path in paths {
      let bytes = try fileBytes(path, limit: 1 << 30)
      guard !bytes.isEmpty else { throw .empty(path: path) }
      guard bytes.count.isMultiple(of: recordBytes) else {
        throw .truncated(
          path: path, expected: (bytes.count / recordBytes + 1) * recordBytes, found: bytes.count)
      }
      files.append(bytes)
      count += bytes.count / recordBytes
    }
    let images = try buffer(count * imageBytes)
    var labels: [UInt8] = []
    for (path, bytes) in zip(paths, files) {
      let own = stride(from: 0, to: bytes.count, by: recordBytes).map { bytes[$0] }
      try check(own, of: path, classCount: classCount)
      bytes.withUnsafeBytes { raw in
        for record in own.indices {
          (images.pointer + (labels.count + record) * imageBytes)
            .copyMemory(from: raw.baseAddress! + record * recordBytes + 1, byteCount: imageBytes)
        }
      }
      labels += own
    }
    return MemoryImages(shape: shape, images: images, labels: labels)
  }
}
