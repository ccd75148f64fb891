public import Tensors

/// A picture of bytes, one plane per channel: index `(channel * height + y) * width + x`. Channels are red, green, blue;
/// or grey.
public struct Picture: Hashable, Sendable {
  public let channels, height, width: Int
  public var bytes: [UInt8]

  /// - Precondition: There are `channels * height * width` bytes.
  public init(channels: Int, height: Int, width: Int, bytes: [UInt8]) {
    precondition(bytes.count == channels * height * width)
    (self.channels, self.height, self.width, self.bytes) = (channels, height, width, bytes)
  }

  /// `C x H x W`.
  public var shape: Shape { [channels, height, width] }

  func withView(_ body: (PictureView) -> Void) {
    bytes.withUnsafeBufferPointer { body(PictureView(channels: channels, height: height, width: width, bytes: $0)) }
  }
}

/// A picture that somebody else keeps, laid out as `Picture`. Valid only inside the closure it is given to.
public struct PictureView {
  public let channels, height, width: Int
  public let bytes: UnsafeBufferPointer<UInt8>

  public init(channels: Int, height: Int, width: Int, bytes: UnsafeBufferPointer<UInt8>) {
    (self.channels, self.height, self.width, self.bytes) = (channels, height, width, bytes)
  }
}

/// Where pictures and labels come from. Several threads read at once.
///
/// Laws: every label is in `0..<classCount` of the dataset; every picture has the shape `pictureShape`; the same index
/// gives the same bytes each time.
public protocol PictureSource: Sendable {
  var count: Int { get }
  /// `C x H x W`.
  var pictureShape: Shape { get }
  func label(at index: Int) -> Int
  /// Calls `body` once with a picture.
  /// - Throws: A `DatasetError` that names the file, where the picture cannot be read.
  func withPicture(at index: Int, _ body: (PictureView) -> Void) throws(DatasetError)
  /// Calls `body` once with what a framing shows of the picture, scaled to `pictureShape`.
  func withPicture(at index: Int, _ framing: Framing, _ body: (PictureView) -> Void) throws(DatasetError)
  /// The same pictures in another size, `C x H x W`; nil where they have but one.
  func showing(_ shape: Shape) -> (any PictureSource)?
  /// Feeds what determines a sample into a hash.
  func hashSample(at index: Int, into hasher: inout StableHasher) throws(DatasetError)
}

extension PictureSource {
  public func showing(_ shape: Shape) -> (any PictureSource)? { nil }

  /// Frames the image that there is; for sources that have no larger one.
  public func withPicture(at index: Int, _ framing: Framing, _ body: (PictureView) -> Void) throws(DatasetError) {
    let shape = pictureShape
    try withPicture(at: index) { view in
      Pixels.resampled(
        view, framing.window(view.height, view.width), height: shape[1], width: shape[2], filter: framing.filter
      ).withView(body)
    }
  }

  public func hashSample(at index: Int, into hasher: inout StableHasher) throws(DatasetError) {
    hasher.combine(label(at: index))
    var copy = hasher
    try withPicture(at: index) { copy.combine(UnsafeRawBufferPointer($0.bytes)) }
    hasher = copy
  }
}

/// Pictures and labels that are all in memory.
final class MemoryPictures: PictureSource {
  let count: Int
  let pictureShape: Shape
  private let pictures: AlignedBuffer
  private let labels: [UInt8]
  private let sampleBytes, channels, height, width: Int

  /// - Precondition: `pictures` holds a picture for each label.
  init(shape: Shape, pictures: consuming AlignedBuffer, labels: [UInt8]) {
    sampleBytes = shape.elementCount
    precondition(pictures.byteCount >= labels.count * sampleBytes)
    (channels, height, width) = (shape[0], shape[1], shape[2])
    (pictureShape, count) = (shape, labels.count)
    self.labels = labels
    self.pictures = pictures
  }

  func label(at index: Int) -> Int { Int(labels[index]) }

  func withPicture(at index: Int, _ body: (PictureView) -> Void) {
    precondition((0..<count).contains(index))
    let start = (pictures.pointer + index * sampleBytes).assumingMemoryBound(to: UInt8.self)
    body(
      PictureView(
        channels: channels, height: height, width: width, bytes: UnsafeBufferPointer(start: start, count: sampleBytes)))
  }
}
