import Datasets
import Foundation
import Tensors
import Testing

/// What `Goldens/imagenet.py` wrote.
struct ImageNetGolden: Decodable {
  struct Image: Decodable {
    let name: String
    let label: Int
    let bytes: [Int]
  }
  struct Variant: Decodable {
    let size: Int
    let crop: Double
    let filter: String
    let images: [Image]

    var transform: TestTransform { TestTransform(crop: crop, filter: Framing.Filter(rawValue: filter)!) }
  }
  let protocols: [Variant]

  static let all = try! JSONDecoder().decode(
    ImageNetGolden.self, from: Data(contentsOf: URL(fileURLWithPath: golden("imagenet.json"))))
  /// The labels of the images, in the order of their names.
  static let labels = all.protocols[0].images.map(\.label)
  static let names = all.protocols[0].images.map(\.name)
  static let wordNetNumbers = ["n01440764", "n02119789", "n02123045", "n07831146"]
  /// The numbers of the development kit, in another order.
  static let kitNumbers = [3, 1, 4, 2]

  static func bytes(_ name: String) throws -> [UInt8] { try readFile(golden("imagenet/val/\(name)"), limit: 1 << 20) }
}

extension TemporaryFolder {
  /// Writes a file, and the folders on the way to it.
  func put(_ place: String, _ bytes: [UInt8]) throws {
    try FileManager.default.createDirectory(
      atPath: (self[place] as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    _ = try file(place, bytes)
  }

  func put(_ place: String, _ text: String) throws { try put(place, Array(text.utf8)) }

  func openImageNet(
    size: Int = 40, testSize: Int? = nil, transform: TestTransform = TestTransform(), cacheFolder: String? = nil,
    indexing: () -> Void = {}, isInterrupted: () -> Bool = { false }
  ) throws(DatasetError) -> Dataset {
    try Dataset.imageNet(
      at: path, size: size, testSize: testSize, transform: transform, cacheFolder: cacheFolder, indexing: indexing,
      isInterrupted: isInterrupted)
  }
}

@Suite("ImageNet") struct ImageNetTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// The forms, each written by a function.
  static let forms = [
    "folders", "flat, val.txt", "flat, WordNet numbers", "flat, Kaggle", "flat, development kit", "tar files",
    "class tar files", "shards, cls", "shards in folders, json",
  ]

  /// Writes the golden images as the validation set, and the first eight of them as the training set, in a form.
  func write(_ form: String) throws {
    let (names, labels, numbers) = (ImageNetGolden.names, ImageNetGolden.labels, ImageNetGolden.wordNetNumbers)
    let images = try zip(names, labels).map { (name: $0, label: $1, bytes: try ImageNetGolden.bytes($0)) }
    let training = images.prefix(8).map {
      (name: "\(numbers[$0.label])_\($0.name)", label: $0.label, bytes: $0.bytes)
    }
    func trainingFolders(_ place: String) throws {
      for image in training { try folder.put("\(place)/\(numbers[image.label])/\(image.name)", image.bytes) }
    }
    func flat(_ place: String) throws {
      for image in images { try folder.put("\(place)/\(image.name)", image.bytes) }
    }
    let named = images.map { "val/\($0.name) \($0.label)\n" }.joined()
    func classTar(_ label: Int) -> [UInt8] {
      tar(training.filter { $0.label == label }.reversed().map { TarMember("./\($0.name)", $0.bytes) })
    }
    func shard(_ list: [(name: String, label: Int, bytes: [UInt8])], json: Bool) -> [UInt8] {
      tar(
        list.flatMap { image -> [TarMember] in
          let key = "x.y/" + image.name.prefix { $0 != "." }
          let label = json ? "{\"label\": \(image.label), \"more\": [1]}" : "\(image.label)\n"
          return [
            TarMember(key + (json ? ".json" : ".cls"), Array(label.utf8)),
            TarMember(key + ".JPG", image.bytes, isBase256: json), TarMember(key + ".txt", [1]),
          ]
        })
    }
    switch form {
    case "folders":
      try trainingFolders("train")
      for image in images { try folder.put("val/\(numbers[image.label])/\(image.name)", image.bytes) }
    case "flat, val.txt":
      try trainingFolders("train")
      try flat("val")
      try folder.put("val.txt", named)
    case "flat, WordNet numbers":
      try trainingFolders("train")
      try flat("validation")
      try folder.put("validation/synset_labels.txt", labels.map { numbers[$0] + "\n" }.joined())
    case "flat, Kaggle":
      try trainingFolders("ILSVRC/Data/CLS-LOC/train")
      try flat("ILSVRC/Data/CLS-LOC/val")
      let rows = images.reversed().map {
        "\($0.name.prefix { $0 != "." }),\(numbers[$0.label]) 1 2 3 4 n99999999 1 2 3 4 \n"
      }
      try folder.put("LOC_val_solution.csv", "ImageId,PredictionString\n" + rows.joined())
    case "flat, development kit":
      try trainingFolders("train")
      try flat("val")
      let kit = ImageNetGolden.kitNumbers
      let place = "ILSVRC2012_devkit_t12/data/"
      try folder.put(place + "ILSVRC2012_validation_ground_truth.txt", labels.map { "\(kit[$0])\n" }.joined())
      try folder.put(
        place + "map_clsloc.txt", (1...4).map { "\(numbers[kit.firstIndex(of: $0)!]) \($0) some_thing\n" }.joined())
    case "tar files":
      // Classes that come in another order, and a name that is too long for its field.
      let long = String(repeating: "d/", count: 60)
      try folder.put(
        "ILSVRC2012_img_train.tar", tar((0..<4).reversed().map { TarMember("\(numbers[$0]).tar", classTar($0)) }))
      try folder.put(
        "ILSVRC2012_img_val.tar",
        tar(
          [TarMember("val/", [], kind: "5"), TarMember("val/._\(names[0])", [1])]
            + images.reversed().flatMap { image in
              [
                TarMember("././@LongLink", Array("\(long)\(image.name)\0".utf8), kind: "L"),
                TarMember(long, image.bytes),
              ]
            }))
      try folder.put("val.txt", named)
    case "class tar files":
      for label in 0..<4 { try folder.put("train/\(numbers[label]).tar", classTar(label)) }
      for image in images { try folder.put("val/\(numbers[image.label])/\(image.name)", image.bytes) }
    case "shards, cls":
      for part in 0..<3 {
        try folder.put("set-val-00\(part).tar", shard(Array(images[part * 8..<part * 8 + 8]), json: false))
      }
      try folder.put("set-train-00.tar", shard(Array(training), json: false))
      try folder.put("synsets.txt", numbers.joined(separator: " some thing\n"))
    default:
      try folder.put("train/0.tar", shard(Array(training), json: true))
      try folder.put("val/08.tar", shard(Array(images.prefix(20)), json: true))
      try folder.put("val/09.tar", shard(Array(images.suffix(4)), json: true))
    }
  }

  /// The first bytes of an image that tell it from the others, with its label, in an order that all forms share.
  func content(_ split: Split) throws -> [[UInt8]] {
    try (0..<split.count).map { [UInt8(split.label(at: $0))] + (try split.image(at: $0).bytes) }
      .sorted { $0.lexicographicallyPrecedes($1) }
  }

  @Test("each form gives the same images with the same labels", arguments: forms)
  func form(_ form: String) throws {
    try write(form)
    let data = try folder.openImageNet()
    #expect(data.classes == (form.contains("json") ? ["0", "1", "2", "3"] : ImageNetGolden.wordNetNumbers))
    #expect((data.train.count, data.validation.count) == (8, 24))
    let other = try ImageNetTests()
    try other.write("folders")
    let folders = try other.folder.openImageNet()
    #expect(try content(data.validation) == content(folders.validation))
    #expect(try content(data.train) == content(folders.train))
    if !form.contains("shards") {
      // Draws follow from positions, so a training gives the same from each form.
      #expect(data.train.labels == folders.train.labels)
      #expect(try (0..<8).map(data.train.image) == (0..<8).map(folders.train.image))
    }
    // A second time from what was kept.
    var isIndexed = false
    let again = try folder.openImageNet { isIndexed = true }
    #expect(!isIndexed)
    #expect(again.classes == data.classes && again.train.labels == data.train.labels)
    #expect(try again.checksum() == data.checksum())
    #expect(try content(again.validation) == content(data.validation))
  }

  @Test("whenever the search for images is interrupted, it ends at once and leaves nothing behind", arguments: forms)
  func interruption(_ form: String) throws {
    try write(form)
    let before = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    var questions = 0
    _ = try folder.openImageNet(isInterrupted: {
      questions += 1
      return false
    })
    // At least one for each image.
    #expect(questions > 32)
    try FileManager.default.removeItem(atPath: folder[".reprise-index"])
    for last in 1...questions {
      var asked = 0
      #expect(throws: DatasetError.interrupted) {
        try folder.openImageNet(isInterrupted: {
          asked += 1
          return asked >= last
        })
      }
      #expect(asked == last)
    }
    #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted() == before)
  }

