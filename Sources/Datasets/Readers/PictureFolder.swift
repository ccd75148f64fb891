import Glibc
import Tensors

/// Pictures in files, decoded each time they are asked for.
final class FilePictures: PictureSource {
  let pictureShape: Shape
  private let root: String
  /// Names below `root`, in order.
  private let names: [String]
  private let labels: [Int32]

  /// Files larger than this are refused.
  private static let largestFile = 1 << 29

  init(root: String, names: [String], labels: [Int32], shape: Shape) {
    precondition(names.count == labels.count)
    (self.root, self.names, self.labels, pictureShape) = (root, names, labels, shape)
  }

  var count: Int { names.count }
  func label(at index: Int) -> Int { Int(labels[index]) }

  /// The largest middle part of the wanted proportions.
  func withPicture(at index: Int, _ body: (PictureView) -> Void) throws(DatasetError) {
    let shape = pictureShape
    try withPicture(at: index, Framing { .middle(ofHeight: $0, width: $1, for: shape) }, body)
  }

  func withPicture(at index: Int, _ framing: Framing, _ body: (PictureView) -> Void) throws(DatasetError) {
    let path = "\(root)/\(names[index])"
    let picture = try PictureDecoder.decode(try contents(of: path), path: path, to: pictureShape, framing: framing)
    picture.withView(body)
  }

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
  }

  private func contents(of path: String) throws(DatasetError) -> [UInt8] {
    try requireExisting(path)
    do { return try readFile(path, limit: Self.largestFile) } catch { throw .unreadable(error) }
  }
}

extension Dataset {
  /// Opens a folder of pictures: one subfolder per class, or `train/` and `val/` (also `validation/` or `test/`) with
  /// one subfolder per class each. Labels follow the order of the subfolders' names, compared byte by byte.
  ///
  /// Files ending in `.png`, `.jpg`, `.jpeg`, `.gif`, `.bmp` or `.webp` count; names that begin with a dot do not. A
  /// file is decoded when a batch needs it; one that is broken is then reported by name. The largest middle part of the
  /// wanted proportions is scaled to the wanted size, bilinear and antialiased.
  ///
  /// - Parameters:
  ///   - channels: 1 for grey, 3 for colour.
  ///   - validationShare: How much of each class is kept for measuring where there is no `val/`, chosen by
  ///     `RandomKey(seed:, for: .selection)`; between 0 and 1, both left out.
  ///   - normalization: ImageNet's for colour, and -1 to 1 for grey, where none is given.
  /// - Throws: `DatasetError`.
  public static func pictureFolder(
    at path: String, height: Int = 224, width: Int = 224, channels: Int = 3, validationShare: Double = 0.1,
    seed: UInt64 = 0, normalization: Normalization? = nil
  ) throws(DatasetError) -> Dataset {
    guard (1...4096).contains(height) else { throw .outOfRange(what: "the height", value: height, allowed: 1...4096) }
    guard (1...4096).contains(width) else { throw .outOfRange(what: "the width", value: width, allowed: 1...4096) }
    guard channels == 1 || channels == 3 else {
      throw .invalid(what: "\(channels) channels", problem: "pictures are read in grey, 1, or in colour, 3")
    }
    if let given = normalization?.mean.count, given != channels {
      throw .invalid(what: "a normalization of \(given) channels", problem: "the pictures have \(channels)")
    }
    try requireFolder(path)
    let shape: Shape = [channels, height, width]
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let normalization = normalization ?? (channels == 3 ? .imageNet : .centered(channels: channels))

    let trainPath = path + "/train"
    // A class may itself be called "train".
    let hasTrain = isFolder(trainPath) ? try !classFolders(of: trainPath).isEmpty : false
    let base = hasTrain ? trainPath : path
    let classes = try classFolders(of: base)
    guard !classes.isEmpty else { throw .noClasses(path: base) }
    let validationPath = ["val", "validation", "test"].map { "\(path)/\($0)" }.first(where: isFolder)
    guard hasTrain, let validationPath else {
      let all = Split(try pictures(in: base, classes: classes, shape: shape))
      guard all.count >= 2 else {
        throw .malformed(path: base, problem: "one picture cannot be both trained on and measured on")
      }
      guard validationShare > 0, validationShare < 1 else {
        throw .invalid(what: "a validation share of \(validationShare)", problem: "it lies between 0 and 1")
      }
      let number = min(all.count - 1, max(1, Int((Double(all.count) * validationShare).rounded())))
      let (train, validation) = try all.split(holdingOut: number, seed: seed)
      return Dataset(
        name: name, classes: classes, train: train, validation: validation, normalization: normalization)
    }
    for other in try classFolders(of: validationPath) where !classes.contains(other) {
      throw .unknownClass(name: other, path: validationPath)
    }
    return Dataset(
      name: name, classes: classes, train: Split(try pictures(in: trainPath, classes: classes, shape: shape)),
      validation: Split(try pictures(in: validationPath, classes: classes, shape: shape)), normalization: normalization)
  }

  /// The subfolders with pictures in them.
  private static func classFolders(of path: String) throws(DatasetError) -> [String] {
    var classes: [String] = []
    for name in try sortedNames(in: path) where isFolder("\(path)/\(name)") {
      if try sortedNames(in: "\(path)/\(name)").contains(where: isPicture) { classes.append(name) }
    }
    return classes
  }

  private static func pictures(in path: String, classes: [String], shape: Shape) throws(DatasetError) -> FilePictures {
    var names: [String] = []
    var labels: [Int32] = []
    for (label, name) in classes.enumerated() where isFolder("\(path)/\(name)") {
      let own = try sortedNames(in: "\(path)/\(name)").filter(isPicture)
      names += own.map { "\(name)/\($0)" }
      labels += repeatElement(Int32(label), count: own.count)
    }
    guard !names.isEmpty else { throw .empty(path: path) }
    return FilePictures(root: path, names: names, labels: labels, shape: shape)
  }
}

/// Whether a file counts as a picture, by its ending.
func isPicture(_ name: String) -> Bool {
  let lowercased = name.lowercased()
  return [".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"].contains { lowercased.hasSuffix($0) }
}

/// The names in a folder, without those that begin with a dot, in the order of their bytes.
func sortedNames(in path: String) throws(DatasetError) -> [String] {
  guard let folder = opendir(path) else { throw .unreadable(.system(path, errno)) }
  defer { closedir(folder) }
  var names: [String] = []
  while true {
    errno = 0
    guard let entry = readdir(folder) else {
      guard errno == 0 else { throw .unreadable(.system(path, errno)) }
      break
    }
    let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
    guard bytes.first != UInt8(ascii: ".") else { continue }
    guard let name = String(validating: bytes, as: UTF8.self) else {
      throw .nameNotUTF8(path: "\(path)/\(String(decoding: bytes, as: UTF8.self))")
    }
    names.append(name)
  }
  return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}
