public import Tensors

/// Images in classes, with a part to train on and a part to measure on. The images of a part have one shape.
public struct Dataset: Sendable {
  public var name: String
  /// The classes' names; a label is a position in this list.
  public let classes: [String]
  public var train: Split
  /// What results are measured on: the validation or test part that the dataset comes with.
  public var validation: Split
  public var normalization: Normalization
  /// How images of any size are shown where nothing is drawn at random; nil where they have one size, or are shown whole.
  public var transform: TestTransform?

  /// - Precondition: The images of both parts have as many channels as there are means.
  public init(name: String, classes: [String], train: Split, validation: Split, normalization: Normalization) {
    precondition(train.imageShape[0] == validation.imageShape[0])
    precondition(normalization.mean.count == train.imageShape[0])
    self.name = name
    self.classes = classes
    self.train = train
    self.validation = validation
    self.normalization = normalization
  }

  /// Of the images to train on; `C x H x W`.
  public var imageShape: Shape { train.imageShape }

  /// A part with its images shown as large as those to measure on, where its source can.
  public func measured(_ part: Split) -> Split { part.showing(validation.imageShape) }

  /// The same dataset with fewer samples, chosen as `Split.first(_:)` does; nil keeps a part whole.
  /// - Throws: `DatasetError.outOfRange` where there are not so many.
  public func limited(train: Int? = nil, validation: Int? = nil) throws(DatasetError) -> Dataset {
    var result = self
    if let train { result.train = try self.train.first(train) }
    if let validation { result.validation = try self.validation.first(validation) }
    return result
  }

  /// The same dataset with samples held out of the training set as its validation set, which are shown as those of the
  /// old one were.
  /// - Throws: `DatasetError.outOfRange` unless both sets get a sample.
  public func holdingOut(_ number: Int, seed: UInt64) throws(DatasetError) -> Dataset {
    let (kept, heldOut) = try train.split(holdingOut: number, seed: seed)
    var result = self
    result.name = "\(name), held out"
    (result.train, result.validation) = (kept, measured(heldOut))
    return result
  }

  /// A hash of class names, images and labels of both parts, in 16 hexadecimal digits. Reads every sample.
  public func checksum() throws(DatasetError) -> String {
    var hasher = StableHasher()
    hasher.combine(classes.count)
    for name in classes { hasher.combine(name) }
    try train.hash(into: &hasher)
    try validation.hash(into: &hasher)
    return hasher.hexadecimal
  }
}
