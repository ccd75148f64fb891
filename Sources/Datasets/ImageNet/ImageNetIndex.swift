import Foundation
import Tensors

/// All that is known of an ImageNet without decoding a picture.
struct ImageNetIndex: Hashable, Sendable {
  /// WordNet numbers in the order of labels; where nothing tells them, the labels themselves.
  var classes: [String] = []
  var train = PictureIndex()
  var validation = PictureIndex()
}

extension ImageNetIndex {
  /// Goes through all folders or archives of a layout.
  /// - Parameter isInterrupted: Asked before each folder, each member of an archive and each picture.
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
    let places = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    func index(_ contents: Contents) throws(DatasetError) -> PictureIndex {
      var index = PictureIndex(archives: contents.archives)
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

/// The pictures of a part, and what is said of each.
private struct Contents {
  var archives: [FileStamp] = []
  var entries: [PictureEntry] = []
  var marks: [LabelFile.Label] = []
  /// The classes that the part itself names, in order; nil where its labels are numbers or elsewhere.
  var classes: [String]?
  /// The file or folder that says the labels.
  var labelPath = ""

  init(of part: ImageNetLayout.Part, _ layout: ImageNetLayout, _ isInterrupted: () -> Bool) throws(DatasetError) {
    let root = layout.root
    switch part {
    case .classFolders(let folder, let names):
      labelPath = folder
      for name in names {
        try DatasetError.check(isInterrupted)
        let pictures = try sortedNames(in: "\(root)/\(folder)/\(name)").filter(isPicture)
        add(pictures.map { PictureEntry(name: "\(folder)/\(name)/\($0)") }, as: name)
      }
    case .pictures(let folder):
      try label(
        try sortedNames(in: "\(root)/\(folder)").filter(isPicture).map { PictureEntry(name: "\(folder)/\($0)") },
        in: folder, by: layout)
    case .nestedArchive(let path):
      labelPath = path
      archives = [try FileStamp(path, below: root)]
      var members: [TarReader.Member] = []
      var outer = try TarReader("\(root)/\(path)")
      while let member = try outer.next() {
        try DatasetError.check(isInterrupted)
        if member.name.hasSuffix(".tar") { members.append(member) }
      }
      members.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      for member in members {
        var reader = try TarReader("\(root)/\(path)", member: member)
        let pictures = try Self.pictures(of: &reader, archive: 0, isInterrupted)
        add(pictures.sortedByName(), as: Self.className(member.name))
      }
    case .classArchives(let paths):
      labelPath = String(paths[0].prefix { $0 != "/" })
      for path in paths {
        archives.append(try FileStamp(path, below: root))
        var reader = try TarReader("\(root)/\(path)")
        let pictures = try Self.pictures(of: &reader, archive: archives.count - 1, isInterrupted)
        add(pictures.sortedByName(), as: Self.className(path))
      }
    case .archive(let path):
      archives = [try FileStamp(path, below: root)]
      var reader = try TarReader("\(root)/\(path)")
      try label(try Self.pictures(of: &reader, archive: 0, isInterrupted).sortedByName(), in: path, by: layout)
    case .shards(let paths):
      labelPath = paths[0]
      for path in paths {
        archives.append(try FileStamp(path, below: root))
        var shard = try Shard("\(root)/\(path)", archive: archives.count - 1)
        while let (entry, label) = try shard.next() {
          try DatasetError.check(isInterrupted)
          entries.append(entry)
          marks.append(.number(label))
        }
      }
    }
    guard !entries.isEmpty else { throw .empty(path: "\(root)/\(labelPath)") }
  }

  private static func className(_ path: String) -> String {
    String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...].dropLast(4))
  }

  private mutating func add(_ pictures: [PictureEntry], as name: String) {
    guard !pictures.isEmpty else { return }
    classes = (classes ?? []) + [name]
    entries += pictures
    marks += repeatElement(.name(name), count: pictures.count)
  }

  private mutating func label(_ pictures: [PictureEntry], in title: String, by layout: ImageNetLayout)
    throws(DatasetError)
  {
    guard !pictures.isEmpty else { throw .empty(path: "\(layout.root)/\(title)") }
    let file = try LabelFile(of: layout)
    labelPath = file.path
    entries = pictures
    marks = try file.labels(of: pictures, in: title)
  }

  private static func pictures(of reader: inout TarReader, archive: Int, _ isInterrupted: () -> Bool)
    throws(DatasetError) -> [PictureEntry]
  {
    var entries: [PictureEntry] = []
    while let member = try reader.next() {
      try DatasetError.check(isInterrupted)
      let entry = PictureEntry(name: member.name, archive: archive, offset: member.offset, length: member.length)
      if isPicture(member.name), !entry.fileName.hasPrefix(".") { entries.append(entry) }
    }
    return entries
  }
}

/// Goes through the samples of one of WebDataset's tar files: members that are called alike up to the first dot stand
/// together, one is the picture, and `cls` or `json` has its label.
private struct Shard: ~Copyable {
  private let path: String
  private let archive: Int
  private var reader: TarReader
  private var ahead: TarReader.Member?

  init(_ path: String, archive: Int) throws(DatasetError) {
    // Whole before it is kept: a value with one owner cannot be made in part.
    var reader = try TarReader(path)
    ahead = try reader.next()
    self.reader = reader
    (self.path, self.archive) = (path, archive)
  }

  /// Key and ending: the name is cut at the first dot behind the last slash.
  private static func parts(_ name: String) -> (key: Substring, ending: String) {
    let start = name.lastIndex(of: "/").map(name.index(after:)) ?? name.startIndex
    guard let dot = name[start...].firstIndex(of: ".") else { return (name[...], "") }
    return (name[..<dot], name[name.index(after: dot)...].lowercased())
  }

  mutating func next() throws(DatasetError) -> (PictureEntry, Int)? {
    while let first = ahead {
      let key = Self.parts(first.name).key
      var picture: TarReader.Member?
      var (number, numberInJSON): (Int?, Int?)
      while let member = ahead, Self.parts(member.name).key == key {
        switch Self.parts(member.name).ending {
        case "jpg", "jpeg", "png", "webp": picture = member
        case "cls":
          let text = String(decoding: try reader.contents(of: member), as: UTF8.self).filter { !$0.isWhitespace }
          guard let label = Int(text) else {
            throw .malformed(path: path, problem: "'\(member.name)' at byte \(member.offset) holds no label")
          }
          number = label
        case "json":
          let object = try? JSONSerialization.jsonObject(with: Data(try reader.contents(of: member)))
          numberInJSON = (object as? [String: Any])?["label"] as? Int
        default: break
        }
        ahead = try reader.next()
      }
      guard let picture else { continue }
      guard let label = number ?? numberInJSON else {
        throw .malformed(
          path: path,
          problem: "'\(picture.name)' at byte \(picture.offset) has no label: neither .cls nor .json with one")
      }
      return (
        PictureEntry(name: picture.name, archive: archive, offset: picture.offset, length: picture.length), label
      )
    }
    return nil
  }
}
