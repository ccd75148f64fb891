/// A histogram in pixels.
struct BinLayout: Sendable {
  let color: Color
  let dash: Style.Dash
  private(set) var boxes: [Rectangle] = []
  /// The upper edge of all ranges, down to the ground at both ends.
  private(set) var outline: [Position] = []

  init(_ histogram: Histogram, style: ResolvedStyle, _ projection: Projection, plot: Rectangle) {
    (color, dash) = (style.color, style.dash)
    let (places, values) = (projection.places, projection.values)
    let ground = values.clamped(values.scale == .log ? values.start : values(0) ?? values.start)
    var last: Double?
    for (index, count) in histogram.counts.enumerated() where index + 1 < histogram.edges.count {
      guard let low = places(histogram.edges[index]), let high = places(histogram.edges[index + 1]) else { continue }
      let (start, stop) = (places.clamped(low), places.clamped(high))
      guard histogram.edges[index + 1] > histogram.edges[index], abs(stop - start) > 0 else { continue }
      let end = values.clamped(values(count) ?? ground)
      let box = projection.rectangle(places: (start, stop), values: (ground, end))
      if end != ground { boxes.append(box) }
      if outline.isEmpty { outline.append(projection.position(start, ground)) }
      outline += [projection.position(start, end), projection.position(stop, end)]
      last = stop
    }
    if let last { outline.append(projection.position(last, ground)) }
  }
}
