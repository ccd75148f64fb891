import Datasets
import Tensors
import Testing

@Suite struct CIFAR10Tests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func writeFiles() throws {
    for (name, count) in (1...5).map({ ("data_batch_\($0)", 2) }) + [("test_batch", 3)] {
      let records = (0..<count).flatMap { record -> [UInt8] in
        let planes = (0..<3).flatMap { plane in [UInt8](repeating: UInt8(50 * plane + record), count: 1024) }
        return [UInt8(record)] + planes
      }
      _ = try folder.file(name + ".bin", records)
    }
  }

  @Test("records are read plane by plane")
  func reading() throws {
    try writeFiles()
    let data = try Dataset.cifar10(at: folder.path)
    #expect(data.train.labels == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
    #expect(data.validation.count == 3)
    let image = try data.train.image(at: 1)
    #expect(image.shape == [3, 32, 32])
    #expect([0, 1023, 1024, 2048].map { image.bytes[$0] } == [1, 1, 51, 101])
    #expect(data.classes[1] == "automobile")
    _ = try folder.file("batches.meta.txt", Array("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n".utf8))
    #expect(try Dataset.cifar10(at: folder.path).classes == "abcdefghij".map(String.init))
  }

  @Test("what is missing, cut off or out of range is named")
  func errors() throws {
    #expect(throws: DatasetError.missing(path: folder["data_batch_1.bin"], package: nil)) {
      try Dataset.cifar10(at: folder.path)
    }
    try writeFiles()
    let path = try folder.file("test_batch.bin", Array(repeating: 0, count: 3072))
    #expect(throws: DatasetError.truncated(path: path, expected: 3073, found: 3072)) {
      try Dataset.cifar10(at: folder.path)
    }
    _ = try folder.file("test_batch.bin", Array(repeating: 10, count: 3073))
    #expect(throws: DatasetError.labelOutOfRange(path: path, index: 0, label: 10, classCount: 10)) {
      try Dataset.cifar10(at: folder.path)
    }
    _ = try folder.file("test_batch.bin", [])
    #expect(throws: DatasetError.empty(path: path)) { try Dataset.cifar10(at: folder.path) }
    try writeFiles()
    let names = try folder.file("batches.meta.txt", Array("a\nb\n".utf8))
    #expect(throws: DatasetError.malformed(path: names, problem: "it names 2 classes, not 10")) {
      try Dataset.cifar10(at: folder.path)
    }
  }
}
