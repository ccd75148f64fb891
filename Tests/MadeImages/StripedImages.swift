public import Datasets
public import Tensors

/// Images whose class says which quarter of their rows is bright, over a little noise. A plane separates the classes, so
/// whatever can learn learns them, on every processor.
public struct StripedImages: ImageSource {
  public let count: Int
  public let seed: UInt64
  public var imageShape: Shape { [1, 16, 16] }

  public func label(at index: Int) -> Int { index % 4 }

  public func withImage(at index: Int, _ body: (ImageView) -> Void) throws(DatasetError) {
    var random = RandomKey(seed: seed, for: .synthetic, sample: index).generator()
    let bytes = (0..<256).map { UInt8(($0 / 64 == label(at: index) ? 160 : 40) + Int(random.next() % 40)) }
    bytes.withUnsafeBufferPointer { body(ImageView(channels: 1, height: 16, width: 16, bytes: $0)) }
  }

  public func hashSample(at index: Int, into hasher: inout StableHasher) throws(DatasetError) {
    hasher.combine(index)
    hasher.combine(Int(seed))
  }

  public static func dataset(train: Int, validation: Int) -> Dataset {
    Dataset(
      name: "stripes", classes: ["first", "second", "third", "fourth"],
      train: Split(StripedImages(count: train, seed: 1)), validation: Split(StripedImages(count: validation, seed: 2)),
      normalization: .centered(channels: 1))
  }
}
