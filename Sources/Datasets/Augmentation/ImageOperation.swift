internal import CKernels
internal import Glibc
internal import Tensors

/// A change of an image with its argument at hand, as Pillow makes it, byte for byte.
///
/// Sources: `ImageOps`, `ImageEnhance` and `Image.transform` of Pillow 13, which timm's operations call.
public enum ImageOperation: Hashable, Sendable {
  /// Stretches each channel so that its darkest byte becomes 0 and its lightest 255.
  case autoContrast
  /// Maps each channel so that its bytes are spread evenly.
  case equalize
  case invert
  /// Turns around the middle, against the clock.
  case rotate(degrees: Double)
  /// Moves each row by its number times this factor.
  case shearX(Double)
  case shearY(Double)
  /// Moves the image by this share of its width.
  case translateX(Double)
  case translateY(Double)
  /// Keeps the highest bits of each byte; 0 to 8.
  case posterize(bits: Int)
  /// Inverts bytes from this one up; 0 to 256.
  case solarize(threshold: Int)
  /// Adds to the bytes below 128; 0 to 255.
  case solarizeAdd(Int)
  /// Away from grey (0) to the image (1) and beyond.
  case color(Double)
  /// Away from the image's mean grey (0) to the image (1) and beyond.
  case contrast(Double)
  /// Away from black (0) to the image (1) and beyond.
  case brightness(Double)
  /// Away from a smoothed image (0) to the image (1) and beyond.
  case sharpness(Double)
  /// Turns the hue by this share of the circle, -0.5 to 0.5; only of colour.
  case hue(Double)

  /// Writes the changed image to `target`, which has room for it and is not the image's own memory.
  /// - Parameter fill: a byte for each channel, for what comes in from outside.
  /// - Returns: False where nothing was written because the image stays as it is.
  func apply(
    to image: ImageView, into target: UnsafeMutablePointer<UInt8>, filter: Framing.Filter, fill: [UInt8]
  ) -> Bool {
    let (width, height) = (Double(image.width), Double(image.height))
    switch self {
    case .autoContrast: lookUp(image, target) { Self.stretched($0) }
    case .equalize: lookUp(image, target) { Self.equalized($0) }
    case .invert: lookUp(image, target) { ~$0 }
    case .rotate(let degrees):
      let angle = degrees - 360 * (degrees / 360).rounded(.down)
      guard angle != 0 else { return false }
      transform(image, target, Self.rotation(angle, width: width, height: height), filter, fill)
    case .shearX(let factor): transform(image, target, [1, factor, 0, 0, 1, 0], filter, fill)
    case .shearY(let factor): transform(image, target, [1, 0, 0, factor, 1, 0], filter, fill)
    case .translateX(let share): transform(image, target, [1, 0, share * width, 0, 1, 0], filter, fill)
    case .translateY(let share): transform(image, target, [1, 0, 0, 0, 1, share * height], filter, fill)
    case .posterize(let bits):
      guard bits < 8 else { return false }
      let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - max(bits, 0)))
      lookUp(image, target) { $0 & mask }
    case .solarize(let threshold): lookUp(image, target) { Int($0) < threshold ? $0 : ~$0 }
    case .solarizeAdd(let amount):
      lookUp(image, target) { $0 < 128 ? UInt8(min(255, Int($0) + max(amount, 0))) : $0 }
    case .color(let factor):
      guard image.channels == 3, factor != 1 else { return false }
      // The grey plane waits in the last plane of the target, which is written last.
      let plane = image.width * image.height
      let grey = target + 2 * plane
      rk_weigh_planes(image.bytes.baseAddress, Int64(plane), grey)
      for channel in 0..<3 {
        rk_blend(
          grey, image.bytes.baseAddress! + channel * plane, Float(factor), Int64(plane), target + channel * plane)
      }
    case .contrast(let factor):
      guard factor != 1 else { return false }
      let mean = Self.meanGrey(of: image, scratch: target)
      lookUp(image, target) { Self.blended(mean, $0, Float(factor)) }
    case .brightness(let factor):
      guard factor != 1 else { return false }
      lookUp(image, target) { Self.blended(0, $0, Float(factor)) }
    case .sharpness(let factor):
      guard factor != 1 else { return false }
      let plane = image.width * image.height
      for channel in 0..<image.channels {
        let (from, to) = (image.bytes.baseAddress! + channel * plane, target + channel * plane)
        rk_smooth(from, Int64(image.height), Int64(image.width), to)
        rk_blend(to, from, Float(factor), Int64(plane), to)
      }
    case .hue(let turn):
      guard image.channels == 3 else { return false }
      // As numpy converts it: towards 0, then around the circle.
      let steps = UInt8(truncatingIfNeeded: Int(max(-0.5, min(0.5, turn)) * 255))
      rk_turn_hue(image.bytes.baseAddress, Int64(image.width * image.height), steps, target)
    }
    return true
  }

  private static func blended(_ a: UInt8, _ b: UInt8, _ share: Float) -> UInt8 {
    UInt8(max(0, min(255, Float(a) + share * Float(Int(b) - Int(a)))))
  }

  private static func meanGrey(of image: ImageView, scratch: UnsafeMutablePointer<UInt8>) -> UInt8 {
    let plane = image.width * image.height
    var sum = 0
    if image.channels == 3 {
      rk_weigh_planes(image.bytes.baseAddress, Int64(plane), scratch)
      for i in 0..<plane { sum += Int(scratch[i]) }
      return UInt8(Double(sum) / Double(max(plane, 1)) + 0.5)
    }
    for byte in image.bytes { sum += Int(byte) }
    return UInt8(Double(sum) / Double(max(image.bytes.count, 1)) + 0.5)
  }

  /// The matrix from a place in the turned image to one in the image.
  private static func rotation(_ degrees: Double, width: Double, height: Double) -> [Double] {
    func rounded(_ x: Double) -> Double { (x * 1e15).rounded(.toNearestOrEven) / 1e15 }
    let angle = -(degrees * .pi / 180)
    let (cosine, sine) = (rounded(cos(angle)), rounded(sin(angle)))
    let (x, y) = (width / 2, height / 2)
    let right: Double = cosine * -x + sine * -y
    let down: Double = -sine * -x + cosine * -y
    return [cosine, sine, right + x, -sine, cosine, down + y]
  }

  private static func stretched(_ counts: [Int]) -> [UInt8] {
    let identity = (0...255).map { UInt8($0) }
    guard let low = counts.firstIndex(where: { $0 > 0 }), let high = counts.lastIndex(where: { $0 > 0 }), high > low
    else { return identity }
    let scale = 255 / Double(high - low)
    let offset = -Double(low) * scale
    return (0...255).map { UInt8(max(0, min(255, Double($0) * scale + offset))) }
  }

  private static func equalized(_ counts: [Int]) -> [UInt8] {
    let identity = (0...255).map { UInt8($0) }
    guard counts.count(where: { $0 > 0 }) > 1, let last = counts.last(where: { $0 > 0 }) else { return identity }
    let step = (counts.reduce(0, +) - last) / 255
    guard step > 0 else { return identity }
    var sum = step / 2
    return counts.map { count in
      defer { sum += count }
      return UInt8(min(255, sum / step))
    }
  }
}

