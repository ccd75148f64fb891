import Tensors

/// Reads the labels of images that do not lie in classes.
///
/// ImageNet has three orders of its classes: by WordNet number, which labels are; the order of the development kit's
/// `ILSVRC2012_ID`s; and that of a list of images. Each file below is read by its own.
struct LabelFile {
  /// What a file says of an image.
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
  private let named: Named
  private let inOrder: [Label]

  /// The file that a layout has.
  /// - Throws: `DatasetError.noLabels` where there is none; `.malformed` where one cannot be read.
  init(of layout: ImageNetLayout) throws(DatasetError) {
    root = layout.root
    if let path = layout.labelFile("val.txt") {
      self.path = path
      named = try Self.namedLabels(in: "\(root)/\(path)")
      inOrder = []
    } else if let path = layout.labelFile("imagenet_2012_validation_synset_labels.txt", "synset_labels.txt") {
      self.path = path
      named = Named()
      inOrder = try Self.lines(of: "\(root)/\(path)").map { .name(String($0.text)) }
    } else if let path = layout.labelFile("LOC_val_solution.csv") {
      self.path = path
      named = try Self.solution(in: "\(root)/\(path)")
      inOrder = []
    } else if let path = layout.labelFile("ILSVRC2012_validation_ground_truth.txt") {
      self.path = path
      named = Named()
      inOrder = try Self.groundTruth(path, of: layout)
    } else {
      throw .noLabels(path: root)
    }
  }

  /// The label of each image.
  /// - Parameter entries: sorted by name: the order of the files that have no names.
  /// - Throws: `DatasetError.countsDiffer`, `.malformed` for an image without a label, or a label without an image.
  func labels(of entries: [ImageEntry], in title: String) throws(DatasetError) -> [Label] {
    guard named.isEmpty else {
      var used: Set<Int> = []
      let labels = try entries.map { (entry) throws(DatasetError) in
        let found = try named.label(of: String(entry.fileName), in: "\(root)/\(path)")
        used.insert(found.line)
        return found.label
      }
      let unused = named.lines(without: used)
      if let first = unused.first {
        throw .malformed(
          path: "\(root)/\(path)",
          problem: "line \(first.line) labels \(first.name), which \(root)/\(title) does not hold"
            + (unused.count > 1 ? "; \(unused.count - 1) more like it" : ""))
      }
      return labels
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
      let classes = try lines(of: "\(layout.root)/\(path)").map { String($0.text.prefix { !$0.isWhitespace }) }
      guard classes.allSatisfy(isWordNetNumber), Set(classes).count == classes.count else {
        throw .malformed(path: "\(layout.root)/\(path)", problem: "each line begins with another WordNet number")
      }
      return classes.sorted()
    }
    return nil
  }

  // MARK: Labels by name

  /// What a file says of images by their names, which may lack their endings.
  private struct Named {
    struct Entry {
      let label: Label
      let name: String
      let line: Int
    }
    private var byName: [String: Entry] = [:]
    /// By the name without the ending of an image; nil where two are called so, and differ.
    private var byStem: [String: Entry?] = [:]

    var isEmpty: Bool { byName.isEmpty }

    private static func stem(_ name: String) -> String {
      isImage(name) ? String(name[..<name.lastIndex(of: ".")!]) : name
    }

    /// - Throws: `DatasetError.malformed` where the same name has another label already.
    mutating func add(_ name: Substring, _ label: Label, line: Int, in path: String) throws(DatasetError) {
      // Names may have folders before them.
      let name = String(name.split(separator: "/").last ?? "")
      guard !name.isEmpty else { throw .malformed(path: path, problem: "line \(line) names no image") }
      let entry = Entry(label: label, name: name, line: line)
      if let other = byName[name] {
        guard other.label == label else {
          throw .malformed(
            path: path,
            problem: "\(name) has two labels: \(other.label) in line \(other.line) and \(label) in line \(line)")
        }
        return
      }
      byName[name] = entry
      let stem = Self.stem(name)
      if let other = byStem[stem], other?.label != label {
        byStem[stem] = .some(nil)
      } else {
        byStem[stem] = entry
      }
    }