  @Test("images of every kind are shown as timm shows them", arguments: 0..<4)
  func images(_ number: Int) throws {
    let variant = ImageNetGolden.all.protocols[number]
    try write("flat, val.txt")
    let data = try folder.openImageNet(size: 32, testSize: variant.size, transform: variant.transform)
    #expect(data.imageShape == [3, 32, 32] && data.validation.imageShape == [3, variant.size, variant.size])
    #expect(data.validation.labels == variant.images.map(\.label))
    for (position, expected) in variant.images.enumerated() {
      let bytes = try data.validation.image(at: position).bytes
      let worst = expected.bytes.enumerated().map { abs(Int(bytes[$0 * 7919 % bytes.count]) - $1) }.max()!
      // Decoders of JPEG may round otherwise.
      #expect(worst <= 1, "\(expected.name)")
    }
  }

  @Test("another protocol shows other images, and is another checksum")
  func protocols() throws {
    try write("flat, val.txt")
    let data = try folder.openImageNet(transform: TestTransform(crop: 0.875))
    for other in [TestTransform(crop: 0.95), TestTransform(crop: 0.875, filter: .bicubic)] {
      let shown = try folder.openImageNet(transform: other)
      #expect(try content(shown.validation) != content(data.validation))
      #expect(try shown.checksum() != data.checksum())
    }
  }

