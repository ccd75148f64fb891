import Datasets
import Foundation
import Tensors
import Testing

@Suite struct IDXTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private var images: String { folder["train-images-idx3-ubyte.gz"] }
  private var labels: String { folder["train-labels-idx1-ubyte.gz"] }

  @Test("images and labels are read, from gzip and from plain files")
  func reading() throws {
    try folder.smallIDX()
    let data = try folder.openSmallIDX()
    #expect(data.imageShape == [1, 2, 3])
    #expect(data.train.count == 6 && data.validation.count == 4)
    #expect(data.train.labels == [0, 1, 2, 0, 1, 2])
    #expect(try data.train.image(at: 1).bytes == [6, 7, 8, 9, 10, 11])

    let plain = idx([6, 2, 3], (0..<36).map { $0 })
    _ = try folder.file("train-images-idx3-ubyte", plain)
    #expect(try folder.openSmallIDX().checksum() == data.checksum())
  }

  @Test("a missing folder, a missing file and a file in place of a folder are told apart")
  func missing() throws {
    let nowhere = folder["nowhere"]
    #expect(throws: DatasetError.missing(path: nowhere, package: "dataset-fashion-mnist")) {
      try Dataset.fashionMNIST(at: nowhere)
    }
    let error = DatasetError.missing(path: nowhere, package: "dataset-fashion-mnist")
    #expect(error.isMissingData)
    #expect(error.hint == "apt-get install dataset-fashion-mnist, or name the folder where it is")
    try folder.smallIDX()
    try FileManager.default.removeItem(atPath: labels)
    #expect(throws: DatasetError.missing(path: labels, package: nil)) { try folder.openSmallIDX() }
    #expect(throws: DatasetError.notAFolder(path: images)) { try Dataset.fashionMNIST(at: images) }
    try FileManager.default.createDirectory(atPath: labels, withIntermediateDirectories: true)
    #expect(throws: DatasetError.unreadable(.file(path: labels, reason: "Is a directory"))) {
      try folder.openSmallIDX()
    }
    #expect(throws: DatasetError.missing(path: "a\0b", package: nil)) { try Dataset.cifar10(at: "a\0b") }
  }

  @Test("a gzip file cut off anywhere is an error")
  func truncated() throws {
    try folder.smallIDX()
    let whole = try readFile(images, limit: 1 << 20)
    for count in 0..<whole.count {
      _ = try folder.file("train-images-idx3-ubyte.gz", Array(whole.prefix(count)))
      #expect(throws: DatasetError.self, "\(count) bytes") { try folder.openSmallIDX() }
    }
    _ = try folder.file("train-images-idx3-ubyte.gz", [])
    #expect(throws: DatasetError.empty(path: images)) { try folder.openSmallIDX() }
    _ = try folder.file("train-images-idx3-ubyte.gz", gzip(idx([6, 2, 3], Array(repeating: 0, count: 35))))
    #expect(throws: DatasetError.truncated(path: images, expected: 52, found: 51)) { try folder.openSmallIDX() }
  }

  @Test("bytes after the end are an error")
  func trailing() throws {
    try folder.smallIDX()
    let content = idx([6, 2, 3], Array(repeating: 0, count: 36))
    for bytes in [gzip(content) + [0], gzip(content + [0]), content + [0], gzip(content) + gzip(content)] {
      _ = try folder.file("train-images-idx3-ubyte.gz", bytes)
      #expect(throws: DatasetError.trailingBytes(path: images, expected: 52)) { try folder.openSmallIDX() }
    }
  }

  @Test("headers that cannot be true are refused before memory is taken")
  func lies() throws {
    try folder.smallIDX()
    for extents in [[Int(UInt32.max), 28, 28], [1_000_000, 28, 28], [6, 60_000, 60_000], [6, 0, 3]] {
      _ = try folder.file("train-images-idx3-ubyte.gz", gzip(idx(extents, Array(repeating: 0, count: 36))))
      #expect(throws: DatasetError.self, "\(extents)") { try folder.openSmallIDX() }
    }
    _ = try folder.file("train-images-idx3-ubyte.gz", gzip(idx([0, 2, 3], [])))
    #expect(throws: DatasetError.empty(path: images)) { try folder.openSmallIDX() }
    _ = try folder.file("train-images-idx3-ubyte.gz", gzip(idx([6, 2, 3], Array(repeating: 0, count: 36), kind: 13)))
    #expect(throws: DatasetError.wrongMagic(path: images, expected: "an IDX file of images", found: "00 00 0d 03")) {
      try folder.openSmallIDX()
    }
  }

  @Test("labels that do not fit the images or the classes are named")
  func labelsThatDoNotFit() throws {
    try folder.smallIDX()
    _ = try folder.file("train-labels-idx1-ubyte.gz", gzip(idx([5], [0, 1, 2, 0, 1])))
    #expect(throws: DatasetError.countsDiffer(images: images, imageCount: 6, labels: labels, labelCount: 5)) {
      try folder.openSmallIDX()
    }
    _ = try folder.file("train-labels-idx1-ubyte.gz", gzip(idx([6], [0, 1, 2, 3, 1, 2])))
    #expect(throws: DatasetError.labelOutOfRange(path: labels, index: 3, label: 3, classCount: 3)) {
      try folder.openSmallIDX()
    }
  }

  @Test("no change of bytes crashes the reader")
  func mutations() throws {
    try folder.smallIDX()
    let whole = try readFile(images, limit: 1 << 20)
    for sample in 0..<1500 {
      var random = RandomKey(seed: 3, for: .script, sample: sample).generator()
      var bytes = whole
      for _ in 0...random.integer(below: 3) {
        bytes[random.integer(below: bytes.count)] = UInt8(random.integer(below: 256))
      }
      _ = try folder.file("train-images-idx3-ubyte.gz", bytes)
      do throws(DatasetError) { _ = try folder.openSmallIDX() } catch { #expect(!"\(error)".isEmpty) }
    }
  }

  @Test(
    "Fashion-MNIST is what its authors published",
    .enabled(if: FileManager.default.fileExists(atPath: "/usr/share/datasets/fashion-mnist")))
  func fashionMNIST() throws {
    let data = try Dataset.fashionMNIST()
    #expect(data.train.count == 60_000 && data.validation.count == 10_000)
    #expect(data.imageShape == [1, 28, 28] && data.classes.count == 10)
    for label in 0..<10 { #expect(data.train.labels.count { $0 == label } == 6000) }
    let measured = try Normalization(measuring: data.train)
    #expect(abs(measured.mean[0] - data.normalization.mean[0]) < 5e-5)
    #expect(abs(measured.std[0] - data.normalization.std[0]) < 5e-5)
    let subset = try data.limited(train: 1000, validation: 500)
    for label in 0..<10 {
      #expect(subset.train.labels.count { $0 == label } == 100)
      #expect(subset.validation.labels.count { $0 == label } == 50)
    }
  }
}
