/// The names of the places of a horizontal axis, cut to the room they may take.
struct PlaceNames: Sendable {
  /// How the names stand below the plot.
  enum Style: CaseIterable { case line, twoLines, upright }

  private let style: Style
  private let texts: [String]
  private let size: Double
  /// Pixels.
  let height: Double

  /// `nil` if the axis has no names.
  init?(_ axis: Axis, in cell: Rectangle, _ style: Style, textSize: Double, _ typeface: Typeface) {
    guard let names = axis.names else { return nil }
    self.style = style
    let tickSize = textSize * 0.88
    // What a column of the plot will have, about.
    let slot = cell.width * 0.75 / Double(names.count)
    let size = style == .upright ? max(9, min(tickSize, slot * 0.8)) : tickSize
    let limit = style == .upright ? cell.height * 0.35 : cell.width
    texts = names.map { typeface.fit($0, into: limit, size: size) }
    let (ascent, descent) = typeface.extent(size: size)
    height =
      switch style {
      case .line: ascent + descent
      case .twoLines: 2 * (ascent + descent)
      case .upright: texts.map { typeface.width(of: $0, size: size) }.max() ?? 0
      }
    self.size = size
  }

  /// Names that stand level are all there; of upright ones, as many as do not touch.
  func ticks(over width: Double, _ typeface: Typeface) -> Ticks {
    let (ascent, descent) = typeface.extent(size: size)
    let slot = width / Double(texts.count)
    return Ticks(
      places: texts.count, every: style == .upright ? Int(((ascent + descent) * 1.02 / slot).rounded(.up)) : 1)
  }

  /// The names below their places; `nil` if one that stands level does not fit whole.
  func labels(at ticks: [Double], _ x: Mapping, _ plot: Rectangle, _ typeface: Typeface) -> [Label]? {
    let (ascent, descent) = typeface.extent(size: size)
    let top = plot.bottom + max(size * 0.55, (ascent + descent) / 2)
    let slot = plot.width / Double(texts.count) - size * 0.5
    var labels: [Label] = []
    for tick in ticks {
      let column = x(tick) ?? plot.left
      let name = texts[Int(tick) - 1]
      if style == .upright {
        guard !name.isEmpty else { continue }
        let width = typeface.width(of: name, size: size)
        let place = Position(column + (ascent - descent) / 2, top + width / 2)
        labels.append(
          Label(name, at: place, .middle, size: size, upright: true, color: Palette.secondaryInk, in: typeface))
        continue
      }
      let lines = typeface.wrapped(name, into: slot, lines: style == .line ? 1 : 2, size: size)
      guard lines.joined(separator: " ") == name else { return nil }
      for (number, text) in lines.enumerated() where !text.isEmpty {
        let baseline = top + ascent + Double(number) * (ascent + descent)
        labels.append(
          Label(text, at: Position(column, baseline), .middle, size: size, color: Palette.secondaryInk, in: typeface))
      }
    }
    return labels
  }
}
