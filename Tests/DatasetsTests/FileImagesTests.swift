import Datasets
import Foundation
import Tensors
import Testing

@Suite struct FileImagesTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func copy(_ image: String, to place: String) throws {
    let target = folder[place]
    try FileManager.default.createDirectory(
      atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: golden(image), toPath: target)
  }

  /// Opens the folder at the size of the golden images, so that they are not resampled.
  private func open(channels: Int = 3) throws(DatasetError) -> Dataset {
    try Dataset.imageFolder(at: folder.path, height: 20, width: 30, channels: channels)
  }

  @Test(
    "each format is decoded as Pillow decodes it",
    arguments: [
      ("rgb.png", 0), ("palette.png", 0), ("rgba.png", 0), ("palette2.gif", 0), ("plain.bmp", 0),
      ("lossless.webp", 0), ("lossy.jpg", 3), ("inks.jpg", 3),  // decoders of JPEG may round otherwise
    ])
  func formats(_ name: String, _ tolerance: Int) throws {
    try copy(name, to: "train/a/\(name)")
    try copy(name, to: "val/a/\(name)")
    let image = try open().train.image(at: 0)
    let expected = try NPY.read(golden(String(name.prefix { $0 != "." }) + ".npy"), as: UInt8.self)
    #expect(image.shape == expected.shape)
    let worst = zip(image.bytes, expected.elements).map { abs(Int($0) - Int($1)) }.max()
    #expect(worst! <= tolerance)
  }

  @Test("colour becomes grey as in Pillow, and grey stays", arguments: [("rgb.png", "weighed"), ("grey.png", "grey")])
  func grey(_ name: String, _ expected: String) throws {
    try copy(name, to: "train/a/\(name)")
    try copy(name, to: "val/a/\(name)")
    #expect(
      try open(channels: 1).train.image(at: 0).bytes == NPY.read(golden("\(expected).npy"), as: UInt8.self).elements)
  }

  @Test(
    "images are resampled as Pillow resamples them, byte for byte",
    arguments: [(10, 15, "resized"), (14, 21, "resized"), (32, 48, "resized"), (2, 3, "resized"), (8, 8, "boxed")],
    Framing.Filter.allCases)
  func resampling(_ size: (Int, Int, String), _ filter: Framing.Filter) throws {
    try copy("rgb.png", to: "train/a/rgb.png")
    try copy("rgb.png", to: "val/a/rgb.png")
    let (height, width, kind) = size
    let data = try Dataset.imageFolder(at: folder.path, height: height, width: width)
    let framing = Framing(filter: filter) { .middle(ofHeight: $0, width: $1, for: [3, height, width]) }
    let expected = try NPY.read(golden("\(kind)-\(height)-\(width)-\(filter).npy"), as: UInt8.self)
    try data.train.source.withImage(at: 0, framing) { #expect(Array($0.bytes) == expected.elements) }
    guard filter == .bilinear else { return }
    #expect(try data.train.image(at: 0).bytes == expected.elements)
  }

  @Test("a part of a JPEG is the part of the whole, at every place")
  func parts() throws {
    try copy("large.jpg", to: "train/a/large.jpg")
    try copy("rgb.png", to: "val/a/rgb.png")
    let whole = try Dataset.imageFolder(at: folder.path, height: 150, width: 200).train.image(at: 0)
    let source = try Dataset.imageFolder(at: folder.path, height: 32, width: 40).train.source
    for (top, left) in [(0, 0), (1, 1), (118, 160), (57, 83), (16, 32), (40, 7)] {
      let framing = Framing { _, _ in
        Window(top: Double(top), left: Double(left), height: 32, width: 40, seesBeyond: false)
      }
      try source.withImage(at: 0, framing) { part in
        for channel in 0..<3 {
          for y in 0..<32 {
            let row = Array(part.bytes[(channel * 32 + y) * 40..<(channel * 32 + y + 1) * 40])
            let start = (channel * 150 + top + y) * 200 + left
            #expect(row == Array(whole.bytes[start..<start + 40]), "\(top) \(left) \(y)")
          }
        }
      }
    }
  }

  @Test("a large JPEG is decoded smaller where that suffices, nearly the same")
  func reduced() throws {
    try copy("large.jpg", to: "train/a/large.jpg")
    try copy("rgb.png", to: "val/a/rgb.png")
    let source = try Dataset.imageFolder(at: folder.path, height: 36, width: 48).train.source
    var bytes: [[UInt8]] = []
    for reduces in [false, true] {
      let framing = Framing(allowsReduction: reduces) { _, _ in
        Window(top: 3, left: 5, height: 145, width: 193, seesBeyond: false)
      }
      try source.withImage(at: 0, framing) { bytes.append(Array($0.bytes)) }
    }
    let differences = zip(bytes[0], bytes[1]).map { abs(Int($0) - Int($1)) }
    #expect(differences.reduce(0, +) > 0)
    #expect(Double(differences.reduce(0, +)) / Double(differences.count) < 2)
  }

  @Test("classes are subfolders in order; other files are passed over")
  func layout() throws {
    for place in ["train/b/1.png", "train/b/0.png", "train/a/x.PNG", "val/b/y.png"] { try copy("rgb.png", to: place) }
    _ = try folder.file("train/a/notes.txt", [1])
    _ = try folder.file("train/a/.hidden.png", [1])
    _ = try folder.file("train/list.png", [1])
    let data = try open()
    #expect(data.classes == ["a", "b"])
    #expect(data.train.labels == [0, 1, 1])
    #expect(data.validation.labels == [1])
    #expect(try data.checksum() == open().checksum())
  }

  @Test("a single folder keeps a tenth of each class to measure on, the same each time")
  func single() throws {
    for name in ["a", "b"] { for i in 10..<30 { try copy("grey.png", to: "\(name)/\(i).png") } }
    let data = try open()
    #expect(data.train.count == 36)
    #expect(data.validation.labels == [0, 0, 1, 1])
    let again = try open()
    #expect((0..<4).map(data.validation.sourceIndex) == (0..<4).map(again.validation.sourceIndex))
    #expect(Set((0..<36).map(data.train.sourceIndex)).isDisjoint(with: (0..<4).map(data.validation.sourceIndex)))
  }

  @Test("a folder that is no dataset is explained")
  func errors() throws {
    let path = folder.path
    #expect(throws: DatasetError.noClasses(path: path)) { try open() }
    try copy("rgb.png", to: "val/c/1.png")
    try copy("rgb.png", to: "train/a/1.png")
    #expect(throws: DatasetError.unknownClass(name: "c", path: path + "/val")) { try open() }
    #expect(throws: DatasetError.missing(path: path + "/x", package: nil)) {
      try Dataset.imageFolder(at: path + "/x")
    }
    #expect(throws: DatasetError.outOfRange(what: "the height", value: 0, allowed: 1...4096)) {
      try Dataset.imageFolder(at: path, height: 0)
    }
    let bytes: [UInt8] = Array("\(path)/train/".utf8) + [0xFF, 0]
    #expect(bytes.withUnsafeBytes { mkdir($0.baseAddress!.assumingMemoryBound(to: CChar.self), 0o755) } == 0)
    #expect(throws: DatasetError.nameNotUTF8(path: "\(path)/train/\u{FFFD}")) { try open() }
  }

  @Test(
    "a broken image is named, by the loader as well",
    arguments: ["rgb.png", "lossy.jpg", "palette2.gif", "plain.bmp", "lossless.webp"], [0.0, 0.05, 0.5, 0.9])
  func broken(_ name: String, _ share: Double) throws {
    let whole = try readFile(golden(name), limit: 1 << 20)
    try copy("rgb.png", to: "train/a/0.png")
    try copy("rgb.png", to: "val/a/0.png")
    let path = try folder.file("train/a/\(name)", Array(whole.prefix(Int(Double(whole.count) * share))))
    let data = try open()
    let error = try #require(throws: DatasetError.self) { try data.train.image(at: 1) }
    guard case .undecodable(path, _) = error else {
      Issue.record(error)
      return
    }
    let loader = Loader(data.train, batchSize: 1, normalization: data.normalization, workers: 2)
    let stream = try loader.batches(epoch: 0)
    #expect(try stream.next()?.count == 1)
    #expect(throws: error) { try stream.next() }
    #expect(try stream.next() == nil)
  }

  @Test("a few bytes do not become a gigabyte")
  func bomb() throws {
    // 134 million pixels of one colour, written by Pillow 13.0 with libwebp 1.6.
    let bytes = Array(try #require(Data(base64Encoded: "UklGRh4AAABXRUJQVlA4TBEAAAAv/r//BwdQiirUo/+BiOh/AAA=")))
    try copy("rgb.png", to: "val/a/0.png")
    try copy("rgb.png", to: "train/a/1.png")
    let path = try folder.file("train/a/0.webp", bytes)
    let data = try open()
    #expect(
      throws: DatasetError.undecodable(
        path: path, reason: "its header says 16383 x 8191 pixels, the file has \(bytes.count) bytes")
    ) { try data.train.image(at: 0) }
  }

  @Test(
    "no change of bytes crashes the decoder",
    arguments: ["rgb.png", "palette.png", "lossy.jpg", "palette2.gif", "plain.bmp", "lossless.webp"])
  func mutations(_ name: String) throws {
    let whole = try readFile(golden(name), limit: 1 << 20)
    try copy("rgb.png", to: "val/a/0.png")
    try copy(name, to: "train/a/\(name)")
    let data = try open()
    for sample in 0..<500 {
      var random = RandomKey(seed: 4, for: .script, sample: sample).generator()
      var bytes = whole
      for _ in 0...random.integer(below: 4) {
        // Headers decide most, so every other change is there.
        let end = random.integer(below: 2) == 0 ? min(64, bytes.count) : bytes.count
        bytes[random.integer(below: end)] = UInt8(random.integer(below: 256))
      }
      _ = try folder.file("train/a/\(name)", bytes)
      do throws(DatasetError) { _ = try data.train.image(at: 0) } catch { #expect(!"\(error)".isEmpty) }
    }
  }
}
