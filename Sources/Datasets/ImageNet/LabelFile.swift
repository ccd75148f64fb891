import Tensors

/// Reads the labels of pictures that do not lie in classes.
///
/// ImageNet has three orders of its classes: by WordNet number, which labels are; the order of the development kit's
/// `ILSVRC2012_ID`s; and that of a list of pictures. Each file below is read by its own.
struct LabelFile {
  /// What a file says of a picture.
  enum Label: Hashable {
    /// A label.
    case number(Int)
    /// A class, by its WordNet number.
    case name(String)
  }

  /// Files that are looked for, the first one that is here counts; then those that name classes.
  static let names =
    [
      "val.txt", "imagenet_2012_validation_synset_labels.txt", "synset_labels.txt", "LOC_val_solution.csv",
      "ILSVRC2012_validation_ground_truth.txt", "map_clsloc.txt", "meta.mat",
    ] + classLists
  private static let classLists = [
    "LOC_synset_mapping.txt", "synsets.txt", "synset_words.txt", "imagenet_lsvrc_2015_synsets.txt",
  ]

  /// Below the root.
  let path: String
  private let root: String
  private let byName: [String: Label]
  private let inOrder: [Label]

  /// The file that a layout has.
  /// - Throws: `DatasetError.noLabels` where there is none; `.malformed` where one cannot be read.
  init(of layout: ImageNetLayout) throws(DatasetError) {
    root = layout.root
    if let path = layout.labelFile("val.txt") {
      self.path = path
      byName = try Self.namedLabels(in: "\(root)/\(path)")
      inOrder = []
    } else if let path = layout.labelFile("imagenet_2012_validation_synset_labels.txt", "synset_labels.txt") {
      self.path = path
      byName = [:]
      inOrder = try Self.lines(of: "\(root)/\(path)").map { .name(String($0)) }
    } else if let path = layout.labelFile("LOC_val_solution.csv") {
      self.path = path
      byName = try Self.solution(in: "\(root)/\(path)")
      inOrder = []
    } else if let path = layout.labelFile("ILSVRC2012_validation_ground_truth.txt") {
      self.path = path
      byName = [:]
      inOrder = try Self.groundTruth(path, of: layout)
    } else {
      throw .noLabels(path: root)
    }
  }

  /// The label of each picture.
  /// - Parameter entries: sorted by name: the order of the files that have no names.
  /// - Throws: `DatasetError.countsDiffer`, `.malformed` for a picture without a label.
  func labels(of entries: [PictureEntry], in title: String) throws(DatasetError) -> [Label] {
    guard byName.isEmpty else {
      return try entries.map { (entry) throws(DatasetError) in
        let name = entry.fileName
        guard let label = byName[String(name.prefix { $0 != "." })] else {
          throw .malformed(path: "\(root)/\(path)", problem: "it has no label for \(name)")
        }
        return label
      }
    }
    guard inOrder.count == entries.count else {
      throw .countsDiffer(
        images: "\(root)/\(title)", imageCount: entries.count, labels: "\(root)/\(path)", labelCount: inOrder.count)
    }
    return inOrder
  }

  /// The classes that a file lists, a line for each that begins with its WordNet number; nil where there is none.
  static func classes(of layout: ImageNetLayout) throws(DatasetError) -> [String]? {
    for name in classLists + ["map_clsloc.txt"] {
      guard let path = layout.labelFile(name) else { continue }
      let classes = try lines(of: "\(layout.root)/\(path)").map { String($0.prefix { $0 != " " && $0 != "\t" }) }
      guard classes.allSatisfy(isWordNetNumber), Set(classes).count == classes.count else {
        throw .malformed(path: "\(layout.root)/\(path)", problem: "each line begins with another WordNet number")
      }
      return classes.sorted()
    }
    return nil
  }

  // MARK: Files

  private static let largest = 1 << 26

  /// Lines that hold something, without spaces at their ends.
  private static func lines(of path: String) throws(DatasetError) -> [Substring] {
    try requireExisting(path)
    let bytes: [UInt8]
    do { bytes = try readFile(path, limit: largest) } catch { throw .unreadable(error) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .malformed(path: path, problem: "it is not UTF-8")
    }
    let lines = text.split(whereSeparator: \.isNewline).compactMap { line -> Substring? in
      let start = line.drop(while: \.isWhitespace)
      guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return nil }
      return start[...last]
    }
    guard !lines.isEmpty else { throw .malformed(path: path, problem: "it is empty") }
    return lines
  }

  /// Lines of a picture's name, and its label or class: Caffe's `val.txt`.
  private static func namedLabels(in path: String) throws(DatasetError) -> [String: Label] {
    var labels: [String: Label] = [:]
    for line in try lines(of: path) {
      let parts = line.split(whereSeparator: \.isWhitespace)
      guard parts.count == 2, let name = parts[0].split(separator: "/").last?.prefix(while: { $0 != "." }) else {
        throw .malformed(path: path, problem: "'\(line)' is not a picture's name and its label")
      }
      if isWordNetNumber(parts[1]) {
        labels[String(name)] = .name(String(parts[1]))
      } else if let number = Int(parts[1]) {
        labels[String(name)] = .number(number)
      } else {
        throw .malformed(path: path, problem: "'\(parts[1])' is no label")
      }
    }
    return labels
  }

  /// Kaggle's table: a picture's name, a comma, its class and a box for each object.
  private static func solution(in path: String) throws(DatasetError) -> [String: Label] {
    var labels: [String: Label] = [:]
    for line in try lines(of: path) where !line.hasPrefix("ImageId") {
      let parts = line.split(separator: ",")
      guard parts.count == 2, let name = parts[1].split(separator: " ").first, isWordNetNumber(name) else {
        throw .malformed(path: path, problem: "'\(line)' is not a picture's name and its class")
      }
      labels[String(parts[0])] = .name(String(name))
    }
    return labels
  }

  /// The development kit's numbers, in the order of the pictures. They count classes from 1, in an order of their own,
  /// which another file tells.
  private static func groundTruth(_ path: String, of layout: ImageNetLayout) throws(DatasetError) -> [Label] {
    let whole = "\(layout.root)/\(path)"
    let (names, mapPath) = try classNumbers(of: layout, for: whole)
    return try lines(of: whole).map { (line) throws(DatasetError) in
      guard let number = Int(line) else { throw .malformed(path: whole, problem: "'\(line)' is no number") }
      guard let name = names[number] else {
        throw .malformed(path: whole, problem: "it has the number \(number), which \(mapPath) does not")
      }
      return .name(name)
    }
  }
  /// Which class has which number in the development kit, and the file that says so.
  private static func classNumbers(of layout: ImageNetLayout, for labels: String) throws(DatasetError) -> (
    [Int: String], String
  ) {
    guard let path = layout.labelFile("map_clsloc.txt") else {
      guard let path = layout.labelFile("meta.mat") else { throw .noClassNumbers(path: labels) }
      return (try SynsetTable.wordNetNumbers(in: "\(layout.root)/\(path)"), path)
    }
    var names: [Int: String] = [:]
    for line in try lines(of: "\(layout.root)/\(path)") {
      let parts = line.split(separator: " ")
      guard parts.count >= 2, isWordNetNumber(parts[0]), let number = Int(parts[1]) else {
        throw .malformed(path: "\(layout.root)/\(path)", problem: "'\(line)' is not a class and its number")
      }
      names[number] = String(parts[0])
    }
    return (names, path)
  }
}
