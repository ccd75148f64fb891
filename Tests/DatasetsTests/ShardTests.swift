import Datasets
import Foundation
import Tensors
import Testing

/// WebDataset's rules, as `group_by_keys` and `base_plus_ext` of its `tariterators.py` have them.
@Suite("Shards and archives as people pack them") struct ShardTests {
  let folder: TemporaryFolder
  let image: [UInt8]
  init() throws {
    folder = try TemporaryFolder()
    image = try ImageNetGolden.bytes(ImageNetGolden.names[0])
  }

  private func member(_ name: String, _ text: String? = nil, kind: Character = "0") -> TarMember {
    TarMember(name, text.map { Array($0.utf8) } ?? (kind == "0" ? image : []), kind: kind)
  }

  /// The labels of a shard's samples, or its error.
  private func labels(_ members: [TarMember], hasEnd: Bool = true) throws(DatasetError) -> [Int] {
    do { try folder.put("s-val-0.tar", tar(members, hasEnd: hasEnd)) } catch { Issue.record(error) }
    return try folder.openImageNet(size: 8).validation.labels
  }

  private func problem(_ members: [TarMember]) throws -> String {
    let error = try #require(throws: DatasetError.self) { try labels(members) }
    guard case .malformed(_, let problem) = error else { return "\(error)" }
    return problem
  }

  @Test("what macOS, folders and WebDataset's own notes leave behind is no sample")
  func leftBehind() throws {
    #expect(
      try labels([
        member("set/", kind: "5"), member("._000000.jpg", "x"), member("000000.jpg"), member("._000000.cls", "x"),
        member("000000.cls", "3"), member("__MACOSX/._000000.jpg", "x"), member("__meta__", "x"),
        member("set/._000001.jpg", "x"), member("set/000001.jpg"), member("set/000001.cls", "4"),
        member("set/.hidden.jpg", "x"), member("__index__/a.jpg", "x"), member("notes", "x"),
      ]) == [3, 4])
  }

  @Test("a key ends at the first dot of the name's last part, and an image is what stands behind the last one")
  func keys() throws {
    #expect(
      try labels([
        member("a.b/22.00.jpg"), member("a.b/22.00.cls", "1"), member("a.b/23.JPG"), member("a.b/23.CLS", "2"),
        member("a.b/24.seg.png"), member("a.b/24.jpg"), member("a.b/24.json", "{\"label\": 3}"),
        member("a.b/25.Jpeg"), member("a.b/25.cls", " 0\n"),
      ]) == [1, 2, 3, 0])
    let text = try problem([member("22.00.jpg"), member("22.01.jpg"), member("22.cls", "1")])
    #expect(text == "'22.00.jpg' and '22.01.jpg' are images of one sample, '22': WebDataset cuts names at their first dot")
  }

  @Test("files of a sample that do not stand together, or stand there twice, are told")
  func together() throws {
    let apart = try problem([member("a.jpg"), member("b.jpg"), member("a.cls", "0"), member("b.cls", "1")])
    #expect(apart.hasPrefix("'a.jpg' at byte 512 has no label beside it"))
    #expect(try problem([member("a.jpg"), member("a.jpg"), member("a.cls", "0")]).contains("is the second '.jpg' of its sample"))
    #expect(try problem([member("a.jpg"), member("a.cls", "0"), member("a.cls", "1")]).contains("is the second '.cls'"))
    let twice = [member("a.jpg"), member("a.cls", "0"), member("b.jpg"), member("b.cls", "1")]
    #expect(try labels(twice) == [0, 1])
    #expect(try problem(twice + Array(twice[..<2])).hasPrefix("it holds 'a.jpg' twice, at bytes 512 and "))
    #expect(try problem([member("a.cls", "0")]).hasSuffix("contains no images"))
    #expect(try problem([member("a.jpg"), member("a.0.cls", "1"), member("a.1.cls", "2")]).contains("another than the one before"))
  }

  @Test("links called like images are told, others passed over") func links() throws {
    for kind in ["1", "2"] as [Character] {
      #expect(try problem([member("a.jpg", kind: kind), member("a.cls", "0")]).contains("is a link"))
      #expect(try labels([member("notes.txt", kind: kind), member("a.jpg"), member("a.cls", "0")]) == [0])
    }
  }

  @Test("a second archive behind the end mark is told, and what fills up the first is not") func behind() throws {
    let first = tar([member("a.jpg"), member("a.cls", "0")])
    try folder.put("s-val-0.tar", first + [UInt8](repeating: 0, count: 9 * 1024) + [1, 2, 3])
    #expect(try folder.openImageNet(size: 8).validation.labels == [0])
    try folder.put("s-val-0.tar", first + first)
    let error = try #require(throws: DatasetError.self) { try folder.openImageNet(size: 8) }
    #expect("\(error)".contains("another archive begins here"))
  }

  @Test("an archive of archives or images that holds one twice is refused, with both places") func twice() throws {
    let inner = tar([member("x.JPEG")])
    func write(_ members: [TarMember]) throws {
      try folder.put("ILSVRC2012_img_train.tar", tar(members))
      try folder.put("ILSVRC2012_img_val.tar", tar([member("v.JPEG")]))
      try folder.put("val.txt", "v.JPEG 0\n")
    }
    try write([TarMember("n00000001.tar", inner), TarMember("n00000002.tar", inner)])
    #expect(try folder.openImageNet(size: 8).train.labels == [0, 1])
    let second = 512 + (inner.count + 511) / 512 * 512 + 512
    for name in ["n00000001.tar", "more/n00000001.tar"] {
      try write([TarMember("n00000001.tar", inner), TarMember(name, inner)])
      #expect(
        throws: DatasetError.malformed(
          path: folder["ILSVRC2012_img_train.tar"], problem: "it holds 'n00000001' twice, at bytes 512 and \(second)")
      ) { try folder.openImageNet(size: 8) }
    }
    try write([TarMember("n00000001.tar", inner)])
    try folder.put("ILSVRC2012_img_val.tar", tar([member("v.JPEG"), member("v.JPEG")]))
    #expect(throws: DatasetError.self) { try folder.openImageNet(size: 8) }
  }
}

