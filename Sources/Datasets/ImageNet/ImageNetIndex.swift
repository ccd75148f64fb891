import Foundation
import Tensors

/// All that is known of an ImageNet without decoding an image.
struct ImageNetIndex: Hashable, Sendable {
  /// WordNet numbers in the order of labels; where nothing tells them, the labels themselves.
  var classes: [String] = []
  var train = ImageIndex()
  var validation = ImageIndex()
  /// Folders inside of class folders, which it follows from as well.
  var nested: [FileStamp] = []
}

extension ImageNetIndex {
  /// Goes through all folders or archives of a layout.
  /// - Parameter isInterrupted: Asked before each folder, each member of an archive and each image.
  /// - Throws: `DatasetError`.
  init(of layout: ImageNetLayout, isInterrupted: () -> Bool) throws(DatasetError) {
    let train = try layout.train.map { (part) throws(DatasetError) in try Contents(of: part, layout, isInterrupted) }
    let validation = try Contents(of: layout.validation, layout, isInterrupted)
    let listed = try LabelFile.classes(of: layout)
    func bound(_ marks: [LabelFile.Label]) -> Int {
      marks.reduce(0) { if case .number(let number) = $1 { max($0, min(number, Int(Int32.max) - 1) + 1) } else { $0 } }
    }
    let names = Set(validation.marks.compactMap { if case .name(let name) = $0 { name } else { nil } })
    let most = max(bound(train?.marks ?? []), bound(validation.marks))
    guard most <= 1 << 20 else {
      throw .malformed(path: layout.root, problem: "it has the label \(most - 1), which no set of classes has")
    }
    classes =
      if let own = train?.classes {
        own
      } else if let listed {
        listed
      } else if let own = validation.classes {
        own
      } else if most > 0 || names.isEmpty {
        (0..<most).map(String.init)
      } else {
        names.sorted()
      }
    nested = (train?.nested ?? []) + validation.nested
    let places = Dictionary(classes.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    func index(_ contents: Contents) throws(DatasetError) -> ImageIndex {
      var index = ImageIndex(archives: contents.archives)
      for (position, entry) in contents.entries.enumerated() {
        try DatasetError.check(isInterrupted)
        let label: Int
        switch contents.marks[position] {
        case .number(let number):
          guard classes.indices.contains(number) else {
            throw .labelOutOfRange(
              path: "\(layout.root)/\(contents.labelPath)", index: position, label: number, classCount: classes.count)
          }
          label = number
        case .name(let name):
          guard let place = places[name] else {
            throw .unknownClass(name: name, path: "\(layout.root)/\(contents.labelPath)")
          }
          label = place
        }
        index.append(entry, label: label)
      }
      return index
    }
    if let train { self.train = try index(train) }
    self.validation = try index(validation)
  }
}

/// The images of a part, and what is said of each.
private struct Contents {
  var archives: [FileStamp] = []
  var entries: [ImageEntry] = []
  var marks: [LabelFile.Label] = []
  /// The classes that the part itself names, in order; nil where its labels are numbers or elsewhere.
  var classes: [String]?
  /// The file or folder that says the labels.
  var labelPath = ""
  /// Folders inside of class folders.
  var nested: [FileStamp] = []

