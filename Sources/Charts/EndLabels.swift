/// The names of lines at their ends, in place of a legend.
package struct EndLabels: Sendable {
  /// From the end of a line to its name.
  package struct Leader: Sendable {
    let path: [Position]
    let style: ResolvedStyle
  }

  let labels: [Label]
  let leaders: [Leader]

  /// The most lines that are named so.
  private static let most = 8

  private static func size(_ textSize: Double) -> Double { textSize * 0.86 }
  /// What leads from a line to its name. Pixels.
  private static func reach(_ textSize: Double) -> Double { textSize * 1.1 }

  /// The names, if all that there is to name are lines of names of their own.
  private static func names(of panel: Panel) -> [String]? {
    var names: [String] = []
    for mark in panel.marks {
      switch mark {
      case .line(let series) where !series.name.isEmpty && !names.contains(series.name): names.append(series.name)
      case .reference: break
      case .line, .points, .bars, .dots, .histogram, .heatMap, .pictures: return nil
      }
    }
    return names.isEmpty || names.count > most || panel.liesDown ? nil : names
  }

  /// The room that the names need beside the plot; `nil` if they cannot stand there. Pixels.
  static func width(of panel: Panel, textSize: Double, _ typeface: Typeface) -> Double? {
    names(of: panel)?.map { typeface.width(of: $0, size: size(textSize)) }.max().map { $0 + reach(textSize) }
  }

  /// `nil` if a line does not end at the right edge of the plot, or a name would stand far from its line.
  init?(
    of panel: Panel, _ curves: [Curve], beside plot: Rectangle, upTo right: Double, textSize: Double,
    _ typeface: Typeface
  ) {
    guard let names = EndLabels.names(of: panel), names.count == curves.count else { return nil }
    let size = EndLabels.size(textSize)
    let (ascent, descent) = typeface.extent(size: size)
    let ends = zip(names, curves).compactMap { name, curve in
      curve.end.flatMap { end in end.x >= plot.right - plot.width * 0.05 ? (name: name, curve: curve, end: end) : nil }
    }.sorted { $0.end.y < $1.end.y }
    guard ends.count == names.count else { return nil }
    let heights = EndLabels.spread(
      ends.map(\.end.y), apart: (ascent + descent) * 1.06,
      within: plot.top - descent...max(plot.top - descent, plot.bottom + descent))
    guard zip(heights, ends).allSatisfy({ abs($0 - $1.end.y) <= 3.2 * (ascent + descent) }) else { return nil }
    let left = plot.right + EndLabels.reach(textSize)
    labels = zip(ends, heights).map { end, height in
      Label(
        end.name, at: Position(left, height + (ascent - descent) / 2), .start, size: size, color: Palette.ink,
        in: typeface)
    }
    guard labels.allSatisfy({ $0.box.right <= right + 1 }) else { return nil }
    leaders = zip(ends, heights).map { end, height in
      let stop = left - textSize * 0.3
      return Leader(
        path: [end.end, Position(plot.right + textSize * 0.1, end.end.y), Position(stop - textSize * 0.2, height), Position(stop, height)],
        style: end.curve.style)
    }
  }

  /// Rising places moved as little as keeps them apart.
  package static func spread(_ places: [Double], apart: Double, within range: ClosedRange<Double>) -> [Double] {
    // Neighbours that meet form a block around their middle.
    var blocks: [(centre: Double, count: Int)] = []
    for place in places {
      blocks.append((place, 1))
      while blocks.count > 1 {
        let (a, b) = (blocks[blocks.count - 2], blocks[blocks.count - 1])
        guard b.centre - a.centre < apart * Double(a.count + b.count) / 2 else { break }
        let count = a.count + b.count
        blocks.removeLast(2)
        blocks.append(((a.centre * Double(a.count) + b.centre * Double(b.count)) / Double(count), count))
      }
    }
    var result = blocks.flatMap { block in
      (0..<block.count).map { block.centre + (Double($0) - Double(block.count - 1) / 2) * apart }
    }
    // What leaves the range is pushed back, with its neighbours.
    for index in result.indices {
      result[index] = max(result[index], range.lowerBound + apart / 2 + Double(index) * apart)
    }
    for index in result.indices.reversed() {
      result[index] = min(result[index], range.upperBound - apart / 2 - Double(result.count - 1 - index) * apart)
    }
    return result
  }
}
