/// An image that is changed step by step, from one of two buffers into the other.
struct Canvas {
  private(set) var image: ImageView
  private let buffers: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt8>)
  private let fill: [UInt8]
  private var side = 0

  init(
    _ image: ImageView, _ buffers: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt8>), fill: [UInt8]
  ) {
    (self.image, self.buffers, self.fill) = (image, buffers, fill)
  }

  /// Writes the changed image, of the same shape.
  mutating func change(_ write: (ImageView, UnsafeMutablePointer<UInt8>) -> Void) {
    let target = side == 0 ? buffers.0 : buffers.1
    write(image, target)
    took(target)
  }

  mutating func change(_ operation: ImageOperation, filter: Framing.Filter) {
    let target = side == 0 ? buffers.0 : buffers.1
    if operation.apply(to: image, into: target, filter: filter, fill: fill) { took(target) }
  }

  private mutating func took(_ target: UnsafeMutablePointer<UInt8>) {
    image = ImageView(
      channels: image.channels, height: image.height, width: image.width,
      bytes: UnsafeBufferPointer(start: target, count: image.bytes.count))
    side = 1 - side
  }
}