  init(of part: ImageNetLayout.Part, _ layout: ImageNetLayout, _ isInterrupted: () -> Bool) throws(DatasetError) {
    let root = layout.root
    switch part {
    case .classFolders(let folder, let names):
      labelPath = folder
      var empty: [String] = []
      for name in names {
        try DatasetError.check(isInterrupted)
        let tree = try ImageTree(at: "\(root)/\(folder)/\(name)", isInterrupted)
        if tree.images.isEmpty { empty.append(name) }
        nested += try tree.folders.map { (inner) throws(DatasetError) in
          try FileStamp("\(folder)/\(name)/\(inner)", below: root)
        }
        add(tree.images.map { ImageEntry(name: "\(folder)/\(name)/\($0)") }, as: name)
      }
      guard empty.isEmpty || entries.isEmpty else { throw .emptyClasses(names: empty, path: "\(root)/\(folder)") }
    case .images(let folder):
      try label(
        try ImageTree.contents(of: "\(root)/\(folder)").filter { !$0.isFolder && isImage($0.name) }
          .map { ImageEntry(name: "\(folder)/\($0.name)") }, in: folder, by: layout)
    case .nestedArchive(let path):
      labelPath = path
      archives = [try FileStamp(path, below: root)]
      var members: [TarReader.Member] = []
      var outer = try TarReader("\(root)/\(path)")
      while let member = try outer.next() {
        try DatasetError.check(isInterrupted)
        if member.name.hasSuffix(".tar"), !member.isLeftBehind { members.append(member) }
      }
      try Self.requireDifferent(members.map { (Self.className($0.name), $0.offset) }, in: "\(root)/\(path)")
      members.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      for member in members {
        var reader = try TarReader("\(root)/\(path)", member: member)
        let images = try Self.images(of: &reader, archive: 0, isInterrupted)
        add(images.sortedByName(), as: Self.className(member.name))
      }
    case .classArchives(let paths):
      labelPath = String(paths[0].prefix { $0 != "/" })
      for path in paths {
        archives.append(try FileStamp(path, below: root))
        var reader = try TarReader("\(root)/\(path)")
        let images = try Self.images(of: &reader, archive: archives.count - 1, isInterrupted)
        add(images.sortedByName(), as: Self.className(path))
      }
    case .archive(let path):
      archives = [try FileStamp(path, below: root)]
      var reader = try TarReader("\(root)/\(path)")
      try label(try Self.images(of: &reader, archive: 0, isInterrupted).sortedByName(), in: path, by: layout)
    case .shards(let paths):
      labelPath = paths[0]
      for path in paths {
        archives.append(try FileStamp(path, below: root))
        let begin = entries.count
        var shard = try Shard("\(root)/\(path)", archive: archives.count - 1)
        while let (entry, label) = try shard.next() {
          try DatasetError.check(isInterrupted)
          entries.append(entry)
          marks.append(.number(label))
        }
        try Self.requireDifferent(entries[begin...].map { ($0.name, $0.offset) }, in: "\(root)/\(path)")
      }
    }
    guard !entries.isEmpty else { throw .empty(path: "\(root)/\(labelPath)") }
  }

  private static func className(_ path: String) -> String {
    String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...].dropLast(4))
  }

  private mutating func add(_ images: [ImageEntry], as name: String) {
    guard !images.isEmpty else { return }
    classes = (classes ?? []) + [name]
    entries += images
    marks += repeatElement(.name(name), count: images.count)
  }

  private mutating func label(_ images: [ImageEntry], in title: String, by layout: ImageNetLayout)
    throws(DatasetError)
  {
    guard !images.isEmpty else { throw .empty(path: "\(layout.root)/\(title)") }
    let file = try LabelFile(of: layout)
    labelPath = file.path
    entries = images
    marks = try file.labels(of: images, in: title)
  }

  private static func images(of reader: inout TarReader, archive: Int, _ isInterrupted: () -> Bool)
    throws(DatasetError) -> [ImageEntry]
  {
    var entries: [ImageEntry] = []
    while let member = try reader.next() {
      try DatasetError.check(isInterrupted)
      let entry = ImageEntry(name: member.name, archive: archive, offset: member.offset, length: member.length)
      if isImage(member.name), !member.isLeftBehind { entries.append(entry) }
    }
    try requireDifferent(entries.map { ($0.name, $0.offset) }, in: reader.title)
    return entries
  }

  /// - Throws: `DatasetError.malformed` where a name occurs twice: unpacking would leave one of them.
  private static func requireDifferent(_ members: [(name: String, offset: Int)], in path: String) throws(DatasetError) {
    var offsets: [String: Int] = [:]
    offsets.reserveCapacity(members.count)
    for (name, offset) in members {
      if let first = offsets.updateValue(offset, forKey: name) {
        throw .malformed(path: path, problem: "it holds '\(name)' twice, at bytes \(first) and \(offset)")
      }
    }
  }
}