/// Maps bytes alike in all channels.
private func lookUp(
  _ image: ImageView, _ target: UnsafeMutablePointer<UInt8>, _ function: (UInt8) -> UInt8
) {
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { table in
    for byte in 0...255 { table[byte] = function(UInt8(byte)) }
    for (i, byte) in image.bytes.enumerated() { target[i] = table[Int(byte)] }
  }
}

/// Maps the bytes of each channel by a table that follows from how often each byte stands in it.
private func lookUp(
  _ image: ImageView, _ target: UnsafeMutablePointer<UInt8>, _ table: ([Int]) -> [UInt8]
) {
  let plane = image.width * image.height
  for channel in 0..<image.channels {
    let from = image.bytes.baseAddress! + channel * plane
    var counts = [Int](repeating: 0, count: 256)
    counts.withUnsafeMutableBufferPointer { counts in for i in 0..<plane { counts[Int(from[i])] += 1 } }
    table(counts).withUnsafeBufferPointer { table in
      for i in 0..<plane { target[channel * plane + i] = table[Int(from[i])] }
    }
  }
}

private func transform(
  _ image: ImageView, _ target: UnsafeMutablePointer<UInt8>, _ matrix: [Double], _ filter: Framing.Filter,
  _ fill: [UInt8]
) {
  precondition(fill.count == image.channels)
  rk_affine(
    image.bytes.baseAddress, Int64(image.channels), Int64(image.height), Int64(image.width), matrix, fill,
    filter == .bicubic ? 1 : 0, target)
}

extension Image {
  /// The image after a change.
  /// - Parameter fill: a byte for each channel, for what comes in from outside.
  /// - Precondition: There are as many as channels.
  public func changed(by operation: ImageOperation, filter: Framing.Filter = .bicubic, fill: [UInt8]) -> Image {
    var result = self
    withView { view in
      let bytes = [UInt8](unsafeUninitializedCapacity: max(view.bytes.count, 1)) { out, count in
        let isChanged = operation.apply(to: view, into: out.baseAddress!, filter: filter, fill: fill)
        count = isChanged ? view.bytes.count : 0
      }
      if !bytes.isEmpty { result.bytes = bytes }
    }
    return result
  }
}
