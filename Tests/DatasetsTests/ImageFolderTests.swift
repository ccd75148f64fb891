import Datasets
import Foundation
import Tensors
import Testing

/// A tree of files, and what torchvision's ImageFolder finds in it: `Goldens/imagefolder.py`.
struct ImageFolderGolden: Decodable, CustomTestStringConvertible {
  enum Item: Decodable {
    case path(String)
    case label(Int)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let label = try? container.decode(Int.self) {
        self = .label(label)
      } else {
        self = .path(try container.decode(String.self))
      }
    }
  }
  struct Found: Decodable {
    let classes: [String]?
    let samples: [[Item]]?
    let empty: [String]?
  }
  let name: String
  let files: [String]
  let links: [String: String]
  let found: Found

  var testDescription: String { name }

  static let all = try! JSONDecoder().decode(
    [Self].self, from: Data(contentsOf: URL(fileURLWithPath: golden("imagefolder.json"))))

  func write(to folder: TemporaryFolder, below root: String, _ image: [UInt8]) throws {
    for file in files { try folder.put("\(root)/\(file)", image) }
    for (place, target) in links {
      try FileManager.default.createSymbolicLink(atPath: folder["\(root)/\(place)"], withDestinationPath: target)
    }
  }
}

@Suite("folder() beside torchvision's ImageFolder") struct ImageFolderTests {
  let folder: TemporaryFolder
  let image: [UInt8]
  init() throws {
    folder = try TemporaryFolder()
    image = try readFile(golden("rgb.png"), limit: 1 << 20)
  }

  @Test("the same classes, images and order are found, and folders without images refused", arguments: ImageFolderGolden.all)
  func torchvision(_ tree: ImageFolderGolden) throws {
    try tree.write(to: folder, below: "train", image)
    try tree.write(to: folder, below: "val", image)
    func open() throws(DatasetError) -> Dataset { try Dataset.imageFolder(at: folder.path, height: 8, width: 8) }
    guard let classes = tree.found.classes, let samples = tree.found.samples else {
      let error = try #require(throws: DatasetError.self) { try open() }
      if case .emptyClasses(let names, folder["train"]) = error { #expect(names == tree.found.empty) }
      return
    }
    let data = try open()
    #expect(data.classes == classes)
    let labels = samples.compactMap { if case .label(let label) = $0[1] { label } else { nil } }
    #expect(data.train.labels == labels && data.validation.labels == labels)
    let paths = samples.compactMap { if case .path(let path) = $0[0] { path } else { nil } }
    let own = try classes.flatMap { name in
      try ImageTree(at: folder["train/\(name)"]) { false }.images.map { "\(name)/\($0)" }
    }
    // Names that begin with a dot are left out here, and counted there.
    #expect(own == paths.filter { !$0.contains("/.") })
  }

  @Test("a link that leads back ends the walk, and is told") func loops() throws {
    try folder.put("a/deep/1.png", image)
    try folder.put("a/2.png", image)
    try folder.put("b/3.png", image)
    try folder.put("b/4.png", image)
    for (place, target) in [("a/deep/up", ".."), ("b/self", "."), ("b/root", "../../\((folder.path as NSString).lastPathComponent)")] {
      try FileManager.default.createSymbolicLink(atPath: folder[place], withDestinationPath: target)
    }
    var notes: [String] = []
    let data = try Dataset.imageFolder(at: folder.path, height: 8, width: 8, validationShare: 0.3) { notes.append($0) }
    // The link from b to the root is no circle at first: below it lie a's images, and b's once.
    #expect(data.classes == ["a", "b"])
    #expect(notes.contains { $0.contains("lead back") && $0.contains("a/deep/up") })
    let (a, b) = (try ImageTree(at: folder["a"]) { false }, try ImageTree(at: folder["b"]) { false })
    #expect(a.images == ["2.png", "deep/1.png"] && a.loops == ["deep/up"])
    #expect(b.images == ["3.png", "4.png", "root/a/2.png", "root/a/deep/1.png"])
    #expect(b.loops == ["root/a/deep/up", "root/b", "self"])
  }

  @Test("what is not read is told, and nothing else") func notes() throws {
    for place in ["train/a/1.png", "train/b/1.png", "val/a/1.png"] { try folder.put(place, image) }
    func notes() throws -> [String] {
      var notes: [String] = []
      _ = try Dataset.imageFolder(at: folder.path, height: 8, width: 8) { notes.append($0) }
      return notes
    }
    #expect(try notes() == ["\(folder.path)/val has no folder for b"])
    try folder.put("val/b/1.png", image)
    #expect(try notes().isEmpty)
    try folder.put("train/a/notes.txt", [1])
    try folder.put("train/b/.hidden.png", image)
    try folder.put("train/b/._1.png", [1])
    try folder.put("train/list.png", image)
    try folder.put("more/x/1.png", image)
    let all = try notes().joined(separator: "\n")
    for name in ["a/notes.txt", "b/.hidden.png", "list.png", "more/"] { #expect(all.contains(name), "\(name)") }
    #expect(!all.contains("._1.png"))
  }

  @Test("a format that ImageFolder reads and that is not read here is told when the folder is opened")
  func otherFormats() throws {
    for place in ["a/1.png", "a/2.png", "b/1.png", "b/2.png"] { try folder.put(place, image) }
    // Contents tell the format, not the name.
    try folder.put("a/3.tif", image)
    #expect(try Dataset.imageFolder(at: folder.path, height: 8, width: 8).train.count == 4)
    try folder.put("b/deep/3.tiff", Array("II*\0".utf8))
    let error = try #require(throws: DatasetError.self) {
      try Dataset.imageFolder(at: folder.path, height: 8, width: 8)
    }
    guard case .undecodable(folder["b/deep/3.tiff"], _) = error else {
      Issue.record(error)
      return
    }
  }

  @Test("whenever it is interrupted, it ends at once") func interruption() throws {
    for place in ["a/x/1.png", "a/2.png", "b/1.png", "b/y/z/2.png"] { try folder.put(place, image) }
    var questions = 0
    _ = try Dataset.imageFolder(at: folder.path, isInterrupted: {
      questions += 1
      return false
    })
    #expect(questions >= 5)
    for last in 1...questions {
      var asked = 0
      #expect(throws: DatasetError.interrupted) {
        try Dataset.imageFolder(at: folder.path, isInterrupted: {
          asked += 1
          return asked >= last
        })
      }
    }
  }

  @Test("a pipe that is called like an image is refused, not waited for") func pipes() throws {
    for place in ["a/1.png", "b/1.png", "b/2.png"] { try folder.put(place, image) }
    #expect(mkfifo(folder["a/2.png"], 0o600) == 0)
    let data = try Dataset.imageFolder(at: folder.path, height: 8, width: 8, validationShare: 0.4)
    let positions = (0..<data.train.count).map { (data.train, $0) } + (0..<data.validation.count).map { (data.validation, $0) }
    let failures = positions.filter { split, position in (try? split.image(at: position)) == nil }
    #expect(failures.count == 1)
  }

  @Test("ImageNet's class folders are gone through as deep, and what lies deep is noticed when it changes")
  func imageNet() throws {
    let names = ["n00000001", "n00000002"]
    for name in names { for part in ["train", "val"] { try folder.put("\(part)/\(name)/deep/er/1.JPEG", image) } }
    var times = 0
    func open() throws(DatasetError) -> Dataset { try folder.openImageNet(size: 8) { times += 1 } }
    #expect(try open().train.labels == [0, 1])
    #expect(try open().validation.labels == [0, 1])
    #expect(times == 1)
    try folder.put("train/n00000001/deep/er/2.JPEG", image)
    #expect(try open().train.labels == [0, 0, 1])
    try folder.put("val/n00000002/deep/other/2.JPEG", image)
    #expect(try open().validation.labels == [0, 1, 1])
    #expect(times == 3)
    try FileManager.default.removeItem(atPath: folder["train/n00000002/deep"])
    #expect(throws: DatasetError.emptyClasses(names: ["n00000002"], path: folder["train"])) { try open() }
  }
}