    /// What is said of a file, by its whole name, else without its ending.
    func label(of file: String, in path: String) throws(DatasetError) -> (label: Label, line: Int) {
      if let entry = byName[file] { return (entry.label, entry.line) }
      switch byStem[Self.stem(file)] {
      case .some(let entry?): return (entry.label, entry.line)
      case .some(nil): throw .malformed(path: path, problem: "it has several labels for what \(file) may be")
      case nil: throw .malformed(path: path, problem: "it has no label for \(file)")
      }
    }

    /// What is said of images that are not there.
    func lines(without used: Set<Int>) -> [Entry] {
      guard used.count < byName.count else { return [] }
      return byName.values.filter { !used.contains($0.line) }.sorted { $0.line < $1.line }
    }
  }

  // MARK: Files

  private static let largest = 1 << 26

  /// - Throws: `DatasetError.malformed` where no line holds anything.
  private static func lines(of path: String) throws(DatasetError) -> [TextFile.Line] {
    let lines = try TextFile(path, limit: largest).lines
    guard !lines.isEmpty else { throw .malformed(path: path, problem: "it is empty") }
    return lines
  }

  /// Lines of an image's name, and its label or class behind the last space: Caffe's `val.txt`.
  private static func namedLabels(in path: String) throws(DatasetError) -> Named {
    var named = Named()
    for line in try lines(of: path) {
      guard let space = line.text.lastIndex(where: \.isWhitespace),
        let end = line.text[..<space].lastIndex(where: { !$0.isWhitespace })
      else {
        throw .malformed(path: path, problem: "line \(line.number): '\(line.text)' is not an image's name and its label")
      }
      let mark = line.text[line.text.index(after: space)...]
      let label: Label
      if isWordNetNumber(mark) {
        label = .name(String(mark))
      } else if let number = Int(mark) {
        label = .number(number)
      } else {
        throw .malformed(path: path, problem: "line \(line.number): '\(mark)' is no label")
      }
      try named.add(line.text[...end], label, line: line.number, in: path)
    }
    return named
  }

  /// Kaggle's table: an image's name, and its class with a box for each object.
  private static func solution(in path: String) throws(DatasetError) -> Named {
    var named = Named()
    for row in try TextFile(path, limit: largest).rows() where row.fields.first != "ImageId" {
      guard row.fields.count == 2, let name = row.fields[1].split(whereSeparator: \.isWhitespace).first,
        isWordNetNumber(name)
      else {
        throw .malformed(
          path: path,
          problem: "line \(row.number): '\(row.fields.joined(separator: ","))' is not an image's name and its class")
      }
      try named.add(row.fields[0][...], .name(String(name)), line: row.number, in: path)
    }
    guard !named.isEmpty else { throw .malformed(path: path, problem: "it is empty") }
    return named
  }

  /// The development kit's numbers, in the order of the images. They count classes from 1, in an order of their own,
  /// which another file tells.
  private static func groundTruth(_ path: String, of layout: ImageNetLayout) throws(DatasetError) -> [Label] {
    let whole = "\(layout.root)/\(path)"
    let (names, mapPath) = try classNumbers(of: layout, for: whole)
    return try lines(of: whole).map { (line) throws(DatasetError) in
      guard let number = Int(line.text) else {
        throw .malformed(path: whole, problem: "line \(line.number): '\(line.text)' is no number")
      }
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
      let parts = line.text.split(whereSeparator: \.isWhitespace)
      guard parts.count >= 2, isWordNetNumber(parts[0]), let number = Int(parts[1]) else {
        throw .malformed(
          path: "\(layout.root)/\(path)", problem: "line \(line.number): '\(line.text)' is not a class and its number")
      }
      guard names.updateValue(String(parts[0]), forKey: number) == nil else {
        throw .malformed(
          path: "\(layout.root)/\(path)", problem: "line \(line.number): the number \(number) is there already")
      }
    }
    return (names, path)
  }
}

extension LabelFile.Label: CustomStringConvertible {
  var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .name(let name): name
    }
  }
}
