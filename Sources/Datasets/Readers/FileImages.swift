import Glibc
import Tensors

/// Images in files, decoded each time they are asked for.
final class FileImages: ImageSource {
  let imageShape: Shape
  private let root: String
  /// Names below `root`, in order.
  private let names: [String]
  private let labels: [Int32]
  private let isOriented: Bool

  /// Files larger than this are refused.
  private static let largestFile = 1 << 29

  /// - Parameter isOriented: whether the EXIF orientation is followed.
  init(root: String, names: [String], labels: [Int32], shape: Shape, isOriented: Bool = false) {
    precondition(names.count == labels.count)
    (self.root, self.names, self.labels, imageShape) = (root, names, labels, shape)
    self.isOriented = isOriented
  }

  var count: Int { names.count }
  func label(at index: Int) -> Int { Int(labels[index]) }

  /// The largest middle part of the wanted proportions.
  func withImage(at index: Int, _ body: (ImageView) -> Void) throws(DatasetError) {
    let shape = imageShape
    try withImage(at: index, Framing { .middle(ofHeight: $0, width: $1, for: shape) }, body)
  }

  func withImage(at index: Int, _ framing: Framing, _ body: (ImageView) -> Void) throws(DatasetError) {
    let path = "\(root)/\(names[index])"
    let bytes = try fileBytes(path, limit: Self.largestFile)
    let image = try ImageDecoder.decode(
      bytes, path: path, to: imageShape, framing: framing, isOriented: isOriented)
    image.withView(body)
  }

  var showing: String { isOriented ? "exif" : "" }
  func file(at index: Int) -> String? { "\(root)/\(names[index])" }

  /// The file's name, label, length and time of change: reading every file of a large set would take hours.
  func hashSample(at index: Int, into hasher: inout StableHasher) throws(DatasetError) {
    let path = "\(root)/\(names[index])"
    var status = stat()
    guard stat(path, &status) == 0 else { throw .unreadable(.system(path, errno)) }
    hasher.combine(names[index])
    hasher.combine(label(at: index))
    hasher.combine(status.st_size)
    hasher.combine(status.st_mtim.tv_sec)
    hasher.combine(status.st_mtim.tv_nsec)
    if isOriented { hasher.combine("exif") }
  }
}

extension Dataset {
  /// Opens a folder of images: one subfolder per class, or `train/` and `val/` (also `validation/` or `test/`) with
  /// one subfolder per class each. Labels follow the order of the subfolders' names, compared byte by byte; the images of
  /// a class are all those below its folder, as `ImageTree` finds them. This is torchvision's ImageFolder.
  ///
  /// A file is decoded when a batch needs it; one that is broken is then reported by name. The largest middle part of the
  /// wanted proportions is scaled to the wanted size, bilinear and antialiased.
  ///
  /// - Parameters:
  ///   - channels: 1 for grey, 3 for colour.
  ///   - validationShare: How much of each class is kept for evaluation where there is no `val/`, chosen by
  ///     `RandomKey(seed:, for: .selection)`; between 0 and 1, both left out. Each class keeps a training image.
  ///   - isOriented: Whether the EXIF orientation of JPEG, PNG and WebP files is followed.
  ///   - normalization: ImageNet's for colour, and -1 to 1 for grey, where none is given.
  ///   - note: Told what is there and not read.
  ///   - isInterrupted: Asked before each folder.
  /// - Throws: `DatasetError`; `.emptyClasses` for class folders without images, as ImageFolder does.
  public static func imageFolder(
    at path: String, height: Int = 224, width: Int = 224, channels: Int = 3, validationShare: Double = 0.1,
    seed: UInt64 = 0, isOriented: Bool = false, normalization: Normalization? = nil,
    note: (String) -> Void = { _ in }, isInterrupted: () -> Bool = { false }
  ) throws(DatasetError) -> Dataset {
    guard (1...4096).contains(height) else { throw .outOfRange(what: "the height", value: height, allowed: 1...4096) }
    guard (1...4096).contains(width) else { throw .outOfRange(what: "the width", value: width, allowed: 1...4096) }
    guard channels == 1 || channels == 3 else {
      throw .invalid(what: "\(channels) channels", problem: "images are read in grey, 1, or in colour, 3")
    }
    if let given = normalization?.mean.count, given != channels {
      throw .invalid(what: "a normalization of \(given) channels", problem: "the images have \(channels)")
    }
    guard validationShare > 0, validationShare < 1 else {
      throw .invalid(what: "a validation share of \(validationShare)", problem: "it lies between 0 and 1")
    }
    try requireFolder(path)
    let shape: Shape = [channels, height, width]
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let normalization = normalization ?? (channels == 3 ? .imageNet : .centered(channels: channels))

    // A class may itself be called "train": then it has images, but no classes.
    let trainPath = path + "/train"
    var train: ClassFolders?
    if isFolder(trainPath) { train = try ClassFolders(of: trainPath, isInterrupted) }
    if train?.isEmpty == true { train = nil }
    let validationName = ["val", "validation", "test"].first { isFolder("\(path)/\($0)") }
    if train != nil {
      let others = try ImageTree.contents(of: path).filter { $0.isFolder && ![validationName, "train"].contains($0.name) }
      if !others.isEmpty {
        note("\(path): not read: \(others.prefix(3).map { $0.name + "/" }.joined(separator: ", "))\(others.count > 3 ? ", …" : "")")
      }
    }
    let base = train == nil ? path : trainPath
    let training: ClassFolders
    if let train { training = train } else { training = try ClassFolders(of: path, isInterrupted) }
    let classes = try training.requireClasses()
    for line in training.notes { note(line) }
    guard train != nil, let validationName else {
      let all = Split(try training.images(of: classes, shape: shape, isOriented: isOriented))
      // Each class keeps an image to train on.
      let most = all.count - classes.count
      guard most > 0 else {
        throw .malformed(path: base, problem: "each class has one image, which cannot be both trained on and evaluated on")
      }
      let number = min(most, max(1, Int((Double(all.count) * validationShare).rounded())))
      let (train, validation) = try all.split(holdingOut: number, seed: seed)
      return Dataset(
        name: name, classes: classes, train: train, validation: validation, normalization: normalization)
    }
    let validation = try ClassFolders(of: "\(path)/\(validationName)", isInterrupted)
    for other in validation.names where !classes.contains(other) {
      throw .unknownClass(name: other, path: validation.path)
    }
    let measured = Set(try validation.requireClasses())
    for line in validation.notes { note(line) }
    let unmeasured = classes.filter { !measured.contains($0) }
    if !unmeasured.isEmpty { note("\(validation.path) has no folder for \(ClassFolders.list(unmeasured))") }
    return Dataset(
      name: name, classes: classes,
      train: Split(try training.images(of: classes, shape: shape, isOriented: isOriented)),
      validation: Split(try validation.images(of: classes, shape: shape, isOriented: isOriented)),
      normalization: normalization)
  }
}

