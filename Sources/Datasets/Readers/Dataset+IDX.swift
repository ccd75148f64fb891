import Tensors

extension Dataset {
  /// Reads a dataset in the files of MNIST: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same with
  /// `t10k-`, each plain or with `.gz`.
  ///
  /// - Parameter package: The Debian package that an error should name where the files are missing.
  /// - Throws: `DatasetError`: what is missing, truncated, of another format, or does not fit together.
  public static func idx(
    at path: String, name: String, classes: [String], normalization: Normalization? = nil, package: String? = nil
  ) throws(DatasetError) -> Dataset {
    precondition((1...256).contains(classes.count))
    try requireFolder(path, package: package)
    func part(_ prefix: String) throws(DatasetError) -> MemoryImages {
      try IDX.images(
        images: plainOrGzip("\(path)/\(prefix)-images-idx3-ubyte"),
        labels: plainOrGzip("\(path)/\(prefix)-labels-idx1-ubyte"), classCount: classes.count, package: package)
    }
    let train = try part("train")
    let validation = try part("t10k")
    guard train.imageShape == validation.imageShape else {
      throw .malformed(
        path: path,
        problem: "the images to train on are \(train.imageShape), those to test on \(validation.imageShape)")
    }
    if let channels = normalization?.mean.count, channels != train.imageShape[0] {
      throw .malformed(path: path, problem: "the images have \(train.imageShape[0]) channels, \(channels) expected")
    }
    let split = Split(train)
    var measured = normalization
    if measured == nil { measured = try Normalization(measuring: split) }
    return Dataset(
      name: name, classes: classes, train: split, validation: Split(validation), normalization: measured!)
  }

  /// Reads Fashion-MNIST: 60,000 images to train on, 10,000 to test on, 1 x 28 x 28, ten kinds of clothing.
  ///
  /// - Parameter path: The folder with the four files; the default is where Debian's `dataset-fashion-mnist` puts them.
  /// - Throws: `DatasetError`.
  /// - Source: Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747.
  public static func fashionMNIST(
    at path: String = "/usr/share/datasets/fashion-mnist"
  ) throws(DatasetError) -> Dataset {
    try idx(
      at: path, name: "Fashion-MNIST",
      classes: [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
      ],
      normalization: .fashionMNIST, package: "dataset-fashion-mnist")
  }
}

private func plainOrGzip(_ path: String) -> String {
  do throws(DatasetError) {
    try requireExisting(path)
    return path
  } catch {
    return path + ".gz"
  }
}
