import Datasets
import Foundation
import Tensors
import Testing

/// What is wrong with a set is told.
extension ImageNetTests {
  @Test("a set without images, labels or an order of classes is explained")
  func missing() throws {
    let path = folder.path
    #expect(throws: DatasetError.missing(path: path + "/x", package: nil)) { try Dataset.imageNet(at: path + "/x") }
    #expect(throws: DatasetError.notImageNet(path: path)) { try folder.openImageNet() }
    try FileManager.default.createDirectory(atPath: folder["val/n01440764"], withIntermediateDirectories: true)
    #expect(throws: DatasetError.empty(path: path + "/val")) { try folder.openImageNet() }
    try FileManager.default.removeItem(atPath: folder["val"])
    let image = try ImageNetGolden.bytes(ImageNetGolden.names[0])
    try folder.put("val/a.JPEG", image)
    try folder.put("val/b.JPEG", image)
    #expect(throws: DatasetError.noLabels(path: path)) { try folder.openImageNet() }
    try folder.put("ILSVRC2012_validation_ground_truth.txt", "1\n2\n")
    #expect(
      throws: DatasetError.noClassNumbers(path: path + "/ILSVRC2012_validation_ground_truth.txt")
    ) { try folder.openImageNet() }
    try folder.put("map_clsloc.txt", "n00000007 1 a\nn00000003 3 b\n")
    let truth = path + "/ILSVRC2012_validation_ground_truth.txt"
    #expect(throws: DatasetError.malformed(path: truth, problem: "it has the number 2, which map_clsloc.txt does not"))
    {
      try folder.openImageNet()
    }
    try folder.put("ILSVRC2012_validation_ground_truth.txt", "1\n3\n1\n")
    #expect(
      throws: DatasetError.countsDiffer(images: path + "/val", imageCount: 2, labels: truth, labelCount: 3)
    ) { try folder.openImageNet() }
    try folder.put("ILSVRC2012_validation_ground_truth.txt", "1\n3\n")
    let data = try folder.openImageNet()
    // By WordNet number, not by the kit's.
    #expect(data.classes == ["n00000003", "n00000007"] && data.validation.labels == [1, 0])
    try folder.put("val.txt", "a.JPEG 0\n")
    #expect(throws: DatasetError.malformed(path: path + "/val.txt", problem: "it has no label for b.JPEG")) {
      try folder.openImageNet()
    }
    try folder.put("val.txt", "a.JPEG 0\nb.JPEG 2\n")
    #expect(
      throws: DatasetError.labelOutOfRange(path: path + "/val.txt", index: 1, label: 2, classCount: 2)
    ) { try folder.openImageNet() }
    try folder.put("val.txt", "a.JPEG n00000003\nb.JPEG n00000004\n")
    #expect(throws: DatasetError.unknownClass(name: "n00000004", path: path + "/val.txt")) { try folder.openImageNet() }
    try folder.put("val.txt", "a.JPEG\n")
    #expect(throws: DatasetError.self) { try folder.openImageNet() }
  }

  @Test("the development kit's own table tells which number is which class", arguments: ["meta", "meta-plain"])
  func matlab(_ name: String) throws {
    let bytes = try readFile(golden("\(name).mat"), limit: 1 << 20)
    // As `Goldens/meta.py` numbers them.
    let numbers = [4, 2, 1, 3]
    for (name, label) in zip(ImageNetGolden.names, ImageNetGolden.labels) {
      try folder.put("train/\(ImageNetGolden.wordNetNumbers[label])/\(name)", try ImageNetGolden.bytes(name))
      try folder.put("val/\(name)", try ImageNetGolden.bytes(name))
    }
    let place = "ILSVRC2012_devkit_t12/data/"
    try folder.put(
      place + "ILSVRC2012_validation_ground_truth.txt", ImageNetGolden.labels.map { "\(numbers[$0])\n" }.joined())
    try folder.put(place + "meta.mat", bytes)
    #expect(try folder.openImageNet().validation.labels == ImageNetGolden.labels)
    // Whatever the bytes are, it is an answer.
    for sample in 0..<400 {
      var random = RandomKey(seed: 6, for: .script, sample: sample).generator()
      var changed = Array(bytes.prefix(sample % 2 == 0 ? bytes.count : random.integer(below: bytes.count)))
      for _ in 0..<3 where !changed.isEmpty {
        changed[random.integer(below: changed.count)] = UInt8(random.integer(below: 256))
      }
      try folder.put(place + "meta.mat", changed)
      do throws(DatasetError) { _ = try folder.openImageNet() } catch { #expect(!"\(error)".isEmpty) }
    }
    try folder.put(place + "meta.mat", Array("MATLAB 7.3".utf8))
    #expect(
      throws: DatasetError.malformed(
        path: folder[place + "meta.mat"], problem: "this is no level 5 MAT-file, as MATLAB 5 to 7 write them")
    ) { try folder.openImageNet() }
  }

  @Test("a damaged archive is named with the place")
  func damagedArchives() throws {
    let image = try ImageNetGolden.bytes(ImageNetGolden.names[0])
    let members = [TarMember("a.JPEG", image), TarMember("b.JPEG", image)]
    let whole = tar(members)
    let second = 512 + (image.count + 511) / 512 * 512
    let path = folder["ILSVRC2012_img_val.tar"]
    try folder.put("val.txt", "a 0\nb 0\n")
    func problem(_ bytes: [UInt8]) throws -> String {
      _ = try folder.file("ILSVRC2012_img_val.tar", bytes)
      let error = try #require(throws: DatasetError.self) { try folder.openImageNet() }
      guard case .malformed(path, let problem) = error else { return "\(error)" }
      return problem
    }
    #expect(
      try problem(Array(whole.prefix(second + 600)))
        == "at byte \(second): 'b.JPEG' has \(image.count) bytes, 88 are left: the archive was cut off")
    #expect(try problem(Array(whole.prefix(second + 100))).hasPrefix("at byte \(second): the archive ends without"))
    #expect(try problem(tar(members, hasEnd: false)).contains("the archive ends without an end mark"))
    var broken = whole
    broken[second + 3] ^= 1
    #expect(try problem(broken) == "at byte \(second): no header of a tar file stands here")
    #expect(try problem(gzip(whole)).contains("this is gzip"))
    #expect(try problem(tar([TarMember("a.JPEG", image, kind: "S")])).contains("sparse"))
    #expect(
      try problem(tar([TarMember("a.JPEG", image, isBase256: true, claimedSize: 1 << 62)])).contains("no number"))
    #expect(try problem(tar([TarMember("notes", [1])])) == "\(path) contains no images")
    for sample in 0..<300 {
      var random = RandomKey(seed: 5, for: .script, sample: sample).generator()
      var bytes = whole
      for _ in 0..<3 {
        let place = (random.integer(below: 2) * second) + random.integer(below: 512)
        bytes[place] = UInt8(random.integer(below: 256))
      }
      _ = try folder.file("ILSVRC2012_img_val.tar", Array(bytes.prefix(random.integer(below: bytes.count) + 1)))
      do throws(DatasetError) { _ = try folder.openImageNet() } catch { #expect(!"\(error)".isEmpty) }
    }
  }

  @Test("a shard that does not exist, or a sample without a label, is named")
  func shards() throws {
    let image = try ImageNetGolden.bytes(ImageNetGolden.names[0])
    let shard = tar([TarMember("a.jpg", image), TarMember("a.cls", Array("0".utf8))])
    try folder.put("i-val-000000.tar", shard)
    try folder.put("i-val-000002.tar", shard)
    #expect(
      throws: DatasetError.malformed(
        path: folder["i-val-000002.tar"], problem: "the shard 1 before it does not exist; i-val-000000.tar is")
    ) { try folder.openImageNet() }
    try folder.put("i-val-000001.tar", tar([TarMember("a.jpg", image), TarMember("b.cls", Array("0".utf8))]))
    #expect(
      throws: DatasetError.malformed(
        path: folder["i-val-000001.tar"],
        problem: "'a.jpg' at byte 512 has no label beside it: neither .cls nor .json with one")
    ) { try folder.openImageNet() }
    try folder.put("i-val-000001.tar", tar([TarMember("a.jpg", image), TarMember("a.cls", Array("x".utf8))]))
    #expect(throws: DatasetError.self) { try folder.openImageNet() }
    try folder.put("i-val-000001.tar", tar([TarMember("a.jpg", image), TarMember("a.cls", Array("1".utf8))]))
    #expect(try folder.openImageNet().validation.labels == [0, 1, 0])
    // A subset of classes is still counted by their list.
    try folder.put("synsets.txt", "n00000001\n")
    #expect(
      throws: DatasetError.labelOutOfRange(path: folder["i-val-000000.tar"], index: 1, label: 1, classCount: 1)
    ) { try folder.openImageNet() }
  }

  @Test("an image that ends early is named, whole or inside of an archive")
  func brokenImage() throws {
    let whole = try ImageNetGolden.bytes(ImageNetGolden.names[0])
    for share in [0.2, 0.7, 0.98] {
      let cut = Array(whole.prefix(Int(Double(whole.count) * share)))
      let folder = try TemporaryFolder()
      try folder.put("val/n00000001/a.JPEG", cut)
      let path = folder["val/n00000001/a.JPEG"]
      let error = try #require(throws: DatasetError.self) {
        try folder.openImageNet().validation.image(at: 0)
      }
      guard case .undecodable(path, _) = error else {
        Issue.record(error)
        continue
      }
      #expect(error.hint?.contains("fetch the file again") == true)
      let archive = try TemporaryFolder()
      try archive.put("i-val-0.tar", tar([TarMember("k/a.jpg", cut), TarMember("k/a.cls", Array("0".utf8))]))
      let inside = try #require(throws: DatasetError.self) {
        try archive.openImageNet().validation.image(at: 0)
      }
      guard case .undecodable(archive["i-val-0.tar/k/a.jpg"], _) = inside else {
        Issue.record(inside)
        continue
      }
    }
  }
}