@Suite("Files of labels as people write them") struct LabelFileTests {
  let folder: TemporaryFolder
  init() throws {
    folder = try TemporaryFolder()
    let image = try ImageNetGolden.bytes(ImageNetGolden.names[0])
    for name in ["a.JPEG", "b b.JPEG", "c.00.JPEG", "c.01.JPEG"] { try folder.put("val/\(name)", image) }
  }

  private func labels(_ file: String, _ text: String) throws -> [Int] {
    for other in ["val.txt", "synset_labels.txt", "LOC_val_solution.csv"] {
      try? FileManager.default.removeItem(atPath: folder[other])
    }
    try folder.put(file, text)
    return try folder.openImageNet(size: 8).validation.labels
  }

  private func problem(_ file: String, _ text: String) throws -> String {
    let error = try #require(throws: DatasetError.self) { try labels(file, text) }
    guard case .malformed(folder[file], let problem) = error else { return "\(error)" }
    return problem
  }

  private static let lines = ["a.JPEG 0", "b b.JPEG 1", "x/c.00.JPEG\t2", "c.01 3"]

  @Test(
    "marks of UTF-8, ends of lines of every system, empty lines and spaces change nothing",
    arguments: ["", "\u{FEFF}"], ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n \r\n", "  \n"])
  func lines(_ mark: String, _ end: String) throws {
    for last in ["", end] {
      #expect(try labels("val.txt", mark + Self.lines.joined(separator: end) + last) == [0, 1, 2, 3])
      let names = ["n00000001", "n00000002", "n00000003", "n00000002"]
      #expect(try labels("synset_labels.txt", mark + names.joined(separator: end) + last) == [0, 1, 2, 1])
      let rows = zip(["a", "b b", "c.00", "c.01"], names).map { "\($0),\($1) 1 2 3 4 " }
      let table = mark + (["ImageId,PredictionString"] + rows).joined(separator: end) + last
      #expect(try labels("LOC_val_solution.csv", table) == [0, 1, 2, 1])
    }
  }

  @Test("fields in quotes are read as RFC 4180 has them") func quotes() throws {
    let table = """
      "ImageId","PredictionString"\r
      "a","n00000001 1 2 3 4 n00000001 5 6 7 8"\r
      b b , n00000002 1 2 3 4\r
      "c.00.JPEG","n00000003\r
      1 2 3 4"\r
      c.01,"n00000002"
      """
    #expect(try labels("LOC_val_solution.csv", table) == [0, 1, 2, 1])
    #expect(try problem("LOC_val_solution.csv", "a,\"n00000001\nb b,n00000002") == "line 1: a quote does not end")
    #expect(try problem("LOC_val_solution.csv", "a,\"n0\" x") == "line 1: something follows a quoted field")
    #expect(try problem("LOC_val_solution.csv", "\n\na,n00000001,3").hasPrefix("line 3: 'a,n00000001,3' is not"))
  }

  @Test("an image with two labels is told with both lines, and the same label twice is none")
  func twoLabels() throws {
    let text = Self.lines.joined(separator: "\n")
    #expect(try labels("val.txt", text + "\na.JPEG 0") == [0, 1, 2, 3])
    #expect(try problem("val.txt", text + "\n\na.JPEG 2") == "a.JPEG has two labels: 0 in line 1 and 2 in line 6")
    #expect(
      try problem("LOC_val_solution.csv", "a,n00000001\na,n00000002\n")
        == "a has two labels: n00000001 in line 1 and n00000002 in line 2")
  }

  @Test("an image that is not there, one without a label, and what is no label are told")
  func unknown() throws {
    let text = Self.lines.joined(separator: "\n")
    #expect(try problem("val.txt", text + "\nd.JPEG 0\ne 1").hasPrefix("line 5 labels d.JPEG, which \(folder.path)/val does not hold; 1 more"))
    #expect(try problem("val.txt", "a.JPEG 0") == "it has no label for b b.JPEG")
    #expect(try problem("val.txt", "a.JPEG x") == "line 1: 'x' is no label")
    #expect(try problem("val.txt", "\n7") == "line 2: '7' is not an image's name and its label")
    #expect(try problem("val.txt", "\n \r\n") == "it is empty")
    try folder.put("val.txt", [0xFF, 0xFE, 0x61, 0])
    let error = try #require(throws: DatasetError.self) { try folder.openImageNet(size: 8) }
    #expect("\(error)".contains("UTF-16"))
  }
}
