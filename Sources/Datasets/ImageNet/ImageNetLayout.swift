/// In which of its forms ImageNet lies in a folder.
struct ImageNetLayout {
  /// How a part lies. Paths are below the root.
  enum Part: Hashable {
    /// A folder with a subfolder for each class.
    case classFolders(String, [String])
    /// A folder of images; a file elsewhere has their labels.
    case images(String)
    /// A tar file of tar files, one for each class, called by its WordNet number.
    case nestedArchive(String)
    /// Tar files, one for each class.
    case classArchives([String])
    /// A tar file of images; a file elsewhere has their labels.
    case archive(String)
    /// WebDataset's tar files, in the order of their names.
    case shards([String])
  }

  let root: String
  /// Nil where there is nothing to train on.
  let train: Part?
  let validation: Part
  /// Where files with labels and class names may lie.
  let labelFolders: [String]

  /// - Throws: `DatasetError.missing`, `.notAFolder`, `.unreadable`, `.interrupted`, `.notImageNet` where nothing to
  ///   measure on is found.
  init(at root: String, isInterrupted: () -> Bool) throws(DatasetError) {
    try requireFolder(root)
    self.root = root
    // As the download from Kaggle unpacks.
    let base = isFolder("\(root)/ILSVRC/Data/CLS-LOC") ? "ILSVRC/Data/CLS-LOC/" : ""
    let names = try sortedNames(in: "\(root)/\(base)")
    var (train, validation): (Part?, Part?)
    for name in names where isFolder("\(root)/\(base)\(name)") {
      if name == "train" { train = try Self.part(in: base + name, of: root, isInterrupted) }
      if ["val", "validation"].contains(name), validation == nil {
        validation = try Self.part(in: base + name, of: root, isInterrupted)
      }
    }
    let archives = names.filter { $0.hasSuffix(".tar") && !isFolder("\(root)/\(base)\($0)") }
    if train == nil, archives.contains("ILSVRC2012_img_train.tar") {
      train = .nestedArchive(base + "ILSVRC2012_img_train.tar")
    }
    if validation == nil, archives.contains("ILSVRC2012_img_val.tar") {
      validation = .archive(base + "ILSVRC2012_img_val.tar")
    }
    func shards(_ word: String) throws(DatasetError) -> Part? {
      let own = archives.filter { !$0.hasPrefix("ILSVRC2012_img_") && Self.shardNumber($0) != nil && $0.contains(word) }
      return own.isEmpty ? nil : .shards(try Self.complete(own.map { base + $0 }, of: root))
    }
    if train == nil { train = try shards("train") }
    if validation == nil { validation = try shards("val") }
    guard let validation else { throw .notImageNet(path: root) }
    (self.train, self.validation) = (train, validation)
    let own =
      isFolder("\(root)/\(base)val")
      ? ["\(base)val/"] : isFolder("\(root)/\(base)validation") ? ["\(base)validation/"] : []
    let folders = ["", base] + own + ["ILSVRC2012_devkit_t12/data/", "devkit/data/", "data/", "labels/"]
    labelFolders = folders.enumerated().filter { place, folder in
      !folders[..<place].contains(folder) && isFolder("\(root)/\(folder)")
    }.map(\.element)
  }

  /// What a folder `train/` or `val/` holds; nil where it holds none of it.
  private static func part(in folder: String, of root: String, _ isInterrupted: () -> Bool) throws(DatasetError)
    -> Part?
  {
    var subfolders: [String] = []
    var hasImages = false
    var archives: [String] = []
    for entry in try ImageTree.contents(of: "\(root)/\(folder)") {
      try DatasetError.check(isInterrupted)
      if entry.isFolder {
        subfolders.append(entry.name)
      } else if entry.name.hasSuffix(".tar") {
        archives.append("\(folder)/\(entry.name)")
      } else if isImage(entry.name) {
        hasImages = true
      }
    }
    // Folders of something else may lie among the images.
    let isFlat = hasImages && !subfolders.contains { isWordNetNumber($0) }
    if !subfolders.isEmpty, !isFlat { return .classFolders(folder, subfolders) }
    if hasImages { return .images(folder) }
    if archives.isEmpty { return nil }
    let areClasses = archives.allSatisfy { path in
      let name = path.dropFirst(folder.count + 1).dropLast(4)
      return isWordNetNumber(name)
    }
    return areClasses ? .classArchives(archives) : .shards(try complete(archives, of: root))
  }

  /// The number at the end of a shard's name: 7 in `imagenet-train-000007.tar`.
  private static func shardNumber(_ name: String) -> Int? {
    let digits = name.dropLast(4).reversed().prefix { ("0"..."9").contains($0) }.prefix(9)
    return Int(String(digits.reversed()))
  }

  /// Shards whose numbers leave none out.
  private static func complete(_ shards: [String], of root: String) throws(DatasetError) -> [String] {
    let numbers = shards.map(shardNumber)
    for (before, after) in zip(numbers.indices, numbers.indices.dropFirst()) {
      guard let first = numbers[before], let second = numbers[after] else { continue }
      guard second == first + 1 else {
        throw .malformed(
          path: "\(root)/\(shards[after])",
          problem: "the shard \(first + 1) before it does not exist; \(shards[before]) is")
      }
    }
    return shards
  }

  /// The first of some files that is here, below the root.
  func labelFile(_ names: String...) -> String? {
    for folder in labelFolders { for name in names where isFile("\(root)/\(folder)\(name)") { return folder + name } }
    return nil
  }

  /// All that the index follows from, with their sizes and times of change: archives, folders of images, label files.
  func stamps(isInterrupted: () -> Bool) throws(DatasetError) -> [FileStamp] {
    var paths: [String] = []
    for part in [train, validation].compactMap(\.self) {
      switch part {
      case .classFolders(let folder, let classes): paths += [folder] + classes.map { "\(folder)/\($0)" }
      case .images(let path), .nestedArchive(let path), .archive(let path): paths.append(path)
      case .classArchives(let list), .shards(let list): paths += list
      }
    }
    for folder in labelFolders {
      paths += LabelFile.names.map { folder + $0 }.filter { isFile("\(root)/\($0)") }
    }
    return try paths.map { (path) throws(DatasetError) in
      try DatasetError.check(isInterrupted)
      return try FileStamp(path, below: root)
    }
  }
}

/// Whether it is a class's name in ImageNet: `n` and eight digits.
func isWordNetNumber(_ name: some StringProtocol) -> Bool {
  name.utf8.count == 9 && name.utf8.first == UInt8(ascii: "n")
    && name.utf8.dropFirst().allSatisfy { (48...57).contains($0) }
}