  @Test("a part to train on can be measured at the size of the other; it may be absent")
  func parts() throws {
    try write("folders")
    let data = try folder.openImageNet(size: 24, testSize: 40)
    #expect(data.train.imageShape == [3, 24, 24])
    #expect(data.measured(data.train).imageShape == [3, 40, 40])
    #expect(data.measured(data.train).labels == data.train.labels)
    let first = try data.limited(train: 4)
    #expect(data.measured(first.train).labels == first.train.labels)
    try FileManager.default.removeItem(atPath: folder["train"])
    let alone = try folder.openImageNet()
    #expect(alone.train.count == 0 && alone.validation.count == 24 && alone.classes == data.classes)
  }

  @Test("pax names and sizes count, and a member may be larger than 8 GiB")
  func long() throws {
    let image = try ImageNetGolden.bytes(ImageNetGolden.names[0])
    func record(_ key: String, _ value: String) -> String {
      let rest = " \(key)=\(value)\n"
      var length = rest.utf8.count
      while "\(length)".utf8.count + rest.utf8.count != length { length += 1 }
      return "\(length)\(rest)"
    }
    let huge = 9 << 30
    let head = TarMember("notes.bin", [], isBase256: true, claimedSize: huge).header
    let tail = tar([
      TarMember("header", Array((record("path", "é/b.JPEG") + record("size", "\(image.count)")).utf8), kind: "x"),
      TarMember("wrong.txt", image, claimedSize: 0),
      TarMember("global", Array(record("comment", "x").utf8), kind: "g"),
      TarMember("a.jpeg", image),
    ])
    // A hole of the file system takes no room.
    let path = try folder.file("ILSVRC2012_img_val.tar", head)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.seek(toOffset: UInt64(huge + 512))
    try handle.write(contentsOf: tail)
    try handle.close()
    try folder.put("val.txt", "b.JPEG 1\na.jpeg 0\n")
    let data = try folder.openImageNet()
    #expect(data.validation.labels == [0, 1])
    #expect(try data.validation.image(at: 0) == data.validation.image(at: 1))
  }

  // MARK: What is kept

  @Test("a change of the set is noticed, and damage to what was kept is no matter")
  func cache() throws {
    try write("flat, val.txt")
    var times = 0
    func open() throws(DatasetError) -> Dataset { try folder.openImageNet { times += 1 } }
    _ = try open()
    #expect(times == 1)
    let kept = try readFile(folder[".reprise-index"], limit: 1 << 20)
    for (place, value) in [(0, 7), (40, 255), (kept.count / 2, 3), (kept.count - 1, 1)] as [(Int, UInt8)] {
      var bytes = kept
      bytes[place] ^= value
      _ = try folder.file(".reprise-index", bytes)
      #expect(try open().validation.labels == ImageNetGolden.labels)
    }
    for count in [0, 8, 33, kept.count - 1] {
      _ = try folder.file(".reprise-index", Array(kept.prefix(count)))
      #expect(try open().validation.labels == ImageNetGolden.labels)
    }
    #expect(times == 9)
    _ = try folder.file(".reprise-index", kept)
    _ = try open()
    #expect(times == 9)
    // One image more.
    try folder.put("train/n02119789/z.JPEG", try ImageNetGolden.bytes(ImageNetGolden.names[0]))
    #expect(try open().train.count == 9)
    #expect(times == 10)
    // Another label, in a file of the same length.
    let text = String(decoding: try readFile(folder["val.txt"], limit: 1 << 20), as: UTF8.self)
    try folder.put("val.txt", text.replacingOccurrences(of: "00000001.JPEG 0", with: "00000001.JPEG 1"))
    #expect(try open().validation.label(at: 0) == 1)
    #expect(times == 11)
  }

  @Test("where the set cannot be written to, the user's cache folder serves")
  func cacheElsewhere() throws {
    try write("flat, val.txt")
    // A folder of that name cannot be replaced by a file, whoever runs this.
    try folder.put(".reprise-index/x", [1])
    let elsewhere = try TemporaryFolder()
    var times = 0
    for _ in 0..<2 { _ = try folder.openImageNet(cacheFolder: elsewhere["a/b"]) { times += 1 } }
    #expect(times == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere["a/b"]).count == 1)
    for _ in 0..<2 { _ = try folder.openImageNet { times += 1 } }
    #expect(times == 3)
  }
}