/// Goes through the samples of one of WebDataset's tar files: members that are called alike up to the first dot of their
/// last part stand together. What is behind that dot tells what each is: one is the image, and `cls` or `json` has its
/// label.
///
/// Source: `group_by_keys` and `base_plus_ext` of WebDataset's `tariterators.py`. There `a/22.00.jpg` is the `00.jpg` of the
/// sample `a/22`, and is decoded as what stands behind the last dot; so it is here.
private struct Shard: ~Copyable {
  private let path: String
  private let archive: Int
  private var reader: TarReader
  private var ahead: (member: TarReader.Member, key: Substring, ending: String)?

  init(_ path: String, archive: Int) throws(DatasetError) {
    // Whole before it is kept: a value with one owner cannot be made in part.
    var reader = try TarReader(path)
    ahead = try Self.next(&reader)
    self.reader = reader
    (self.path, self.archive) = (path, archive)
  }

  /// The endings of images, those that count first where a sample has several.
  private static let images = [
    "jpg", "jpeg", "png", "webp", "ppm", "pgm", "pbm", "pnm", "bmp", "gif", "tif", "tiff",
  ]

  /// The next member that belongs to a sample, with its key and ending: the name is cut at the first dot behind the last
  /// slash.
  private static func next(
    _ reader: inout TarReader
  ) throws(DatasetError) -> (member: TarReader.Member, key: Substring, ending: String)? {
    while let member = try reader.next() {
      guard !member.isLeftBehind else { continue }
      let name = member.name
      let start = name.lastIndex(of: "/").map(name.index(after:)) ?? name.startIndex
      guard let dot = name[start...].firstIndex(of: ".") else { continue }
      return (member, name[..<dot], name[name.index(after: dot)...].lowercased())
    }
    return nil
  }

  /// What stands behind the last dot of an ending.
  private static func kind(_ ending: String) -> Substring { ending.split(separator: ".").last ?? "" }

  mutating func next() throws(DatasetError) -> (ImageEntry, Int)? {
    while let first = ahead {
      var members: [String: TarReader.Member] = [:]
      var (number, numberInJSON): (Int?, Int?)
      while let (member, key, ending) = ahead, key == first.key {
        if let other = members.updateValue(member, forKey: ending) {
          throw .malformed(
            path: path,
            problem: "'\(member.name)' at byte \(member.offset) is the second '.\(ending)' of its sample: "
              + "'\(other.name)' at byte \(other.offset) is the first")
        }
        switch Self.kind(ending) {
        case "cls":
          let text = String(decoding: try reader.contents(of: member), as: UTF8.self).filter { !$0.isWhitespace }
          guard let label = Int(text), number == nil || number == label else {
            throw .malformed(
              path: path,
              problem: "'\(member.name)' at byte \(member.offset) holds no label"
                + (number == nil ? "" : ", or another than the one before it"))
          }
          number = label
        case "json":
          let object = try? JSONSerialization.jsonObject(with: Data(try reader.contents(of: member)))
          numberInJSON = numberInJSON ?? (object as? [String: Any])?["label"] as? Int
        default: break
        }
        ahead = try Self.next(&reader)
      }
      guard let image = try image(of: first.key, members) else { continue }
      guard let label = number ?? numberInJSON else {
        throw .malformed(
          path: path,
          problem: "'\(image.name)' at byte \(image.offset) has no label beside it: neither .cls nor .json with one")
      }
      return (
        ImageEntry(name: image.name, archive: archive, offset: image.offset, length: image.length), label
      )
    }
    return nil
  }

  /// The image of a sample: by its whole ending, else the one that ends so.
  private func image(
    of key: Substring, _ members: [String: TarReader.Member]
  ) throws(DatasetError) -> TarReader.Member? {
    for ending in Self.images { if let member = members[ending] { return member } }
    let others = members.filter { Self.images.contains(String(Self.kind($0.key))) }.values
      .sorted { $0.offset < $1.offset }
    guard others.count < 2 else {
      throw .malformed(
        path: path,
        problem: "'\(others[0].name)' and '\(others[1].name)' are images of one sample, '\(key)': "
          + "WebDataset cuts names at their first dot")
    }
    return others.first
  }
}
