internal import Glibc
internal import Tensors

extension Augmentation {
  /// What decides the part of the image that is read, or nil for other kinds.
  func framing(for shape: Shape, using random: Philox) -> Framing? {
    var random = random
    switch self {
    case .randomResizedCrop(let area, let aspect, let filter):
      let filter = filter.drawn(using: &random)
      return Self.randomResizedCrop(area: area, aspect: aspect, filter: filter, random)
    case .scaleJitter(let shortSide, let filter):
      let filter = filter.drawn(using: &random)
      let drawn = shortSide.lowerBound + random.integer(below: shortSide.count)
      let rest = random
      return Framing(filter: filter, allowsReduction: true) { height, width in
        var random = rest
        let scaled = ScaledSize(ofHeight: height, width: width, shortSide: drawn, for: shape)
        let top = random.integer(below: scaled.height - shape[1] + 1)
        let left = random.integer(below: scaled.width - shape[2] + 1)
        return scaled.window(top: top, left: left, height: shape[1], width: shape[2])
      }
    default: return nil
    }
  }

  private static func randomResizedCrop(
    area: ClosedRange<Double>, aspect: ClosedRange<Double>, filter: Framing.Filter, _ random: Philox
  ) -> Framing {
    Framing(filter: filter, allowsReduction: true) { height, width in
      var random = random
      func draw(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * random.uniformDouble()
      }
      let logarithms = log(aspect.lowerBound)...log(aspect.upperBound)
      for _ in 0..<10 {
        let size = Double(height * width) * draw(area)
        let ratio = exp(draw(logarithms))
        let cropWidth = Int((size * ratio).squareRoot().rounded(.toNearestOrEven))
        let cropHeight = Int((size / ratio).squareRoot().rounded(.toNearestOrEven))
        guard (1...width).contains(cropWidth), (1...height).contains(cropHeight) else { continue }
        let top = random.integer(below: height - cropHeight + 1)
        let left = random.integer(below: width - cropWidth + 1)
        return Window(
          top: Double(top), left: Double(left), height: Double(cropHeight), width: Double(cropWidth), seesBeyond: false)
      }
      // No such part fits: the largest in the middle whose proportions do.
      let ratio = min(max(Double(width) / Double(height), aspect.lowerBound), aspect.upperBound)
      let cropWidth = max(1, min(width, Int((Double(height) * ratio).rounded(.toNearestOrEven))))
      let cropHeight = max(1, min(height, Int((Double(width) / ratio).rounded(.toNearestOrEven))))
      return Window(
        top: Double((height - cropHeight) / 2), left: Double((width - cropWidth) / 2), height: Double(cropHeight),
        width: Double(cropWidth), seesBeyond: false)
    }
  }
}
