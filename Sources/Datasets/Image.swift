internal import Synchronization
public import Tensors

/// An image of bytes, one plane per channel: index `(channel * height + y) * width + x`. Channels are red, green, blue;
/// or grey.
public struct Image: Hashable, Sendable {
  public let channels, height, width: Int
  public var bytes: [UInt8]

  /// - Precondition: There are `channels * height * width` bytes.
  public init(channels: Int, height: Int, width: Int, bytes: [UInt8]) {
    precondition(bytes.count == channels * height * width)
    (self.channels, self.height, self.width, self.bytes) = (channels, height, width, bytes)
  }

  /// `C x H x W`.
  public var shape: Shape { [channels, height, width] }

  func withView(_ body: (ImageView) -> Void) {
    bytes.withUnsafeBufferPointer { body(ImageView(channels: channels, height: height, width: width, bytes: $0)) }
  }
}

/// An image that somebody else keeps, laid out as `Image`. Valid only inside the closure it is given to.
public struct ImageView {
  public let channels, height, width: Int
  public let bytes: UnsafeBufferPointer<UInt8>

  public init(channels: Int, height: Int, width: Int, bytes: UnsafeBufferPointer<UInt8>) {
    (self.channels, self.height, self.width, self.bytes) = (channels, height, width, bytes)
  }
}

/// Where images and labels come from. Several threads read at once.
///
/// Laws: every label is in `0..<classCount` of the dataset; every image has the shape `imageShape`; the same index
/// gives the same bytes each time.
public protocol ImageSource: Sendable {
  var count: Int { get }
  /// `C x H x W`.
  var imageShape: Shape { get }
  func label(at index: Int) -> Int
  /// Calls `body` once with an image.
  /// - Throws: A `DatasetError` that names the file, where the image cannot be read.
  func withImage(at index: Int, _ body: (ImageView) -> Void) throws(DatasetError)
  /// Calls `body` once with what a framing shows of the image, scaled to `imageShape`.
  func withImage(at index: Int, _ framing: Framing, _ body: (ImageView) -> Void) throws(DatasetError)
  /// The same images in another size, `C x H x W`; nil where they have but one.
  func showing(_ shape: Shape) -> (any ImageSource)?
  /// Feeds what determines a sample into a hash.
  func hashSample(at index: Int, into hasher: inout StableHasher) throws(DatasetError)
  /// How a file's images are shown, where it could be otherwise.
  var showing: String { get }
  /// The file that a sample lies in; nil for one in memory.
  func file(at index: Int) -> String?
  /// Where in that file; empty for a file of its own.
  func place(at index: Int) -> String
  /// The SHA-256 of an image in memory.
  func digest(at index: Int) throws(DatasetError) -> [UInt8]
}

extension ImageSource {
  public func showing(_ shape: Shape) -> (any ImageSource)? { nil }

  /// Frames the image that there is; for sources that have no larger one.
  public func withImage(at index: Int, _ framing: Framing, _ body: (ImageView) -> Void) throws(DatasetError) {
    let shape = imageShape
    try withImage(at: index) { view in
      Pixels.resampled(
        view, framing.window(view.height, view.width), height: shape[1], width: shape[2], filter: framing.filter
      ).withView(body)
    }
  }

  public var showing: String { "" }
  public func file(at index: Int) -> String? { nil }
  public func place(at index: Int) -> String { "" }

  public func digest(at index: Int) throws(DatasetError) -> [UInt8] {
    var digest: [UInt8] = []
    try withImage(at: index) { digest = SHA256.digest(of: UnsafeRawBufferPointer($0.bytes)) }
    return digest
  }

  public func hashSample(at index: Int, into hasher: inout StableHasher) throws(DatasetError) {
    hasher.combine(label(at: index))
    var copy = hasher
    try withImage(at: index) { copy.combine(UnsafeRawBufferPointer($0.bytes)) }
    hasher = copy
  }
}

/// Images and labels that are all in memory.
final class MemoryImages: ImageSource {
  let count: Int
  let imageShape: Shape
  private let images: AlignedBuffer
  private let labels: [UInt8]
  private let sampleBytes, channels, height, width: Int
  /// Of each image whose hash was asked for; images never change.
  private let digests = Mutex<[Int: [UInt8]]>([:])

  /// - Precondition: `images` holds an image for each label.
  init(shape: Shape, images: consuming AlignedBuffer, labels: [UInt8]) {
    sampleBytes = shape.elementCount
    precondition(images.byteCount >= labels.count * sampleBytes)
    (channels, height, width) = (shape[0], shape[1], shape[2])
    (imageShape, count) = (shape, labels.count)
    self.labels = labels
    self.images = images
  }

  func label(at index: Int) -> Int { Int(labels[index]) }

  func digest(at index: Int) -> [UInt8] {
    digests.withLock { digests in
      if let known = digests[index] { return known }
      var digest: [UInt8] = []
      withImage(at: index) { digest = SHA256.digest(of: UnsafeRawBufferPointer($0.bytes)) }
      digests[index] = digest
      return digest
    }
  }

  func withImage(at index: Int, _ body: (ImageView) -> Void) {
    precondition((0..<count).contains(index))
    let start = (images.pointer + index * sampleBytes).assumingMemoryBound(to: UInt8.self)
    body(
      ImageView(
        channels: channels, height: height, width: width, bytes: UnsafeBufferPointer(start: start, count: sampleBytes)))
  }
}
