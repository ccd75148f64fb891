/// Resamples pictures with a triangle filter that widens as the picture shrinks (bilinear, antialiased), as Pillow and
/// torchvision do.
struct Resampling: Sendable {
  /// For each output position, where its inputs begin and their weights, which sum to 1.
  private struct Taps {
    var starts: [Int] = []
    var weights: [[Float]] = []
  }

  private let height, width: Int
  init(toHeight height: Int, width: Int) { (self.height, self.width) = (height, width) }

  /// Scales the largest rectangle of the wanted proportions around the middle of the picture to the wanted size.
  func callAsFunction(_ picture: Picture) -> Picture {
    guard picture.height != height || picture.width != width else { return picture }
    let scale = min(Double(picture.height) / Double(height), Double(picture.width) / Double(width))
    let (boxHeight, boxWidth) = (Double(height) * scale, Double(width) * scale)
    let rows = Self.taps(
      from: (Double(picture.height) - boxHeight) / 2, scale: scale, count: height, extent: picture.height)
    let columns = Self.taps(
      from: (Double(picture.width) - boxWidth) / 2, scale: scale, count: width, extent: picture.width)
    var bytes = [UInt8](repeating: 0, count: picture.channels * height * width)
    var narrow = [Float](repeating: 0, count: picture.height * width)
    let plane = picture.height * picture.width
    picture.bytes.withUnsafeBufferPointer { source in
      for channel in 0..<picture.channels {
        for y in 0..<picture.height {
          let line = channel * plane + y * picture.width
          for x in 0..<width {
            var sum: Float = 0
            let start = line + columns.starts[x]
            columns.weights[x].withUnsafeBufferPointer { weights in
              for i in weights.indices { sum += weights[i] * Float(source[start + i]) }
            }
            narrow[y * width + x] = sum
          }
        }
        for y in 0..<height {
          for x in 0..<width {
            var sum: Float = 0
            for (i, weight) in rows.weights[y].enumerated() { sum += weight * narrow[(rows.starts[y] + i) * width + x] }
            bytes[(channel * height + y) * width + x] = UInt8(max(0, min(255, sum.rounded())))
          }
        }
      }
    }
    return Picture(channels: picture.channels, height: height, width: width, bytes: bytes)
  }

  private static func taps(from origin: Double, scale: Double, count: Int, extent: Int) -> Taps {
    let support = max(scale, 1)
    var taps = Taps()
    for position in 0..<count {
      let center = origin + (Double(position) + 0.5) * scale
      let first = max(0, Int((center - support + 0.5).rounded(.down)))
      let last = min(extent, Int((center + support + 0.5).rounded(.down)))
      let weights = (first..<max(last, first + 1)).map { max(0, 1 - abs(Double($0) + 0.5 - center) / support) }
      let sum = weights.reduce(0, +)
      taps.starts.append(first)
      taps.weights.append(weights.map { Float($0 / sum) })
    }
    return taps
  }
}
