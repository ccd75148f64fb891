/// A histogram in pixels.
struct BinLayout: Sendable {
  let color: Color
  let dash: Style.Dash
  private(set) var boxes: [Rectangle] = []
  /// The upper edge of all ranges, down to the ground at both ends.
  private(set) var outline: [Position] = []

  init(_ histogram: Histogram, style: ResolvedStyle, x: Mapping, y: Mapping, plot: Rectangle) {
    (color, dash) = (style.color, style.dash)
    let ground = max(plot.top, min(plot.bottom, y.scale == .log ? plot.bottom : y(0) ?? plot.bottom))
    for (index, count) in histogram.counts.enumerated() where index + 1 < histogram.edges.count {
      guard let left = x(histogram.edges[index]), let right = x(histogram.edges[index + 1]) else { continue }
      let end = max(plot.top, min(plot.bottom, y(count) ?? ground))
      let box = Rectangle(
        left: max(plot.left, left), top: min(end, ground), right: min(plot.right, right), bottom: max(end, ground))
      guard box.right > box.left else { continue }
      if box.height > 0 { boxes.append(box) }
      if outline.isEmpty { outline.append(Position(box.left, ground)) }
      outline += [Position(box.left, end), Position(box.right, end)]
    }
    if let last = outline.last { outline.append(Position(last.x, ground)) }
  }
}
