internal import CKernels
internal import Tensors

/// Pixels of four bytes: red, green, blue, and one of no meaning, or any four channels; in rows.
struct Pixels {
  let height, width: Int
  var bytes: [UInt8]

  /// Up to four planes of an image, the first of them for what it lacks.
  private init(_ image: ImageView, channels: Range<Int>) {
    let plane = image.height * image.width
    (height, width) = (image.height, image.width)
    bytes = [UInt8](unsafeUninitializedCapacity: 4 * plane) { out, count in
      for i in 0..<4 {
        let from = (i < channels.count ? channels.lowerBound + i : channels.lowerBound) * plane
        for pixel in 0..<plane { out[4 * pixel + i] = image.bytes[from + pixel] }
      }
      count = 4 * plane
    }
  }

  init(height: Int, width: Int, bytes: [UInt8]) {
    precondition(bytes.count == 4 * height * width)
    (self.height, self.width, self.bytes) = (height, width, bytes)
  }

  /// Planes of red, green and blue, or of grey.
  func image(channels: Int) -> Image {
    precondition(channels == 1 || channels == 3)
    let plane = height * width
    let planes = [UInt8](unsafeUninitializedCapacity: channels * plane) { out, count in
      if channels == 3 {
        rk_split_pixels(bytes, Int64(plane), out.baseAddress)
      } else {
        rk_weigh_pixels(bytes, Int64(plane), out.baseAddress)
      }
      count = channels * plane
    }
    return Image(channels: channels, height: height, width: width, bytes: planes)
  }

  /// Scales a window of an image of any number of channels, as `resampled` does.
  static func resampled(
    _ image: ImageView, _ window: Window, height: Int, width: Int, filter: Framing.Filter
  ) -> Image {
    let plane = height * width
    let bytes = [UInt8](unsafeUninitializedCapacity: image.channels * plane) { out, count in
      for first in stride(from: 0, to: image.channels, by: 4) {
        let channels = first..<min(first + 4, image.channels)
        let part = Pixels(image, channels: channels)
          .resampled(window, height: height, width: width, filter: filter)
        for (i, channel) in channels.enumerated() {
          for pixel in 0..<plane { out[channel * plane + pixel] = part.bytes[4 * pixel + i] }
        }
      }
      count = image.channels * plane
    }
    return Image(channels: image.channels, height: height, width: width, bytes: bytes)
  }

  /// Scales a window of the image to `height` x `width`, first along rows, then along columns, with weights and
  /// intermediate bytes rounded as Pillow rounds them.
  func resampled(_ window: Window, height: Int, width: Int, filter: Framing.Filter) -> Pixels {
    let whole = Window(
      top: 0, left: 0, height: Double(self.height), width: Double(self.width), seesBeyond: window.seesBeyond)
    guard window != whole || height != self.height || width != self.width else { return self }
    func reach(_ start: Double, _ length: Double, _ extent: Int) -> Range<Int> {
      window.seesBeyond ? 0..<extent : max(0, Int(start))..<min(extent, Int(start + length))
    }
    let columns = Taps(
      from: window.left, length: window.width, within: reach(window.left, window.width, self.width), outputs: width,
      filter: filter)
    let rows = Taps(
      from: window.top, length: window.height, within: reach(window.top, window.height, self.height), outputs: height,
      filter: filter)
    // Only the lines that the columns' filter reads.
    let lines = rows.span
    let narrow = [UInt8](unsafeUninitializedCapacity: 4 * lines.count * width) { out, count in
      bytes.withUnsafeBufferPointer { source in
        columns.withTaps(movedBy: 0) {
          rk_resample_rows(
            source.baseAddress! + 4 * lines.lowerBound * self.width, Int64(self.width), Int64(lines.count), $0,
            out.baseAddress)
        }
      }
      count = 4 * lines.count * width
    }
    let result = [UInt8](unsafeUninitializedCapacity: 4 * height * width) { out, count in
      rows.withTaps(movedBy: -lines.lowerBound) { rk_resample_columns(narrow, Int64(width), $0, out.baseAddress) }
      count = 4 * height * width
    }
    return Pixels(height: height, width: width, bytes: result)
  }
}

/// For each output position along one axis, where its inputs begin and their weights.
private struct Taps {
  private var starts: [Int32] = []
  private var weights: [Int32] = []
  private let stride: Int

  /// - Parameter range: the inputs that exist.
  init(from origin: Double, length: Double, within range: Range<Int>, outputs: Int, filter: Framing.Filter) {
    let scale = length / Double(outputs)
    let widening = max(scale, 1)
    let support = filter.support * widening
    stride = min(Int(support.rounded(.up)) * 2 + 1, range.count)
    starts.reserveCapacity(outputs)
    weights.reserveCapacity(outputs * stride)
    var own = [Double](repeating: 0, count: stride)
    for position in 0..<outputs {
      let center = origin + (Double(position) + 0.5) * scale
      let first = min(max(range.lowerBound, Int(center - support + 0.5)), range.upperBound - 1)
      let last = max(min(range.upperBound, Int(center + support + 0.5)), first + 1)
      // Near the end the taps begin earlier, with weights of 0, so that every one of them exists.
      let start = min(first, range.upperBound - stride)
      var sum = 0.0
      for i in 0..<stride {
        let input = start + i
        own[i] = input >= first && input < last ? filter((Double(input) + 0.5 - center) / widening) : 0
        sum += own[i]
      }
      starts.append(Int32(start))
      for weight in own {
        let share = weight / sum * 0x1p22
        weights.append(Int32(share < 0 ? share - 0.5 : share + 0.5))
      }
    }
  }

  /// The inputs that are read.
  var span: Range<Int> {
    let (first, last) = (starts.min() ?? 0, starts.max() ?? 0)
    return Int(first)..<Int(last) + stride
  }

  func withTaps(movedBy offset: Int, _ body: (UnsafePointer<rk_taps>) -> Void) {
    let moved = offset == 0 ? starts : starts.map { $0 + Int32(offset) }
    moved.withUnsafeBufferPointer { starts in
      weights.withUnsafeBufferPointer { weights in
        var taps = rk_taps(
          starts: starts.baseAddress, weights: weights.baseAddress, outputs: Int64(starts.count), stride: Int64(stride))
        body(&taps)
      }
    }
  }
}