/// The subfolders of a folder, a class each, with what lies below them.
private struct ClassFolders {
  let path: String
  private let trees: [(name: String, tree: ImageTree)]
  private let strays: [String]

  init(of path: String, _ isInterrupted: () -> Bool) throws(DatasetError) {
    self.path = path
    var trees: [(name: String, tree: ImageTree)] = []
    var strays: [String] = []
    for entry in try ImageTree.contents(of: path) {
      if entry.isFolder {
        trees.append((entry.name, try ImageTree(at: "\(path)/\(entry.name)", isInterrupted)))
      } else if isImage(entry.name) {
        strays.append(entry.name)
      }
    }
    (self.trees, self.strays) = (trees, strays)
  }

  var names: [String] { trees.map(\.name) }
  var isEmpty: Bool { trees.allSatisfy(\.tree.images.isEmpty) }

  /// The names, where each class has an image.
  /// - Throws: `DatasetError.noClasses`, `.emptyClasses`.
  func requireClasses() throws(DatasetError) -> [String] {
    guard !isEmpty else { throw .noClasses(path: path) }
    let empty = trees.filter(\.tree.images.isEmpty).map(\.name)
    guard empty.isEmpty else { throw .emptyClasses(names: empty, path: path) }
    return names
  }

  /// What is not read, in words.
  var notes: [String] {
    var notes: [String] = []
    if !strays.isEmpty { notes.append("\(path): not read, for they lie in no class: \(Self.list(strays))") }
    let others = trees.flatMap { name, tree in tree.others.map { "\(name)/\($0)" } }
    if !others.isEmpty { notes.append("\(path): not read, for they are no images by their names: \(Self.list(others))") }
    let loops = trees.flatMap { name, tree in tree.loops.map { "\(name)/\($0)" } }
    if !loops.isEmpty { notes.append("\(path): not followed, for they lead back: \(Self.list(loops))") }
    return notes
  }

  static func list(_ names: [String]) -> String {
    names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
  }

  func images(of classes: [String], shape: Shape, isOriented: Bool) throws(DatasetError) -> FileImages {
    var names: [String] = []
    var labels: [Int32] = []
    for (name, tree) in trees {
      guard let label = classes.firstIndex(of: name) else { continue }
      names += tree.images.map { "\(name)/\($0)" }
      labels += repeatElement(Int32(label), count: tree.images.count)
    }
    guard names.count <= Int(Int32.max) else { throw .malformed(path: path, problem: "it has \(names.count) images") }
    return FileImages(root: path, names: names, labels: labels, shape: shape, isOriented: isOriented)
  }
}
